//! Models of the engines: they fail, do what was asked but lose the answer, and do it later.

mod bucket;
mod encoder;
pub mod film;
mod node;
mod queue;

pub use bucket::{BucketModel, BucketStore};
pub use encoder::EncoderModel;
pub use film::{noise, original};
pub use node::{NodeModel, NodeStore};
pub use queue::{Publisher, QueueNet};
