//! `/video` and `/videos`.

mod change;
mod list;
mod record;
