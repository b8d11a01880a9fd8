//! What each engine must do for Reelpin, tried on the local engine and on real servers alike.
mod bucket;
mod ipfs;
mod queue;
