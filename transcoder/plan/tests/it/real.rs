//! Real clips, where `REELPIN_TEST_MEDIA` names their folder.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use reelpin_plan::fmp4::Part;
use reelpin_plan::{Mismatch, Options, Packer, Plan, Probe, argv};

use crate::films::show;
use crate::make::{film, parts};
use crate::run::{run, run_to};

/// The clip, or `None` with a line on what did not run.
fn real(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("REELPIN_TEST_MEDIA").map(|folder| Path::new(&folder).join(name));
    let path = path.filter(|path| path.exists());
    if path.is_none() {
        println!("did not run with {name}: set REELPIN_TEST_MEDIA to the folder of real clips");
    }
    path
}

#[track_caller]
fn check(name: &str, want: Expect) {
    if let Some(original) = real(name) {
        want.assert_eq(&show(&film(&original, &Options::default())));
    }
}

#[test]
fn ordinary_upload() {
    check(
        "bbb_480p_30s.mp4",
        expect![[r#"
        480p 854x480
        24/1 fps, 720 frames, 1 stretches: 2.000 4.000 6.000 8.000 12.000 16.000 22.000 28.000 30.000
        sound: 1.984 3.989 5.995 8.000 11.989 16.000 21.995 27.989 30.016
    "#]],
    );
}

#[test]
fn phone_in_4k_60_turned() {
    check(
        "portrait_4k60.mp4",
        expect![[r#"
        480p 480x854, 720p 720x1280, 1080p 1080x1920
        60/1 fps, 18 frames, 1 stretches: 0.300
        sound: 0.320
    "#]],
    );
}

#[test]
fn turned_by_270() {
    check(
        "internal_emulator_transformer_output_270_rotated.mp4",
        expect![[r#"
        480p 480x854, 720p 720x1280
        30000/1001 fps, 149 frames, 1 stretches: 2.002 4.972
        sound: 1.984 4.992
    "#]],
    );
}

#[test]
fn hlg() {
    check(
        "hlg10-color-test.mp4",
        expect![[r#"
        480p 854x480, 720p 1280x720, 1080p 1920x1080
        30/1 fps, 9 frames, 1 stretches: 0.300
        sound: 0.320
    "#]],
    );
}

#[test]
fn hdr10_in_av1() {
    check(
        "hdr10-av1.mp4",
        expect![[r#"
        480p 480x854, 720p 720x1280
        30000/1001 fps, 127 frames, 1 stretches: 2.002 4.238
        sound: 1.984 4.245
    "#]],
    );
}

#[test]
fn bt601() {
    check(
        "bt601.mov",
        expect![[r#"
        428p 640x428
        30000/1001 fps, 30 frames, 1 stretches: 1.001
        sound: 1.045
    "#]],
    );
}

#[test]
fn edit_list_without_a_key_frame_at_its_start() {
    check(
        "sample_edit_list.mp4",
        expect![[r#"
        480p 480x854, 720p 720x1280, 1080p 1080x1920
        30000/1001 fps, 77 frames, 1 stretches: 2.568
        sound: 2.581
    "#]],
    );
}

#[test]
fn variable_rate() {
    check(
        "sample_with_increasing_timestamps_360p.mp4",
        expect![[r#"
            360p 640x360
            30/1 fps, 512 frames, 1 stretches: 0.600 8.332 9.198 17.063
            sound: 0.597 8.320 9.195 17.067
        "#]],
    );
}

#[test]
fn webm() {
    check(
        "bbb_960x540_60fps_vp8.webm",
        expect![[r#"
        480p 854x480
        60/1 fps, 60 frames, 1 stretches: 1.000
        sound: 1.024
    "#]],
    );
}

#[test]
fn transport_stream() {
    check(
        "bbb_2500ms.ts",
        expect![[r#"
        480p 854x480, 720p 1280x720, 1080p 1920x1080
        24/1 fps, 58 frames, 1 stretches: 2.500
        sound: 2.432
    "#]],
    );
}

#[test]
fn avi() {
    check(
        "sample.avi",
        expect![[r#"
        400p 960x400
        24000/1001 fps, 96 frames, 1 stretches: 2.002 4.087
        sound: 1.963 4.096
    "#]],
    );
}

#[test]
fn audiobook_cut_off_after_its_index() {
    let Some(original) = real("large_stbl_truncated_after_moov.m4b") else { return };
    let path = original.to_str().unwrap();
    let probe = Probe::parse(&run(&argv::probe(path)).stdout).unwrap();
    let plan = Plan::new(&probe, None, &Options::default()).unwrap();
    assert!(plan.video.is_none());
    let sound = dir_file();
    let printed =
        run_to(&argv::audio(&plan, path, 3, None).unwrap(), std::slice::from_ref(&sound.1));
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    let mut packer = Packer::new(&plan.grid);
    for part in parts(&std::fs::read(&sound.1).unwrap()) {
        if let Part::Fragment(fragment) = part {
            packer.push(&fragment).unwrap();
        }
    }
    assert_eq!(packer.finish(), Err(Mismatch::Nothing));
}

fn dir_file() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audio");
    (dir, file)
}
