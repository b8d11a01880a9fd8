//! HLS playlists as text: pure renderings of what is stored, to RFC 8216 and Apple's authoring rules.
//!
//! Final playlists are VOD with measured rates. Growing ones are EVENT with a start point of 0.001 s (one player
//! takes 0 as "not set" and starts at the live edge). None has SERVER-CONTROL, PROGRAM-DATE-TIME, DISCONTINUITY
//! or GAP: each broke a player when measured.

mod language;
mod master;
mod measure;
mod media;

pub use master::{AudioRendition, Variant, growing_master, master};
pub use measure::{average_bitrate, peak_bitrate, target_duration};
pub use media::{Entry, Media, growing_media, media};

/// EXT-X-MAP in an ordinary playlist needs 6; 7 is what fMP4 playlists commonly carry.
const VERSION: &str = "#EXT-X-VERSION:7\n";

/// Playback starts at the beginning although the playlist looks live.
const START: &str = "#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES\n";
