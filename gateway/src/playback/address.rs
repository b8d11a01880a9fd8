//! Playback addresses, as records name them.

use uuid::Uuid;

use crate::Config;

/// The last part of the growing playlists' paths.
pub(crate) const LIVE: &str = "live.m3u8";

/// The last part of the final master's alias.
pub(crate) const MASTER: &str = "master.m3u8";

fn base(config: &Config, id: Uuid) -> String {
    format!("{}/video/{id}", config.settings.media_url)
}

/// A stored object by its key.
pub(crate) fn stored(config: &Config, id: Uuid, key: &str) -> String {
    let media = reelpin_schema::keys::media(id);
    let name = key.strip_prefix(&media).unwrap_or(key);
    format!("{}/hls/{name}", base(config, id))
}

/// The final master: by its alias from ourselves, by its own name through a CDN, where an alias
/// would be kept too long or too shortly.
pub(crate) fn master(config: &Config, id: Uuid, key: &str) -> String {
    if config.settings.media_url == config.settings.public_url {
        format!("{}/hls/{MASTER}", base(config, id))
    } else {
        stored(config, id, key)
    }
}

/// The growing master.
pub(crate) fn live_master(config: &Config, id: Uuid) -> String {
    format!("{}/hls/{LIVE}", base(config, id))
}

/// A growing media playlist.
pub(crate) fn live(config: &Config, id: Uuid, resolution: &str) -> String {
    format!("{}/hls/{resolution}/{LIVE}", base(config, id))
}

pub(crate) fn mp4(config: &Config, id: Uuid, resolution: &str) -> String {
    format!("{}/mp4/{resolution}", base(config, id))
}

pub(crate) fn poster(config: &Config, id: Uuid) -> String {
    format!("{}/poster", base(config, id))
}
