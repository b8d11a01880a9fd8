//! A world: engines' models, actors, and the one who polls them. Everything that happens in it
//! happens by [`World::apply`].

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use reelpin_schema::db::{DbError, Tx};
use reelpin_schema::queue::Queue;

use crate::actor::{self, Env, Follower, Role, Shared};
use crate::gate::{Actor, Effect, Gates, Pending, Verdict};
use crate::model::{BucketStore, NodeStore, QueueNet};
use crate::panics;
use crate::script::{Fault, Op, Wish, World as Parameters};
use crate::stage::Stage;
use crate::turns::Violations;

type Body = Pin<Box<dyn Future<Output = ()>>>;

/// One actor: a process that lives until it is killed, or a client that ends by itself.
struct Acting {
    role: Role,
    body: Option<Body>,
    waker: Arc<Flag>,
    /// Where messages come in.
    queue: Option<Queue>,
}

/// What happened, in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Effects that had their turn; waits are none.
    pub effects: u64,
    /// Actors that died.
    pub kills: u64,
    /// Effects with a fault.
    pub faults: u64,
    /// Messages that were lost or came twice.
    pub messages: u64,
    /// Things that happened after their sender had heard an error.
    pub landed: u64,
}

/// A simulated world.
pub struct World<'a> {
    /// Where effects wait.
    pub gates: Gates,
    /// The bucket behind all of its models.
    pub bucket: Arc<BucketStore>,
    /// The IPFS node behind all of its models.
    pub node: Arc<NodeStore>,
    /// Messages under way.
    pub net: Arc<QueueNet>,
    /// What clients know.
    pub shared: Arc<Shared>,
    /// What was seen that must not be.
    pub violations: Violations,
    /// What happened, in numbers.
    pub counts: Counts,
    /// What happened, in words, when somebody wants to read it.
    pub trace: Option<Vec<String>>,
    parameters: Parameters,
    stage: &'a Stage,
    actors: Vec<Acting>,
    births: u64,
}

impl<'a> World<'a> {
    /// A world in which every process has begun.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(stage: &'a Stage, parameters: &Parameters) -> anyhow::Result<Self> {
        stage.clear().await?;
        panics::note();
        let _ = panics::take();
        let gates = Gates::default();
        let mut world = Self {
            bucket: Arc::new(BucketStore::new(parameters.page)),
            node: Arc::new(NodeStore::default()),
            net: Arc::new(QueueNet::default()),
            shared: Arc::new(Shared::new(&parameters.films)),
            violations: Violations::default(),
            counts: Counts::default(),
            trace: None,
            parameters: parameters.clone(),
            stage,
            actors: Vec::new(),
            births: 0,
            gates,
        };
        let workers = (0..parameters.workers).map(Role::Worker);
        let each = (0..parameters.gateways)
            .flat_map(|n| [Role::Gateway(n), Role::Relay(n), Role::Janitor(n)]);
        let sweepers = (0..2).map(Role::Sweeper);
        let finders = (0..parameters.gateways).map(Role::Finder);
        for role in workers.chain(each).chain(sweepers).chain(finders).collect::<Vec<_>>() {
            world.add(role);
        }
        world.settle_polls().await;
        Ok(world)
    }

    fn add(&mut self, role: Role) {
        let acting = Acting { role, body: None, waker: Arc::new(Flag::default()), queue: None };
        self.actors.push(acting);
        self.start(self.actors.len() - 1);
    }

    fn start(&mut self, number: Actor) {
        self.births += 1;
        let env = Env {
            gates: self.gates.clone(),
            actor: number,
            seed: self.parameters.seed.wrapping_add(self.births << 20),
            db: self.stage.db.clone(),
            bucket: Arc::clone(&self.bucket),
            node: Arc::clone(&self.node),
            net: Arc::clone(&self.net),
            shared: Arc::clone(&self.shared),
            violations: Arc::clone(&self.violations),
            once: self.parameters.once,
        };
        let acting = &mut self.actors[number];
        let (body, queue) = actor::body(env, &acting.role);
        acting.body = Some(body);
        acting.queue = Some(queue);
        acting.waker.woken.store(true, Ordering::Relaxed);
    }

    /// How many actors there were so far.
    pub fn actors(&self) -> usize {
        self.actors.len()
    }

    /// How many clients there were so far, but those who follow.
    pub fn clients(&self) -> usize {
        self.actors.iter().filter(|acting| !acting.role.is_process()).count()
    }

    /// Whether an actor lives.
    pub fn lives(&self, number: Actor) -> bool {
        self.actors.get(number).is_some_and(|acting| acting.body.is_some())
    }

    /// What an actor is.
    pub fn role(&self, number: Actor) -> &Role {
        &self.actors[number].role
    }

    /// What may have its turn now: everything that waits, but for a later time.
    pub fn ready(&self) -> Vec<Pending> {
        let clock = self.gates.clock();
        let mut ready = self.gates.pending();
        ready.retain(|pending| match pending.effect {
            Effect::Sleep(until) => until <= clock,
            _ => true,
        });
        ready
    }

    /// The next time that somebody waits for.
    pub fn next_wake(&self) -> Option<Duration> {
        let waits = self.gates.pending().into_iter().filter_map(|pending| match pending.effect {
            Effect::Sleep(until) => Some(until),
            _ => None,
        });
        waits.min()
    }

    /// Lets an operation happen; false when it does not apply.
    pub async fn apply(&mut self, op: &Op) -> bool {
        let done = match op {
            Op::Step { actor, nth, fault } => self.step(*actor, *nth, *fault),
            Op::Kill(number) => self.kill(*number),
            Op::Start(number) => {
                let dead = self
                    .actors
                    .get(*number)
                    .is_some_and(|a| a.body.is_none() && a.role.is_process());
                if dead {
                    self.start(*number);
                }
                dead
            }
            Op::Pass(millis) => {
                self.pass(Duration::from_millis(*millis));
                true
            }
            Op::Deliver { nth, twice } => {
                let message = if *twice { self.net.copy(*nth) } else { self.net.take(*nth) };
                self.counts.messages += u64::from(*twice && message.is_some());
                for queue in self.actors.iter().filter_map(|acting| acting.queue.as_ref()) {
                    if let Some(message) = &message {
                        queue.deliver(message.clone());
                    }
                }
                message.is_some()
            }
            Op::Drop(nth) => {
                let lost = self.net.take(*nth).is_some();
                self.counts.messages += u64::from(lost);
                lost
            }
            Op::Land(nth) => {
                let landed = self.gates.land(*nth);
                self.counts.landed += u64::from(landed.is_some());
                self.note(|| format!("lands: {}", landed.as_deref().unwrap_or("nothing")));
                landed.is_some()
            }
            Op::Client { wish, gateway } => {
                self.client(wish, *gateway);
                true
            }
            Op::Disconnect(nth) => self.shared.disconnect(*nth),
        };
        self.settle_polls().await;
        done
    }

    fn client(&mut self, wish: &Wish, gateway: usize) {
        let gateway = gateway % self.parameters.gateways;
        match wish {
            Wish::Follow(video) => {
                if let Some(id) = self.shared.video(*video) {
                    self.shared.follow(Follower::named(id, gateway));
                }
            }
            Wish::FollowAll => self.shared.follow(Follower::all(gateway)),
            wish => self.add(Role::Client { wish: wish.clone(), gateway }),
        }
    }

    fn step(&mut self, actor: Actor, nth: usize, fault: Fault) -> bool {
        let mine: Vec<Pending> =
            self.ready().into_iter().filter(|pending| pending.actor == actor).collect();
        let Some(pending) = (!mine.is_empty()).then(|| mine[nth % mine.len()]) else {
            return false;
        };
        let verdict = match (fault, pending.effect) {
            (Fault::None, _) | (_, Effect::Sleep(_)) => Verdict::Run,
            (Fault::Fail, _) => Verdict::Fail,
            (Fault::Lost, _) => Verdict::Lost,
            (Fault::Late, _) => Verdict::Late,
            (Fault::Conflict, Effect::Tx(_)) => Verdict::Conflict,
            (Fault::Conflict, _) => Verdict::Fail,
        };
        let counts = !matches!(pending.effect, Effect::Sleep(_));
        self.counts.effects += u64::from(counts);
        self.counts.faults += u64::from(counts && verdict != Verdict::Run);
        self.note(|| format!("actor {actor}: {} {verdict:?}", pending.effect.name()));
        self.gates.open(pending.gate, verdict);
        true
    }

    /// Ends an actor that is not needed any more.
    pub fn retire(&mut self, number: Actor) {
        if self.kill(number) {
            self.counts.kills -= 1;
        }
    }

    fn kill(&mut self, number: Actor) -> bool {
        let Some(acting) = self.actors.get_mut(number) else { return false };
        let Some(body) = acting.body.take() else { return false };
        acting.queue = None;
        drop(body);
        if let Role::Gateway(gateway) = acting.role {
            self.shared.gateway_died(gateway);
        }
        self.counts.kills += 1;
        self.note(|| format!("actor {number} dies"));
        true
    }

    /// Time passes; what is under way happens before its limit.
    fn pass(&mut self, time: Duration) {
        let until = self.gates.clock() + time;
        while let Some((number, limit)) =
            self.gates.must_land().filter(|(_, limit)| *limit <= until)
        {
            self.gates.pass(limit.saturating_sub(self.gates.clock()));
            let _ = self.gates.land(number);
            self.counts.landed += 1;
        }
        self.gates.pass(until.saturating_sub(self.gates.clock()));
        self.note(|| format!("{} ms pass", time.as_millis()));
    }

    /// Looks at the database, outside of all turns.
    ///
    /// # Errors
    /// The database's, in words.
    pub async fn look<T, F>(&self, body: F) -> Result<T, String>
    where
        F: AsyncFn(&Tx) -> Result<T, DbError>,
    {
        self.stage.db.run_tx("look", body).await.map_err(|e| e.to_string())
    }

    fn note(&mut self, words: impl FnOnce() -> String) {
        let clock = self.gates.clock();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>10.3} {}", clock.as_secs_f64(), words()));
        }
    }

    /// Polls whoever was woken, until everybody waits at a gate.
    async fn settle_polls(&mut self) {
        while let Some(number) = self.woken() {
            let gates = self.gates.clone();
            let acting = &mut self.actors[number];
            let Some(mut body) = acting.body.take() else {
                acting.waker.woken.store(false, Ordering::Relaxed);
                continue;
            };
            let flag = Arc::clone(&acting.waker);
            let waker = Waker::from(Arc::clone(&flag));
            let ended = std::future::poll_fn(|cx| {
                flag.pass_on(cx.waker());
                loop {
                    flag.woken.store(false, Ordering::Relaxed);
                    if body.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                        return Poll::Ready(true);
                    }
                    if flag.woken.load(Ordering::Relaxed) {
                        continue;
                    }
                    // The database's answer is still to come.
                    return if gates.is_open() { Poll::Pending } else { Poll::Ready(false) };
                }
            })
            .await;
            if ended {
                self.actors[number].queue = None;
            } else {
                self.actors[number].body = Some(body);
            }
        }
    }

    fn woken(&self) -> Option<Actor> {
        let woken =
            |acting: &Acting| acting.body.is_some() && acting.waker.woken.load(Ordering::Relaxed);
        self.actors.iter().position(woken)
    }
}

/// Whether an actor was woken since it was polled.
#[derive(Default)]
struct Flag {
    woken: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Flag {
    fn pass_on(&self, waker: &Waker) {
        *self.outer.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        if let Some(outer) = self.outer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            outer.wake();
        }
    }
}
