//! MP4 and MOV (ISO 14496-12, QuickTime File Format): the track's box is found, then either its sample
//! tables are read or the fragments after it are.

mod boxes;
mod edit;
mod fragments;
mod scan;
mod tables;

use boxes::header;
use fragments::Fragments;
use scan::{Scan, Track};
use tables::Tables;

use super::window::{Go, Halt, Window};
use crate::Index;
use crate::probe::Video;

/// The first read: with the movie's box in front, small files are read at once.
const FIRST: u64 = 64 << 10;

/// What is read where only a header is wanted: it often brings its neighbours.
const AHEAD: u64 = 4 << 10;

/// A reader of one file.
#[derive(Debug)]
pub(super) struct Mp4 {
    /// Number of the track among all.
    stream: u32,
    /// Units a second of its times, if ffprobe tells them as containers of this kind do.
    scale: Option<u32>,
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
    pub(super) fn new(video: &Video) -> Self {
        let base = video.time_base;
        let scale = u32::try_from(base.den()).ok().filter(|_| base.num() == 1);
        Self { stream: video.stream, scale, phase: Phase::Top(0) }
    }

    pub(super) fn run(&mut self, window: &Window) -> Go<Index> {
        loop {
            let phase = match &mut self.phase {
                Phase::Top(at) => Phase::Scan(Box::new(movie(at, window, self.stream)?)),
                Phase::Scan(scan) => after(scan.run(window)?, self.scale)?,
                Phase::Tables(tables) => return tables.run(window),
                Phase::Fragments(fragments) => return fragments.run(window),
            };
            self.phase = phase;
        }
    }
}

/// Finds the movie's box.
fn movie(at: &mut u64, window: &Window, stream: u32) -> Go<Scan> {
    loop {
        let ahead = if *at == 0 { FIRST } else { AHEAD };
        let found = header(window, *at, window.size(), ahead)?.ok_or(Halt::Unfit)?;
        match &found.kind {
            b"moov" => return Ok(Scan::new(&found, stream)),
            // Fragments without a movie before them.
            b"moof" => return Err(Halt::Unfit),
            _ => *at = found.end,
        }
    }
}

fn after(track: Track, scale: Option<u32>) -> Go<Phase> {
    if Some(track.scale) != scale {
        return Err(Halt::Unfit);
    }
    match (track.fragments, track.tables.samples()) {
        (Some(from), 0) => Ok(Phase::Fragments(Box::new(Fragments::new(&track, from)?))),
        (None, 1..) => Ok(Phase::Tables(Box::new(Tables::new(track)?))),
        // Samples in tables and in fragments at once, or nowhere.
        _ => Err(Halt::Unfit),
    }
}
