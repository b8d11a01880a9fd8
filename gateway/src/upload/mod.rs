//! From a ticket to a stored original.

pub(crate) mod arrival;
pub(crate) mod complete;
pub(crate) mod finder;
mod sniff;
pub(crate) mod ticket;
