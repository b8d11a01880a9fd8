//! The gateway through its public interfaces alone: real HTTP and WebSockets on loopback, a real
//! PostgreSQL, a real S3 server.

mod check;
mod feed;
mod guard;
mod janitor;
mod openapi;
mod page;
mod playback;
mod process;
mod scaffold;
mod service;
mod task;
mod upload;
mod video;
