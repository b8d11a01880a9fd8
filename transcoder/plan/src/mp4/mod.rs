//! Progressive MP4s of stored renditions (ISO 14496-12), their index first: the tables are made from the
//! segments' own before any byte of film is moved, so that the film is read once and written once.
//!
//! | module | owns |
//! |---|---|
//! | `track` | one rendition: its samples as they are told, what it is |
//! | `tables` | a track's sample tables, in runs as they are stored |
//! | `layout` | what lies where in the file, and its first bytes |
//! | `moov` | the index's boxes |

mod layout;
mod moov;
mod tables;
#[cfg(test)]
mod tests;
mod track;

pub use layout::{Layout, Piece};
pub use track::Track;
