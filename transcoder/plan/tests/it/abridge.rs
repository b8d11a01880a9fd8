//! A film whose tables end after the first minute must be to ffmpeg what the whole film is in that minute.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use reelpin_plan::container::{Abridge, KEPT, Patch, Step};
use reelpin_plan::{Probe, TICKS, argv};

use crate::films::{SOUND, X264, clip};
use crate::run::{ffprobe, run};

/// The patch of a file, if there is one, and how many reads and bytes it took.
fn patch(path: &Path) -> (Option<Patch>, u32, u64) {
    let file = File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let mut abridge = Abridge::new(size);
    let (mut step, mut n_reads, mut n_bytes) = (abridge.start(), 0, 0);
    loop {
        match step {
            Step::Done(patch) => return (patch, n_reads, n_bytes),
            Step::Read { offset, length } => {
                assert!(length > 0 && offset + length <= size);
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, offset).unwrap();
                (n_reads, n_bytes) = (n_reads + 1, n_bytes + length);
                step = abridge.next(&bytes);
            }
        }
    }
}

/// The file with its patch.
fn patched(path: &Path, patch: &Patch) -> PathBuf {
    let to = path.with_extension("patched");
    std::fs::copy(path, &to).unwrap();
    let file = File::options().write(true).open(&to).unwrap();
    assert!(patch.offset + patch.bytes.len() as u64 <= file.metadata().unwrap().len());
    file.write_all_at(&patch.bytes, patch.offset).unwrap();
    to
}

#[track_caller]
fn probe(path: &Path) -> Probe {
    let printed = run(&argv::probe(path.to_str().unwrap()));
    Probe::parse(&printed.stdout)
        .unwrap_or_else(|refusal| panic!("{}: {refusal}; {}", path.display(), printed.stderr))
}

/// Time in seconds, and all else that is told of the packets of sound (`a`) or picture (`v`), in the order of the file.
fn packets(path: &Path, kind: &str) -> Vec<(f64, String)> {
    let lines = ffprobe("packet=pts_time,pts,size,flags", kind, path);
    let seconds = |line: &String| line.split(',').nth(1).unwrap().parse().unwrap();
    lines.into_iter().map(|line| (seconds(&line), line)).collect()
}

/// Half an hour of 5 s, again and again.
fn film(dir: &Path) -> PathBuf {
    let clip_of = |name, words: &str| clip(dir, name, words);
    let short = clip_of(
        "short.mp4",
        &format!("-f lavfi -i testsrc2=s=64x36:r=25:d=5 {SOUND} -t 5 {X264} -bf 3 -g 60 -c:a aac"),
    );
    clip_of("film.mp4", &format!("-stream_loop 399 -i {} -c copy", short.display()))
}

#[test]
fn the_first_minute_of_a_film() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let from = format!("-i {}", film(dir).display());
    let uneven = format!("{from} -c copy -bsf:v setts=ts='TS+512*mod(N\\,7)/9'");
    for (name, words) in [
        ("last.mp4", format!("{from} -c copy")),
        ("first.mp4", format!("{from} -c copy -movflags +faststart")),
        ("sound_first.mov", format!("{from} -map 0:a -map 0:v -c copy -movflags +faststart")),
        ("cut.mp4", format!("-ss 100.9 {from} -c copy")),
        ("late.mp4", format!("-itsoffset 207.3 {from} -c copy")),
        ("late_picture.mp4", format!("-itsoffset 3.5 {from} {from} -map 0:v -map 1:a -c copy")),
        ("late_sound.mp4", format!("{from} -itsoffset 200 {from} -map 0:v -map 1:a -c copy")),
        ("timecode.mov", format!("{from} -c copy -timecode 01:00:00:00")),
        ("no_edits.mp4", format!("{from} -c copy -use_editlist 0")),
        ("negative_offsets.mp4", format!("{from} -c copy -movflags +negative_cts_offsets")),
        ("pcm.mov", format!("{from} -c:v copy -c:a pcm_s16le -ac 1 -ar 8000")),
        ("uneven.mp4", uneven),
    ] {
        let path = clip(dir, name, &words);
        let (patch, n_reads, n_bytes) = patch(&path);
        let patch = patch.unwrap_or_else(|| panic!("{name}: it is not abridged"));
        assert!(patch.until >= KEPT, "{name}");
        assert!(n_reads < 40 && n_bytes < 3 << 20, "{name}: {n_reads} reads, {n_bytes} bytes");
        let short = patched(&path, &patch);
        // The rate of the picture alone is another; and the size is of the file.
        let (mut whole, mut beginning) = (probe(&path), probe(&short));
        assert_ne!(whole.video.as_ref().unwrap().bit_rate, None, "{name}");
        for probe in [&mut whole, &mut beginning] {
            probe.video.as_mut().unwrap().bit_rate = None;
        }
        assert_eq!(whole, beginning, "{name}");
        let until = patch.until as f64 / TICKS as f64;
        for kind in ["v", "a"] {
            let (mut all, mut kept) = (packets(&path, kind), packets(&short, kind));
            assert!(kept.len() * 3 < all.len(), "{name}: {} of {}", kept.len(), all.len());
            all.retain(|(at, _)| *at < until);
            kept.retain(|(at, _)| *at < until);
            assert!(all == kept, "{name}, {kind}: {} of {}", kept.len(), all.len());
        }
        std::fs::remove_file(short).unwrap();
    }
}

#[test]
fn what_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let film = film(dir);
    let from = format!("-i {}", film.display());
    for (why, name, words) in [
        ("tables that are small", "short.mp4", format!("{from} -t 300 -c copy")),
        ("fragments", "fragments.mp4", format!("{from} -c copy -movflags +frag_keyframe")),
        ("another container", "other.mkv", format!("{from} -c copy")),
    ] {
        assert_eq!(patch(&clip(dir, name, &words)).0, None, "{why}");
    }
    // Boxes in boxes in boxes, tens of thousands deep.
    let deep = dir.join("deep.mp4");
    let nested = (1..=60_000u32).rev().flat_map(|level| [(8 * level).to_be_bytes(), *b"minf"]);
    let nested = nested.collect::<Vec<_>>().concat();
    let boxed = |kind: &[u8], contents: &[u8]| {
        let size = u32::try_from(contents.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, contents].concat()
    };
    // Version and flags, two times, 1000 units a second.
    let clock = [&[0; 12][..], &1000u32.to_be_bytes(), &[0; 4]].concat();
    let handler = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0vide");
    let media = boxed(b"mdia", &[boxed(b"mdhd", &clock), handler, nested].concat());
    let movie = [boxed(b"mvhd", &clock), boxed(b"trak", &media), boxed(b"free", &[0; 1 << 20])];
    std::fs::write(&deep, boxed(b"moov", &movie.concat())).unwrap();
    assert_eq!(patch(&deep).0, None);
    // Any byte of the headers may be anything; nothing is read beyond the file, nothing panics.
    let bytes = std::fs::read(&film).unwrap();
    let moov = bytes.windows(4).rposition(|kind| kind == b"moov").unwrap() - 4;
    let damaged = dir.join("damaged.mp4");
    let file = {
        std::fs::copy(&film, &damaged).unwrap();
        File::options().write(true).open(&damaged).unwrap()
    };
    let mut n_odd = 0;
    for at in (moov..moov + 1200).step_by(3) {
        for byte in [0, 1, 0x7f, 0xff] {
            file.write_all_at(&[byte], at as u64).unwrap();
            n_odd += u32::from(patch(&damaged).0.is_none());
        }
        file.write_all_at(&bytes[at..=at], at as u64).unwrap();
    }
    assert!(n_odd > 100, "{n_odd}");
}
