//! Fragments: boxes `moof` after the movie's, each with the samples of a short time. Read one by one, for
//! their places are told only by the box before.

use super::super::window::{Fields, Go, Halt, Window};
use super::boxes::{Place, header};
use super::edit::MAX_TIME;
use super::scan::{Defaults, Track};
use crate::index::Packet;
use crate::{Index, limits};

/// Least that is read at a fragment's place, 16 KiB: a few fragments at once where they are small.
const AHEAD: u64 = 16 << 10;

/// A reader of one track's fragments.
#[derive(Debug)]
pub(super) struct Fragments {
    at: u64,
    track: u32,
    defaults: Defaults,
    /// Subtracted from all times.
    offset: i64,
    packets: Vec<Packet>,
    /// Decode time of the last packet.
    last: Option<i64>,
    /// How far below zero offsets went until now, at least 0: ffmpeg adds it to all times.
    lead: i64,
    /// The same after the first fragment that has packets of the track.
    first_lead: Option<i64>,
    /// A segment index was seen: ffmpeg may read fragments only when it needs them.
    indexed: bool,
    /// What the last fragment took.
    ahead: u64,
}

impl Fragments {
    pub(super) fn new(track: &Track, from: u64) -> Go<Self> {
        let defaults = track.defaults.ok_or(Halt::Unfit)?;
        let offset = track.edits.offset(track.scale, track.movie_scale)?;
        Ok(Self {
            at: from,
            track: track.id,
            defaults,
            offset,
            packets: Vec::new(),
            last: None,
            lead: 0,
            first_lead: None,
            indexed: false,
            ahead: AHEAD,
        })
    }

    pub(super) fn run(&mut self, window: &Window) -> Go<Index> {
        while let Some(place) = header(window, self.at, window.size(), self.ahead)? {
            match &place.kind {
                b"moof" => {
                    // With the header of the data after it.
                    let length = place.end - place.at;
                    window.get(place.at, length, length + 16)?;
                    self.ahead = (length + 64).max(AHEAD);
                    self.fragment(window, &place)?;
                }
                b"sidx" => self.indexed = true,
                _ => {}
            }
            self.at = place.end;
        }
        // Packets of the first fragments would have gone out with other times.
        if self.indexed && self.first_lead.is_some_and(|lead| lead != self.lead) {
            return Err(Halt::Unfit);
        }
        let lead = self.lead;
        let packets = std::mem::take(&mut self.packets);
        let packets = packets.into_iter().map(|packet| Packet { pts: packet.pts + lead, ..packet });
        Index::new(packets).ok_or(Halt::Unfit)
    }

    /// A moof that is at hand as a whole.
    fn fragment(&mut self, window: &Window, moof: &Place) -> Go<()> {
        let mut at = moof.body;
        let mut first = true;
        while let Some(place) = header(window, at, moof.end, 0)? {
            if &place.kind == b"traf" {
                self.track_fragment(window, &place, moof.at, first)?;
                first = false;
            }
            at = place.end;
        }
        if !self.packets.is_empty() {
            self.first_lead.get_or_insert(self.lead);
        }
        Ok(())
    }

    fn track_fragment(&mut self, window: &Window, traf: &Place, moof: u64, first: bool) -> Go<()> {
        let (mut head, mut clock) = (None, None);
        let mut at = traf.body;
        while let Some(place) = header(window, at, traf.end, 0)? {
            at = place.end;
            let mut fields = Fields(window.get(place.body, place.length(), 0)?);
            match &place.kind {
                b"tfhd" if head.is_none() => {
                    let read = Head::read(fields, self.defaults, moof, first)?;
                    if read.track != self.track {
                        return Ok(());
                    }
                    // The movie tells of one description.
                    if read.defaults.description != 1 {
                        return Err(Halt::Unfit);
                    }
                    head = Some(read);
                }
                b"tfdt" if clock.is_none() => {
                    let wide = fields.u32()? >> 24 != 0;
                    // Below zero where a writer was made to leave times as they are.
                    let time =
                        if wide { fields.u64()?.cast_signed() } else { fields.u32()?.into() };
                    if time.unsigned_abs() > MAX_TIME {
                        return Err(Halt::Unfit);
                    }
                    clock = Some(time - self.offset);
                }
                b"trun" => match (&head, &mut clock) {
                    (Some(head), Some(clock)) => {
                        self.samples(fields, head, clock, window.size())?
                    }
                    // ffmpeg would go on from the fragment before.
                    _ => return Err(Halt::Unfit),
                },
                b"tfhd" | b"tfdt" => return Err(Halt::Unfit),
                _ => {}
            }
        }
        Ok(())
    }

    /// A run of samples.
    fn samples(&mut self, run: Fields<'_>, head: &Head, clock: &mut i64, size: u64) -> Go<()> {
        let mut run = run;
        let flags = run.u32()?;
        let has = |flag: u32| flags & flag != 0;
        let count = run.u32()?;
        let data = run.u32_if(has(0x1), 0)?.cast_signed();
        let mut next_flags = run.u32_if(has(0x4), head.defaults.flags)?;
        let mut place = head.data.and_then(|base| base.checked_add_signed(data.into()));
        let before = self.last;
        for _ in 0..count {
            let duration = run.u32_if(has(0x100), head.defaults.duration)?;
            let bytes = run.u32_if(has(0x200), head.defaults.size)?;
            let flags = run.u32_if(has(0x400), next_flags)?;
            let offset = run.u32_if(has(0x800), 0)?.cast_signed();
            next_flags = head.defaults.flags;
            place = place.and_then(|place| place.checked_add(bytes.into()));
            let sound = (1..1 << 30).contains(&bytes) && offset != i32::MIN;
            if !sound || self.packets.len() >= limits::MAX_FRAMES {
                return Err(Halt::Unfit);
            }
            self.lead = self.lead.max(-i64::from(offset));
            self.packets.push(Packet {
                pts: *clock + i64::from(offset),
                size: bytes,
                // Neither `sample_is_non_sync_sample` nor `sample_depends_on` others.
                key: flags & 0x0101_0000 == 0,
                // Fragments that overlap.
                discard: before.is_some_and(|before| before >= *clock),
            });
            self.last = Some(*clock);
            *clock += i64::from(duration);
        }
        if head.data.is_some() && place.is_none_or(|end| end > size) {
            return Err(Halt::Unfit);
        }
        Ok(())
    }
}

/// tfhd.
#[derive(Debug)]
struct Head {
    track: u32,
    defaults: Defaults,
    /// What runs' places are counted from, where that is told.
    data: Option<u64>,
}

impl Head {
    fn read(fields: Fields<'_>, defaults: Defaults, moof: u64, first: bool) -> Go<Self> {
        let mut fields = fields;
        let flags = fields.u32()?;
        let has = |flag: u32| flags & flag != 0;
        let track = fields.u32()?;
        let data =
            if has(0x1) { Some(fields.u64()?) } else { (first || has(0x2_0000)).then_some(moof) };
        let defaults = Defaults {
            description: fields.u32_if(has(0x2), defaults.description)?,
            duration: fields.u32_if(has(0x8), defaults.duration)?,
            size: fields.u32_if(has(0x10), defaults.size)?,
            flags: fields.u32_if(has(0x20), defaults.flags)?,
        };
        Ok(Self { track, defaults, data })
    }
}
