//! The movie's box: finds one track in it, and where its tables are.

use super::super::MAX_READ;
use super::super::window::{Fields, Go, Halt, Window};
use super::boxes::{Kind, Place, Table, header};
use super::edit::Edits;
use crate::limits;

/// Which track is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The one of this number, from 0.
    Nth(u32),
    /// The first picture, whatever its number.
    Picture,
}

/// What the movie tells of the track.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// Its number among all, from 0.
    pub(super) number: u32,
    /// By which fragments name it.
    pub(super) id: u32,
    /// Units a second of the track's times, at least 1.
    pub(super) scale: u32,
    /// Units a second of edit lists' durations, at least 1.
    pub(super) movie_scale: u32,
    pub(super) edits: Edits,
    pub(super) tables: Places,
    /// Where fragments may begin, if there may be any.
    pub(super) fragments: Option<u64>,
    /// What fragments do not repeat.
    pub(super) defaults: Option<Defaults>,
}

/// Where the sample tables are.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) sizes: Option<Sizes>,
    pub(super) times: Option<Table>,
    pub(super) offsets: Option<Table>,
    pub(super) keys: Option<Table>,
    pub(super) runs: Option<Table>,
    pub(super) chunks: Option<Table>,
}

impl Places {
    /// How many samples the tables tell.
    pub(super) fn samples(&self) -> u32 {
        self.sizes.map_or(0, |sizes| sizes.table.count)
    }
}

/// Sample sizes: entries of 32, 16 or 8 bits, or one for all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Its count is that of samples; its entries do not matter where there is one size.
    pub(super) table: Table,
    pub(super) same: Option<u32>,
}

/// trex: of a fragment's samples.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Defaults {
    pub(super) description: u32,
    pub(super) duration: u32,
    pub(super) size: u32,
    pub(super) flags: u32,
}

/// A walk through the movie's box.
#[derive(Debug)]
pub(super) struct Scan {
    wanted: Wanted,
    start: u64,
    at: u64,
    /// The boxes around `at`: kind and end.
    around: Vec<(Kind, u64)>,
    /// Tracks begun.
    n_tracks: u32,
    /// The track at hand is or may be the one that is looked for.
    ours: bool,
    /// That track was begun, or its handler seen where its number is not known.
    found: bool,
    /// Our track's handler was seen, and is a picture's.
    video: bool,
    /// A track before ours is a picture.
    other_video: bool,
    /// Something stood before our track that may hold cover art, which ffmpeg counts as a stream.
    cover: bool,
    track: Track,
    seen: Vec<Kind>,
    defaults: Vec<(u32, Defaults)>,
}

impl Scan {
    pub(super) fn new(movie: &Place, wanted: Wanted) -> Self {
        Self {
            wanted,
            start: movie.body,
            at: movie.body,
            around: vec![(*b"moov", movie.end)],
            n_tracks: 0,
            ours: false,
            found: false,
            video: false,
            other_video: false,
            cover: false,
            track: Track::default(),
            seen: Vec::new(),
            defaults: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, window: &Window) -> Go<Track> {
        if let Some((_, end)) = self.around.first().filter(|(_, end)| end - self.start <= MAX_READ)
        {
            window.get(self.start, end - self.start, 0)?;
        }
        while let Some((parent, end)) = self.around.last().copied() {
            let Some(place) = header(window, self.at, end, super::AHEAD)? else {
                self.at = end;
                self.around.pop();
                continue;
            };
            let enter = self.visit(window, &parent, &place)?;
            self.at = if enter { place.body } else { place.end };
            if enter {
                self.around.push((place.kind, place.end));
            }
        }
        self.finish()
    }

    /// Begins a track.
    fn track(&mut self) {
        self.ours = match self.wanted {
            Wanted::Nth(number) => number == self.n_tracks,
            Wanted::Picture => true,
        };
        if self.ours {
            let movie = std::mem::take(&mut self.track);
            let (movie_scale, fragments) = (movie.movie_scale, movie.fragments);
            let number = self.n_tracks;
            self.track = Track { number, movie_scale, fragments, ..Track::default() };
            self.seen.retain(|kind| kind == b"mvhd");
        }
        self.found = self.ours && self.wanted != Wanted::Picture;
        self.n_tracks += 1;
    }

    /// Takes the handler of the track at hand.
    fn handler(&mut self, kind: Kind, video: bool) -> Go<bool> {
        if !self.ours {
            self.other_video |= video;
            return Ok(false);
        }
        if self.wanted == Wanted::Picture {
            (self.ours, self.found) = (video, video);
        }
        self.video = video;
        self.once(kind)
    }

    /// Takes a box; gives whether its children are to be visited. Changes nothing where it halts.
    fn visit(&mut self, window: &Window, parent: &Kind, place: &Place) -> Go<bool> {
        let ours = self.ours;
        match (parent, &place.kind) {
            (b"moov", b"mvhd") => {
                self.track.movie_scale = scale(place.small(window)?)?;
                self.once(place.kind)
            }
            (b"moov", b"trak") => {
                if self.found {
                    self.ours = false;
                    return Ok(false);
                }
                // Without it no edit list of the track is understood.
                if self.track.movie_scale == 0 {
                    return Err(Halt::Unfit);
                }
                self.track();
                Ok(true)
            }
            (b"moov", b"udta" | b"meta") => {
                self.cover |= !self.found;
                Ok(false)
            }
            (b"moov", b"cmov") => Err(Halt::Unfit),
            (b"moov", b"mvex") => {
                let (_, end) = self.around.first().ok_or(Halt::Unfit)?;
                self.track.fragments = Some(*end);
                Ok(true)
            }
            (b"mvex", b"trex") => {
                let mut fields = place.small(window)?;
                fields.u32()?;
                let id = fields.u32()?;
                let defaults = Defaults {
                    description: fields.u32()?,
                    duration: fields.u32()?,
                    size: fields.u32()?,
                    flags: fields.u32()?,
                };
                if self.defaults.len() >= limits::MAX_STREAMS {
                    return Err(Halt::Unfit);
                }
                self.defaults.push((id, defaults));
                Ok(false)
            }
            (b"trak", b"mdia") => Ok(true),
            (b"mdia", b"hdlr") => {
                let mut fields = place.front(window, 12)?;
                fields.take(8)?;
                let video = fields.take(4)? == b"vide";
                self.handler(place.kind, video)
            }
            (b"trak", b"edts") | (b"mdia", b"minf") | (b"minf", b"stbl") => Ok(ours),
            _ if ours => self.leaf(window, parent, place),
            _ => Ok(false),
        }
    }

    /// A box of our track.
    fn leaf(&mut self, window: &Window, parent: &Kind, place: &Place) -> Go<bool> {
        let tables = &mut self.track.tables;
        match (parent, &place.kind) {
            (b"trak", b"tkhd") => {
                let mut fields = place.small(window)?;
                let version = fields.u32()? >> 24;
                fields.take(if version == 1 { 16 } else { 8 })?;
                self.track.id = fields.u32()?;
            }
            (b"mdia", b"mdhd") => self.track.scale = scale(place.small(window)?)?,
            (b"edts", b"elst") => self.track.edits = Edits::read(place.small(window)?)?,
            (b"stbl", b"stsd") => {
                // Of several descriptions ffmpeg takes the samples of some.
                let mut fields = place.front(window, 8)?;
                fields.u32()?;
                if fields.u32()? != 1 {
                    return Err(Halt::Unfit);
                }
            }
            (b"stbl", b"stsz" | b"stz2") => {
                tables.sizes = Some(sizes(window, place)?);
                return self.once(*b"stsz");
            }
            (b"stbl", b"stts") => tables.times = Some(Table::read(place, window, 8)?),
            (b"stbl", b"ctts") => tables.offsets = Some(Table::read(place, window, 8)?),
            (b"stbl", b"stss") => tables.keys = Some(Table::read(place, window, 4)?),
            (b"stbl", b"stsc") => tables.runs = Some(Table::read(place, window, 12)?),
            (b"stbl", b"stco" | b"co64") => {
                let entry = if &place.kind == b"co64" { 8 } else { 4 };
                tables.chunks = Some(Table::read(place, window, entry)?);
                return self.once(*b"stco");
            }
            // More key frames than stss tells.
            (b"stbl", b"stps") => return Err(Halt::Unfit),
            (b"stbl", b"sbgp") => {
                let mut fields = place.front(window, 8)?;
                fields.u32()?;
                let rap = fields.take(4)? == b"rap ";
                return if rap { Err(Halt::Unfit) } else { Ok(false) };
            }
            _ => return Ok(false),
        }
        self.once(place.kind)
    }

    /// A box that must not come twice; it has no children of interest.
    fn once(&mut self, kind: Kind) -> Go<bool> {
        if self.seen.contains(&kind) {
            return Err(Halt::Unfit);
        }
        self.seen.push(kind);
        Ok(false)
    }

    fn finish(&mut self) -> Go<Track> {
        let mut track = std::mem::take(&mut self.track);
        let found = self.found && self.video && track.scale > 0;
        if !found || (self.cover && self.other_video) {
            return Err(Halt::Unfit);
        }
        let defaults = self.defaults.iter().find(|(id, _)| *id == track.id);
        track.defaults = defaults.map(|(_, defaults)| *defaults);
        Ok(track)
    }
}

/// Units a second, of mvhd or mdhd.
pub(super) fn scale(mut fields: Fields<'_>) -> Go<u32> {
    let version = fields.u32()? >> 24;
    fields.take(if version == 1 { 16 } else { 8 })?;
    match fields.u32()? {
        0 => Err(Halt::Unfit),
        scale => Ok(scale),
    }
}

fn sizes(window: &Window, place: &Place) -> Go<Sizes> {
    let mut fields = place.front(window, 12)?;
    fields.u32()?;
    let (word, count) = (fields.u32()?, fields.u32()?);
    if &place.kind == b"stz2" {
        let entry = match word & 0xff {
            8 => 1,
            16 => 2,
            32 => 4,
            // 4 bits: sound's.
            _ => return Err(Halt::Unfit),
        };
        return Ok(Sizes { table: Table::of(place, 12, count, entry)?, same: None });
    }
    match word {
        0 => Ok(Sizes { table: Table::of(place, 12, count, 4)?, same: None }),
        size => Ok(Sizes { table: Table { at: place.end, count, entry: 4 }, same: Some(size) }),
    }
}
