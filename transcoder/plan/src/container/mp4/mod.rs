//! MP4 and MOV (ISO 14496-12, QuickTime File Format): the track's box is found, then either its sample
//! tables are read or the fragments after it are. And the movie's box cut down to the film's beginning.

mod abridge;
mod boxes;
mod edit;
mod fragments;
mod scan;
mod sound;
mod tables;

use boxes::{Place, header};
use fragments::Fragments;
use scan::{Scan, Track, Wanted};
use tables::Tables;

pub(super) use abridge::abridged;
pub(super) use sound::sound_frames;

use super::window::{Go, Halt, Window};
use crate::Index;
use crate::probe::Video;

/// The first read: with the movie's box in front, small files are read at once.
const FIRST: u64 = 64 << 10;

/// What is read where only a header is wanted: it often brings its neighbours.
const AHEAD: u64 = 4 << 10;

/// Most boxes before the movie's in a file of which nothing is known.
const HOPS: usize = 32;

/// What a file of this kind begins with, where nothing is known of it.
const FIRST_KINDS: &[boxes::Kind] =
    &[*b"ftyp", *b"moov", *b"mdat", *b"free", *b"skip", *b"wide", *b"pnot", *b"uuid"];

/// A reader of one file.
#[derive(Debug)]
pub(super) struct Mp4 {
    wanted: Wanted,
    /// Units a second of its times, as ffprobe tells them; `None` while it has not been asked.
    scale: Option<u32>,
    /// Number and units a second of the track, once it is found.
    found: Option<(u32, u32)>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// On the way to the movie's box, at this place.
    Top(u64),
    Scan(Box<Scan>),
    Tables(Box<Tables>),
    Fragments(Box<Fragments>),
}

impl Mp4 {
    /// Reads the track of the picture that ffprobe told.
    pub(super) fn new(video: &Video) -> Option<Self> {
        Some(Self {
            wanted: Wanted::Nth(video.stream),
            scale: Some(scale(video)?),
            ..Self::first()
        })
    }

    /// Reads the first picture of a file, where it has sample tables.
    pub(super) fn first() -> Self {
        Self { wanted: Wanted::Picture, scale: None, found: None, phase: Phase::Top(0) }
    }

    /// Whether what was read is the picture that ffprobe tells.
    pub(super) fn is_of(&self, video: &Video) -> bool {
        scale(video).is_some_and(|scale| self.found == Some((video.stream, scale)))
    }

    pub(super) fn run(&mut self, window: &Window) -> Go<Index> {
        let hops = self.scale.is_none().then_some(HOPS);
        loop {
            let phase = match &mut self.phase {
                Phase::Top(at) => {
                    Phase::Scan(Box::new(Scan::new(&movie(at, window, hops)?, self.wanted)))
                }
                Phase::Scan(scan) => {
                    let track = scan.run(window)?;
                    self.found = Some((track.number, track.scale));
                    after(track, self.scale)?
                }
                Phase::Tables(tables) => return tables.run(window),
                Phase::Fragments(fragments) => return fragments.run(window),
            };
            self.phase = phase;
        }
    }
}

/// Units a second of a picture's times, if ffprobe tells them as containers of this kind do.
pub(super) fn scale(video: &Video) -> Option<u32> {
    let base = video.time_base;
    u32::try_from(base.den()).ok().filter(|_| base.num() == 1)
}

/// Finds the movie's box, from `at` on. With `hops`, of a file of which nothing is known: then it must look like
/// one of this kind, and so many boxes are passed at most.
fn movie(at: &mut u64, window: &Window, hops: Option<usize>) -> Go<Place> {
    let mut passed = 0;
    loop {
        let ahead = if *at == 0 { FIRST } else { AHEAD };
        let found = header(window, *at, window.size(), ahead)?.ok_or(Halt::Unfit)?;
        let other = hops.is_some() && *at == 0 && !FIRST_KINDS.contains(&found.kind);
        match &found.kind {
            b"moov" => return Ok(found),
            // Fragments without a movie before them.
            b"moof" => return Err(Halt::Unfit),
            _ if other || hops.is_some_and(|most| passed >= most) => return Err(Halt::Unfit),
            _ => *at = found.end,
        }
        passed += 1;
    }
}

/// `scale` is what the track's must be; where nothing is known yet, fragments are not read: they lie all over the file.
fn after(track: Track, scale: Option<u32>) -> Go<Phase> {
    if scale.is_some_and(|scale| scale != track.scale) {
        return Err(Halt::Unfit);
    }
    match (track.fragments, track.tables.samples()) {
        (Some(from), 0) if scale.is_some() => {
            Ok(Phase::Fragments(Box::new(Fragments::new(&track, from)?)))
        }
        (None, 1..) => Ok(Phase::Tables(Box::new(Tables::new(track)?))),
        // Samples in tables and in fragments at once, or nowhere.
        _ => Err(Halt::Unfit),
    }
}
