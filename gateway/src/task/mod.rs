//! Tasks as an operator sees them.

pub(crate) mod list;
