//! Bytes that an encoder under a stranger's control could write: no panic, no endless loop, no unbounded memory.

use std::sync::OnceLock;

use proptest::prelude::*;
use reelpin_plan::fmp4::{Error, Part, Reader};
use reelpin_plan::{Grid, Packer, Rational, Segmenter, TICKS};

use crate::run::ffmpeg_bytes;

/// A real stream of picture and one of sound, about 10 kB each.
fn streams() -> &'static [Vec<u8>; 2] {
    static STREAMS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    STREAMS.get_or_init(|| {
        let make = |words: &str| {
            let words = format!("-v error -f lavfi -i {words} -f mp4 -movflags +cmaf+frag_keyframe+empty_moov+frag_discont+skip_trailer -use_editlist 0 -avoid_negative_ts disabled pipe:1");
            ffmpeg_bytes(&words.split_whitespace().collect::<Vec<_>>())
        };
        [
            make("testsrc2=s=32x32:r=25:d=1 -c:v libx264 -g 10 -fps_mode passthrough -enc_time_base 1:90000"),
            make("sine=r=48000:d=1 -c:a aac -bsf:a noise=drop=lt(pts\\,0) -frag_duration 200000"),
        ]
    })
}

/// Reads all of it and packs what comes, as picture and as sound.
fn swallow(bytes: &[u8], piece: usize) -> Result<usize, Error> {
    let grid = Grid::nominal(Rational::whole(25), TICKS);
    let mut segmenter = Segmenter::new(&grid, 0, None);
    let mut packer = Packer::new(&grid);
    let mut reader = Reader::new();
    let (mut n_parts, mut sound, mut picture) = (0, true, true);
    for piece in bytes.chunks(piece) {
        for part in reader.push(piece)? {
            n_parts += 1;
            if let Part::Fragment(fragment) = part {
                for sample in &fragment.table {
                    assert_eq!(fragment.data(sample).len(), sample.size as usize);
                }
                sound = sound && packer.push(&fragment).is_ok();
                picture = picture && segmenter.push(fragment).is_ok();
            }
        }
    }
    let ended = reader.finish();
    let _ = packer.finish();
    let _ = segmenter.finish();
    ended.map(|()| n_parts)
}

fn same_cases() -> ProptestConfig {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(1);
    ProptestConfig { cases: 2000, rng_seed, failure_persistence: None, ..Default::default() }
}

#[test]
fn whole_streams_are_read_in_pieces_of_any_size() {
    for stream in streams() {
        let want = swallow(stream, stream.len()).unwrap();
        assert!(want > 3);
        for piece in [1, 2, 7, 8, 9, 1000] {
            assert_eq!(swallow(stream, piece), Ok(want));
        }
    }
}

#[test]
fn a_stream_cut_anywhere_is_torn_or_a_whole_prefix() {
    for stream in streams() {
        for end in 0..stream.len() {
            match swallow(&stream[..end], 4096) {
                Ok(n_parts) => assert!(n_parts > 0),
                Err(Error::Torn(bytes)) => assert!(bytes > 0),
                Err(error) => assert_eq!((error, end), (Error::Empty, 0)),
            }
        }
    }
}

#[test]
fn a_size_is_not_believed() {
    for (bytes, want) in [
        (&b"\xff\xff\xff\xffmdat"[..], Error::TooLarge),
        (b"\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff", Error::TooLarge),
        (b"\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x0f", Error::Short),
        (b"\x00\x00\x00\x00mdat", Error::Short),
        (b"\x00\x00\x00\x07mdat", Error::Short),
        (b"\x02\x00\x00\x00moov", Error::TooLarge),
        (b"\x00\x00\x00\x08mdat", Error::Structure("moof")),
        (b"\x00\x00\x00\x08moov", Error::Structure("trak")),
    ] {
        assert_eq!(swallow(bytes, 3), Err(want), "{bytes:?}");
    }
}

proptest! {
    #![proptest_config(same_cases())]

    #[test]
    fn changed_bytes_never_panic(
        which in 0usize..2,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        piece in 1usize..5000,
    ) {
        let mut bytes = streams()[which].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = swallow(&bytes, piece);
    }

    #[test]
    fn changed_tables_never_panic(
        which in 0usize..2,
        changes in prop::collection::vec((0usize..1600, prop::sample::select(vec![0u32, 1, 7, 8, 255, 1 << 16, 1 << 28, i32::MAX as u32, 1 << 31, u32::MAX])), 1..6),
    ) {
        let mut bytes = streams()[which].clone();
        for (at, value) in changes {
            if let Some(field) = bytes.get_mut(at..at + 4) {
                field.copy_from_slice(&value.to_be_bytes());
            }
        }
        let _ = swallow(&bytes, 4096);
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = swallow(&bytes, 64);
    }
}
