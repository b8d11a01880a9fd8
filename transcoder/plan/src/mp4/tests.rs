//! What the tables say against what was told, read back by hand.

use proptest::prelude::*;

use super::{Layout, Track};
use crate::fmp4::boxes::Cursor;
use crate::fmp4::write::{boxed, joined};
use crate::fmp4::{Error, Init, Part, Reader, Sample};

/// An init segment whose boxes say as little as they may.
fn init(timescale: u32) -> Init {
    let tkhd = boxed(b"tkhd", &[7; 21]);
    let mdhd = boxed(b"mdhd", &[0, 0, 0, timescale, 0, 0x55c4_0000]);
    let avcc = boxed(b"avcC", &[0x0164_001e]);
    let stsd = joined(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &joined(b"avc1", &[&[0; 78], &avcc])]);
    let minf = joined(b"minf", &[&boxed(b"vmhd", &[1, 0, 0]), &joined(b"stbl", &[&stsd])]);
    let mdia = joined(b"mdia", &[&mdhd, &boxed(b"hdlr", &[0; 6]), &minf]);
    let trak = joined(b"trak", &[&tkhd, &mdia]);
    let mvex = joined(b"mvex", &[&boxed(b"trex", &[0, 1, 1, 0, 0, 0])]);
    let init = joined(b"moov", &[&trak, &mvex]);
    match Reader::new().push(&init).unwrap().pop() {
        Some(Part::Init(init)) => init,
        other => panic!("{other:?}"),
    }
}

fn track(timescale: u32, segments: &[Vec<Sample>]) -> Track {
    let mut track = Track::new(&init(timescale)).unwrap();
    for segment in segments {
        track.segment(segment).unwrap();
    }
    track
}

/// A sample as a file tells it.
#[derive(Debug, PartialEq)]
struct Told {
    at: u64,
    size: u32,
    /// Presentation time on the film's clock.
    pts: i64,
    sync: bool,
}

fn words(mut from: Cursor<'_>) -> Vec<u32> {
    std::iter::from_fn(|| from.u32().ok()).collect()
}

/// The words of a table after its version and, for most, its count; empty if it is absent.
fn table(stbl: Cursor<'_>, kind: &[u8; 4]) -> Vec<u32> {
    stbl.only(kind, "table").map(|table| words(table).split_off(2)).unwrap_or_default()
}

fn unrolled(runs: &[u32]) -> Vec<u32> {
    runs.as_chunks::<2>().0.iter().flat_map(|[n, value]| vec![*value; *n as usize]).collect()
}

/// The samples of track `number` as the head of a file tells them.
fn read(head: &[u8], number: usize) -> Vec<Told> {
    let mut boxes = Cursor::new(head);
    assert_eq!(boxes.child().unwrap().map(|(kind, _)| kind), Some(*b"ftyp"));
    let (kind, mut moov) = boxes.child().unwrap().unwrap();
    assert_eq!(&kind, b"moov");
    let mut traks = Vec::new();
    while let Some((kind, body)) = moov.child().unwrap() {
        traks.extend((&kind == b"trak").then_some(body));
    }
    let trak = traks[number];
    let mdia = trak.only(b"mdia", "mdia").unwrap();
    let timescale = words(mdia.only(b"mdhd", "mdhd").unwrap())[3];
    let stbl = mdia.only(b"minf", "minf").unwrap().only(b"stbl", "stbl").unwrap();
    let edits = match trak.only(b"edts", "edts") {
        Ok(edts) => words(edts.only(b"elst", "elst").unwrap()).split_off(2),
        Err(_) => vec![0, 0, 0x1_0000],
    };
    let (mut begins, mut entry) = (0, 0);
    for [lasts, from, rate] in edits.as_chunks::<3>().0 {
        assert_eq!(*rate, 0x1_0000);
        match *from {
            u32::MAX => begins = i64::from(*lasts) * i64::from(timescale) / 90_000,
            from => entry = i64::from(from),
        }
    }
    let sizes = table(stbl, b"stsz").split_off(1);
    let durations = unrolled(&table(stbl, b"stts"));
    let mut offsets = unrolled(&table(stbl, b"ctts"));
    offsets.resize(sizes.len(), 0);
    let keys = stbl.only(b"stss", "stss").map(|keys| words(keys).split_off(2));
    let places: Vec<u64> = match stbl.only(b"co64", "co64") {
        Ok(places) => {
            let halves = words(places).split_off(2);
            halves
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[h, l]| u64::from(*h) << 32 | u64::from(*l))
                .collect()
        }
        Err(_) => table(stbl, b"stco").into_iter().map(u64::from).collect(),
    };
    let filled = table(stbl, b"stsc");
    let (mut told, mut dts) = (Vec::new(), 0);
    for (chunk, place) in (1..).zip(places) {
        let filled = filled.as_chunks::<3>().0.iter().rev().find(|[first, ..]| *first <= chunk);
        let mut at = place;
        for _ in 0..filled.unwrap()[1] {
            let nth = told.len();
            let pts = dts + i64::from(offsets[nth]) - entry + begins;
            let sync = keys.as_ref().map_or(true, |keys| keys.contains(&(nth as u32 + 1)));
            told.push(Told { at, size: sizes[nth], pts, sync });
            at += u64::from(sizes[nth]);
            dts += i64::from(durations[nth]);
        }
    }
    assert_eq!((told.len(), durations.len()), (sizes.len(), sizes.len()));
    told
}

/// Where the pieces put each sample of a track.
fn placed(layout: &Layout, number: usize, segments: &[Vec<Sample>]) -> Vec<Told> {
    let mut at = layout.head().len() as u64;
    let mut told = Vec::new();
    for piece in layout.pieces() {
        for range in &piece.ranges {
            if piece.track == number {
                let inside = segments[piece.segment as usize]
                    .iter()
                    .filter(|sample| range.contains(&(sample.offset as u32)) && sample.size > 0);
                told.extend(inside.map(|sample| Told {
                    at: at + sample.offset as u64 - u64::from(range.start),
                    size: sample.size,
                    pts: sample.pts,
                    sync: sample.sync,
                }));
            }
            at += u64::from(range.end - range.start);
        }
    }
    assert_eq!(at, layout.size());
    told
}

/// Segments of samples that follow each other, with holes between their data here and there.
fn segments() -> impl Strategy<Value = (u64, Vec<Vec<Sample>>)> {
    let sample = (1u32..5000, 1u32..40_000, -9000i64..9000, any::<bool>(), 0usize..3);
    let segment = prop::collection::vec(sample, 1..40);
    (0u64..200_000, prop::collection::vec(segment, 1..5)).prop_map(|(first, told)| {
        let mut dts = first;
        let mut segments = Vec::new();
        for told in told {
            let mut offset = 100;
            let mut segment = Vec::new();
            for (size, duration, cts, sync, hole) in told {
                let pts = (dts.cast_signed() + cts).max(0);
                segment.push(Sample { offset, size, duration, dts, pts, sync });
                dts += u64::from(duration);
                offset += size as usize + if hole == 0 { 120 } else { 0 };
            }
            segments.push(segment);
        }
        (first, segments)
    })
}

proptest! {
    #![proptest_config(crate::same_cases(200))]

    #[test]
    fn tables_tell_what_was_told((_, picture) in segments(), (_, sound) in segments()) {
        let layout = Layout::new(vec![track(90_000, &picture), track(90_000, &sound)]).unwrap();
        prop_assert_eq!(read(layout.head(), 0), placed(&layout, 0, &picture));
        prop_assert_eq!(read(layout.head(), 1), placed(&layout, 1, &sound));
        for (number, segments) in [&picture, &sound].into_iter().enumerate() {
            let own = layout.pieces().iter().filter(|piece| piece.track == number);
            let order: Vec<u32> = own.map(|piece| piece.segment).collect();
            prop_assert!(order.is_sorted());
            prop_assert_eq!(order.last(), Some(&(segments.len() as u32 - 1)));
        }
    }
}

fn plain(nth: u64, size: u32) -> Sample {
    let dts = nth * 3000;
    Sample { offset: 64, size, duration: 3000, dts, pts: dts.cast_signed(), sync: true }
}

#[test]
fn beyond_4_gib_places_have_64_bits() {
    for (segments, wide) in [(14, false), (15, true), (17, true)] {
        let told: Vec<Vec<Sample>> = (0..segments).map(|nth| vec![plain(nth, 256 << 20)]).collect();
        let layout = Layout::new(vec![track(90_000, &told)]).unwrap();
        let is = |kind: &[u8]| layout.head().windows(4).any(|four| four == kind);
        assert_eq!((is(b"co64"), is(b"stco")), (wide, !wide), "{segments}");
        let header = if wide { 16 } else { 8 };
        assert_eq!(
            layout.head().len() - header + 4,
            layout.head().windows(4).position(|w| w == b"mdat").unwrap()
        );
        assert_eq!(layout.size(), layout.head().len() as u64 + segments * (256 << 20));
        assert_eq!(read(layout.head(), 0), placed(&layout, 0, &told));
    }
}

/// The second segment is decoded from before the end of the first, across a whole second.
#[test]
fn decode_times_that_go_back_keep_the_order_and_the_presentation() {
    let at = |dts: u64, pts: i64| Sample { dts, pts, ..plain(0, 100) };
    let early = vec![at(80_000, 80_000), at(88_000, 87_000), at(93_000, 88_000)];
    let late = vec![at(89_000, 89_000), at(91_000, 95_000), at(94_000, 92_000)];
    for segment in [&early, &late] {
        assert!(segment.is_sorted_by_key(|sample| sample.dts));
    }
    let place = |mut segment: Vec<Sample>| {
        for (nth, sample) in segment.iter_mut().enumerate() {
            sample.offset += nth * 100;
        }
        segment
    };
    let told = vec![place(early), place(late)];
    let layout = Layout::new(vec![track(90_000, &told)]).unwrap();
    let read = read(layout.head(), 0);
    assert_eq!(read, placed(&layout, 0, &told));
    let shown: Vec<i64> = read.iter().map(|told| told.pts).collect();
    assert_eq!(shown, [80_000, 87_000, 88_000, 89_000, 95_000, 92_000]);
}

#[test]
fn a_track_without_samples_is_refused() {
    assert_eq!(Layout::new(vec![track(90_000, &[])]).unwrap_err(), Error::Empty);
}
