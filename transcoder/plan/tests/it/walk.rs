//! The index from a container's tables against ffprobe's packets: times, flags and sizes must be the same.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use expect_test::expect;
use reelpin_plan::container::{MAX_READ, Step, Walk};
use reelpin_plan::index::Packet;
use reelpin_plan::{Index, Probe, argv};

use crate::films::{SOUND, X264, clip};
use crate::run::{ffprobe, run};

/// What a walk took.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    pub reads: u32,
    pub bytes: u64,
    /// The same was found before anything was known of the file.
    pub ahead: bool,
}

fn probe(path: &Path) -> Probe {
    Probe::parse(&run(&argv::probe(path.to_str().unwrap())).stdout).unwrap()
}

/// Walks through a file; `None`: nothing is read of this container.
pub(crate) fn walk(path: &Path, probe: &Probe) -> Option<(Option<Index>, Cost)> {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let (index, mut cost) = walked_through(&mut Walk::new(probe, size)?, &file);
    let mut ahead = Walk::ahead(size);
    let (early, _) = walked_through(&mut ahead, &file);
    if ahead.is_of(probe, size) && early.is_some() {
        assert!(early == index, "{}", path.display());
        cost.ahead = true;
    }
    Some((index, cost))
}

fn walked_through(walk: &mut Walk, file: &File) -> (Option<Index>, Cost) {
    let size = file.metadata().unwrap().len();
    let mut cost = Cost::default();
    let mut step = walk.start();
    loop {
        match step {
            Step::Done(index) => return (index, cost),
            Step::Read { offset, length } => {
                assert!((1..=MAX_READ).contains(&length) && offset + length <= size);
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, offset).unwrap();
                cost.reads += 1;
                cost.bytes += length;
                step = walk.next(&bytes);
            }
        }
    }
}

/// What ffprobe tells of the same. It takes key frames from the coded bytes where it parses them, and may
/// find more of them than the container tells: those count that `known` has.
fn told(path: &Path, probe: &Probe, known: Option<&Index>) -> Option<Index> {
    let stream = probe.video.as_ref()?.stream.to_string();
    let lines = ffprobe("packet=pts,size,flags", &stream, path);
    let packet = |line: &String| {
        let mut fields = line.split(',');
        let pts = fields.next()?.parse().ok()?;
        let size = fields.next()?.parse().ok()?;
        let flags = fields.next()?;
        let has = |flag| flags.contains(flag);
        let key = has('K') && known.is_none_or(|known| known.key_before(pts) == Some(pts));
        (!has('C')).then(|| Packet { pts, size, key, discard: has('D') })
    };
    Index::new(lines.iter().map(packet).collect::<Option<Vec<_>>>()?)
}

/// The index by a walk, if it gives one, and what it took. It must be what ffprobe tells.
#[track_caller]
fn walked(path: &Path) -> Option<(Index, Cost)> {
    let probe = probe(path);
    let (index, cost) = walk(path, &probe)?;
    let index = index?;
    let told = told(path, &probe, Some(&index));
    let name = path.file_name().unwrap().display();
    assert!(
        Some(&index) == told.as_ref(),
        "{name}:\n{}\n{}",
        show(Some(&index)),
        show(told.as_ref())
    );
    Some((index, cost))
}

/// The beginning of an index.
fn show(index: Option<&Index>) -> String {
    let Some(index) = index else { return "no index".to_owned() };
    let groups = &index.groups()[..index.groups().len().min(4)];
    let pts = &index.pts()[..index.frames().min(8)];
    format!("{} frames {pts:?}, {:?} {groups:?}", index.frames(), index.discards())
}

/// A clip of 4 s with sound and reordered frames, a key frame every second and a half.
fn source(dir: &Path) -> std::path::PathBuf {
    clip(
        dir,
        "source.mp4",
        &format!(
            "-f lavfi -i testsrc2=s=64x64:r=25:d=4 {SOUND} -t 4 -c:v libx264 -preset veryfast -bf 3 -g 37 -pix_fmt yuv420p -c:a aac"
        ),
    )
}

#[test]
fn real_clips() {
    let Some(folder) = std::env::var_os("REELPIN_TEST_MEDIA") else {
        return println!("did not run with real clips: set REELPIN_TEST_MEDIA to their folder");
    };
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind != "md") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let told = walked(&path).map(|(index, cost)| {
                format!(
                    "{} frames, {} groups, {} reads, {} kB",
                    index.frames(),
                    index.groups().len(),
                    cost.reads,
                    cost.bytes.div_ceil(1000)
                )
            });
            lines.push(format!("{name}: {}\n", told.unwrap_or_else(|| "-".to_owned())));
        }
    }
    lines.sort();
    expect![[r#"
        bbb_2500ms.ts: -
        bbb_480p_30s.mp4: 720 frames, 5 groups, 3 reads, 89 kB
        bbb_960x540_60fps_vp8.webm: 60 frames, 1 groups, 1 reads, 476 kB
        bt601.mov: 30 frames, 1 groups, 2 reads, 68 kB
        hdr10-av1.mp4: 127 frames, 1 groups, 3 reads, 75 kB
        hlg10-color-test.mp4: 9 frames, 1 groups, 1 reads, 66 kB
        internal_emulator_transformer_output_270_rotated.mp4: 149 frames, 5 groups, 3 reads, 76 kB
        large_stbl_truncated_after_moov.m4b: -
        long_1080p_lowbitrate.mp4: 10883 frames, 44 groups, 3 reads, 382 kB
        portrait_4k60.mp4: 18 frames, 1 groups, 2 reads, 68 kB
        sample.avi: -
        sample_edit_list.mp4: 77 frames, 3 groups, 1 reads, 66 kB
        sample_with_increasing_timestamps_360p.mp4: 512 frames, 3 groups, 3 reads, 87 kB
    "#]]
    .assert_eq(&lines.concat());
}

/// Each is made of the source by ffmpeg's words; all must have an index.
#[test]
fn made_clips() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = source(dir);
    let from = format!("-i {} ", source.display());
    let x264 = format!("-f lavfi -i testsrc2=s=64x64:r=25:d=4 {X264}");
    for (name, words) in [
        ("moov_first.mp4", format!("{from} -c copy -movflags +faststart")),
        ("cut.mp4", format!("-ss 1.9 {from} -c copy")),
        ("cut_twice.mp4", format!("-ss 0.7 -t 1.3 {from} -c copy")),
        ("cut_at_key.mov", format!("-ss 1.48 {from} -c copy")),
        ("late.mp4", format!("-itsoffset 7.3 {from} -c copy")),
        ("early.mp4", format!("-itsoffset -1 {from} -c copy")),
        ("late_picture.mp4", format!("-itsoffset 0.5 {from} {from} -map 0:v -map 1:a -c copy")),
        ("sound_first.mp4", format!("{from} -map 0:a -map 0:v -c copy")),
        ("timecode.mov", format!("{from} -c copy -timecode 01:00:00:00")),
        ("negative_offsets.mp4", format!("{from} -c copy -movflags +negative_cts_offsets")),
        ("no_edits.mp4", format!("{from} -c copy -use_editlist 0")),
        ("cut_no_edits.mp4", format!("-ss 1.9 {from} -c copy -use_editlist 0")),
        ("two_pictures.mp4", format!("{from} {x264} -map 1:v -map 0:v -disposition:v:0 0 -disposition:v:1 default -shortest")),
        ("uneven.mp4", format!("-f lavfi -i testsrc2=s=64x64:r=60:d=3 -vf select='not(mod(n*n\\,7))' -vsync vfr {X264} -bf 2 -video_track_timescale 90000")),
        ("open.mp4", format!("-f lavfi -i testsrc2=s=64x64:r=25:d=4 {X264} -x264-params open-gop=1:keyint=20:bframes=3:b-adapt=0")),
        ("all_keys.mp4", format!("{x264} -g 1")),
        ("pyramid.mkv", "-f lavfi -i testsrc2=s=64x64:r=25:d=4 -c:v libx264 -bf 5 -g 40 -pix_fmt yuv420p".to_owned()),
        ("mpeg4.mp4", "-f lavfi -i testsrc2=s=64x64:r=25:d=4 -c:v mpeg4 -bf 2 -g 20".to_owned()),
        ("mpeg2.mp4", "-f lavfi -i testsrc2=s=64x64:r=25:d=4 -c:v mpeg2video -bf 2 -g 20".to_owned()),
        ("fragments_negative.mp4", format!("{from} -c copy -movflags +frag_keyframe+empty_moov+negative_cts_offsets+default_base_moof")),
        ("mjpeg.mov", "-f lavfi -i testsrc2=s=64x64:r=25:d=1 -c:v mjpeg".to_owned()),
        ("prores.mov", "-f lavfi -i testsrc2=s=64x64:r=25:d=1 -c:v prores_ks".to_owned()),
        ("vp9.mp4", "-f lavfi -i testsrc2=s=64x64:r=25:d=2 -c:v libvpx-vp9 -cpu-used 8 -g 30".to_owned()),
        ("vp9.webm", "-f lavfi -i testsrc2=s=64x64:r=25:d=2 -c:v libvpx-vp9 -cpu-used 8 -g 30".to_owned()),
        ("av1.mp4", "-f lavfi -i testsrc2=s=64x64:r=25:d=1 -c:v libaom-av1 -cpu-used 8 -g 10".to_owned()),
        ("hevc.mp4", "-f lavfi -i testsrc2=s=64x64:r=25:d=2 -c:v libx265 -preset ultrafast -x265-params keyint=20:bframes=3:log-level=none".to_owned()),
        ("fragments.mp4", format!("{from} -c copy -movflags +frag_keyframe+empty_moov")),
        ("fragments_base.mp4", format!("{from} -c copy -movflags +frag_keyframe+empty_moov+default_base_moof")),
        ("fragments_cmaf.mp4", format!("{from} -c copy -movflags +cmaf+frag_keyframe")),
        ("fragments_dash.mp4", format!("{from} -c copy -movflags +dash+frag_keyframe")),
        ("fragments_sidx.mp4", format!("{from} -c copy -movflags +dash+global_sidx+frag_keyframe")),
        ("fragments_short.mp4", format!("{from} -c copy -frag_duration 100000 -movflags +empty_moov")),
        ("fragments_apart.mp4", format!("{from} -c copy -movflags +frag_keyframe+empty_moov+separate_moof")),
        ("fragments_cut.mp4", format!("-ss 1.9 {from} -c copy -movflags +frag_keyframe+delay_moov")),
        ("fragments_late.mp4", format!("-itsoffset 7.3 {from} -c copy -movflags +frag_keyframe+delay_moov")),
        ("fragments_early.mp4", format!("-itsoffset -1 {from} -c copy -copyts -avoid_negative_ts disabled -use_editlist 0 -movflags +frag_keyframe+empty_moov+frag_discont")),
        ("plain.mkv", format!("{from} -c copy")),
        ("sound_first.mkv", format!("{from} -map 0:a -map 0:v -c copy")),
        ("late.mkv", format!("-itsoffset 7.3 {from} -c copy")),
        ("live.mkv", format!("{from} -c copy -live 1")),
        ("piped.mkv", format!("{from} -c copy -seekable 0")),
        (
            "groups.webm",
            "-f lavfi -i testsrc2=s=64x64:r=25:d=2 -c:v libvpx-vp9 -pix_fmt yuva420p -cpu-used 8 -g 30"
                .to_owned(),
        ),
        ("small_clusters.mkv", format!("{from} -c copy -cluster_time_limit 100")),
        ("cut.mkv", format!("-ss 1.9 {from} -c copy")),
    ] {
        let path = clip(dir, name, &words);
        let (_, cost) = walked(&path).unwrap_or_else(|| panic!("{name}: no index"));
        let tables = !name.starts_with("fragments") && !name.contains(".mkv") && !name.contains(".webm");
        // Of two pictures the second is the default.
        assert_eq!(cost.ahead, tables && name != "two_pictures.mp4", "{name}");
    }
}

/// Edit lists as no sane writer makes them: any beginning, any length, with and without an empty edit.
#[test]
fn any_edit_list() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = |name: &str, words: &str| {
        clip(dir, name, &format!("-f lavfi -i testsrc2=s=64x64:r=25:d=4 {X264} {words}"))
    };
    let plain = made("plain.mp4", "-g 30 -bf 0");
    let open = made("open.mp4", "-x264-params open-gop=1:keyint=20:bframes=3:b-adapt=0");
    let mut numbers = 1u64;
    let mut number = |most: u64| {
        numbers =
            numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (numbers >> 33) % most
    };
    for (name, from, words) in [
        ("reordered.mp4", source(dir), ""),
        ("negative.mp4", source(dir), "-movflags +negative_cts_offsets"),
        ("straight.mp4", plain, ""),
        ("open_late.mp4", open, ""),
    ] {
        let words = format!("-itsoffset 0.3 -i {} -an -c copy {words}", from.display());
        let path = clip(dir, name, &words);
        let bytes = std::fs::read(&path).unwrap();
        let elst = bytes.windows(8).position(|w| w == b"elst\0\0\0\0").unwrap() + 8;
        assert_eq!(bytes[elst..elst + 4], [0, 0, 0, 2]);
        let mut n_same = 0;
        for _ in 0..10 {
            let empty = [0, 300, number(5000)][number(3) as usize];
            let most = [700, 6000][number(2) as usize];
            let length = number(most);
            // In units of 1/12800 s: the frames are 512 apart.
            let begin = if number(2) == 0 { number(110) * 512 } else { number(60_000) };
            let mut changed = bytes.clone();
            for (nth, value) in [(1, empty), (4, length), (5, begin)] {
                changed[elst + 4 * nth..][..4].copy_from_slice(&(value as u32).to_be_bytes());
            }
            let path = dir.join(format!("{empty}_{length}_{begin}_{name}"));
            std::fs::write(&path, changed).unwrap();
            if walked(&path).is_some() {
                n_same += 1;
            } else {
                assert_eq!(told(&path, &probe(&path), None), None, "{}", path.display());
            }
        }
        assert!(n_same > 0, "{name}");
    }
}
