//! What is kept of a child's standard streams: the end of one, the beginning of the other.

use std::{
    collections::VecDeque,
    os::fd::{AsRawFd, OwnedFd, RawFd},
};

/// Read at once, and in all per look, so that a chatty child holds up nobody else: bytes.
const CHUNK: usize = 16 << 10;
/// Looks until a pipe is empty for certain: the largest pipe (1 MiB) in chunks.
const ENOUGH: usize = (1 << 20) / CHUNK + 1;

/// Standard error: the last so many bytes.
pub(super) struct Tail {
    pipe: Option<OwnedFd>,
    kept: VecDeque<u8>,
    most: usize,
}

impl Tail {
    pub(super) fn new(pipe: OwnedFd, most: usize) -> Self {
        Self { pipe: Some(pipe), kept: VecDeque::new(), most }
    }

    pub(super) fn descriptor(&self) -> Option<RawFd> {
        self.pipe.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Reads what is there, at most a chunk; true when there may be more.
    pub(super) fn drain(&mut self) -> bool {
        let mut chunk = [0; CHUNK];
        let read = read(&mut self.pipe, &mut chunk);
        self.kept.extend(chunk.iter().take(read));
        let surplus = self.kept.len().saturating_sub(self.most);
        self.kept.drain(..surplus);
        read > 0
    }

    /// Reads what an ended child left.
    pub(super) fn finish(&mut self) {
        (0..ENOUGH).take_while(|_| self.drain()).for_each(drop);
        self.pipe = None;
    }

    /// As text fit for a log.
    pub(super) fn text(&self) -> String {
        let (head, tail) = self.kept.as_slices();
        String::from_utf8_lossy(&[head, tail].concat())
            .chars()
            .map(|c| match c {
                '\r' => '\n',
                c if c.is_control() && c != '\n' => char::REPLACEMENT_CHARACTER,
                c => c,
            })
            .collect()
    }
}

/// Standard output: the first so many bytes, if it is captured.
pub(super) struct Head {
    pipe: Option<OwnedFd>,
    kept: Vec<u8>,
    most: usize,
    cut: bool,
}

impl Head {
    pub(super) fn new(pipe: Option<OwnedFd>, most: usize) -> Self {
        Self { pipe, kept: Vec::new(), most, cut: false }
    }

    pub(super) fn descriptor(&self) -> Option<RawFd> {
        self.pipe.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Reads what is there, at most a chunk, and forgets what is too much; true when there may be
    /// more.
    pub(super) fn drain(&mut self) -> bool {
        let mut chunk = [0; CHUNK];
        let read = read(&mut self.pipe, &mut chunk);
        let kept = read.min(self.most.saturating_sub(self.kept.len()));
        self.kept.extend(chunk.iter().take(kept));
        self.cut |= kept < read;
        read > 0
    }

    /// Reads what an ended child left.
    pub(super) fn finish(&mut self) {
        (0..ENOUGH).take_while(|_| self.drain()).for_each(drop);
        self.pipe = None;
    }

    /// The bytes, and whether more came.
    pub(super) fn take(&mut self) -> (Vec<u8>, bool) {
        (std::mem::take(&mut self.kept), self.cut)
    }
}

/// Reads without blocking. Closes a pipe that ended or failed, else poll would tell it for ever.
fn read(pipe: &mut Option<OwnedFd>, buffer: &mut [u8]) -> usize {
    let Some(open) = pipe else { return 0 };
    match rustix::io::read(open, buffer) {
        Ok(0) => {
            *pipe = None;
            0
        }
        Ok(read) => read,
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => 0,
        Err(_) => {
            *pipe = None;
            0
        }
    }
}
