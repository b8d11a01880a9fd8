//! What a worker does, as steps over what it is given: no step spawns, waits for a time of its own
//! or asks the machine for time or chance. `worker` schedules them in a process, the simulator under
//! a seed.

mod attempt;
mod claim;
mod end;
mod fence;
mod take_over;

use std::sync::Arc;

use reelpin_plan::Options;
use reelpin_schema::task::Kind;

pub use attempt::attempt;
pub use claim::{Claimed, claim, sweep};

use crate::encoder::Encoder;
use crate::shunned::Shunned;
use crate::work::{Collaborators, Work};

/// Kinds of tasks that share a bound.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    /// What runs in it.
    pub kinds: &'static [Kind],
    /// Only films that have no starter, and that nobody else takes: [`reelpin_schema::task::Wanted`].
    pub unstarted: bool,
    /// How many of them at once.
    pub at_once: usize,
}

impl Lane {
    const fn of(kinds: &'static [Kind], at_once: usize) -> Self {
        Self { kinds, unstarted: false, at_once }
    }
}

/// What may run beside what: one encode uses every core; what someone waits for goes beside it; the
/// rest are small or wait for others.
pub const LANES: &[Lane] = &[
    Lane::of(&[Kind::Probe, Kind::Starter], 2),
    Lane::of(&[Kind::Encode], 1),
    // Where nothing is made first, the beginning would wait until the stretch of another film is done.
    Lane { unstarted: true, ..Lane::of(&[Kind::Encode], 1) },
    Lane::of(&[Kind::Audio, Kind::Copy, Kind::Poster, Kind::Digest, Kind::Package], 2),
    Lane::of(&[Kind::Pin, Kind::Delete], 1),
    // They only ask; `pinning::Services` bounds what one service may take of it.
    Lane::of(&[Kind::PinService], 8),
];

/// What the steps of one worker are given. Clones share it.
#[derive(Clone)]
pub struct Worker {
    pub(crate) work: Arc<Work>,
}

impl Worker {
    /// A worker by the name that people know it by. `options` are those of every plan it makes.
    pub fn new(
        engines: Collaborators,
        encoder: Arc<dyn Encoder>,
        options: Options,
        name: String,
    ) -> Self {
        Self {
            work: Arc::new(Work { engines, encoder, options, name, shunned: Shunned::default() }),
        }
    }

    /// The kinds of a lane that this worker can do: pins are for workers that have a node.
    pub(crate) fn kinds(&self, lane: &Lane) -> Vec<Kind> {
        let able = |kind: &Kind| {
            !matches!(kind, Kind::Pin | Kind::PinService) || self.work.engines.node.is_some()
        };
        lane.kinds.iter().copied().filter(able).collect()
    }

    /// Whether to look for tasks now: always, since a hint may be lost.
    #[must_use]
    pub fn looks(&self, hinted: bool) -> bool {
        #[cfg(feature = "planted")]
        if reelpin_schema::planted::is(reelpin_schema::planted::Bug::TrustedMessage) {
            return hinted;
        }
        let _ = hinted;
        true
    }
}
