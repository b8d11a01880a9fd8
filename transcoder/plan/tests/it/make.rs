//! Everything that is made of one film, and the checks that hold for every film.

use std::fs;
use std::path::{Path, PathBuf};

use reelpin_plan::fmp4::{Heads, Init, Part, Reader, Sample, Want};
use reelpin_plan::mp4::{Layout, Track};
use reelpin_plan::playlist::{Entry, Media, media, target_duration};
use reelpin_plan::{
    Index, Mismatch, Options, Packer, Plan, Probe, Refusal, Run, Segment, Segmenter, TICKS, argv,
};

use crate::run::{ffmpeg, ffprobe, run, run_to};

/// One rendition as stored.
pub(crate) struct Rendition {
    pub init: Init,
    pub segments: Vec<Segment>,
    /// In the order of decoding.
    pub samples: Vec<Sample>,
    /// Init and segments, joined.
    pub file: PathBuf,
}

pub(crate) struct Film {
    pub plan: Plan,
    pub index: Option<Index>,
    pub rungs: Vec<Rendition>,
    pub audio: Option<Rendition>,
    pub dir: tempfile::TempDir,
}

/// Probes, indexes, plans, encodes and checks.
#[track_caller]
pub(crate) fn film(original: &Path, options: &Options) -> Film {
    film_with(original, options, true)
}

/// The same, or without an index.
#[track_caller]
pub(crate) fn film_with(original: &Path, options: &Options, with_index: bool) -> Film {
    let path = original.to_str().unwrap();
    let probe = match Probe::parse(&run(&argv::probe(path)).stdout) {
        Err(Refusal::NoFrames) => Probe::parse(&run(&argv::probe_further(path)).stdout).unwrap(),
        probed => probed.unwrap(),
    };
    let index = probe
        .indexable()
        .filter(|_| with_index)
        .and_then(|stream| Index::parse(&run(&argv::packets(path, stream)).stdout));
    film_of(path, &probe, index, options)
}

/// Plans what is known of an original, encodes and checks.
#[track_caller]
pub(crate) fn film_of(path: &str, probe: &Probe, index: Option<Index>, options: &Options) -> Film {
    let plan = Plan::new(probe, index.as_ref(), options).unwrap();
    film_as(plan, path, index)
}

/// Encodes what is planned, and checks.
#[track_caller]
pub(crate) fn film_as(plan: Plan, path: &str, index: Option<Index>) -> Film {
    let stored = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
    let dir = tempfile::tempdir().unwrap();
    let rungs = rungs(&plan, path, dir.path()).unwrap();
    let audio = audio(&plan, path, dir.path(), None);
    let film = Film { plan, index, rungs, audio, dir };
    check_video(&film);
    check_audio(&film);
    check_playlists(&film);
    check_poster(&film, path);
    check_mp4(&film);
    film
}

/// Every rung of every stretch.
pub(crate) fn rungs(plan: &Plan, path: &str, dir: &Path) -> Result<Vec<Rendition>, Mismatch> {
    let Some(video) = &plan.video else { return Ok(Vec::new()) };
    let mut made: Vec<(Option<Init>, Vec<Segment>)> =
        video.rungs.iter().map(|_| (None, Vec::new())).collect();
    let starter = Run::starter(&plan.grid, video);
    let stored = u32::from(starter.is_some());
    let stretches = video.stretches().filter_map(|stretch| {
        let stored = |rung| if stretch.first == 0 && rung == 0 { stored } else { 0 };
        Run::rest(video, stretch, stored)
    });
    for run in starter.iter().cloned().chain(stretches) {
        for (part, (new, fresh)) in run.parts.iter().zip(stretch(plan, &run, path, dir)?) {
            let (init, segments) = &mut made[part.rung];
            match init {
                Some(old) => assert_eq!(old.bytes, new.bytes, "init differs"),
                None => *init = Some(new),
            }
            segments.extend(fresh);
        }
    }
    if let (Some(copied), Some(argv)) = (video.copied(), argv::copy(plan, path, 3)) {
        let file = dir.join("copied");
        let printed = run_to(&argv, std::slice::from_ref(&file));
        assert_eq!(printed.code, Some(0), "{argv}{}", printed.stderr);
        let mut segmenter = Segmenter::new(&plan.grid.as_copied(), 0, None);
        let (init, segments) = &mut made[copied];
        for part in parts(&fs::read(file).unwrap()) {
            match part {
                Part::Init(new) => *init = Some(new),
                Part::Fragment(fragment) => segments.extend(segmenter.push(fragment)?),
            }
        }
        segments.extend(segmenter.finish()?);
    }
    let made = made.into_iter().zip(&video.rungs);
    let made =
        made.map(|((init, segments), rung)| rendition(init.unwrap(), segments, dir, &rung.name));
    Ok(made.collect())
}

/// What each part of a run gives.
pub(crate) fn stretch(
    plan: &Plan,
    run: &Run,
    path: &str,
    dir: &Path,
) -> Result<Vec<(Init, Vec<Segment>)>, Mismatch> {
    let rungs = &plan.video.as_ref().unwrap().rungs;
    let files: Vec<PathBuf> =
        run.parts.iter().map(|part| dir.join(&rungs[part.rung].name)).collect();
    let argv = argv::encode(plan, run, path, 3).unwrap();
    let printed = run_to(&argv, &files);
    assert_eq!(printed.code, Some(0), "{argv}{}", printed.stderr);
    let each = run.parts.iter().zip(&files).map(|(part, file)| {
        let mut segmenter = Segmenter::new(&plan.grid, part.first, run.end);
        let (mut init, mut segments) = (None, Vec::new());
        for part in parts(&fs::read(file).unwrap()) {
            match part {
                Part::Init(new) => init = Some(new),
                Part::Fragment(fragment) => segments.extend(segmenter.push(fragment)?),
            }
        }
        segments.extend(segmenter.finish()?);
        Ok((init.unwrap(), segments))
    });
    each.collect()
}

/// The sound, up to `until` ticks at least.
pub(crate) fn audio(plan: &Plan, path: &str, dir: &Path, until: Option<u64>) -> Option<Rendition> {
    let argv = argv::audio(plan, path, 3, until)?;
    let file = dir.join("audio");
    let printed = run_to(&argv, std::slice::from_ref(&file));
    assert_eq!(printed.code, Some(0), "{argv}{}", printed.stderr);
    let mut packer = Packer::of(plan, until);
    let (mut init, mut segments, mut samples) = (None, Vec::new(), Vec::new());
    for part in parts(&fs::read(&file).unwrap()) {
        match part {
            Part::Init(new) => init = Some(new),
            Part::Fragment(fragment) => {
                // Frames off the grid are ffmpeg's late silence where channels change.
                let table = fragment.table.iter().filter(|sample| sample.dts % 1024 == 0);
                samples.extend(table.map(|sample| fragment.data(sample).to_vec()));
                segments.extend(packer.push(&fragment).unwrap());
            }
        }
    }
    segments.extend(packer.finish().unwrap());
    let rendition = rendition(init.unwrap(), segments, dir, "audio");
    let mut kept = Vec::new();
    for part in parts(&fs::read(&rendition.file).unwrap()) {
        if let Part::Fragment(fragment) = part {
            kept.extend(fragment.table.iter().map(|sample| fragment.data(sample).to_vec()));
        }
    }
    assert!(kept == samples, "the packer keeps every frame as it is");
    Some(rendition)
}

fn rendition(init: Init, segments: Vec<Segment>, dir: &Path, name: &str) -> Rendition {
    let mut joined = init.bytes.clone();
    for segment in &segments {
        joined.extend_from_slice(&segment.bytes);
    }
    let file = dir.join(format!("{name}.mp4"));
    fs::write(&file, &joined).unwrap();
    let (mut samples, mut end, mut number) = (Vec::new(), None, 0);
    for part in parts(&joined) {
        if let Part::Fragment(fragment) = part {
            if init.width == 0 {
                assert_eq!(fragment.tfdt, end.unwrap_or(fragment.tfdt), "sound is contiguous");
            }
            end = Some(fragment.tfdt + fragment.duration);
            let mfhd = u32::from_be_bytes(fragment.bytes[20..24].try_into().unwrap());
            assert!(mfhd > number, "fragment numbers rise");
            number = mfhd;
            samples.extend(fragment.table);
        }
    }
    for (sequence, segment) in (0..).zip(&segments) {
        assert_eq!(segment.sequence, sequence);
    }
    Rendition { init, segments, samples, file }
}

/// Reads a stream in pieces of an odd size.
pub(crate) fn parts(bytes: &[u8]) -> Vec<Part> {
    let mut reader = Reader::new();
    let mut parts = Vec::new();
    for piece in bytes.chunks(10_007) {
        parts.extend(reader.push(piece).unwrap());
    }
    reader.finish().unwrap();
    parts
}

impl Rendition {
    /// Presentation times, rising.
    pub(crate) fn times(&self) -> Vec<i64> {
        let mut times: Vec<i64> = self.samples.iter().map(|sample| sample.pts).collect();
        times.sort_unstable();
        times
    }
}

#[track_caller]
fn check_video(film: &Film) {
    let Some(video) = &film.plan.video else { return };
    for (rung, made) in video.rungs.iter().zip(&film.rungs) {
        assert_eq!((made.init.width.into(), made.init.height.into()), (rung.width, rung.height));
        assert_eq!(u64::from(made.init.timescale), TICKS);
        let ours = if rung.copy { "avc1." } else { "avc1.6400" };
        assert!(made.init.codec.starts_with(ours), "{}", made.init.codec);
        let times = made.times();
        assert_eq!(times, film.rungs[0].times(), "rungs have the same frames");
        if let Some(index) = film.index.as_ref().filter(|_| film.plan.grid.exact) {
            assert_eq!(Some(times.len() as u64), video.frames);
            let kept = index.thinned(video.keep_every);
            for (time, pts) in times.iter().zip(kept.pts()) {
                let want = video.time_base.scale(pts - video.start_pts, TICKS);
                assert!(time.abs_diff(want) <= 1, "{time} is not {want}");
            }
        }
        let mut at = made.segments[0].start_ticks;
        for segment in &made.segments {
            assert_eq!(segment.start_ticks, at, "segments are contiguous");
            at += segment.duration_ticks;
        }
        if film.plan.grid.exact {
            assert_eq!(at, film.plan.grid.duration);
        }
        let frames: u64 = made.segments.iter().map(|segment| segment.frames).sum();
        assert_eq!(frames, times.len() as u64);
        let file = made.file.to_str().unwrap();
        let decode = "-fps_mode passthrough -f framecrc -";
        let decode: Vec<&str> = decode.split_whitespace().collect();
        let decoded = ffmpeg(&[&["-v", "warning", "-i", file], &decode[..]].concat());
        assert_eq!(decoded.stderr, "", "decodes without a word");
        let shown = decoded.stdout.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(shown, times.len(), "every frame is decoded");
    }
}

#[track_caller]
fn check_audio(film: &Film) {
    let Some(audio) = &film.audio else { return };
    assert_eq!(audio.init.codec, "mp4a.40.2");
    assert_eq!(audio.init.timescale, 48_000);
    assert_eq!(audio.samples[0].pts, 0, "sound begins at 0");
    let decoded = ffmpeg(&["-v", "warning", "-i", audio.file.to_str().unwrap(), "-f", "null", "-"]);
    assert_eq!(decoded.stderr, "", "decodes without a word");
    let n_planned = film.plan.grid.segments.len();
    let mut at = 0;
    for segment in &audio.segments {
        assert_eq!(segment.start_ticks, at, "segments are contiguous");
        at += segment.duration_ticks;
        assert!(segment.duration_ticks < u64::from(film.plan.target_duration) * TICKS + TICKS / 2);
    }
    if let Some(video) = film.rungs.first().filter(|_| film.plan.grid.exact) {
        assert!(audio.segments.len() >= n_planned, "a segment of sound for each of video");
        for (sound, picture) in audio.segments.iter().zip(&video.segments).take(n_planned - 1) {
            let cut = picture.start_ticks + picture.duration_ticks;
            let end = sound.start_ticks + sound.duration_ticks;
            assert!(end <= cut && cut - end < 2000, "sound ends at {end}, the picture at {cut}");
        }
        let copied = film.plan.audio.as_ref().is_some_and(|audio| audio.copy);
        let short = if copied { TICKS / 10 } else { 1 };
        assert!(at + short >= film.plan.duration, "sound lasts as long as the picture");
    }
}

#[track_caller]
fn check_playlists(film: &Film) {
    for made in film.rungs.iter().chain(&film.audio) {
        let segments: Vec<Entry<'_>> = made
            .segments
            .iter()
            .map(|s| Entry { uri: "x.m4s", duration: s.duration_ticks })
            .collect();
        let durations = made.segments.iter().map(|segment| segment.duration_ticks);
        let target = target_duration(film.plan.target_duration, durations.clone());
        let text = media(&Media { target_duration: target, init: "i.mp4", segments: &segments });
        let sum: f64 = text
            .lines()
            .filter_map(|line| {
                line.strip_prefix("#EXTINF:")?.strip_suffix(',')?.parse::<f64>().ok()
            })
            .inspect(|seconds| assert!(seconds.round() <= f64::from(target)))
            .sum();
        let truth = durations.sum::<u64>() as f64 / TICKS as f64;
        assert!((sum - truth).abs() < 1e-4, "{sum} {truth}");
    }
}

#[track_caller]
fn check_poster(film: &Film, path: &str) {
    let out = film.dir.path().join("poster.jpg");
    let Some(argv) = argv::poster(&film.plan, path, out.to_str().unwrap()) else {
        return assert!(film.plan.video.is_none());
    };
    let printed = run(&argv);
    assert_eq!(printed.code, Some(0), "{argv}{}", printed.stderr);
    let got = ffprobe("stream=codec_name,width,height,color_range", "v", &out);
    let top = film.plan.video.as_ref().and_then(|video| video.rungs.last()).unwrap();
    let fields: Vec<&str> = got.first().map(|line| line.split(',').collect()).unwrap_or_default();
    let [codec, width, height, range] = fields[..] else { panic!("no poster: {argv}{got:?}") };
    assert_eq!((codec, range), ("mjpeg", "pc"));
    let (width, height): (f64, f64) = (width.parse().unwrap(), height.parse().unwrap());
    assert!(width.max(height) <= 1280.0);
    let (shape, want) = (width / height, f64::from(top.width) / f64::from(top.height));
    assert!((shape / want - 1.0).abs() < 0.02, "{shape} is not {want}");
}

#[track_caller]
fn check_mp4(film: &Film) {
    let made: Vec<&Rendition> = film.rungs.first().into_iter().chain(&film.audio).collect();
    let layout = Layout::new(made.iter().map(|made| track(made)).collect()).unwrap();
    let mut bytes = layout.head().to_vec();
    for piece in layout.pieces() {
        let segment = &made[piece.track].segments[piece.segment as usize].bytes;
        for range in &piece.ranges {
            bytes.extend(&segment[range.start as usize..range.end as usize]);
        }
    }
    assert_eq!(bytes.len() as u64, layout.size());
    let out = film.dir.path().join("out.mp4");
    fs::write(&out, &bytes).unwrap();
    let kinds =
        [film.rungs.first().map(|made| ("v:0", made)), film.audio.as_ref().map(|a| ("a:0", a))];
    for (kind, made) in kinds.into_iter().flatten() {
        let told = ffprobe("packet=pts_time,size,flags", kind, &out);
        assert_eq!(told.len(), made.samples.len());
        for (told, sample) in told.iter().zip(&made.samples) {
            let fields: Vec<&str> = told.trim_end_matches(',').split(',').collect();
            let [time, size, flags] = fields[..] else { panic!("{told}") };
            let want = sample.pts as f64 / f64::from(made.init.timescale);
            assert!((time.parse::<f64>().unwrap() - want).abs() < 2e-6, "{time} is not {want}");
            assert_eq!(size.parse(), Ok(sample.size));
            assert_eq!(flags.starts_with('K'), sample.sync, "{told}");
        }
        let lasts: f64 = ffprobe("stream=duration", kind, &out)[0].parse().unwrap();
        let longest = made.samples.iter().map(|s| s.pts + i64::from(s.duration)).max().unwrap();
        let want = longest as f64 / f64::from(made.init.timescale);
        assert!((lasts - want).abs() < 0.001, "lasts {lasts}, not {want}");
    }
    let same = |file: &Path, kind: &str| {
        let file = file.to_str().unwrap();
        let told =
            ffmpeg(&["-v", "warning", "-i", file, "-map", kind, "-c", "copy", "-f", "md5", "-"]);
        assert_eq!(told.stderr, "", "reads without a word");
        told.stdout
    };
    for (kind, made) in kinds.into_iter().flatten() {
        assert_eq!(same(&out, &format!("0:{kind}")), same(&made.file, "0:0"), "the same samples");
    }
}

/// The samples of a rendition, read from its segments' tables alone.
fn track(made: &Rendition) -> Track {
    let mut track = Track::new(&made.init).unwrap();
    for segment in &made.segments {
        let mut heads = Heads::new(&made.init, segment.bytes.len() as u64);
        let samples = loop {
            match heads.want() {
                Want::Done(samples) => break samples,
                Want::Bytes { offset, length } => {
                    let (from, length) = (offset as usize, length as usize);
                    heads.give(&segment.bytes[from..from + length]).unwrap();
                }
            }
        };
        track.segment(&samples).unwrap();
    }
    track
}
