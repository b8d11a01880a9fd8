//! What is made of the sound: a copy where it conforms, else AAC at 48 kHz.

use super::{AudioPlan, Options, VideoPlan};
use crate::copy::sound;
use crate::probe::{Audio, Probe};
use crate::{Grid, Index};

pub(super) fn planned(
    probe: &Probe,
    index: Option<&Index>,
    video: Option<&VideoPlan>,
    grid: &Grid,
    options: &Options,
) -> Option<AudioPlan> {
    let audio = probe.audio.as_ref()?;
    let kept = video.ok_or(sound::Why::Alone).and_then(|video| {
        let start = video.time_base.scale(video.start_pts, sound::SAMPLE_RATE.into());
        sound::conforms(probe, audio, index, start, grid, bitrate(audio, options))
    });
    Some(match kept {
        Ok(kept) => AudioPlan {
            stream: audio.stream,
            copy: true,
            why_not_copied: None,
            sample_rate: sound::SAMPLE_RATE,
            channels: audio.channels,
            bitrate: u32::try_from(kept.bitrate).unwrap_or(u32::MAX),
            language: audio.language.clone(),
            start_pts: kept.start,
            time_base: audio.time_base,
            pad_to: None,
        },
        Err(why) => encoded(audio, video, grid, options, &why),
    })
}

pub(super) fn encoded(
    audio: &Audio,
    video: Option<&VideoPlan>,
    grid: &Grid,
    options: &Options,
    why: &sound::Why,
) -> AudioPlan {
    let (start_pts, time_base) = video
        .map_or((audio.start_pts, audio.time_base), |video| (video.start_pts, video.time_base));
    AudioPlan {
        stream: audio.stream,
        copy: false,
        why_not_copied: Some(why.to_string()),
        sample_rate: sound::SAMPLE_RATE,
        channels: audio.channels.min(2),
        bitrate: bitrate(audio, options),
        language: audio.language.clone(),
        start_pts,
        time_base,
        pad_to: grid.exact.then_some(grid.duration),
    }
}

fn bitrate(audio: &Audio, options: &Options) -> u32 {
    if audio.channels == 1 { options.audio_bitrate / 2 } else { options.audio_bitrate }
}
