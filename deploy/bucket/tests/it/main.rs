//! The bucket in a folder, without a server before it.
mod crash;
mod existing;
mod request;
