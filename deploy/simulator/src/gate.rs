//! Gates: where every effect waits for its turn. Nothing else in a simulated world has effects.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use reelpin_schema::bucket::STORE;
use reelpin_schema::ipfs::{ANSWER, PIN};

/// How long a call is under way at most, by its name: what the clients' time limits say.
fn limit(what: &str) -> Duration {
    match what.split_whitespace().next() {
        Some("put" | "copy") => STORE,
        Some("pin/add" | "repo/gc") => PIN,
        Some("pin/rm") => ANSWER,
        _ => Duration::from_secs(30),
    }
}

/// Number of an actor: a process, a client, or what starts one.
pub type Actor = usize;

/// What waits at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// One whole `run_tx`, by its name.
    Tx(&'static str),
    /// A call of the bucket.
    Bucket(&'static str),
    /// A call of the IPFS node.
    Node(&'static str),
    /// A message.
    Publish,
    /// An output of the encoder, or a question to it.
    Encoder(&'static str),
    /// A process that waits until this time of the world's clock.
    Sleep(Duration),
}

impl Effect {
    /// The word in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tx(name) | Self::Bucket(name) | Self::Node(name) | Self::Encoder(name) => name,
            Self::Publish => "publish",
            Self::Sleep(_) => "sleep",
        }
    }
}

/// What becomes of an effect whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It happens.
    Run,
    /// Nothing happens, and the caller hears an error.
    Fail,
    /// It happens, and the caller hears an error.
    Lost,
    /// The caller hears an error, and it happens later: see [`Gates::later`]. For a transaction: the
    /// first try commits, its answer is lost, and it is tried again.
    Late,
    /// For a transaction: the first try meets 40001.
    Conflict,
}

/// A thing that happens later.
pub type Landing = Box<dyn FnOnce() + Send>;

struct Later {
    what: String,
    /// The latest time of the world's clock.
    until: Duration,
    land: Landing,
}

struct Waiting {
    actor: Actor,
    effect: Effect,
    verdict: Option<Verdict>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct State {
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    later: Vec<Later>,
    /// Transactions that have begun and not ended.
    open: usize,
    clock: Duration,
}

/// All gates of one world. Clones share it.
#[derive(Clone, Default)]
pub struct Gates {
    state: Arc<Mutex<State>>,
}

/// An effect at its gate, as the scheduler sees it.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    /// Which gate; older ones are lower.
    pub gate: u64,
    /// Who waits.
    pub actor: Actor,
    /// For what.
    pub effect: Effect,
}

impl Gates {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of an effect.
    pub fn wait(&self, actor: Actor, effect: Effect) -> Gate {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.waiting.insert(number, Waiting { actor, effect, verdict: None, waker: None });
        Gate { gates: self.clone(), number }
    }

    /// Hands over what happens later, whoever is dead by then: within the time limit of its call.
    pub fn later(&self, what: impl fmt::Display, land: Landing) {
        let what = what.to_string();
        let mut state = self.state();
        let until = state.clock + limit(&what);
        state.later.push(Later { what, until, land });
    }

    /// The latest time until which the clock may pass before one of them must have happened.
    pub fn must_land(&self) -> Option<(usize, Duration)> {
        let state = self.state();
        let later = state.later.iter().enumerate();
        later.map(|(number, later)| (number, later.until)).min_by_key(|(_, until)| *until)
    }

    /// A transaction begins, or has ended.
    pub fn count_open(&self, begins: bool) {
        let mut state = self.state();
        if begins { state.open += 1 } else { state.open = state.open.saturating_sub(1) }
    }

    /// Whether a transaction is under way.
    pub fn is_open(&self) -> bool {
        self.state().open > 0
    }

    /// How many things are still to happen.
    pub fn under_way(&self) -> usize {
        self.state().later.len()
    }

    /// Lets one of them happen; tells what it was.
    pub fn land(&self, number: usize) -> Option<String> {
        let landing = {
            let mut state = self.state();
            (number < state.later.len()).then(|| state.later.remove(number))
        };
        landing.map(|later| {
            (later.land)();
            later.what
        })
    }

    /// The world's clock: the time since it began.
    pub fn clock(&self) -> Duration {
        self.state().clock
    }

    /// Moves the clock on.
    pub fn pass(&self, time: Duration) {
        self.state().clock += time;
    }

    /// Everything that waits, oldest first.
    pub fn pending(&self) -> Vec<Pending> {
        let state = self.state();
        let undecided = state.waiting.iter().filter(|(_, waiting)| waiting.verdict.is_none());
        undecided
            .map(|(gate, waiting)| Pending {
                gate: *gate,
                actor: waiting.actor,
                effect: waiting.effect,
            })
            .collect()
    }

    /// Opens a gate.
    pub fn open(&self, gate: u64, verdict: Verdict) {
        if let Some(waiting) = self.state().waiting.get_mut(&gate) {
            waiting.verdict = Some(verdict);
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
        }
    }
}

/// A place before a gate. Dropped, it is free again.
pub struct Gate {
    gates: Gates,
    number: u64,
}

impl Future for Gate {
    type Output = Verdict;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        let mut state = self.gates.state();
        let Some(waiting) = state.waiting.get_mut(&self.number) else {
            return Poll::Pending;
        };
        match waiting.verdict {
            Some(verdict) => {
                state.waiting.remove(&self.number);
                Poll::Ready(verdict)
            }
            None => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.gates.state().waiting.remove(&self.number);
    }
}
