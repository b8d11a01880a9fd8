//! Growing playlists as text, by the plan's rules.

use reelpin_plan::playlist::{self, AudioRendition, Entry, Media, Variant};
use reelpin_schema::segment::Segment;
use reelpin_schema::transcode::Transcode;

use super::super::address::LIVE;
use super::growing::Growing;

/// The master of what is listed: measured rates where they are known, else the plan's bounds.
pub(super) fn master(growing: &Growing) -> String {
    let plan = &growing.plan;
    let names: Vec<(String, &Transcode)> =
        growing.listed().map(|row| (format!("{}/{LIVE}", row.resolution), row)).collect();
    let frame_rate = plan.video.as_ref().map(|video| video.frame_rate);
    let variants: Vec<Variant<'_>> = names
        .iter()
        .filter_map(|(uri, row)| {
            let cap = plan
                .video
                .as_ref()
                .and_then(|video| video.rungs.iter().find(|rung| rung.name == row.resolution))
                .map(|rung| rung.max_bitrate);
            Some(Variant {
                uri,
                width: row.width?,
                height: row.height?,
                codec: row.codec.as_deref()?,
                frame_rate: frame_rate?,
                peak: row.peak_bitrate.or(cap)?,
                average: row.bitrate.or(cap)?,
            })
        })
        .collect();
    let audio = plan.audio.as_ref().and_then(|audio| {
        let (uri, row) = names.iter().find(|(_, row)| row.is_audio())?;
        let cap = u64::from(audio.bitrate);
        Some(AudioRendition {
            uri,
            codec: row.codec.as_deref()?,
            channels: audio.channels,
            language: audio.language.as_deref(),
            peak: row.peak_bitrate.unwrap_or(cap),
            average: row.bitrate.unwrap_or(cap),
        })
    });
    playlist::growing_master(&variants, audio.as_ref())
}

/// The media playlist of a rendition with this init segment; `ended` when these are all its segments.
pub(super) fn media(growing: &Growing, init: &str, segments: &[Segment], ended: bool) -> String {
    let durations = segments.iter().map(|segment| segment.duration_ticks);
    let target_duration = playlist::target_duration(growing.plan.target_duration, durations);
    let entries: Vec<Entry<'_>> = segments
        .iter()
        .map(|segment| Entry { uri: last(&segment.path), duration: segment.duration_ticks })
        .collect();
    let media = Media { target_duration, init: last(init), segments: &entries };
    playlist::growing_media(&media, ended)
}

/// A key's last part: the name relative to the playlist beside it.
fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
