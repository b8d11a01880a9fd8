//! The frame index: when each frame of the picture track is shown, and which are key frames.
//!
//! It says exactly which frames an encode must deliver, and what a copy of the track would be cut from.
//! Where such a list cannot be had (TS, AVI) a plan is made without one, by nominal times.

use crate::{TICKS, limits};

/// A packet of the picture track, in the order of the file, which is that of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Presentation time in the stream's time base.
    pub pts: i64,
    /// Coded bytes.
    pub size: u32,
    /// Decoding can begin here.
    pub key: bool,
    /// Decoded but not shown (outside of an edit list).
    pub discard: bool,
}

/// A key frame and the packets after it, in the order of decoding, until the next key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Presentation time of the key frame, in the stream's time base.
    pub pts: i64,
    /// Coded bytes of all packets, discarded ones included; 0 where sizes were not told.
    pub bytes: u64,
    /// No packet of the group, discarded ones included, is presented before the key frame. Where one is,
    /// it needs the group before (an open GOP), and the group cannot be decoded alone. Times tell no
    /// more: whether later packets refer past the key frame, only the coded bytes say.
    pub closed: bool,
}

/// Times of the frames that are shown, in the stream's time base, 8 bytes a frame, and the groups of
/// their packets, 24 bytes a key frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pts: Vec<i64>,
    groups: Vec<Group>,
    discards: bool,
}

impl Index {
    /// From packets in the order of the file. `None`, an original *without an index*: no frames, more
    /// than [`limits::MAX_FRAMES`] packets, two frames at one time, or a first packet that is no key frame
    /// (a decoder would skip what follows it).
    pub fn new(packets: impl IntoIterator<Item = Packet>) -> Option<Self> {
        let (mut pts, mut groups, mut n_packets) = (Vec::new(), Vec::<Group>::new(), 0);
        for packet in packets {
            if n_packets >= limits::MAX_FRAMES {
                return None;
            }
            n_packets += 1;
            if packet.key {
                groups.push(Group { pts: packet.pts, bytes: 0, closed: true });
            }
            let group = groups.last_mut()?;
            group.bytes += u64::from(packet.size);
            group.closed &= packet.pts >= group.pts;
            if !packet.discard {
                pts.push(packet.pts);
            }
        }
        let discards = pts.len() < n_packets;
        pts.sort_unstable();
        groups.sort_by_key(|group| group.pts);
        pts.shrink_to_fit();
        groups.shrink_to_fit();
        let unique = pts.iter().zip(pts.iter().skip(1)).all(|(one, next)| one < next);
        (unique && !pts.is_empty()).then_some(Self { pts, groups, discards })
    }

    /// From what [`crate::argv::packets`] makes ffprobe print: lines of `pts,flags` (so groups have no
    /// bytes). `None` where a time
    /// is missing or a line is not understood, and as in [`Index::new`].
    pub fn parse(text: &str) -> Option<Self> {
        let mut sound = true;
        let packets = text.lines().filter(|line| !line.trim().is_empty()).map_while(|line| {
            let packet = packet(line);
            sound &= packet.is_some();
            packet
        });
        let index = Self::new(packets)?;
        sound.then_some(index)
    }

    /// Frames that are shown; at least 1.
    pub fn frames(&self) -> usize {
        self.pts.len()
    }

    /// Their times, rising.
    pub fn pts(&self) -> &[i64] {
        &self.pts
    }

    /// Time of the last key frame at or before `pts`, shown or not.
    pub fn key_before(&self, pts: i64) -> Option<i64> {
        let after = self.groups.partition_point(|group| group.pts <= pts);
        Some(self.groups.get(after.checked_sub(1)?)?.pts)
    }

    /// Time of the first key frame of all.
    pub fn first_key(&self) -> Option<i64> {
        Some(self.groups.first()?.pts)
    }

    /// All groups, by the time of their key frames (in every sane file also the order of decoding);
    /// at least 1.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether any packet is decoded but not shown.
    pub fn discards(&self) -> bool {
        self.discards
    }

    /// Coded bits a second of a track of `duration` ticks, as ffprobe reckons it; `None` where sizes were
    /// not told or the duration is 0.
    pub fn bit_rate(&self, duration: u64) -> Option<u64> {
        let bytes: u128 = self.groups.iter().map(|group| u128::from(group.bytes)).sum();
        let bits = (bytes * 8 * u128::from(TICKS)).checked_div(duration.into())?;
        u64::try_from(bits).ok().filter(|rate| *rate > 0)
    }

    /// Every `step`th frame, from the first; the groups stay.
    pub fn thinned(&self, step: u32) -> Self {
        let step = usize::try_from(step.max(1)).unwrap_or(1);
        let pts = self.pts.iter().copied().step_by(step).collect();
        Self { pts, groups: self.groups.clone(), discards: self.discards }
    }
}

/// `137250,K_,`: the trailing comma stands where a packet has side data. A `C` (corrupt) is no frame
/// to count on.
fn packet(line: &str) -> Option<Packet> {
    let mut fields = line.trim().split(',');
    let pts = fields.next()?.parse().ok()?;
    let flags = fields.next()?;
    (!flags.contains('C')).then(|| Packet {
        pts,
        size: 0,
        key: flags.contains('K'),
        discard: flags.contains('D'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_sorted_and_discarded_packets_are_none() {
        let index = Index::parse("-280,KD\n-200,_D\n40,__\n0,__\n20,K_,\n\n120,__\n").unwrap();
        assert_eq!(index.pts(), [0, 20, 40, 120]);
        assert_eq!(index.key_before(19), Some(-280));
        assert_eq!(index.key_before(20), Some(20));
        assert_eq!(index.key_before(-281), None);
        assert_eq!(index.thinned(2).pts(), [0, 40]);
    }

    #[test]
    fn groups_are_closed_unless_a_packet_is_shown_before_their_key() {
        // I P B, then an open I with two leading Bs, then a closed one.
        let packets = [(0, 9), (4, 3), (2, 1), (10, 8), (6, 1), (8, 1), (12, 7), (14, 2)];
        let packets =
            packets.map(|(pts, size)| Packet { pts, size, key: size > 5, discard: pts == 14 });
        let index = Index::new(packets).unwrap();
        let groups = [(0, 13, true), (10, 10, false), (12, 9, true)];
        let groups = groups.map(|(pts, bytes, closed)| Group { pts, bytes, closed });
        assert_eq!(index.groups(), groups);
        assert!(index.discards());
        assert_eq!(index.frames(), 7);
        assert_eq!(index.thinned(3).groups(), groups);
    }

    #[test]
    fn without_an_index() {
        for (why, text) in [
            ("nothing", ""),
            ("a time is missing", "0,K_\nN/A,__\n"),
            ("two frames at one time", "0,K_\n5,__\n5,__\n"),
            ("no key frame first", "0,__\n5,K_\n"),
            ("all discarded", "0,KD\n"),
            ("a corrupt packet", "0,K__\n5,__C\n"),
            ("not a list", "hello"),
        ] {
            assert_eq!(Index::parse(text), None, "{why}");
        }
    }
}
