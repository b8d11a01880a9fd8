//! The feed: events and progress of videos over a WebSocket, as they happen.
//!
//! One [`hub`] task hears of changes for the whole process and reads new events once for all
//! sockets; each socket keeps its own place in each video's events and fills any gap itself, so
//! that no event is lost or doubled, whatever the hub drops.

pub(crate) mod hub;
mod message;
mod session;
pub(crate) mod socket;
