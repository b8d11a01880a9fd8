//! Records, lists, and what changes them.

pub(crate) mod cancel;
pub(crate) mod delete;
pub(crate) mod events;
pub(crate) mod facts;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod progress;
pub(crate) mod record;
pub(crate) mod retry;
pub(crate) mod segments;
pub(crate) mod text;
