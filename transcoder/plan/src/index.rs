//! The frame index: when each frame of the picture track is shown, and which are key frames.
//!
//! It says exactly which frames an encode must deliver. Where such a list cannot be had (TS, AVI)
//! a plan is made without one, by nominal times.

use crate::limits;

/// A packet of the picture track, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Presentation time in the stream's time base.
    pub pts: i64,
    /// Decoding can begin here.
    pub key: bool,
    /// Decoded but not shown (before an edit list's start).
    pub discard: bool,
}

/// Times of the frames that are shown, in the stream's time base; 8 bytes a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pts: Vec<i64>,
    keys: Vec<i64>,
}

impl Index {
    /// From packets in the order of the file. `None`, an original *without an index*: no frames, more
    /// than [`limits::MAX_FRAMES`], two frames at one time, or a first packet that is no key frame
    /// (a decoder would skip what follows it).
    pub fn new(packets: impl IntoIterator<Item = Packet>) -> Option<Self> {
        let mut packets = packets.into_iter().peekable();
        if !packets.peek()?.key {
            return None;
        }
        let (mut pts, mut keys) = (Vec::new(), Vec::new());
        for packet in packets {
            if packet.key {
                keys.push(packet.pts);
            }
            if !packet.discard {
                if pts.len() >= limits::MAX_FRAMES {
                    return None;
                }
                pts.push(packet.pts);
            }
        }
        pts.sort_unstable();
        keys.sort_unstable();
        pts.shrink_to_fit();
        let unique = pts.iter().zip(pts.iter().skip(1)).all(|(one, next)| one < next);
        (unique && !pts.is_empty()).then_some(Self { pts, keys })
    }

    /// From what [`crate::argv::packets`] makes ffprobe print: lines of `pts,flags`. `None` where a time
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
        let after = self.keys.partition_point(|key| *key <= pts);
        self.keys.get(after.checked_sub(1)?).copied()
    }

    /// Time of the first key frame of all.
    pub fn first_key(&self) -> Option<i64> {
        self.keys.first().copied()
    }

    /// Every `step`th frame, from the first; the key frames stay.
    pub fn thinned(&self, step: u32) -> Self {
        let step = usize::try_from(step.max(1)).unwrap_or(1);
        Self { pts: self.pts.iter().copied().step_by(step).collect(), keys: self.keys.clone() }
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
