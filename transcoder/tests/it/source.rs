//! Originals read by range, over a real S3 server, a broken line to it, and one that lies.

mod answers;
mod away;
mod beginning;
mod liar;
mod programs;
mod read;
mod stand;
