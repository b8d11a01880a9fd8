//! The settings: environment variables or a TOML file, the same names for every service.
//!
//! `REELPIN_S3_ENDPOINT` in the environment is `s3_endpoint` in the file that `REELPIN_CONFIG`
//! names; the environment wins. Every bad value is told at once, never a secret's content.

mod engines;
mod gateway;
mod source;
mod transcoder;

pub use self::engines::{Engines, Ipfs};
pub use self::gateway::{Gateway, Janitor};
pub use self::source::{SettingsError, Source};
pub use self::transcoder::Transcoder;

/// The most bytes that one PUT carries (S3 API reference), and so the largest upload for now.
pub const MAX_UPLOAD: u64 = 5 * 1024 * 1024 * 1024;
