//! What the gateway does beside answering, and what its answers change, as steps: plain async
//! functions over [`Engines`](crate::Engines), which whoever schedules them may drop at any point.

pub use crate::janitor::{Item, Janitor, JanitorError, Mode, Report, Thing};
pub use crate::relay::{Relay, Relayed};
pub use crate::upload::arrival::{ArrivalError, arrive};
pub use crate::upload::finder::find;
pub use crate::upload::ticket::{NewUpload, Ticket, TicketError, issue as ticket};
pub use crate::video::cancel::cancel;
pub use crate::video::delete::remove as delete;
pub use crate::video::retry::retry;

/// The feed: one hub for a process, one session for each client.
///
/// A scheduler makes a [`feed::Hub`], lets sessions join it, hands it hints
/// ([`Hub::hear`](feed::Hub::hear)), gives it rounds, and then lets each session pass on what it was
/// told ([`Session::pass_on_waiting`](feed::Session::pass_on_waiting)).
pub mod feed {
    pub use crate::feed::{Close, Handle, Hub, Out, Seat, Session, Utf8Bytes};
}
