//! `/ws`.

mod auth;
mod follow;
mod slow;
