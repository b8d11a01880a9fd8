//! Large Matroska files, of which cues alone are read: where they are found, and what is made by them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use reelpin_plan::container::{CueWalk, MAX_MATROSKA, MAX_READ, Step};
use reelpin_plan::{Cues, Options, Plan, Probe, Run, Segment, TICKS, argv};

use crate::films::{SOUND, X264, clip};
use crate::make::{Film, film, film_as, stretch};
use crate::run::run;

fn probe(path: &Path) -> Probe {
    Probe::parse(&run(&argv::probe(path.to_str().unwrap())).stdout).unwrap()
}

/// The cues of a file, read as if it were followed by so much that it is a large one; and how many bytes that took.
fn cues(path: &Path) -> (Option<Cues>, u64) {
    let (file, size) = (File::open(path).unwrap(), fs::metadata(path).unwrap().len());
    let mut walk = CueWalk::new(&probe(path), size + MAX_MATROSKA).unwrap();
    let (mut step, mut read) = (walk.start(), 0);
    loop {
        match step {
            Step::Done(cues) => return (cues, read),
            Step::Read { offset, length } => {
                assert!((1..=MAX_READ).contains(&length));
                let mut bytes = vec![0; length as usize];
                let there = length.min(size.saturating_sub(offset)) as usize;
                file.read_exact_at(&mut bytes[..there], offset).unwrap();
                read += there as u64;
                step = walk.next(&bytes);
            }
        }
    }
}

#[test]
fn cues_are_the_key_frames() {
    let dir = tempfile::tempdir().unwrap();
    let film = format!("-f lavfi -i testsrc2=s=64x64:r=25:d=60 {SOUND} {X264} -bf 2 -g 37");
    for (name, words, found) in [
        ("a.mkv", "", true),
        ("front.mkv", "-reserve_index_space 50000", true),
        ("sound_first.mkv", "-map 1 -map 0", true),
        ("live.mkv", "-live 1", false),
        ("a.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus", true),
    ] {
        let path = clip(dir.path(), name, &format!("{film} {words}"));
        let (cues, read) = cues(&path);
        let keys = run(&argv::packets(path.to_str().unwrap(), probe(&path).video.unwrap().stream));
        let keys = keys.stdout.lines().filter(|line| line.contains(",K"));
        let keys = Cues::new(keys.map(|line| line.split(',').next().unwrap().parse().unwrap()));
        assert!(keys.as_ref().is_some_and(|keys| keys.times().len() > 20));
        assert_eq!(cues, keys.filter(|_| found), "{name}");
        assert!(read < fs::metadata(&path).unwrap().len(), "{name}: {read}");
    }
    let mp4 = clip(dir.path(), "a.mp4", &film);
    assert!(CueWalk::new(&probe(&mp4), 1 << 40).is_none());
    assert!(CueWalk::new(&probe(&dir.path().join("a.mkv")), MAX_MATROSKA).is_none());
}

/// Whatever is wrong with a file, its cues are others or none.
#[test]
fn damaged_cues() {
    let dir = tempfile::tempdir().unwrap();
    let path = clip(
        dir.path(),
        "a.mkv",
        &format!("-f lavfi -i testsrc2=s=64x64:r=25:d=9 {SOUND} {X264} -g 37"),
    );
    let told = probe(&path);
    let bytes = fs::read(&path).unwrap();
    let mut found = 0;
    // All of the head, and the cues at the end.
    for at in (0..700).chain(bytes.len() - 300..bytes.len()).step_by(3) {
        for bits in [0x01, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= bits;
            let size = damaged.len() as u64 + MAX_MATROSKA;
            let Some(mut walk) = CueWalk::new(&told, size) else { continue };
            let mut step = walk.start();
            while let Step::Read { offset, length } = step {
                assert!(length >= 1 && offset + length <= size);
                let from = (offset as usize).min(damaged.len());
                let to = ((offset + length) as usize).min(damaged.len());
                let mut read = damaged[from..to].to_vec();
                read.resize(length as usize, 0);
                step = walk.next(&read);
            }
            found += usize::from(matches!(step, Step::Done(Some(_))));
        }
    }
    assert!(found > 0);
}

/// By cues alone the frames and cuts are those of the index, also where an encode is taken up again.
#[test]
fn in_stretches_by_cues() {
    for (rate, keys) in [("30000/1001", "70"), ("25", "50"), ("24", "500")] {
        let words = format!(
            "-f lavfi -i testsrc2=s=1024x576:r={rate}:d=17 {SOUND} {X264} -bf 2 -g {keys} -sc_threshold 0"
        );
        let dir = tempfile::tempdir().unwrap();
        let original = clip(dir.path(), "a.mkv", &words);
        let options = Options { longest_stretch: 5 * TICKS, ..Options::default() };
        let exact = film(&original, &options);
        let (path, probe) = (original.to_str().unwrap(), probe(&original));
        let groups = exact.index.as_ref().unwrap().groups();
        let cues = Cues::new(groups.iter().map(|group| group.pts)).unwrap();
        let plan = Plan::by_cues(&probe, &cues, &options).unwrap();
        let video = plan.video.clone().unwrap();
        // One key frame: nothing but the beginning is known.
        assert_eq!(plan.grid.keyed, cues.times().len() > 1, "{rate}");
        if !plan.grid.keyed {
            assert_eq!((video.entries.len(), video.joints), (0, vec![0]));
            continue;
        }
        assert!(video.joints.len() > 1, "{:?}", video.joints);
        let by_cues = film_as(plan.clone(), path, exact.index.clone());
        for (one, other) in by_cues.rungs.iter().zip(&exact.rungs) {
            assert_eq!(one.init.bytes, other.init.bytes);
            assert_eq!(one.times(), other.times());
            assert_eq!(one.segments.len(), other.segments.len());
            for (one, other) in one.segments.iter().zip(&other.segments) {
                assert_eq!(one.frames, other.frames);
                // The file's clock counts milliseconds.
                assert!(one.start_ticks.abs_diff(other.start_ticks) <= TICKS / 1000);
            }
        }
        // Its last stretch is interrupted: of one rung two segments are stored, of the other one, and all.
        let last = video.stretches().last().unwrap();
        assert_eq!(last.end, None);
        let all = u32::try_from(by_cues.rungs[0].segments.len()).unwrap() - last.first;
        for stored in [[1, 0], [0, 1], [all, all]] {
            let run = Run::rest(&video, last, |rung| stored[rung]).unwrap();
            let again = stretch(&plan, &run, path, dir.path()).unwrap();
            for (part, (_, segments)) in run.parts.iter().zip(&again) {
                let whole = &by_cues.rungs[part.rung].segments[part.first as usize..];
                let told = |made: &[Segment]| {
                    made.iter()
                        .map(|s| (s.sequence, s.start_ticks, s.duration_ticks, s.frames))
                        .collect::<Vec<_>>()
                };
                assert_eq!(told(segments), told(whole), "{stored:?}");
            }
        }
    }
}

/// What is not as header, cues or a regular clock tell: every frame is there all the same, or there is a mismatch.
#[test]
fn cues_and_headers_that_lie() {
    let irregular = "select='not(between(n,283,301)+between(n,40,49))'";
    for (name, filter, header, late, key_every) in [
        ("a header that tells less than there is", "null", Some(3), 0, 50),
        ("a header that tells more", "null", Some(40), 0, 50),
        ("cues before their key frames", "null", None, 200, 9),
        ("holes, one of them before a joint", irregular, None, 0, 50),
    ] {
        let words = format!(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=17,{filter} {X264} -bf 2 -g {key_every} -sc_threshold 0 -fps_mode vfr"
        );
        let dir = tempfile::tempdir().unwrap();
        let original = clip(dir.path(), "a.mkv", &words);
        let options = Options { longest_stretch: 5 * TICKS, ..Options::default() };
        let exact = film(&original, &options);
        let (path, mut probe) = (original.to_str().unwrap(), probe(&original));
        if let Some(seconds) = header {
            probe.duration = Some(seconds * TICKS);
            probe.video.as_mut().unwrap().duration = None;
        }
        let groups = exact.index.as_ref().unwrap().groups();
        let cues = Cues::new(groups.iter().map(|group| (group.pts - late).max(0))).unwrap();
        let plan = Plan::by_cues(&probe, &cues, &options).unwrap();
        assert!(plan.grid.keyed && plan.video.as_ref().unwrap().joints.len() > 1, "{name}");
        let made = film_as(plan, path, exact.index.clone());
        assert_eq!(made.rungs[0].times(), exact.rungs[0].times(), "{name}");
        let length = |film: &Film| {
            film.rungs[0].segments.iter().map(|segment| segment.duration_ticks).sum::<u64>()
        };
        assert!(length(&made).abs_diff(length(&exact)) <= TICKS / 25, "{name}");
    }
}

#[test]
fn a_part_without_a_frame_is_not_the_films_fault() {
    let dir = tempfile::tempdir().unwrap();
    let words = format!("-f lavfi -i testsrc2=s=320x180:r=25:d=9 {X264} -g 25");
    let original = clip(dir.path(), "a.mkv", &words);
    let options = Options { longest_stretch: 5 * TICKS, ..Options::default() };
    let cues = Cues::new((0..20).map(|second| second * 1000)).unwrap();
    let plan = Plan::by_cues(&probe(&original), &cues, &options).unwrap();
    let video = plan.video.as_ref().unwrap();
    let path = original.to_str().unwrap();
    let ended: Vec<bool> = video
        .stretches()
        .map(|part| {
            let run = Run::rest(video, part, |_| 0).unwrap();
            match stretch(&plan, &run, path, dir.path()) {
                Ok(_) => true,
                Err(mismatch) => {
                    assert!(!mismatch.is_theirs(), "{mismatch}");
                    false
                }
            }
        })
        .collect();
    assert!(ended[0] && !ended[ended.len() - 1], "{ended:?}");
}

#[test]
fn a_cue_beyond_any_film_makes_none_of_them_count() {
    let dir = tempfile::tempdir().unwrap();
    let words = format!("-f lavfi -i testsrc2=s=64x64:r=25:d=9 {X264} -g 25");
    let probe = probe(&clip(dir.path(), "a.mkv", &words));
    for (last, keyed) in [(43_200_000, true), (50_000_000, false), (9_000_000_000_000, false)] {
        let cues = Cues::new([0, 1000, 2000, 4000, last]).unwrap();
        let plan = Plan::by_cues(&probe, &cues, &Options::default()).unwrap();
        assert_eq!(plan.grid.keyed, keyed, "{last}");
    }
}
