//! Tests of the walk as a whole, with files made by hand.

mod make;

use make::{Film, MP4, SCALE, atom, element, fragmented, matroska, probe, table, wide, words};
use proptest::prelude::*;

use super::{MAX_READ, MAX_READS, Step, Walk};
use crate::{Index, Probe, same_cases};

/// Walks through bytes; the reads are counted.
fn walk(probe: &Probe, bytes: &[u8]) -> (Option<Index>, u32) {
    let mut walk = Walk::new(probe, bytes.len() as u64).unwrap();
    let mut step = walk.start();
    for n_reads in 0..=MAX_READS {
        match step {
            Step::Done(index) => return (index, n_reads),
            Step::Read { offset, length } => {
                assert!((1..=MAX_READ).contains(&length), "{length}");
                let range = offset as usize..(offset + length) as usize;
                step = walk.next(&bytes[range]);
            }
        }
    }
    panic!("more than {MAX_READS} reads");
}

fn mp4(bytes: &[u8]) -> Option<Index> {
    walk(&probe(MP4, "h264", 0, SCALE), bytes).0
}

#[track_caller]
fn check(bytes: &[u8], pts: &[i64]) {
    assert_eq!(mp4(bytes).map(|index| index.pts().to_vec()).as_deref(), Some(pts));
}

/// Times of the made film of 8 frames without an edit list.
const EIGHT: [i64; 8] = [512, 1024, 1536, 2048, 2560, 3072, 3584, 4096];

#[test]
fn a_plain_film() {
    let index = mp4(&Film::new(8).file()).unwrap();
    assert_eq!(index.pts(), EIGHT);
    let groups: Vec<_> = index.groups().iter().map(|g| (g.pts, g.bytes, g.closed)).collect();
    assert_eq!(groups, [(512, 40, true), (2560, 40, true)]);
    assert!(!index.discards());
}

#[test]
fn the_same_in_other_boxes() {
    let film = Film::new(8);
    let (free, data, movie) = (atom("free", &[]), film.data(), film.movie());
    let to_the_end = [&0u32.to_be_bytes(), &data[4..]].concat();
    let in_64_bits = film.movie();
    let in_64_bits = wide("moov", &in_64_bits[8..]);
    let places = [0, 16, 0, 56];
    for (name, file) in [
        ("64-bit data", [wide("mdat", &data[8..]), movie.clone()].concat()),
        ("64-bit movie", [free.clone(), data.clone(), in_64_bits].concat()),
        ("something after it", [free.clone(), data.clone(), movie, atom("free", &[1])].concat()),
        ("64-bit places", {
            let chunks = atom("co64", &[words(&[0, 2]), words(&places)].concat());
            Film::new(8).with("stco", chunks).file()
        }),
        ("sizes of 16 bits", {
            let sizes = [words(&[0, 16, 8]), [0, 10].repeat(8)].concat();
            Film::new(8).with("stsz", atom("stz2", &sizes)).file()
        }),
        ("one size", Film::new(8).with("stsz", atom("stsz", &words(&[0, 10, 8]))).file()),
        ("sample groups", {
            let mut film = Film::new(8);
            film.stbl.push(atom("sbgp", b"\0\0\0\0roll\0\0\0\0"));
            film.file()
        }),
    ] {
        assert_eq!(mp4(&file).map(|index| index.pts().to_vec()), Some(EIGHT.to_vec()), "{name}");
    }
    // Data that runs to the end of the file, after the movie.
    let mut film = Film::new(8);
    let shift = film.movie().len() as u32 - 8;
    let chunks: Vec<u32> = [16, 56].iter().map(|place| place + shift).collect();
    film = film.with("stco", table("stco", &[&chunks[..1], &chunks[1..]]));
    check(&[film.movie(), to_the_end].concat(), &EIGHT);
}

#[test]
fn edit_lists() {
    // The first frame of all is shown at 512.
    for (edits, pts, discards) in [
        (vec![[320, 512, 1 << 16]], vec![0, 512, 1024, 1536, 2048, 2560, 3072, 3584], false),
        // 100 ms are 1280 units.
        (vec![[100, u32::MAX, 1 << 16], [80, 512, 1 << 16]], vec![1280, 1792], true),
        (vec![[80, 1100, 1 << 16]], vec![0, 512], true),
    ] {
        let index = mp4(&Film { edits, ..Film::new(8) }.file()).unwrap();
        assert_eq!((index.pts(), index.discards()), (&pts[..], discards));
    }
}

#[test]
fn without_an_index() {
    let film = || Film::new(8);
    let more = |kind: &str, contents: &[u8]| {
        let mut film = film();
        film.stbl.push(atom(kind, contents));
        film
    };
    for (why, film) in [
        ("not a picture", Film { handler: "soun", ..film() }),
        ("two edits", Film { edits: vec![[40, 512, 1 << 16], [40, 512, 1 << 16]], ..film() }),
        ("slow motion", Film { edits: vec![[40, 512, 1 << 15]], ..film() }),
        ("an empty edit only", Film { edits: vec![[40, u32::MAX, 1 << 16]], ..film() }),
        ("nothing is shown", Film { edits: vec![[0, 0, 1 << 16]], ..film() }),
        ("two descriptions", film().with("stsd", table("stsd", &[&[8, 0], &[8, 0]]))),
        ("partial key frames", more("stps", &words(&[0, 0]))),
        ("open groups told elsewhere", more("sbgp", b"\0\0\0\0rap \0\0\0\0")),
        ("a table twice", more("stss", &words(&[0, 0]))),
        ("too few times", film().with("stts", table("stts", &[&[7, 512]]))),
        ("too many times", film().with("stts", table("stts", &[&[9, 512]]))),
        ("a run of none", film().with("stts", table("stts", &[&[8, 512], &[0, 1]]))),
        ("a time that ffmpeg mends", film().with("stts", table("stts", &[&[8, u32::MAX]]))),
        ("too few offsets", film().with("ctts", table("ctts", &[&[7, 0]]))),
        ("a key frame beyond", film().with("stss", table("stss", &[&[9]]))),
        ("keys that do not rise", film().with("stss", table("stss", &[&[5], &[1]]))),
        ("no keys", film().with("stss", table("stss", &[]))),
        ("all keys, but reordered", film().with("stss", Vec::new())),
        ("no chunks", film().with("stco", Vec::new())),
        ("too few chunks", film().with("stco", table("stco", &[&[16]]))),
        ("a chunk beyond the file", film().with("stco", table("stco", &[&[16], &[1 << 30]]))),
        ("runs that begin late", film().with("stsc", table("stsc", &[&[2, 4, 1]]))),
        ("another description", film().with("stsc", table("stsc", &[&[1, 4, 2]]))),
        ("an empty frame", film().with("stsz", atom("stsz", &words(&[0, 0, 1, 0])))),
        ("more entries than bytes", film().with("stsz", atom("stsz", &words(&[0, 0, 8, 10])))),
        ("too many frames", film().with("stsz", atom("stsz", &words(&[0, 10, u32::MAX])))),
        ("tables and fragments", Film { more: vec![atom("mvex", &[])], ..film() }),
    ] {
        assert_eq!(mp4(&film.file()), None, "{why}");
    }
    assert_eq!(mp4(&film().data()), None, "no movie");
    let other = |stream, scale| walk(&probe(MP4, "h264", stream, scale), &film().file()).0;
    assert_eq!(other(1, SCALE), None, "no such track");
    assert_eq!(other(0, SCALE + 1), None, "another time base");
}

#[test]
fn containers_and_codecs_that_are_not_read() {
    for (container, codec, size, read) in [
        (MP4, "h264", 1 << 50, true),
        (MP4, "vc1", 1000, false),
        ("matroska,webm", "vp9", 64 << 20, true),
        ("matroska,webm", "vp9", (64 << 20) + 1, false),
        ("matroska,webm", "vp8", 1000, false),
        ("matroska,webm", "prores", 1000, false),
        ("avi", "h264", 1000, false),
    ] {
        let walk = Walk::new(&probe(container, codec, 0, 1000), size);
        assert_eq!(walk.is_some(), read, "{container} {codec} {size}");
    }
}

#[test]
fn tables_larger_than_a_read() {
    let frames = 1_100_000;
    let film = Film { edits: vec![[u32::MAX, 512, 1 << 16]], ..Film::new(frames) };
    let (index, n_reads) = walk(&probe(MP4, "h264", 0, SCALE), &film.file());
    let index = index.unwrap();
    assert_eq!((index.frames(), index.groups().len()), (frames as usize, frames as usize / 4));
    assert!(index.pts().iter().zip(0..).all(|(pts, nth)| *pts == nth * 512));
    // 16 MB of tables: ctts in 3 pieces, stsz in 2, the two others, and headers.
    assert!(n_reads < 16, "{n_reads}");
}

#[test]
fn fragments() {
    let (index, n_reads) = walk(&probe(MP4, "h264", 0, SCALE), &fragmented(1000, &[], |_| 0));
    let index = index.unwrap();
    assert_eq!(index.pts()[..5], [512, 1024, 1536, 2048, 2560]);
    assert_eq!((index.frames(), index.groups().len(), n_reads), (4000, 1000, 10));
}

/// ffmpeg moves all times by how far offsets go below zero, unless a segment index lets it begin before it
/// has read all fragments.
#[test]
fn offsets_below_zero_in_later_fragments() {
    let late = |nth| u32::from(nth > 0) * 1536;
    check(&fragmented(2, &[], late), &[2048, 2560, 3072, 3584, 4096, 4608, 5120, 5632]);
    let index = atom("sidx", &[0; 24]);
    assert_eq!(mp4(&fragmented(2, &index, late)), None);
    check(&fragmented(1, &index, late), &EIGHT[..4]);
}

#[test]
fn a_matroska_file() {
    let film = probe("matroska,webm", "h264", 1, 1000);
    let file = matroska(2);
    let index = walk(&film, &file).0.unwrap();
    assert_eq!(index.pts(), [0, 40, 200, 240]);
    assert_eq!(
        index.groups().iter().map(|g| (g.pts, g.bytes)).collect::<Vec<_>>(),
        [(0, 20), (200, 20)]
    );
    for (why, film, file) in [
        ("the sound track", probe("matroska,webm", "h264", 0, 1000), file.clone()),
        ("another unit", probe("matroska,webm", "h264", 1, 90_000), file.clone()),
        ("cut off", film.clone(), file[..file.len() - 1].to_vec()),
        ("something after it", film.clone(), [&file[..], &element(0xec, &[])].concat()),
    ] {
        assert_eq!(walk(&film, &file).0, None, "{why}");
    }
}

/// A file that would go on for ever.
#[test]
fn a_walk_ends() {
    for (size, kind) in [(8u32, b"free"), (1 << 20, b"free"), (1 << 30, b"skip")] {
        let mut walk = Walk::new(&probe(MP4, "h264", 0, SCALE), 1 << 60).unwrap();
        let mut step = walk.start();
        let mut n_reads = 0;
        while let Step::Read { offset, length } = step {
            n_reads += 1;
            assert!(n_reads <= MAX_READS);
            let header = [&size.to_be_bytes()[..], kind].concat();
            let bytes = (offset..offset + length).map(|at| {
                let within = at % u64::from(size);
                header.get(within as usize).copied().unwrap_or(0)
            });
            step = walk.next(&bytes.collect::<Vec<_>>());
        }
        assert_eq!((step, n_reads), (Step::Done(None), MAX_READS));
    }
}

#[test]
fn other_bytes_than_were_asked_for_end_the_walk() {
    let film = Film::new(8).file();
    let mut walk = Walk::new(&probe(MP4, "h264", 0, SCALE), film.len() as u64).unwrap();
    assert!(matches!(walk.start(), Step::Read { offset: 0, .. }));
    assert_eq!(walk.next(&film[1..]), Step::Done(None));
    assert_eq!(walk.next(&film), Step::Done(None));
}

/// A plain, an edited, a fragmented and a Matroska film.
fn films() -> [(Probe, Vec<u8>); 4] {
    let edits = vec![[100, u32::MAX, 1 << 16], [200, 1024, 1 << 16]];
    let film = probe(MP4, "h264", 0, SCALE);
    [
        (film.clone(), Film::new(16).file()),
        (film.clone(), [Film { edits, ..Film::new(16) }.file(), vec![0; 5]].concat()),
        (film, fragmented(6, &[], |nth| nth / 3 * 1024)),
        (probe("matroska,webm", "h264", 1, 1000), matroska(5)),
    ]
}

proptest! {
    #![proptest_config(same_cases(2000))]

    #[test]
    fn damaged_tables_never_panic(
        which in 0usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (probe, mut bytes) = films()[which].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        walk(&probe, &bytes);
    }

    #[test]
    fn damaged_numbers_never_panic(
        which in 0usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![
            0u64, 1, 7, 8, 255, 1 << 16, 1 << 28, i32::MAX as u64, 1 << 31, u32::MAX.into(), 1 << 60, 1 << 63, u64::MAX,
        ]), any::<bool>()), 1..6),
    ) {
        let (probe, mut bytes) = films()[which].clone();
        for (at, value, wide) in changes {
            // Mostly where a field begins.
            let at = at.index(bytes.len()) & !3;
            let value = value.to_be_bytes();
            let value = if wide { &value[..] } else { &value[4..] };
            if let Some(field) = bytes.get_mut(at..at + value.len()) {
                field.copy_from_slice(value);
            }
        }
        walk(&probe, &bytes);
    }

    #[test]
    fn cut_and_noisy_files_never_panic(which in 0usize..4, cut in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 0..40)) {
        let (probe, mut bytes) = films()[which].clone();
        bytes.truncate(cut.index(bytes.len()));
        bytes.extend(noise);
        walk(&probe, &bytes);
    }
}
