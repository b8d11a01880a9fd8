//! Sound that is kept as it is: the coded frames of the original, from the picture's beginning to the end.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use expect_test::expect;
use reelpin_plan::container::{SoundWalk, Step};
use reelpin_plan::probe::SoundFrames;
use reelpin_plan::{Index, Options, Probe, TICKS, argv};

use crate::films::{X264, clip};
use crate::make::{Film, audio, film_of};
use crate::run::{ffmpeg, ffprobe, run};
use crate::walk::walk;

/// What the worker knows of a file before it plans.
fn known(path: &Path) -> (Probe, Option<Index>) {
    let mut probe = Probe::parse(&run(&argv::probe(path.to_str().unwrap())).stdout).unwrap();
    let frames = frames(path, &probe);
    probe.audio.as_mut().unwrap().frames = frames;
    let index = walk(path, &probe).and_then(|(index, _)| index);
    (probe, index)
}

/// The frames by a walk.
fn frames(path: &Path, probe: &Probe) -> Option<SoundFrames> {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let mut walk = SoundWalk::new(probe, size)?;
    let mut step = walk.start();
    loop {
        match step {
            Step::Done(frames) => return frames,
            Step::Read { offset, length } => {
                let mut bytes = vec![0; usize::try_from(length).unwrap()];
                file.read_exact_at(&mut bytes, offset).unwrap();
                step = walk.next(&bytes);
            }
        }
    }
}

/// The walk's frames are ffprobe's packets, which begin at most a second before what is heard.
#[track_caller]
fn check_frames(path: &Path, frames: &SoundFrames) {
    let told = ffprobe("packet=pts", "a:0", path);
    let want: Vec<i64> = told.iter().map(|line| line.trim_matches(',').parse().unwrap()).collect();
    let length = i64::from(frames.length);
    let got: Vec<i64> =
        (0..frames.count.cast_signed()).map(|n| frames.first + n * length).collect();
    let given = got.len() - want.len().min(got.len());
    let early = given == 0 || want.first().is_some_and(|first| *first < frames.from);
    assert!(
        got[given..] == want && early,
        "{}: {frames:?}, {:?}",
        path.display(),
        &want[..want.len().min(4)]
    );
}

/// The checksums of a track's coded frames.
fn coded(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let told =
        ffmpeg(&["-v", "error", "-i", path, "-map", "0:a:0", "-c", "copy", "-f", "framecrc", "-"]);
    let lines = told.stdout.lines().filter(|line| !line.starts_with('#'));
    let sum = |line: &str| {
        let mut fields = line.split(',').map(str::trim).skip(4);
        format!("{} {}", fields.next().unwrap(), fields.next().unwrap())
    };
    lines.map(sum).collect()
}

/// Where the kept frames begin among the original's, and how many they are; the first segment made alone is the same.
#[track_caller]
fn check_kept(path: &Path, film: &Film) -> String {
    let made = film.audio.as_ref().unwrap();
    let (all, kept) = (coded(path), coded(&made.file));
    let first = all.len() - kept.len();
    assert!(all[first..] == kept, "{}: other frames", path.display());
    let dir = tempfile::tempdir().unwrap();
    let cut = film.plan.grid.cut(1);
    let alone = audio(&film.plan, path.to_str().unwrap(), dir.path(), cut).unwrap();
    assert_eq!(alone.init.bytes, made.init.bytes);
    assert_eq!(alone.segments[0].bytes, made.segments[0].bytes);
    let n_ticks: u64 = alone.segments.iter().map(|segment| segment.duration_ticks).sum();
    assert!(n_ticks < 5 * TICKS, "it ends soon: {n_ticks} ticks");
    format!("kept, {} frames from {first} on", kept.len())
}

#[test]
fn sound_that_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let sound = |words: &str| {
        format!(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=12 -f lavfi -i sine=f=440:r=48000:d=12 {X264} -g 50 -ac 2 {words}"
        )
    };
    let plain = clip(dir, "plain.mp4", &sound("-c:a aac -b:a 128k"));
    let plain = plain.display();
    let copied = |words: &str| format!("-i {plain} {words}");
    let moved = |by: &str, words: &str| {
        format!("-i {plain} -itsoffset {by} -i {plain} -map 0:v -map 1:a -c copy {words}")
    };
    let mut table = Vec::new();
    for (name, words) in [
        ("as_it_is.mp4", copied("-c copy")),
        ("first.mp4", copied("-c copy -movflags +faststart")),
        ("quicktime.mov", copied("-map 0:a -map 0:v -c copy")),
        ("mono.mp4", sound("-ac 1 -c:a aac -b:a 64k")),
        ("at_12_s.mp4", format!("-itsoffset 12 {}", copied("-c copy -copyts"))),
        ("no_edits.mp4", copied("-c copy -use_editlist 0")),
        ("primed_as_by_apple.mp4", moved("-0.001333", "")),
        ("early.mp4", moved("-2.133333", "-t 7")),
        ("between_frames.mp4", moved("-0.01", "")),
        ("late.mp4", moved("0.5", "")),
        ("holes.mp4", copied("-c copy -bsf:a setts=ts=TS+4*1024*gt(N\\,99)")),
        ("uneven.mp4", copied("-c copy -bsf:a setts=ts=TS+mod(N\\,7)")),
        ("short.mp4", sound("-af atrim=0:11 -c:a aac")),
        ("44100.mp4", sound("-ar 44100 -c:a aac")),
        ("surround.mp4", sound("-ac 6 -c:a aac")),
        (
            "loud.mp4",
            format!(
                "-f lavfi -i testsrc2=s=320x180:r=25:d=12 -f lavfi -i anoisesrc=r=48000:d=12 {X264} -g 50 -ac 2 -c:a aac -b:a 320k"
            ),
        ),
        ("two.mp4", copied("-map 0 -map 0:a -map 0:a -c copy")),
        ("other.mp4", sound("-c:a libmp3lame")),
        ("fragments.mp4", copied("-c copy -movflags +frag_keyframe+empty_moov")),
        ("other.mkv", copied("-c copy")),
        ("alone.m4a", copied("-map 0:a -c copy")),
    ] {
        let path = clip(dir, name, &words);
        let (probe, index) = known(&path);
        let frames = probe.audio.as_ref().unwrap().frames;
        if let Some(frames) = &frames {
            check_frames(&path, frames);
        }
        let film = film_of(path.to_str().unwrap(), &probe, index, &Options::default());
        let plan = film.plan.audio.as_ref().unwrap();
        assert_eq!(plan.copy, plan.why_not_copied.is_none());
        let told = match &plan.why_not_copied {
            None => check_kept(&path, &film),
            Some(why) => why.clone(),
        };
        table.push(format!("{name}: {told}"));
    }
    expect![[r#"
        as_it_is.mp4: kept, 563 frames from 1 on
        first.mp4: kept, 563 frames from 1 on
        quicktime.mov: kept, 563 frames from 1 on
        mono.mp4: kept, 563 frames from 1 on
        at_12_s.mp4: kept, 563 frames from 1 on
        no_edits.mp4: kept, 564 frames from 0 on
        primed_as_by_apple.mp4: kept, 563 frames from 1 on
        early.mp4: kept, 329 frames from 47 on
        between_frames.mp4: it does not begin with the picture
        late.mp4: it does not begin with the picture
        holes.mp4: the file is no MP4 that tells exactly when it is heard
        uneven.mp4: the file is no MP4 that tells exactly when it is heard
        short.mp4: it ends before the picture
        44100.mp4: it has 44100 samples a second, not 48000
        surround.mp4: it has 6 channels, and only mono and stereo play everywhere
        loud.mp4: it may take more than 192 kbit/s
        two.mp4: it may take more than 192 kbit/s
        other.mp4: it is coded as mp3, and only AAC plays everywhere
        fragments.mp4: the file is no MP4 that tells exactly when it is heard
        other.mkv: the file is no MP4 that tells exactly when it is heard
        alone.m4a: sound alone always is"#]]
    .assert_eq(&table.join("\n"));
}
