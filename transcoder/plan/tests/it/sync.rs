//! Picture and sound stay together: a flash and a beep at the same instant, found again.

use std::path::{Path, PathBuf};

use reelpin_plan::{Options, TICKS};

use crate::films;
use crate::make::{Film, film};
use crate::run::{ffmpeg, ffmpeg_bytes};

/// When the picture turns white, seconds on the film's own clock by the boxes.
fn flash(film: &Film) -> f64 {
    let file = film.rungs[0].file.to_str().unwrap();
    let grey = ffmpeg_bytes(&[
        "-v",
        "error",
        "-i",
        file,
        "-vf",
        "scale=1:1,format=gray",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-",
    ]);
    let frame = grey.iter().position(|luma| *luma > 128).expect("a flash");
    film.rungs[0].times()[frame] as f64 / TICKS as f64
}

/// When the beep begins, likewise.
fn beep(film: &Film) -> f64 {
    let audio = film.audio.as_ref().unwrap();
    let file = audio.file.to_str().unwrap();
    let pcm = ffmpeg_bytes(&["-v", "error", "-i", file, "-ac", "1", "-f", "s16le", "-"]);
    let loud = |sample: &[u8]| i16::from_le_bytes([sample[0], sample[1]]).unsigned_abs() > 3000;
    let sample = pcm.chunks_exact(2).position(loud).expect("a beep");
    (audio.samples[0].pts as f64 + sample as f64) / 48_000.0
}

#[track_caller]
fn check(name: &str, picture_at: &str, sound_at: &str, rate: u32, more: &str, want: f64) {
    let dir = tempfile::tempdir().unwrap();
    check_film(&made(dir.path(), name, picture_at, sound_at, rate, more), want);
}

/// The flash is at 3 s of the picture's own time, the beep at the same instant of the common clock.
fn made(
    dir: &Path,
    name: &str,
    picture_at: &str,
    sound_at: &str,
    rate: u32,
    more: &str,
) -> PathBuf {
    let out = dir.join(name);
    let beep_at = 3.0 + picture_at.parse::<f64>().unwrap() - sound_at.parse::<f64>().unwrap();
    let picture = "color=black:s=320x180:r=25:d=5,drawbox=t=fill:c=white:enable='gte(t,3)'";
    let sound = format!("aevalsrc='0.8*sin(2*PI*1000*t)*gte(t,{beep_at})':s={rate}:d=6");
    let inputs = format!("-itsoffset {picture_at} -f lavfi -i {picture} -itsoffset {sound_at}");
    let mut args: Vec<&str> = vec!["-v", "error"];
    args.extend(inputs.split_whitespace());
    args.extend(["-f", "lavfi", "-i", &sound]);
    args.extend("-c:v libx264 -preset ultrafast -pix_fmt yuv420p".split_whitespace());
    args.extend(more.split_whitespace());
    args.push(out.to_str().unwrap());
    ffmpeg(&args);
    out
}

#[track_caller]
fn check_film(original: &Path, want: f64) {
    let film = film(original, &Options::default());
    let (flash, beep) = (flash(&film), beep(&film));
    println!("{}: flash {flash:.5} beep {beep:.5}", original.display());
    assert!((flash - want).abs() < 0.0005, "flash at {flash}, not at {want}");
    assert!((beep - flash).abs() < 0.020, "beep at {beep}, flash at {flash}");
}

#[test]
fn both_from_zero() {
    check("a.mp4", "0", "0", 48_000, "-c:a aac", 3.0);
}

#[test]
fn sound_a_second_late() {
    check("a.mkv", "0", "1", 44_100, "-c:a pcm_s16le -copyts", 3.0);
}

#[test]
fn sound_a_second_early() {
    check("a.mkv", "1", "0", 44_100, "-c:a pcm_s16le -copyts", 3.0);
}

#[test]
fn both_from_seven_seconds_in_mp4() {
    check("a.mp4", "7.32", "7.28", 44_100, "-c:a aac -copyts", 3.0);
}

#[test]
fn transport_stream() {
    check("a.ts", "0", "0", 44_100, "-c:a mp2", 3.0);
}

#[test]
fn before_zero() {
    let dir = tempfile::tempdir().unwrap();
    let original = made(dir.path(), "a.mp4", "0", "0", 44_100, "-c:a aac");
    check_film(&films::before_zero(dir.path(), &original), 3.0);
}
