//! The feed: events and progress of videos over a WebSocket, as they happen.
//!
//! One [`Hub`] hears of changes for the whole process and reads new events once for all sockets;
//! each socket's [`Session`] keeps its own place in each video's events, and in the order of all
//! events when it follows all videos, and fills any gap itself, so that no event is lost or
//! doubled, whatever the hub drops.
//!
//! Hub and sessions are plain state with async steps; [`run`] and [`wire`] drive them with ticks,
//! tasks and a WebSocket.

mod cursor;
mod hub;
mod look;
mod message;
pub(crate) mod run;
mod seat;
mod session;
pub(crate) mod socket;
mod wire;

pub use axum::extract::ws::Utf8Bytes;
pub use hub::Hub;
pub use message::Close;
pub use seat::{Handle, Seat};
pub use session::{Out, Session};
