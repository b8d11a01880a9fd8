//! What happened in many seeds, in numbers.

use std::time::Duration;

use crate::run::Ran;

/// Sums over seeds.
#[derive(Debug, Default)]
pub struct Total {
    seeds: u64,
    fewest: Option<u64>,
    effects: u64,
    kills: u64,
    pauses: u64,
    faults: u64,
    messages: u64,
    landed: u64,
    clock: Duration,
}

impl Total {
    /// Adds a run.
    pub fn add(&mut self, ran: &Ran) {
        self.seeds += 1;
        let effects = ran.counts.effects;
        self.fewest = Some(self.fewest.map_or(effects, |fewest| fewest.min(effects)));
        self.effects += effects;
        self.kills += ran.counts.kills;
        self.pauses += ran.pauses;
        self.faults += ran.counts.faults;
        self.messages += ran.counts.messages;
        self.landed += ran.counts.landed;
        self.clock += ran.clock;
    }

    /// In words, with the time that it took.
    pub fn words(&self, took: Duration) -> String {
        format!(
            "{} seeds, {} effects (at least {} in each), {} kills, {} pauses, {} faults, {} messages lost \
             or doubled, {} late landings; {} days of the worlds' time in {} s, {:.1} seeds a second",
            self.seeds,
            self.effects,
            self.fewest.unwrap_or(0),
            self.kills,
            self.pauses,
            self.faults,
            self.messages,
            self.landed,
            self.clock.as_secs() / 86_400,
            took.as_secs(),
            self.seeds as f64 / took.as_secs_f64().max(0.001),
        )
    }
}
