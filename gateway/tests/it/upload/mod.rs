//! `/upload`.

mod complete;
mod finder;
mod ticket;
