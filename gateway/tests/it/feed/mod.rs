//! `/ws`.

mod all;
mod auth;
mod follow;
mod slow;
mod steps;
