//! Matroska and WebM (RFC 9559): every block of the picture track, by the headers of all elements. The blocks
//! lie all over the file, so this reads it whole. Of larger files the list of cues alone is read.

mod cues;
mod element;
mod tracks;

pub(super) use cues::cues;
use element::{Element, element, vint};
use tracks::Tracks;

use super::MAX_READ;
use super::window::{Go, Halt, Window, number};
use crate::index::Packet;
use crate::probe::Video;
use crate::{Index, limits};

/// Element numbers, RFC 9559 section 5.1.
mod id {
    pub(super) const EBML: u32 = 0x1a45_dfa3;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const INFO: u32 = 0x1549_a966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
    pub(super) const TRACKS: u32 = 0x1654_ae6b;
    pub(super) const CLUSTER: u32 = 0x1f43_b675;
    pub(super) const TIMESTAMP: u32 = 0xe7;
    pub(super) const SIMPLE_BLOCK: u32 = 0xa3;
    pub(super) const BLOCK_GROUP: u32 = 0xa0;
    pub(super) const BLOCK: u32 = 0xa1;
    pub(super) const REFERENCE_BLOCK: u32 = 0xfb;
    pub(super) const ENCRYPTED_BLOCK: u32 = 0xaf;
}

/// Nanoseconds in a unit of time where the file says nothing.
const SCALE: u64 = 1_000_000;

/// A reader of one file.
#[derive(Debug)]
pub(super) struct Matroska {
    stream: u32,
    /// Nanoseconds in a unit of the stream's times, if they are whole.
    unit: Option<u64>,
    at: u64,
    /// The elements around `at`.
    around: Vec<Element>,
    scale: Option<u64>,
    /// Number of our track.
    track: Option<u64>,
    /// Of the cluster at hand.
    time: Option<i64>,
    group: Group,
    packets: Vec<Packet>,
}

/// What a block group has told until now.
#[derive(Debug, Default)]
struct Group {
    packet: Option<Packet>,
    refers: bool,
}

impl Matroska {
    pub(super) fn new(video: &Video, size: u64) -> Self {
        let base = video.time_base;
        let billionths = i128::from(base.num()) * 1_000_000_000;
        let whole = billionths % i128::from(base.den()) == 0;
        Self {
            stream: video.stream,
            unit: u64::try_from(billionths / i128::from(base.den())).ok().filter(|_| whole),
            at: 0,
            around: vec![Element::file(size)],
            scale: None,
            track: None,
            time: None,
            group: Group::default(),
            packets: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, window: &Window) -> Go<Index> {
        while let Some(parent) = self.around.last().copied() {
            if self.at >= parent.end {
                self.leave(&parent)?;
                continue;
            }
            let child = element(window, self.at, &parent, MAX_READ)?;
            if parent.open && child.id_is_long() && parent.id == id::CLUSTER {
                // A cluster of unknown length ends where an element of the segment's comes.
                self.leave(&parent)?;
                continue;
            }
            if self.visit(window, &parent, &child)? {
                self.at = child.body;
                self.around.push(child);
            } else {
                self.at = child.end;
            }
        }
        if self.unit != Some(self.scale.unwrap_or(SCALE)) {
            return Err(Halt::Unfit);
        }
        Index::new(std::mem::take(&mut self.packets)).ok_or(Halt::Unfit)
    }

    /// Takes an element; gives whether its children are to be visited. Changes nothing where it must read.
    fn visit(&mut self, window: &Window, parent: &Element, child: &Element) -> Go<bool> {
        let content = |most| window.get(child.body, child.length().min(most), MAX_READ);
        let begun = self.track.is_some();
        if child.open && !matches!(child.id, id::SEGMENT | id::CLUSTER) {
            return Err(Halt::Unfit);
        }
        match (parent.id, child.id) {
            (0, id::EBML) if self.at == 0 => Ok(false),
            // Things after the segment, another one among them, are not looked at by all alike.
            (0, id::SEGMENT) if self.scale.is_none() && !begun => Ok(true),
            (0, _) => Err(Halt::Unfit),
            (id::SEGMENT, id::INFO) if !begun && self.scale.is_none() => Ok(true),
            (id::INFO, id::TIMESTAMP_SCALE) if self.scale.is_none() => {
                self.scale = Some(number(content(9)?));
                Ok(false)
            }
            (id::SEGMENT, id::TRACKS) if !begun => {
                let tracks = window.get(child.body, child.length(), MAX_READ)?;
                self.track = Some(Tracks::read(tracks)?.picture(self.stream)?);
                Ok(false)
            }
            (id::SEGMENT, id::INFO | id::TRACKS) | (id::INFO, id::TIMESTAMP_SCALE) => {
                Err(Halt::Unfit)
            }
            (id::SEGMENT, id::CLUSTER) if begun => {
                self.time = None;
                Ok(true)
            }
            (id::SEGMENT, id::CLUSTER) => Err(Halt::Unfit),
            (id::CLUSTER, id::TIMESTAMP) if self.time.is_none() && child.length() <= 8 => {
                self.time = i64::try_from(number(content(8)?)).ok();
                Ok(false)
            }
            (id::CLUSTER, id::TIMESTAMP | id::ENCRYPTED_BLOCK) => Err(Halt::Unfit),
            (id::CLUSTER, id::SIMPLE_BLOCK) => {
                let packet = self.block(content(11)?, child.length())?;
                self.push(packet)?;
                Ok(false)
            }
            (id::CLUSTER, id::BLOCK_GROUP) => {
                self.group = Group::default();
                Ok(true)
            }
            (id::BLOCK_GROUP, id::BLOCK) => {
                let packet = self.block(content(11)?, child.length())?;
                if self.group.packet.is_some() {
                    return Err(Halt::Unfit);
                }
                self.group.packet = packet;
                Ok(false)
            }
            (id::BLOCK_GROUP, id::REFERENCE_BLOCK) => {
                self.group.refers = true;
                Ok(false)
            }
            (_, id::SEGMENT | id::CLUSTER) => Err(Halt::Unfit),
            _ => Ok(false),
        }
    }

    fn leave(&mut self, left: &Element) -> Go<()> {
        self.around.pop();
        if left.id != id::BLOCK_GROUP {
            return Ok(());
        }
        let Group { packet, refers } = std::mem::take(&mut self.group);
        self.push(packet.map(|packet| Packet { key: !refers, ..packet }))
    }

    /// A block of `length` bytes by its first ones; `None`: another track's.
    fn block(&self, front: &[u8], length: u64) -> Go<Option<Packet>> {
        let (track, n) = vint(front).ok_or(Halt::Unfit)?;
        if Some(track) != self.track {
            return Ok(None);
        }
        let (head, rest) = front.split_at_checked(n).ok_or(Halt::Unfit)?;
        let [high, low, flags, ..] = rest else { return Err(Halt::Unfit) };
        let size = length - (head.len() as u64 + 3);
        let time = self.time.ok_or(Halt::Unfit)?;
        let pts = time.checked_add(i16::from_be_bytes([*high, *low]).into());
        let pts = pts.filter(|pts| *pts >= 0).ok_or(Halt::Unfit)?;
        // Laces: several packets in a block.
        if flags & 0x06 != 0 || size == 0 {
            return Err(Halt::Unfit);
        }
        let size = u32::try_from(size).map_err(|_| Halt::Unfit)?;
        Ok(Some(Packet { pts, size, key: flags & 0x80 != 0, discard: false }))
    }

    fn push(&mut self, packet: Option<Packet>) -> Go<()> {
        if self.packets.len() >= limits::MAX_FRAMES {
            return Err(Halt::Unfit);
        }
        self.packets.extend(packet);
        Ok(())
    }
}
