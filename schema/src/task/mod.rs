//! The tables `tasks`, `task_waits` and `attempts`: the graph of work and the right to do it.

mod announce;
mod claim;
mod dead;
mod end;
mod enqueue;
mod fenced;
mod split;
mod state;

pub use announce::{Unannounced, announced, unannounced};
pub use claim::{LEASE, Lease, PASSED_OVER, Wanted, claim, renew, suffix};
pub use dead::{Dead, dead};
pub use end::{
    Ended, again, cancel_all, cancel_work, defer, finish, give_back, guard, hasten, progressed,
    refuse, sweep, take_back, unsettled,
};
pub use enqueue::{NewTask, enqueue, enqueue_all, revive, revive_dead};
pub use split::{Busy, busy, end, one_stretch, split, were_all_stretches};
pub use state::{Kind, State};
