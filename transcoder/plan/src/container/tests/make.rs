//! Files made by hand.

use crate::Probe;

/// What ffprobe would tell of stream `stream` of a file with times in 1/`scale` s.
pub(super) fn probe(container: &str, codec: &str, stream: u32, scale: u32) -> Probe {
    let json = format!(
        r#"{{"streams": [{{"index": {stream}, "codec_type": "video", "codec_name": "{codec}",
        "width": 64, "height": 64, "pix_fmt": "yuv420p", "time_base": "1/{scale}",
        "r_frame_rate": "25/1"}}], "format": {{"format_name": "{container}", "nb_streams": 1}}}}"#
    );
    Probe::parse(&json).unwrap()
}

/// ffprobe's name of MP4 and MOV.
pub(super) const MP4: &str = "mov,mp4,m4a,3gp,3g2,mj2";

/// Units a second of the made track.
pub(super) const SCALE: u32 = 12_800;

/// A box.
pub(super) fn atom(kind: &str, contents: &[u8]) -> Vec<u8> {
    let size = u32::try_from(contents.len() + 8).unwrap();
    [&size.to_be_bytes(), kind.as_bytes(), contents].concat()
}

/// The same with a size of 64 bits.
pub(super) fn wide(kind: &str, contents: &[u8]) -> Vec<u8> {
    let size = contents.len() as u64 + 16;
    [&1u32.to_be_bytes(), kind.as_bytes(), &size.to_be_bytes(), contents].concat()
}

/// Words of 32 bits.
pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A table after version and flags: the number of entries, then their words.
pub(super) fn table(kind: &str, entries: &[&[u32]]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).unwrap();
    atom(kind, &[words(&[0, count]), words(&entries.concat())].concat())
}

/// A film of frames 512 units apart, each of 10 bytes, in chunks of 4: I P B B I P B B...
pub(super) struct Film {
    pub frames: u32,
    /// Boxes of the sample table, which tests change.
    pub stbl: Vec<Vec<u8>>,
    /// Entries of an edit list: duration in ms, first time, rate.
    pub edits: Vec<[u32; 3]>,
    pub handler: &'static str,
    /// Boxes in the movie after the track.
    pub more: Vec<Vec<u8>>,
}

impl Film {
    pub(super) fn new(frames: u32) -> Self {
        let offsets: Vec<[u32; 2]> =
            (0..frames).map(|nth| [1, [512, 1536, 0, 0][nth as usize % 4]]).collect();
        let offsets: Vec<&[u32]> = offsets.iter().map(|entry| &entry[..]).collect();
        let keys: Vec<[u32; 1]> = (0..frames).step_by(4).map(|nth| [nth + 1]).collect();
        let keys: Vec<&[u32]> = keys.iter().map(|entry| &entry[..]).collect();
        let chunks: Vec<[u32; 1]> = (0..frames).step_by(4).map(|nth| [16 + 10 * nth]).collect();
        let chunks: Vec<&[u32]> = chunks.iter().map(|entry| &entry[..]).collect();
        let stbl = vec![
            table("stsd", &[&[16, u32::from_be_bytes(*b"avc1"), 0, 0]]),
            table("stts", &[&[frames, 512]]),
            table("ctts", &offsets),
            table("stss", &keys),
            atom("stsz", &[words(&[0, 0, frames]), words(&vec![10; frames as usize])].concat()),
            table("stsc", &[&[1, 4, 1]]),
            table("stco", &chunks),
        ];
        Self { frames, stbl, edits: Vec::new(), handler: "vide", more: Vec::new() }
    }

    /// Puts another box in the place of the one of the same kind; an empty one takes it away.
    pub(super) fn with(mut self, kind: &str, other: Vec<u8>) -> Self {
        let place = self.stbl.iter().position(|one| &one[4..8] == kind.as_bytes()).unwrap();
        self.stbl[place] = other;
        self
    }

    /// The movie's box.
    pub(super) fn movie(&self) -> Vec<u8> {
        let mvhd = atom("mvhd", &words(&[0, 0, 0, 1000, 0]));
        let tkhd = atom("tkhd", &words(&[0, 0, 0, 7, 0]));
        let mdhd = atom("mdhd", &words(&[0, 0, 0, SCALE, 0]));
        let hdlr = atom("hdlr", &[&words(&[0, 0]), self.handler.as_bytes()].concat());
        let stbl = atom("stbl", &self.stbl.concat());
        let mdia = atom("mdia", &[mdhd, hdlr, atom("minf", &stbl)].concat());
        let edits: Vec<&[u32]> = self.edits.iter().map(|edit| &edit[..]).collect();
        let edts = match &edits[..] {
            [] => Vec::new(),
            edits => atom("edts", &table("elst", edits)),
        };
        let trak = atom("trak", &[tkhd, edts, mdia].concat());
        atom("moov", &[mvhd, trak, self.more.concat()].concat())
    }

    /// A box of data that ends where the last frame does.
    pub(super) fn data(&self) -> Vec<u8> {
        atom("mdat", &vec![0; 10 * self.frames as usize])
    }

    /// The whole file.
    pub(super) fn file(&self) -> Vec<u8> {
        [atom("free", &[]), self.data(), self.movie()].concat()
    }
}

/// A fragmented film: each of `fragments` holds I P B P, 512 units apart; `between` stands before them, and
/// their times of decoding are `late(nth)` more, those of presentation the same.
pub(super) fn fragmented(fragments: u32, between: &[u8], late: impl Fn(u32) -> u32) -> Vec<u8> {
    let empty = Film {
        stbl: vec![
            table("stsd", &[&[16, u32::from_be_bytes(*b"avc1"), 0, 0]]),
            table("stts", &[]),
            atom("stsz", &words(&[0, 0, 0])),
        ],
        more: vec![atom("mvex", &atom("trex", &words(&[0, 7, 1, 512, 10, 0x0101_0000])))],
        ..Film::new(0)
    };
    let mut file = [&empty.movie()[..], between].concat();
    for nth in 0..fragments {
        let tfhd = atom("tfhd", &words(&[0x2_0000, 7]));
        let tfdt = atom("tfdt", &words(&[0, nth * 2048 + late(nth)]));
        let offsets = [512, 1024, 0, 512].map(|offset: u32| offset.wrapping_sub(late(nth)));
        let trun = |data: u32| {
            let head = [0x805, 4, data, 0x0200_0000];
            atom("trun", &words(&[head, offsets].concat()))
        };
        let moof = |data| atom("moof", &atom("traf", &[&tfhd[..], &tfdt, &trun(data)].concat()));
        let length = u32::try_from(moof(0).len()).unwrap();
        file.extend([moof(length + 8), atom("mdat", &[0; 40])].concat());
    }
    file
}

/// An EBML element; `id` with its marker.
pub(super) fn element(id: u32, contents: &[u8]) -> Vec<u8> {
    let id: Vec<u8> = id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let size = (contents.len() as u32 | 1 << 28).to_be_bytes();
    [&id[..], &size, contents].concat()
}

/// A Matroska file with a sound and a picture track; in each cluster, 200 ms apart, a key frame and, in a
/// group, one that refers to it, of 10 bytes each.
pub(super) fn matroska(clusters: u8) -> Vec<u8> {
    let track = |number, kind, codec: &[u8]| {
        let fields = [element(0xd7, &[number]), element(0x83, &[kind]), element(0x86, codec)];
        element(0xae, &fields.concat())
    };
    let tracks = [track(1, 2, b"A_OPUS"), track(5, 1, b"V_MPEG4/ISO/AVC")].concat();
    let mut segment = [element(0x1549_a966, &[]), element(0x1654_ae6b, &tracks)].concat();
    for nth in 0..clusters {
        let block = |track: u8, time: u8, flags: u8| {
            [&[0x80 | track, 0, time, flags], &[0; 10][..]].concat()
        };
        let group = [element(0xa1, &block(5, 40, 0)), element(0xfb, &[0xd8])].concat();
        let parts = [
            element(0xe7, &(u16::from(nth) * 200).to_be_bytes()),
            element(0xa3, &block(5, 0, 0x80)),
            element(0xa3, &block(1, 0, 0x80)),
            element(0xa0, &group),
        ];
        segment.extend(element(0x1f43_b675, &parts.concat()));
    }
    [element(0x1a45_dfa3, &[]), element(0x1853_8067, &segment)].concat()
}
