//! The plan: everything that will be made of one original, fixed before the first frame is decoded.
//!
//! It is stored as JSON with the video; the same plan always gives the same arguments and cuts.

mod audio;

use serde::{Deserialize, Serialize};

use crate::copy::{self, sound};
use crate::grid::frame_ticks;
use crate::ladder::{self, Size};
use crate::picture::Picture;
use crate::probe::{Probe, Video, nominal};
use crate::stretch::{self, Entry, Stretch};
use crate::{Cues, Grid, Index, Rational, Refusal, TICKS, codecs, limits, rates};

/// Version of the stored form; with a plan of another version nothing more can be made.
pub const VERSION: u32 = 2;

/// Version of plans by cues, which workers of before them must not touch.
pub const KEYED: u32 = 3;

/// Highest frame rate of a rung, with room for a sloppy clock: Apple's rules (1.19) say not above 60.
const MAX_RATE: f64 = 60.5;

/// [`limits::MAX_SECONDS`] as times count.
const MAX_SECONDS: i64 = limits::MAX_SECONDS.cast_signed();

/// What an operator may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// No rung above this short side, pixels.
    pub max_short_side: u32,
    /// Bits/s of stereo sound; mono gets half.
    pub audio_bitrate: u32,
    /// Longest stretch, ticks.
    pub longest_stretch: u64,
    /// By how much sooner a stretch must be done, ticks of film, for an idle worker to take some of it.
    pub worth_taking: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_short_side: 1080,
            audio_bitrate: 128_000,
            longest_stretch: stretch::LONGEST,
            worth_taking: stretch::WORTH_TAKING,
        }
    }
}

/// One video's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`VERSION`] or [`KEYED`].
    pub version: u32,
    /// The instant of the original that is time 0 of everything we make, ticks of the original's clock (the
    /// first frame; rounded, for display: the exact one is in `video` or `audio`).
    pub start: i64,
    /// Length, ticks; 0 when unknown (no index and nothing in the header).
    pub duration: u64,
    /// EXT-X-TARGETDURATION of all renditions, seconds.
    pub target_duration: u32,
    /// The cuts of all renditions.
    pub grid: Grid,
    /// The picture; `None` for sound alone.
    pub video: Option<VideoPlan>,
    /// The sound; `None` for silent films.
    pub audio: Option<AudioPlan>,
    /// Decoders that may run, comma-separated: those of both tracks, because ffmpeg looks into each while it
    /// opens a file.
    pub decoders: String,
    /// Why the top rung is encoded rather than copied: a sentence.
    pub why_not_copied: Option<String>,
    /// Why there is no sound although the original has some: a sentence.
    pub audio_left_out: Option<String>,
}

/// What is made of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoPlan {
    /// Index among all streams of the original.
    pub stream: u32,
    /// Lowest first, at least one.
    pub rungs: Vec<Rung>,
    /// Nominal frames per second of the rungs.
    pub frame_rate: Rational,
    /// Frames of each rung; `None` without an index.
    pub frames: Option<u64>,
    /// Every how many frames of the original one is kept: 1, or more above 60 frames a second.
    pub keep_every: u32,
    /// Unit of `start_pts` and of the entries' times, seconds.
    pub time_base: Rational,
    /// First frame shown, in the original stream's time base.
    pub start_pts: i64,
    /// Where the poster is taken, ticks; 0: the first frame.
    pub poster_at: u64,
    /// What is done to each frame.
    pub picture: Picture,
    /// Where each segment begins in the original; empty where that is not known. Of a keyed grid those at the end, behind the
    /// last cue, are left out.
    #[serde(default)]
    pub entries: Vec<Entry>,
    /// First segments of the stretches, rising from 0.
    #[serde(default)]
    pub joints: Vec<u32>,
}

impl VideoPlan {
    /// Number of the rung that is copied.
    pub fn copied(&self) -> Option<usize> {
        self.rungs.iter().position(|rung| rung.copy)
    }

    /// The stretches in order: together the whole film. None where nothing is encoded.
    pub fn stretches(&self) -> impl Iterator<Item = Stretch> + '_ {
        let encodes = self.rungs.iter().any(|rung| !rung.copy);
        self.joints.iter().enumerate().filter(move |_| encodes).map(|(at, first)| {
            let next = self.joints.get(at + 1).copied();
            let whole = u32::try_from(self.entries.len()).ok().filter(|_| self.frames.is_some());
            Stretch { first: *first, end: next.or(whole) }
        })
    }
}

/// One rung of the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// By its short side: `480p`. Unique in a plan.
    pub name: String,
    /// Pixels, even.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// The original's own picture, not encoded again.
    #[serde(default)]
    pub copy: bool,
    /// Upper bound of the encoder's rate, bits/s, over a buffer of twice as many bits. Playlists tell
    /// the measured peak once it is known.
    pub max_bitrate: u64,
}

/// What is made of the sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioPlan {
    /// Index among all streams of the original.
    pub stream: u32,
    /// The original's own sound, not encoded again.
    #[serde(default)]
    pub copy: bool,
    /// Why it is encoded rather than copied: what follows "because".
    #[serde(default)]
    pub why_not_copied: Option<String>,
    /// Hz of what is made: always 48000.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u32,
    /// Bits/s; of a copy an upper bound of the average.
    pub bitrate: u32,
    /// As the original tells it.
    pub language: Option<String>,
    /// Time 0 on the original's clock as `start_pts * time_base`: of the first frame of the picture, or without one of
    /// the sound itself; of a copy the beginning of the coded frame that is nearest to it.
    pub start_pts: i64,
    /// Unit of `start_pts`, seconds.
    pub time_base: Rational,
    /// Silence is added up to here, ticks, so that sound ends no earlier than the picture; `None`: as long as
    /// it is.
    pub pad_to: Option<u64>,
}

impl Plan {
    /// Plans what to make of an original. `index` may be left out even where one can be had: for an
    /// original whose index turned out to lie.
    ///
    /// # Errors
    /// [`Refusal`]: too long by the index, or without a frame.
    pub fn new(probe: &Probe, index: Option<&Index>, options: &Options) -> Result<Self, Refusal> {
        Self::of(probe, index.map_or(Tables::None, Tables::Index), options)
    }

    /// The same of a film of which cues alone are known. They are not used where frames of the original are left out, because
    /// it is not known which.
    ///
    /// # Errors
    /// [`Refusal`]: without a frame.
    pub fn by_cues(probe: &Probe, cues: &Cues, options: &Options) -> Result<Self, Refusal> {
        Self::of(probe, Tables::Cues(cues), options)
    }

    fn of(probe: &Probe, tables: Tables<'_>, options: &Options) -> Result<Self, Refusal> {
        let tables = if probe.indexable().is_some() { tables } else { Tables::None };
        let index = match tables {
            Tables::Index(index) => Some(index),
            Tables::Cues(_) | Tables::None => None,
        };
        let (video, grid, why_not_copied) = match &probe.video {
            Some(video) => {
                let (plan, grid, why) = plan_video(probe, video, tables, options)?;
                (Some(plan), grid, why)
            }
            None => {
                let audio = probe.audio.as_ref().ok_or(Refusal::NotAVideo)?;
                (None, Grid::audio(audio.duration.or(probe.duration).unwrap_or(0)), None)
            }
        };
        let audio = audio::planned(probe, index, video.as_ref(), &grid, options);
        let start = video
            .as_ref()
            .map(|video| video.time_base.scale(video.start_pts, TICKS))
            .or(audio.as_ref().map(|audio| audio.time_base.scale(audio.start_pts, TICKS)));
        Ok(Self {
            version: if grid.keyed { KEYED } else { VERSION },
            start: start.unwrap_or(0),
            duration: grid.duration,
            target_duration: grid.target_duration(),
            why_not_copied,
            audio_left_out: probe.audio_left_out.clone(),
            decoders: decoders(probe),
            grid,
            video,
            audio,
        })
    }

    /// Whether this code can make more of it.
    pub fn is_known(&self) -> bool {
        self.version == if self.grid.keyed { KEYED } else { VERSION }
    }

    /// The same but for the sound, which is encoded: for an original whose sound is not what its tables say.
    #[must_use]
    pub fn encoding_sound(&self, probe: &Probe, options: &Options) -> Self {
        let audio = probe.audio.as_ref().map(|audio| {
            audio::encoded(audio, self.video.as_ref(), &self.grid, options, &sound::Why::Damaged)
        });
        Self { audio, ..self.clone() }
    }
}

/// What the container tells of the picture.
#[derive(Debug, Clone, Copy)]
enum Tables<'a> {
    /// Every frame.
    Index(&'a Index),
    /// Where decoding can begin.
    Cues(&'a Cues),
    None,
}

fn decoders(probe: &Probe) -> String {
    let video = probe.video.as_ref().and_then(|video| codecs::video_decoders(&video.codec));
    let audio = probe.audio.as_ref().and_then(|audio| codecs::audio_decoders(&audio.codec));
    [video, audio].into_iter().flatten().flatten().copied().collect::<Vec<_>>().join(",")
}

fn plan_video(
    probe: &Probe,
    video: &Video,
    tables: Tables<'_>,
    options: &Options,
) -> Result<(VideoPlan, Grid, Option<String>), Refusal> {
    let (index, cues) = match tables {
        Tables::Index(index) => (Some(index), None),
        Tables::Cues(cues) => (None, Some(cues)),
        Tables::None => (None, None),
    };
    // One that is beyond what a film can have makes all of them doubtful.
    let start_ms = video.time_base.scale(video.start_pts, 1000);
    let possible = |last: i64| last.saturating_sub(start_ms) / 1000 <= MAX_SECONDS;
    let cues = cues.filter(|cues| cues.last().is_some_and(possible));
    let average = index.and_then(|index| average(index, video.time_base));
    let source_rate =
        average.map_or(video.rate, |average| nominal(Some(video.rate), Some(average)));
    let keep_every = (source_rate.as_f64() / MAX_RATE).ceil().clamp(1.0, 1e6) as u32;
    let frame_rate = source_rate.over(keep_every);
    let thinned = index.map(|index| index.thinned(keep_every));
    let sizes = ladder::sizes(video.width, video.height, options.max_short_side);
    let top = sizes.last().ok_or(Refusal::NoFrames)?;
    let copied = copy::conforms(probe, video, thinned.as_ref(), top, frame_rate, keep_every);
    let exact = thinned.as_ref().and_then(|index| {
        let first = *index.pts().first()?;
        let times =
            || index.pts().iter().map(|pts| video.time_base.scale(pts - first, TICKS) as u64);
        let copied = copied.as_ref().ok();
        let grid = copied.and_then(|keys| Grid::of_groups(times(), keys, frame_rate));
        Some((index, first, grid.or_else(|| Grid::exact(times(), frame_rate))?))
    });
    let (grid, start_pts, entries, joints) = match exact {
        Some((index, first, grid)) => {
            if grid.duration > limits::MAX_SECONDS * TICKS + TICKS {
                return Err(Refusal::TooLong { seconds: grid.duration / TICKS });
            }
            let entries = stretch::entries(&grid, index, video.time_base);
            let longest = options.longest_stretch;
            let joints = stretch::joints(&grid, &entries, video.time_base, longest);
            (grid, first, entries, joints)
        }
        None => {
            let duration = video.duration.or(probe.duration).unwrap_or(0);
            let start = video.start_pts;
            // A header may tell less than there is.
            let known = cues.and_then(Cues::last).map_or(0, |last| last.saturating_sub(start));
            let known = u64::try_from(video.time_base.scale(known, TICKS)).unwrap_or(0);
            let grid = Grid::keyed(frame_rate, duration.max(known + frame_ticks(frame_rate)));
            let entries = cues
                .filter(|_| keep_every == 1)
                .map(|cues| stretch::keyed_entries(&grid, cues, start, video.time_base))
                .filter(|entries| entries.len() > 1);
            match entries {
                Some(entries) => {
                    let longest = options.longest_stretch;
                    let joints = stretch::joints(&grid, &entries, video.time_base, longest);
                    (grid, start, entries, joints)
                }
                None => (Grid::nominal(frame_rate, duration), start, Vec::new(), vec![0]),
            }
        }
    };
    let original_rate = original_bit_rate(probe, video, grid.duration);
    let mut rungs: Vec<Rung> =
        sizes.iter().map(|size| rung(size, frame_rate, original_rate)).collect();
    if let Some((top, lower)) = rungs.split_last_mut().filter(|_| !grid.groups.is_empty()) {
        top.copy = true;
        top.max_bitrate = rates::cap(top.width, top.height, frame_rate, None);
        // It has the rate that it has, and no rung below it may have more.
        if let Some(kept) = index.and_then(|index| index.bit_rate(grid.duration)) {
            for rung in lower {
                rung.max_bitrate = rates::below_copied(rung.width, rung.height, frame_rate, kept);
            }
        }
    }
    let groups = index.filter(|_| grid.exact).map_or(&[][..], Index::groups);
    let told = cues.filter(|_| grid.keyed).map_or(&[][..], Cues::times);
    let keys = groups.iter().map(|group| group.pts).chain(told.iter().copied()).filter_map(|key| {
        u64::try_from(video.time_base.scale(key.saturating_sub(start_pts), TICKS)).ok()
    });
    let plan = VideoPlan {
        stream: video.stream,
        rungs,
        frame_rate,
        frames: grid.exact.then(|| grid.gops.iter().map(|gop| u64::from(gop.frames)).sum()),
        keep_every,
        time_base: video.time_base,
        start_pts,
        poster_at: poster_at(&grid, frame_rate, keys),
        picture: Picture::new(video),
        entries,
        joints,
    };
    Ok((plan, grid, copied.err().map(|why| why.to_string())))
}

fn rung(size: &Size, rate: Rational, original: Option<u64>) -> Rung {
    Rung {
        name: format!("{}p", size.short_side()),
        width: size.width,
        height: size.height,
        copy: false,
        max_bitrate: rates::cap(size.width, size.height, rate, original),
    }
}

/// Frames a second over the whole film.
fn average(index: &Index, time_base: Rational) -> Option<Rational> {
    let (first, last) = (index.pts().first()?, index.pts().last()?);
    let steps = i64::try_from(index.frames()).ok()? - 1;
    Rational::new(
        steps.checked_mul(time_base.den())?,
        last.checked_sub(*first)?.checked_mul(time_base.num())?,
    )
}

/// What the original spends on its picture, as H.264 would need it, bits/s.
fn original_bit_rate(probe: &Probe, video: &Video, duration: u64) -> Option<u64> {
    let by_size = probe.size.filter(|_| duration > 0).map(|size| {
        let bits = u128::from(size) * 8 * u128::from(TICKS) / u128::from(duration);
        u64::try_from(bits).unwrap_or(u64::MAX)
    });
    let told = video.bit_rate.or(by_size).or(probe.bit_rate).filter(|rate| *rate > 0)?;
    Some(told.saturating_mul(codecs::h264_need_percent(&video.codec)) / 100)
}

/// Where the poster is taken: about a tenth into the film, half a frame before a frame; the first frame of a film of
/// few frames. Of the `keys`, times of the original's key frames in ticks, the nearest between a twentieth and two fifths
/// is taken with half a frame, so that one or two frames are decoded for it instead of up to a whole GOP
/// (measured: 0.9 CPU s of 1080p with a key frame every 10 s).
fn poster_at(grid: &Grid, rate: Rational, keys: impl Iterator<Item = u64>) -> u64 {
    let tenth = grid.duration / 10;
    let frame = frame_ticks(rate);
    let few = grid.exact && grid.gops.iter().map(|gop| u64::from(gop.frames)).sum::<u64>() < 20;
    if few || tenth < 2 * frame {
        return 0;
    }
    keys.filter(|key| (tenth / 2..=tenth * 4).contains(key))
        .min_by_key(|key| key.abs_diff(tenth))
        .map_or(tenth - frame / 2, |key| key + frame / 2)
}
