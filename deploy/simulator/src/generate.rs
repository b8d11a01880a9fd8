//! What happens next, by the seed: the world's parameters, and one operation after the other, chosen
//! from what is possible now.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::actor::Role;
use crate::gate::{Actor, Effect, Pending};
use crate::script::{Fault, Film, Flaw, Op, Sends, Wish, World as Parameters};
use crate::world::World;

/// How rough a world is: chances out of 1000 at each choice.
#[derive(Debug, Clone, Copy)]
struct Weather {
    faults: [(Fault, u32); 4],
    kill: u32,
    pause: u32,
    leap: u32,
    disconnect: u32,
}

/// The one who chooses.
pub struct Generator {
    rng: StdRng,
    weather: Weather,
    /// Clients that are still to come.
    wishes: Vec<Wish>,
    /// Actors that stand still until a time of the world's clock.
    paused: BTreeMap<Actor, Duration>,
    /// Effects before the world may settle.
    effects: u64,
    /// Whether another act follows: later, what can be tried again is tried again.
    encore: bool,
    /// Actors stood still so often.
    pub pauses: u64,
}

impl Generator {
    /// By a seed; also tells what the world is like.
    pub fn new(seed: u64, mut rng: StdRng) -> (Self, Parameters) {
        let films = films(&mut rng);
        let world = Parameters {
            seed,
            workers: rng.random_range(2..=3),
            gateways: 2,
            once: rng.random_bool(0.6),
            page: *[3, 30, 1000].choose(&mut rng).unwrap_or(&1000),
            tombstones: rng.random_ratio(1, 4),
            films,
        };
        let weather = weather(&mut rng);
        let wishes = wishes(&mut rng, world.films.len());
        let effects = rng.random_range(250..600);
        let encore = rng.random_bool(0.5);
        let paused = BTreeMap::new();
        let generator = Self { rng, weather, wishes, paused, effects, encore, pauses: 0 };
        (generator, world)
    }

    /// The next operation; `None` when enough has happened.
    pub fn next(&mut self, world: &World<'_>) -> Option<Op> {
        if world.counts.effects >= self.effects && self.wishes.is_empty() {
            return self.encore(world);
        }
        let rng = &mut self.rng;
        let roll = rng.random_range(0..1000);
        let Weather { kill, pause, leap, disconnect, .. } = self.weather;
        let actors = world.actors();
        // The first at once, the rest as it comes, the last before it is too late.
        let likely = if world.counts.effects >= self.effects { 300 } else { 45 };
        if !self.wishes.is_empty() && (roll < likely || world.clients() == 0) {
            let wish = self.wishes.remove(0);
            return Some(Op::Client { wish, gateway: rng.random_range(0..2) });
        }
        let under_way = world.gates.under_way();
        if under_way > 0 && rng.random_ratio(1, 40) {
            return Some(Op::Land(rng.random_range(0..under_way)));
        }
        let messages = world.net.len();
        if messages > 0 && rng.random_ratio(1, 6) {
            let nth = rng.random_range(0..messages);
            return Some(match rng.random_range(0..10) {
                0..2 if self.weather.kill > 0 => Op::Drop(nth),
                2 => Op::Deliver { nth, twice: true },
                _ => Op::Deliver { nth, twice: false },
            });
        }
        if rng.random_range(0..1000) < kill {
            return Some(Op::Kill(rng.random_range(0..actors)));
        }
        if rng.random_range(0..1000) < disconnect {
            return Some(Op::Disconnect(rng.random_range(0..4)));
        }
        let dead: Vec<Actor> = (0..actors)
            .filter(|number| !world.lives(*number) && world.role(*number).is_process())
            .collect();
        if let Some(number) = dead.choose(rng)
            && rng.random_ratio(1, 12)
        {
            return Some(Op::Start(*number));
        }
        if rng.random_range(0..1000) < pause {
            let number = rng.random_range(0..actors);
            let time = Duration::from_secs(rng.random_range(5..90));
            self.paused.insert(number, world.gates.clock() + time);
            self.pauses += 1;
        }
        if rng.random_range(0..1000) < leap {
            return Some(Op::Pass(leap_of(rng)));
        }
        Some(self.step(world))
    }

    /// An hour later everything is tried again, as whoever finds a dead letter does.
    fn encore(&mut self, world: &World<'_>) -> Option<Op> {
        if !std::mem::take(&mut self.encore) {
            return None;
        }
        self.effects = world.counts.effects + 200;
        self.wishes = (0..world.shared.videos()).map(Wish::Retry).collect();
        if self.rng.random_bool(0.3) {
            self.wishes.push(Wish::Delete(self.rng.random_range(0..4)));
        }
        Some(Op::Pass(3_600_000))
    }

    fn step(&mut self, world: &World<'_>) -> Op {
        let clock = world.gates.clock();
        self.paused.retain(|_, until| *until > clock);
        let ready: Vec<Pending> = world
            .ready()
            .into_iter()
            .filter(|pending| !self.paused.contains_key(&pending.actor))
            .collect();
        // Those who work matter more than those who keep order.
        let weight = |pending: &Pending| match world.role(pending.actor) {
            Role::Worker(number) => 12 - 3 * (*number).min(2) as u32,
            Role::Client { .. } => 8,
            Role::Janitor(_) => 6,
            Role::Gateway(_) | Role::Relay(_) | Role::Finder(_) => 3,
            Role::Sweeper(_) => 2,
        };
        let chosen = ready.choose_weighted(&mut self.rng, weight).ok().copied();
        let Some(chosen) = chosen else {
            let wake = world.next_wake().unwrap_or(clock + Duration::from_secs(1));
            let wait = wake.saturating_sub(clock).max(Duration::from_millis(1));
            return Op::Pass(u64::try_from(wait.as_millis()).unwrap_or(1).max(1));
        };
        let nth = world
            .ready()
            .iter()
            .filter(|pending| pending.actor == chosen.actor)
            .position(|pending| pending.gate == chosen.gate)
            .unwrap_or(0);
        let roll = self.rng.random_range(0..1000);
        let mut below = 0;
        let fault = match chosen.effect {
            Effect::Sleep(_) => None,
            _ => self.weather.faults.iter().find_map(|(fault, chance)| {
                // Engines outside the database are further away.
                below += if matches!(chosen.effect, Effect::Tx(_)) { *chance } else { 2 * chance };
                (roll < below).then_some(*fault)
            }),
        };
        Op::Step { actor: chosen.actor, nth, fault: fault.unwrap_or(Fault::None) }
    }
}

/// Mostly seconds, at times a lease's life, seldom hours.
fn leap_of(rng: &mut StdRng) -> u64 {
    match rng.random_range(0..100) {
        0..60 => rng.random_range(100..5_000),
        60..92 => rng.random_range(8_000..45_000),
        92..98 => rng.random_range(60_000..2_400_000),
        _ => rng.random_range(3_600_000..100_000_000),
    }
}

fn films(rng: &mut StdRng) -> Vec<Film> {
    let mut films: Vec<Film> = (0..rng.random_range(2..=3))
        .map(|number| Film {
            number,
            seconds: rng.random_range(3..14),
            rungs: rng.random_range(1..=2),
            sound: rng.random_bool(0.6),
            flaw: match rng.random_range(0..12) {
                0 => Flaw::Refused,
                1 => Flaw::Broken,
                2..4 => Flaw::Poster,
                4..6 => Flaw::Sound,
                _ => Flaw::None,
            },
        })
        .collect();
    if rng.random_ratio(1, 2) {
        // The same content again: its folder has the same id, and shares its pin.
        films[1] = films[0].clone();
    }
    films
}

fn weather(rng: &mut StdRng) -> Weather {
    let calm = [(Fault::Fail, 0), (Fault::Lost, 0), (Fault::Late, 0), (Fault::Conflict, 0)];
    let rough = rng.random_range(20..160);
    let mut faults = calm;
    let kinds = rng.random_range(0..8);
    for (number, fault) in faults.iter_mut().enumerate() {
        // All of them, one of them, or none.
        fault.1 = match kinds {
            0..4 => rough / 2,
            4..6 if rng.random_ratio(1, 4) || number == 0 => rough,
            _ => 0,
        };
    }
    Weather {
        faults,
        kill: *[0, 8, 20, 40].choose(rng).unwrap_or(&4),
        pause: *[0, 4, 15].choose(rng).unwrap_or(&4),
        leap: *[5, 15, 40].choose(rng).unwrap_or(&15),
        disconnect: *[0, 5, 20].choose(rng).unwrap_or(&5),
    }
}

/// Two uploads or more, then whatever people do.
fn wishes(rng: &mut StdRng, films: usize) -> Vec<Wish> {
    let upload = |rng: &mut StdRng, film: usize, sure: bool| Wish::Upload {
        film,
        sends: match rng.random_range(0..20) {
            0 if !sure => Sends::Late,
            1 if !sure => Sends::Noise,
            2 if !sure => Sends::Nothing,
            _ => Sends::Film,
        },
        completes: rng.random_range(0..=2),
    };
    let mut wishes = vec![upload(rng, 0, true), upload(rng, 1, true), Wish::FollowAll];
    for _ in 0..rng.random_range(2..9) {
        let video = rng.random_range(0..4);
        let wish = match rng.random_range(0..20) {
            0..4 => {
                let film = rng.random_range(0..films);
                upload(rng, film, false)
            }
            4..8 => Wish::Delete(video),
            8..10 => Wish::Cancel(video),
            10..14 => Wish::Retry(video),
            14..18 => Wish::Follow(video),
            _ => Wish::FollowAll,
        };
        let place = rng.random_range(1..=wishes.len());
        wishes.insert(place, wish);
    }
    wishes
}
