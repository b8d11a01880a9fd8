//! Where a film is cut: groups of pictures (GOPs) of 2 s, and segments of 2, 2, 2, 2, 4, 4 and then 6 s
//! made of them, the same for every rung and for audio.
//!
//! Time is divided into *places* of one GOP's nominal length (a whole number of frames). A GOP begins with
//! the first frame of a place, where half a frame of slack absorbs rounded times, but not sooner than a
//! quarter of a place after the one before. So variable frame rates and holes need no special case: a place
//! without a frame has no GOP, a segment without a GOP does not exist. The rule can be told to ffmpeg
//! ([`Grid::key_expression`]) as well as applied to an index, with the same result.

mod copied;

use serde::{Deserialize, Serialize};

use crate::{Rational, TICKS};

/// Nominal length of a GOP, seconds: Apple's authoring rules ask for a key frame every 2 s (1.13).
const GOP_SECONDS: f64 = 2.0;

/// Nominal segment lengths, seconds: short ones first, so that playback can start and the first wait is
/// short (measured with growing playlists: 1.7 s less than 2, 2, 2, 6 at 1.2 times real time); 6 s is
/// Apple's target (7.5, 7.6).
const FIRST: (u64, f64) = (4, 2.0);
const SECOND: (u64, f64) = (2, 4.0);
const LATER: f64 = 6.0;

/// EXT-X-TARGETDURATION unless a segment is longer, seconds.
pub const TARGET_SECONDS: u32 = 6;

/// One AAC frame (1024 samples at 48 kHz), ticks: by so much a segment of sound can be longer than that of the picture.
const AUDIO_FRAME: u64 = 1920;

/// A last segment shorter than this joins the one before where the target duration allows, ticks: 1 s.
pub const SHORT_TAIL: u64 = TICKS;

/// One group of pictures: begins with a key frame. Serialised as `[start, frames]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u32)", into = "(u64, u32)")]
pub struct Gop {
    /// Time of its first frame, ticks.
    pub start: u64,
    /// At least 1.
    pub frames: u32,
}

impl From<(u64, u32)> for Gop {
    fn from((start, frames): (u64, u32)) -> Self {
        Self { start, frames }
    }
}

impl From<Gop> for (u64, u32) {
    fn from(gop: Gop) -> Self {
        (gop.start, gop.frames)
    }
}

/// One segment as planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 0.
    pub sequence: u32,
    /// Ticks.
    pub start: u64,
    /// Ticks; an estimate in a nominal grid.
    pub duration: u64,
    /// Number of its first GOP.
    pub first_gop: u32,
    /// GOPs in it.
    pub gops: u32,
    /// Frames in it; `None` in a nominal grid.
    pub frames: Option<u64>,
}

/// The cuts of one video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// Frames of a whole GOP, at the nominal rate.
    pub gop_frames: u32,
    /// Nominal frames per second.
    pub rate: Rational,
    /// Half a nominal frame, ticks; 0 where there is no picture.
    pub slack: u64,
    /// Length of the film, ticks; as the container tells it in a nominal grid, 0 when it does not.
    pub duration: u64,
    /// Cuts are times of real frames; else they are nominal.
    pub exact: bool,
    /// Of a nominal grid: where decoding can begin is told by [`crate::Cues`], so that parts can be made each by itself.
    /// A segment then begins within its place, at its own number, or is a mismatch.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keyed: bool,
    /// All GOPs of an exact grid; empty in a nominal one.
    pub gops: Vec<Gop>,
    /// Of a film whose top rung is copied, the GOPs at which the original's own groups begin; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<u32>,
    /// First GOP (exact) or place (nominal) of each segment; in a nominal grid the film may turn out to
    /// have more or fewer.
    pub segments: Vec<u32>,
}

impl Grid {
    /// From the times of all frames, ticks, rising from 0. `None` if they do not rise (two frames fell on
    /// one tick) or there are none.
    pub fn exact(times: impl IntoIterator<Item = u64>, rate: Rational) -> Option<Self> {
        let mut grid = Self::empty(rate);
        let mut last = None;
        let mut place = 0;
        let shortest = grid.shortest_gop();
        for time in times {
            if last.is_some_and(|last| time <= last) {
                return None;
            }
            last = Some(time);
            let here = grid.place_at(time);
            match grid.gops.last_mut() {
                Some(gop) if here <= place || time - gop.start < shortest => gop.frames += 1,
                _ => {
                    place = here;
                    grid.gops.push(Gop { start: time, frames: 1 });
                }
            }
        }
        grid.exact = true;
        grid.duration = last? + frame_ticks(rate);
        let mut current = None;
        for (number, gop) in (0u32..).zip(&grid.gops) {
            let segment = grid.segment_of_place(grid.place_at(gop.start));
            if current != Some(segment) {
                current = Some(segment);
                grid.segments.push(number);
            }
        }
        grid.join_short_tail();
        Some(grid)
    }

    /// Nominal cuts only: the frames' times are not known. `duration` is what the container says, ticks.
    pub fn nominal(rate: Rational, duration: u64) -> Self {
        let mut grid = Self { duration, ..Self::empty(rate) };
        grid.plan_nominal();
        grid
    }

    /// Nominal cuts, where decoding can begin is told.
    pub fn keyed(rate: Rational, duration: u64) -> Self {
        Self { keyed: true, ..Self::nominal(rate, duration) }
    }

    /// For sound without a picture: places of exactly 2 s.
    pub fn audio(duration: u64) -> Self {
        let mut grid = Self { duration, slack: 0, ..Self::empty(Rational::whole(30)) };
        grid.plan_nominal();
        grid
    }

    fn empty(rate: Rational) -> Self {
        let gop_frames = (rate.as_f64() * GOP_SECONDS).round().clamp(1.0, 1000.0) as u32;
        Self {
            gop_frames,
            rate,
            slack: frame_ticks(rate) / 2,
            duration: 0,
            exact: false,
            keyed: false,
            gops: Vec::new(),
            groups: Vec::new(),
            segments: Vec::new(),
        }
    }

    fn plan_nominal(&mut self) {
        for segment in 0u64.. {
            let place = self.first_place(segment);
            if segment > 0 && self.start_of_place(place) >= self.duration {
                break;
            }
            let Ok(place) = u32::try_from(place) else { break };
            self.segments.push(place);
        }
    }

    fn join_short_tail(&mut self) {
        let Some(last) = self.n_segments().checked_sub(1).filter(|last| *last > 0) else { return };
        let (Some(tail), Some(before)) = (self.segment(last), self.segment(last - 1)) else {
            return;
        };
        if joins(before.duration, tail.duration, TARGET_SECONDS) {
            self.segments.pop();
        }
    }

    /// Whether a part can be made by itself: where each segment begins is known before.
    pub fn is_divisible(&self) -> bool {
        self.exact || self.keyed
    }

    /// Segments as planned: a count that holds in an exact grid and is an estimate otherwise.
    pub fn n_segments(&self) -> u32 {
        u32::try_from(self.segments.len()).unwrap_or(u32::MAX)
    }

    /// A planned segment.
    pub fn segment(&self, sequence: u32) -> Option<Place> {
        let at = usize::try_from(sequence).ok()?;
        let first = *self.segments.get(at)?;
        let next = self.segments.get(at + 1).copied();
        let (start, end, gops, frames) = if self.exact {
            let all = u32::try_from(self.gops.len()).unwrap_or(u32::MAX);
            let gops = next.unwrap_or(all) - first;
            let inside = self.gops.iter().skip(first as usize).take(gops as usize);
            let frames = inside.map(|gop| u64::from(gop.frames)).sum();
            let end = next.map_or(Some(self.duration), |gop| self.start_of_gop(gop))?;
            (self.start_of_gop(first)?, end, gops, Some(frames))
        } else {
            let start = self.start_of_place(first.into());
            let end = next.map_or(self.duration, |place| self.start_of_place(place.into()));
            (start, end.max(start), next.map_or(1, |next| next - first), None)
        };
        Some(Place { sequence, start, duration: end - start, first_gop: first, gops, frames })
    }

    /// All planned segments in order.
    pub fn all(&self) -> impl Iterator<Item = Place> + '_ {
        (0..self.n_segments()).filter_map(|sequence| self.segment(sequence))
    }

    /// The one EXT-X-TARGETDURATION of all renditions, seconds: 6, or more where the original's rate is too
    /// low or its pictures are too far apart for that.
    pub fn target_duration(&self) -> u32 {
        let longest = self.all().map(|segment| segment.duration).max().unwrap_or(0) + AUDIO_FRAME;
        u32::try_from((longest + TICKS / 2) / TICKS).unwrap_or(u32::MAX).max(TARGET_SECONDS)
    }

    /// Where audio is cut at the latest: the starts of segments 1, 2, 3..., ticks. Finite in an exact grid.
    pub fn cut(&self, sequence: u32) -> Option<u64> {
        if self.exact {
            let first = *self.segments.get(usize::try_from(sequence).ok()?)?;
            self.start_of_gop(first)
        } else {
            Some(self.start_of_place(self.first_place(sequence.into())))
        }
    }

    /// The segment that a frame at `time` ticks falls into by nominal times. Rises with time, with gaps where
    /// the film has holes.
    pub fn nominal_segment(&self, time: u64) -> u64 {
        self.segment_of_place(self.place_at(time))
    }

    /// Number of the place in which a segment of a nominal grid begins.
    pub(crate) fn place_of(&self, sequence: u32) -> u64 {
        self.first_place(sequence.into())
    }

    /// The earliest times of the places of segments `first` up to but without `end`, ticks.
    pub(crate) fn places(&self, first: u32, end: u32) -> impl Iterator<Item = u64> + '_ {
        (self.place_of(first)..self.place_of(end)).map(|place| self.start_of_place(place))
    }

    /// Where a segment of a keyed grid begins for all rungs and runs alike, ticks: when its first frame is shown at the nominal
    /// rate. The real one is as near as the original's clock is regular.
    pub(crate) fn nominal_start(&self, sequence: u32) -> u64 {
        self.start_of_place(self.place_of(sequence)) + if sequence > 0 { self.slack } else { 0 }
    }

    /// How long before its cut a run of a keyed grid begins, ticks: what is shown there proves that decoding began early
    /// enough, and is left out. 1 s, or two frames where those are longer.
    pub(crate) fn lead(&self) -> u64 {
        TICKS.max(4 * self.slack)
    }

    /// The GOP rule as a value for ffmpeg's `-force_key_frames expr:`. Its `t` counts from the first frame.
    pub fn key_expression(&self) -> String {
        let place = |t: &str| {
            format!(
                "floor((round({t}*{TICKS})+{})*{}/{})",
                self.slack,
                self.rate.num(),
                self.place_den()
            )
        };
        format!(
            "if(isnan(prev_forced_t),1,gt({},{})*gte(round((t-prev_forced_t)*{TICKS}),{}))",
            place("t"),
            place("prev_forced_t"),
            self.shortest_gop()
        )
    }

    fn start_of_gop(&self, gop: u32) -> Option<u64> {
        self.gops.get(usize::try_from(gop).ok()?).map(|gop| gop.start)
    }

    /// Ticks of a place are `place_den / rate.num`.
    fn place_den(&self) -> u64 {
        let den = u64::try_from(self.rate.den()).unwrap_or(1);
        u64::from(self.gop_frames).saturating_mul(TICKS).saturating_mul(den).max(1)
    }

    fn rate_num(&self) -> u64 {
        u64::try_from(self.rate.num()).unwrap_or(1).max(1)
    }

    fn shortest_gop(&self) -> u64 {
        self.place_den() / self.rate_num() / 4
    }

    fn place_at(&self, time: u64) -> u64 {
        let scaled = u128::from(time.saturating_add(self.slack)) * u128::from(self.rate_num());
        u64::try_from(scaled / u128::from(self.place_den())).unwrap_or(u64::MAX)
    }

    /// The earliest time of a place, slack included.
    fn start_of_place(&self, place: u64) -> u64 {
        let scaled = u128::from(place) * u128::from(self.place_den());
        let nominal = scaled.div_ceil(u128::from(self.rate_num()));
        u64::try_from(nominal).unwrap_or(u64::MAX).saturating_sub(self.slack)
    }

    /// Places in segments of the first, second and later kind.
    fn pattern(&self) -> (u64, u64, u64) {
        let gop_seconds = f64::from(self.gop_frames) / self.rate.as_f64();
        let places = |seconds: f64| (seconds / gop_seconds).round().max(1.0) as u64;
        (places(FIRST.1), places(SECOND.1), places(LATER))
    }

    fn first_place(&self, segment: u64) -> u64 {
        let (first, second, later) = self.pattern();
        let of_first = segment.min(FIRST.0);
        let of_second = (segment - of_first).min(SECOND.0);
        let of_later = segment - of_first - of_second;
        of_first * first + of_second * second + of_later * later
    }

    fn segment_of_place(&self, place: u64) -> u64 {
        let (first, second, later) = self.pattern();
        let second_from = FIRST.0 * first;
        let later_from = second_from + SECOND.0 * second;
        if place < second_from {
            place / first
        } else if place < later_from {
            FIRST.0 + (place - second_from) / second
        } else {
            FIRST.0 + SECOND.0 + (place - later_from) / later
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Whether a tail of these ticks joins what is before it under this target duration: EXTINF rounded to whole
/// seconds must not exceed it (RFC 8216, 4.3.3.1).
pub fn joins(before: u64, tail: u64, target_seconds: u32) -> bool {
    tail < SHORT_TAIL && before + tail + AUDIO_FRAME < u64::from(target_seconds) * TICKS + TICKS / 2
}

/// One nominal frame, ticks.
pub fn frame_ticks(rate: Rational) -> u64 {
    let ticks = TICKS as f64 / rate.as_f64();
    ticks.round().clamp(1.0, 1e12) as u64
}

#[cfg(test)]
mod tests;
