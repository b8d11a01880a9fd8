//! What the stored probe and plan tell about a video.

use reelpin_plan::{Plan, Probe};
use reelpin_schema::db::DbError;
use reelpin_schema::video::Video;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Ticks per second of a plan.
#[expect(clippy::cast_precision_loss, reason = "90,000")]
const TICKS: f64 = reelpin_plan::TICKS as f64;

/// The plan, when there is one.
pub(crate) fn plan(video: &Video) -> Result<Option<Plan>, DbError> {
    read("plan", video.plan.as_ref())
}

/// The part of a plan that records show. A plan holds every cut of the film; reading all of them
/// for each record of a list would be most of its work.
#[derive(Deserialize)]
struct Brief {
    duration: u64,
    #[serde(default)]
    why_not_copied: Option<String>,
    video: Option<BriefVideo>,
    audio: Option<BriefAudio>,
}

#[derive(Deserialize)]
struct BriefAudio {
    #[serde(default)]
    why_not_copied: Option<String>,
}

#[derive(Deserialize)]
struct BriefVideo {
    frame_rate: reelpin_plan::Rational,
}

/// What a record shows of probe and plan.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Seconds.
    pub(crate) duration: Option<f64>,
    /// Pixels as displayed.
    pub(crate) width: Option<u32>,
    /// Pixels as displayed.
    pub(crate) height: Option<u32>,
    /// Nominal frames per second: `30000/1001`.
    pub(crate) frame_rate: Option<String>,
    /// Why the picture was encoded although it was there: a sentence.
    pub(crate) why_not_copied: Option<String>,
    /// Why the sound was: as above.
    pub(crate) why_audio_not_copied: Option<String>,
}

pub(crate) fn facts(video: &Video) -> Result<Facts, DbError> {
    let probe: Option<Probe> = read("probe", video.probe.as_ref())?;
    let brief: Option<Brief> = read("plan", video.plan.as_ref())?;
    let shown = probe.as_ref().and_then(|probe| probe.video.as_ref());
    #[expect(clippy::cast_precision_loss, reason = "2^53 ticks are 3,000 years")]
    let duration = brief.as_ref().filter(|b| b.duration > 0).map(|b| b.duration as f64 / TICKS);
    Ok(Facts {
        duration,
        width: shown.map(|video| video.width),
        height: shown.map(|video| video.height),
        why_not_copied: brief.as_ref().and_then(|brief| brief.why_not_copied.clone()),
        why_audio_not_copied: brief
            .as_ref()
            .and_then(|brief| brief.audio.as_ref())
            .and_then(|audio| audio.why_not_copied.clone()),
        frame_rate: brief.and_then(|brief| brief.video).map(|video| video.frame_rate.to_string()),
    })
}

fn read<T: DeserializeOwned>(
    what: &'static str,
    value: Option<&Value>,
) -> Result<Option<T>, DbError> {
    value.map(T::deserialize).transpose().map_err(|source| DbError::Stored { what, source })
}
