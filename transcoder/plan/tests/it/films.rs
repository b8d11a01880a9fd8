//! Made clips, each odd in one way, through everything.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use reelpin_plan::{Index, Mismatch, Options, Plan, Probe, TICKS, argv};

use crate::make::{Film, film, film_with, rungs};
use crate::run::{ffmpeg, run};

pub(crate) const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
pub(crate) const SOUND: &str = "-f lavfi -i sine=f=440:r=44100:d=5";

/// Makes a clip by the words of a command; `{}` is the output.
pub(crate) fn clip(dir: &Path, name: &str, words: &str) -> PathBuf {
    let out = dir.join(name);
    let args: Vec<&str> = words.split_whitespace().collect();
    ffmpeg(&[&["-v", "error"], &args[..], &[out.to_str().unwrap()]].concat());
    out
}

/// A copy of a clip whose first times are a second below 0.
pub(crate) fn before_zero(dir: &Path, clip_at_zero: &Path) -> PathBuf {
    let words = format!(
        "-itsoffset -1 -i {} -c copy -copyts -avoid_negative_ts disabled -use_editlist 0 -movflags +frag_keyframe+empty_moov+frag_discont",
        clip_at_zero.display()
    );
    clip(dir, "before_zero.mp4", &words)
}

/// Rungs, frames, ends of segments of picture and sound in seconds.
pub(crate) fn show(film: &Film) -> String {
    let seconds = |ticks: u64| format!("{:.3}", ticks as f64 / TICKS as f64);
    let cuts = |segments: &[reelpin_plan::Segment]| {
        let ends = segments.iter().map(|s| seconds(s.start_ticks + s.duration_ticks));
        ends.collect::<Vec<_>>().join(" ")
    };
    let mut text = String::new();
    if let Some(video) = &film.plan.video {
        if video.picture.deinterlace {
            text.push_str("deinterlaced: ");
        }
        let sizes = video.rungs.iter();
        let sizes = sizes.map(|rung| format!("{} {}x{}", rung.name, rung.width, rung.height));
        text.push_str(&sizes.collect::<Vec<_>>().join(", "));
        let n_frames = film.rungs[0].samples.len();
        text.push_str(&format!(
            "\n{} fps, {n_frames} frames, {} stretches: {}\n",
            video.frame_rate,
            video.joints.len(),
            cuts(&film.rungs[0].segments)
        ));
    }
    if let Some(audio) = &film.audio {
        text.push_str(&format!("sound: {}\n", cuts(&audio.segments)));
    }
    text
}

#[track_caller]
fn check(name: &str, words: &str, want: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let original = clip(dir.path(), name, words);
    want.assert_eq(&show(&film(&original, &Options::default())));
}

/// Stretches of at most 5 s over key frames every 50 frames, and the same film in one piece.
#[track_caller]
fn check_split(name: &str, words: &str, want: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let original = clip(dir.path(), name, words);
    let options = Options { longest_stretch: 5 * TICKS, ..Options::default() };
    let split = film(&original, &options);
    want.assert_eq(&show(&split));
    let path = original.to_str().unwrap();
    let probe = Probe::parse(&run(&argv::probe(path)).stdout).unwrap();
    let plan = Plan::new(&probe, split.index.as_ref(), &Options::default()).unwrap();
    assert_eq!(plan.video.as_ref().map(|video| video.joints.len()), Some(1));
    let whole = rungs(&plan, path, dir.path()).unwrap();
    for (split, whole) in split.rungs.iter().zip(&whole) {
        assert_eq!(split.init.bytes, whole.init.bytes);
        assert_eq!(split.times(), whole.times());
    }
}

#[test]
fn twenty_four_fps_in_stretches() {
    let words = format!("-f lavfi -i testsrc2=s=1024x576:r=24:d=9 {SOUND} {X264} -g 50");
    check_split(
        "a.mp4",
        &words,
        expect![[r#"
            480p 854x480, 576p 1024x576
            24/1 fps, 216 frames, 2 stretches: 2.083 4.167 6.250 9.000
            sound: 2.069 4.160 6.229 9.003
        "#]],
    );
}

#[test]
fn ntsc_rate_in_stretches_of_matroska() {
    let words =
        format!("-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=13 {SOUND} {X264} -bf 2 -g 70");
    check_split(
        "a.mkv",
        &words,
        expect![[r#"
            180p 320x180
            30000/1001 fps, 390 frames, 4 stretches: 2.002 4.004 6.006 8.008 12.012 13.013
            sound: 1.984 3.989 5.995 8.000 12.011 13.035
        "#]],
    );
}

#[test]
fn variable_rate_in_stretches() {
    let words = format!(
        "-f lavfi -i testsrc2=s=320x180:r=30:d=12,select='not(eq(mod(n,7),3)+between(n,100,170))' {SOUND} {X264} -g 50 -fps_mode vfr"
    );
    check_split(
        "a.mp4",
        &words,
        expect![[r#"
            180p 320x180
            62/3 fps, 248 frames, 4 stretches: 2.000 5.733 6.233 7.933 12.015
            sound: 1.984 5.717 6.229 7.915 12.032
        "#]],
    );
}

#[test]
fn rotated() {
    let dir = tempfile::tempdir().unwrap();
    let flat =
        clip(dir.path(), "flat.mp4", &format!("-f lavfi -i testsrc2=s=640x360:r=25:d=1 {X264}"));
    let words = format!("-i {} -c copy -metadata:s:v rotate=90", flat.display());
    check(
        "a.mp4",
        &words,
        expect![[r#"
            360p 360x640
            25/1 fps, 25 frames, 1 stretches: 1.000
        "#]],
    );
}

#[test]
fn odd_size() {
    let words = "-f lavfi -i testsrc2=s=321x181:r=25:d=1 -c:v ffv1 -pix_fmt yuv444p";
    let dir = tempfile::tempdir().unwrap();
    let ffv1 = clip(dir.path(), "a.mkv", words);
    let words = format!("-i {} -c:v libx264 -pix_fmt yuv444p -preset ultrafast", ffv1.display());
    check(
        "a.mp4",
        &words,
        expect![[r#"
            180p 320x180
            25/1 fps, 25 frames, 1 stretches: 1.000
        "#]],
    );
}

#[test]
fn anamorphic() {
    let words = format!("-f lavfi -i testsrc2=s=720x576:r=25:d=1,setsar=16/11 {X264}");
    check(
        "a.mp4",
        &words,
        expect![[r#"
            480p 872x480, 576p 1046x576
            25/1 fps, 25 frames, 1 stretches: 1.000
        "#]],
    );
}

#[test]
fn interlaced() {
    let words = format!(
        "-f lavfi -i testsrc2=s=320x240:r=50:d=2,interlace {X264} -flags +ildct+ilme -x264-params tff=1"
    );
    check(
        "a.mp4",
        &words,
        expect![[r#"
            deinterlaced: 240p 320x240
            25/1 fps, 50 frames, 1 stretches: 2.000
        "#]],
    );
}

#[test]
fn fast_film_is_thinned() {
    let words = format!("-f lavfi -i testsrc2=s=320x180:r=120:d=5 {X264} -g 90");
    check_split(
        "a.mp4",
        &words,
        expect![[r#"
            180p 320x180
            60/1 fps, 300 frames, 1 stretches: 2.000 4.000 5.000
        "#]],
    );
}

#[test]
fn sound_late_and_early() {
    let late = format!(
        "-f lavfi -i testsrc2=s=320x180:r=25:d=5 -itsoffset 1 -f lavfi -i sine=f=440:r=44100:d=3 {X264}"
    );
    check(
        "a.mp4",
        &late,
        expect![[r#"
            180p 320x180
            25/1 fps, 125 frames, 1 stretches: 2.000 4.000 5.000
            sound: 1.984 3.989 5.013
        "#]],
    );
    let early = format!(
        "-itsoffset 7.3 -f lavfi -i testsrc2=s=320x180:r=25:d=5 -itsoffset 6.3 -f lavfi -i sine=f=440:r=44100:d=8 {X264} -copyts"
    );
    check(
        "a.mkv",
        &early,
        expect![[r#"
            180p 320x180
            25/1 fps, 125 frames, 1 stretches: 2.000 4.000 5.000
            sound: 1.984 3.989 6.997
        "#]],
    );
}

#[test]
fn sound_only_and_picture_only() {
    check(
        "a.m4a",
        "-f lavfi -i sine=f=440:r=44100:d=9.3",
        expect![[r#"
        sound: 1.984 3.989 5.995 8.000 9.323
    "#]],
    );
    check(
        "a.wav",
        "-f lavfi -i sine=f=440:r=8000:d=20.5",
        expect![[r#"
        sound: 1.984 3.989 5.995 8.000 11.989 16.000 20.501
    "#]],
    );
    let silent = format!("-f lavfi -i testsrc2=s=320x180:r=25:d=2.5 {X264}");
    check(
        "a.mp4",
        &silent,
        expect![[r#"
            180p 320x180
            25/1 fps, 63 frames, 1 stretches: 2.520
        "#]],
    );
}

#[test]
fn starts_late() {
    let words = format!(
        "-itsoffset 7.3 -f lavfi -i testsrc2=s=320x180:r=25:d=5 -itsoffset 7.3 {SOUND} {X264} -copyts"
    );
    check(
        "a.mp4",
        &words,
        expect![[r#"
            180p 320x180
            25/1 fps, 125 frames, 1 stretches: 2.000 4.000 5.000
            sound: 1.984 3.989 5.013
        "#]],
    );
    check(
        "a.mkv",
        &words,
        expect![[r#"
            180p 320x180
            25/1 fps, 125 frames, 1 stretches: 2.000 4.000 5.000
            sound: 1.984 3.989 5.013
        "#]],
    );
}

#[test]
fn starts_before_zero() {
    let dir = tempfile::tempdir().unwrap();
    let words = format!("-f lavfi -i testsrc2=s=320x180:r=25:d=5 {SOUND} {X264}");
    let original = before_zero(dir.path(), &clip(dir.path(), "a.mp4", &words));
    let made = film(&original, &Options::default());
    assert!(made.plan.start < 0, "the clip begins before 0");
    expect![[r#"
        180p 320x180
        25/1 fps, 125 frames, 1 stretches: 2.000 4.000 5.000
        sound: 1.984 3.989 5.035
    "#]]
    .assert_eq(&show(&made));
}

#[test]
fn transport_stream_without_an_index() {
    let words = format!("-f lavfi -i testsrc2=s=320x180:r=25:d=13.4 {SOUND} {X264}");
    check(
        "a.ts",
        &words,
        expect![[r#"
            180p 320x180
            25/1 fps, 335 frames, 1 stretches: 2.000 4.000 6.000 8.000 12.000 13.400
            sound: 1.963 3.968 5.013
        "#]],
    );
}

#[test]
fn without_an_index_the_cuts_are_the_same() {
    for rate in ["30000/1001", "15"] {
        let words = format!("-f lavfi -i testsrc2=s=160x90:r={rate}:d=17 {SOUND} {X264}");
        let dir = tempfile::tempdir().unwrap();
        let original = clip(dir.path(), "a.mkv", &words);
        let with = film(&original, &Options::default());
        let without = film_with(&original, &Options::default(), false);
        assert!(with.plan.grid.exact && !without.plan.grid.exact);
        assert_eq!(with.rungs[0].times(), without.rungs[0].times());
        let cuts = |film: &Film| {
            let segments = film.rungs[0].segments.iter();
            segments.map(|s| (s.start_ticks, s.duration_ticks, s.frames)).collect::<Vec<_>>()
        };
        let (with, without) = (cuts(&with), cuts(&without));
        assert_eq!(with[..with.len() - 1], without[..with.len() - 1], "{rate}");
    }
}

#[test]
fn one_frame() {
    let words = format!("-f lavfi -i testsrc2=s=320x180:r=25:d=0.04 {X264}");
    check(
        "a.mp4",
        &words,
        expect![[r#"
            180p 320x180
            25/1 fps, 1 frames, 1 stretches: 0.040
        "#]],
    );
}

#[test]
fn tiny() {
    check(
        "a.mp4",
        "-f lavfi -i testsrc2=s=16x2:r=25:d=1 -c:v mpeg4",
        expect![[r#"
            2p 16x2
            25/1 fps, 25 frames, 1 stretches: 1.000
        "#]],
    );
}

/// A second look reaches a picture that begins 12 s after the sound.
#[track_caller]
fn late_picture(name: &str, sound: &str, want: Expect) {
    let words = format!(
        "-f lavfi -i sine=f=440:r=48000:d=16 -itsoffset 12 -f lavfi -i testsrc2=s=320x180:r=25:d=4 {X264} -fps_mode passthrough -c:a {sound}"
    );
    let dir = tempfile::tempdir().unwrap();
    let original = clip(dir.path(), name, &words);
    let first = Probe::parse(&run(&argv::probe(original.to_str().unwrap())).stdout);
    assert_eq!(first.unwrap_err().code(), "no_frames");
    want.assert_eq(&show(&film(&original, &Options::default())));
}

#[test]
fn sound_begins_long_before_the_picture_of_mp4() {
    late_picture(
        "a.mp4",
        "aac",
        expect![[r#"
        180p 320x180
        25/1 fps, 100 frames, 1 stretches: 4.000
        sound: 4.011
    "#]],
    );
}

#[test]
fn sound_begins_long_before_the_picture_of_quicktime_with_much_sound() {
    late_picture(
        "a.mov",
        "pcm_s24le -ac 6",
        expect![[r#"
        180p 320x180
        25/1 fps, 100 frames, 1 stretches: 4.000
        sound: 4.011
    "#]],
    );
}

#[test]
fn sound_begins_long_before_the_picture_of_matroska() {
    late_picture(
        "a.mkv",
        "aac",
        expect![[r#"
        180p 320x180
        25/1 fps, 100 frames, 1 stretches: 2.000 4.000
        sound: 1.984 4.011
    "#]],
    );
}

#[test]
fn sound_begins_long_before_the_picture_of_a_transport_stream() {
    late_picture(
        "a.ts",
        "aac",
        expect![[r#"
        180p 320x180
        25/1 fps, 100 frames, 1 stretches: 2.000 3.960
        sound: 1.963 4.011
    "#]],
    );
}

/// Two recordings in one transport stream, the second with another size and other channels.
#[test]
fn size_and_channels_change_within_the_film() {
    let dir = tempfile::tempdir().unwrap();
    let part = |name: &str, size: u32, channels: u8, at: u32| {
        let words = format!(
            "-f lavfi -i testsrc2=s={size}x180:r=25:d=4 -f lavfi -i sine=f=440:r=48000:d=4 {X264} -c:a ac3 -ac {channels} -output_ts_offset {at}"
        );
        std::fs::read(clip(dir.path(), name, &words)).unwrap()
    };
    let original = dir.path().join("a.ts");
    std::fs::write(&original, [part("1.ts", 320, 2, 0), part("2.ts", 240, 6, 4)].concat()).unwrap();
    expect![[r#"
        180p 320x180
        25/1 fps, 200 frames, 1 stretches: 2.000 3.995 5.995 7.995
        sound: 1.963 3.968 5.973 8.000
    "#]]
    .assert_eq(&show(&film(&original, &Options::default())));
}

/// ffmpeg exits with 0 although the last packet is half: an exact plan notices, one without an index takes what
/// there is.
#[test]
fn cut_off_in_the_middle() {
    let dir = tempfile::tempdir().unwrap();
    let words =
        format!("-f lavfi -i testsrc2=s=320x180:r=25:d=10 {SOUND} {X264} -movflags +faststart");
    let whole = std::fs::read(clip(dir.path(), "a.mp4", &words)).unwrap();
    let original = dir.path().join("cut.mp4");
    std::fs::write(&original, &whole[..whole.len() / 2]).unwrap();
    let path = original.to_str().unwrap();
    let probe = Probe::parse(&run(&argv::probe(path)).stdout).unwrap();
    let index = Index::parse(&run(&argv::packets(path, probe.indexable().unwrap())).stdout);
    let plan = Plan::new(&probe, index.as_ref(), &Options::default()).unwrap();
    let mismatch = rungs(&plan, path, dir.path()).map(|_| ()).unwrap_err();
    assert!(matches!(mismatch, Mismatch::Frames { .. }), "{mismatch}");
    assert!(!mismatch.is_theirs());
    expect![[r#"
        180p 320x180
        25/1 fps, 118 frames, 1 stretches: 2.000 4.720
        sound: 1.963 4.757
    "#]]
    .assert_eq(&show(&film_with(&original, &Options::default(), false)));
}

/// Without any frame: what a worker sees.
#[test]
fn cut_off_before_the_first_frame() {
    let dir = tempfile::tempdir().unwrap();
    let words =
        format!("-f lavfi -i testsrc2=s=320x180:r=25:d=10 {SOUND} {X264} -movflags +faststart");
    let whole = std::fs::read(clip(dir.path(), "a.mp4", &words)).unwrap();
    let data = whole.windows(4).position(|kind| kind == b"mdat").unwrap() + 4;
    let original = dir.path().join("cut.mp4");
    std::fs::write(&original, &whole[..data + 10]).unwrap();
    let printed = run(&argv::probe(original.to_str().unwrap()));
    let refusal = Probe::parse(&printed.stdout).unwrap_err();
    assert_eq!((printed.code, refusal.code()), (Some(0), "no_frames"));
}
