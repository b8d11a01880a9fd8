//! The walk through one file's tables: which reader, and whether what it found is what ffprobe tells.

use super::matroska::Matroska;
use super::mp4::Mp4;
use super::reads::Reads;
use super::{MAX_MATROSKA, MAX_READS, Step};
use crate::probe::Video;
use crate::{Index, Probe};

/// Picture codecs whose packets ffmpeg gives out as the container holds them; it cuts others (VC-1,
/// MPEG-1) anew.
const CODECS: &[&str] = &["av1", "h264", "hevc", "mpeg2video", "mpeg4", "vp9"];

/// Those of MP4 and MOV alone: in Matroska some of them are stored without their headers.
const MP4_CODECS: &[&str] = &["dnxhd", "mjpeg", "prores"];

/// Most reads of a file of which nothing is known: the tables of 12 h at 60 frames a second take some 30.
const MAX_AHEAD: u32 = 128;

/// A walk through one file. It ends with the index, or with none: as [`Index::new`], and wherever ffmpeg's
/// times could be others than the tables'.
#[derive(Debug)]
pub struct Walk {
    reader: Reader,
    reads: Reads,
}

#[derive(Debug)]
enum Reader {
    Mp4(Mp4),
    Matroska(Matroska),
}

impl Walk {
    /// For an original of `size` bytes. `None`: its container has no tables that are read here.
    pub fn new(probe: &Probe, size: u64) -> Option<Self> {
        let video = probe.video.as_ref()?;
        let reader = reader(probe, video, size)?;
        Some(Self { reader, reads: Reads::new(size, MAX_READS) })
    }

    /// For an original of `size` bytes of which nothing is known yet: its first picture, if it is an MP4
    /// with sample tables. What is found counts only where [`Walk::is_of`] says so.
    pub fn ahead(size: u64) -> Self {
        Self { reader: Reader::Mp4(Mp4::first()), reads: Reads::new(size, MAX_AHEAD) }
    }

    /// Whether a walk that has ended with an index has read the very track that [`Walk::new`] would have.
    pub fn is_of(&self, probe: &Probe, size: u64) -> bool {
        let Some(video) = &probe.video else { return false };
        match (&self.reader, reader(probe, video, size)) {
            (Reader::Mp4(mp4), Some(Reader::Mp4(_))) => mp4.is_of(video),
            _ => false,
        }
    }

    /// The first step.
    pub fn start(&mut self) -> Step<Index> {
        self.advance()
    }

    /// The step after `bytes` have been read; others than those that were asked for end the walk
    /// without an index.
    pub fn next(&mut self, bytes: &[u8]) -> Step<Index> {
        let Some(offset) = self.reads.take(bytes) else { return Step::Done(None) };
        self.reads.window.fill(offset, bytes);
        self.advance()
    }

    fn advance(&mut self) -> Step<Index> {
        let told = match &mut self.reader {
            Reader::Mp4(mp4) => mp4.run(&self.reads.window),
            Reader::Matroska(matroska) => matroska.run(&self.reads.window),
        };
        self.reads.step(told)
    }
}

fn reader(probe: &Probe, video: &Video, size: u64) -> Option<Reader> {
    if !video.indexable(&probe.container) {
        return None;
    }
    let is = |name| probe.container.split(',').any(|part| part == name);
    let codec = video.codec.as_str();
    let common = CODECS.contains(&codec);
    if is("mov") && (common || MP4_CODECS.contains(&codec)) {
        return Some(Reader::Mp4(Mp4::new(video)?));
    }
    (is("matroska") && common && size <= MAX_MATROSKA)
        .then(|| Reader::Matroska(Matroska::new(video, size)))
}
