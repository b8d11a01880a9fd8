//! Reading what a media program writes into a pipe: boxes, then segments, in order.

use bytes::Bytes;
use futures_util::future::try_join_all;
use reelpin_plan::fmp4::{Fragment, Part, Reader};
use reelpin_plan::{Mismatch, Packer, Segment, Segmenter};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Made, media};
use crate::error::{Cause, TaskError};

/// Bytes read from a pipe at a time; a pipe holds at most 1 MiB.
const PIECE: usize = 256 << 10;

/// Cuts fragments into segments.
pub(super) trait Cutter {
    /// Takes the next fragment; gives the segments that are whole now.
    fn push(&mut self, fragment: Fragment) -> Result<Vec<Segment>, Mismatch>;

    /// There are no more.
    fn finish(self) -> Result<Vec<Segment>, Mismatch>;
}

impl Cutter for Segmenter {
    fn push(&mut self, fragment: Fragment) -> Result<Vec<Segment>, Mismatch> {
        Self::push(self, fragment)
    }

    fn finish(self) -> Result<Vec<Segment>, Mismatch> {
        Self::finish(self)
    }
}

impl Cutter for Packer {
    fn push(&mut self, fragment: Fragment) -> Result<Vec<Segment>, Mismatch> {
        Self::push(self, &fragment)
    }

    fn finish(self) -> Result<Vec<Segment>, Mismatch> {
        Self::finish(self)
    }
}

/// How reading a pipe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// With the pipe, and everything is handed on.
    Whole,
    /// Nobody takes it any more.
    Enough,
}

/// Reads several pipes of one program to their ends, or until nobody takes what one of them says: the program breaks off
/// then, and what the others hear of that is no error.
pub(super) async fn all(
    pipes: impl IntoIterator<Item = impl Future<Output = Result<Read, TaskError>>>,
) -> Result<Read, TaskError> {
    let whole = pipes.into_iter().map(async |pipe| match pipe.await {
        Ok(Read::Whole) => Ok(()),
        ended => Err(ended),
    });
    try_join_all(whole).await.map_or_else(|ended| ended, |_| Ok(Read::Whole))
}

/// Reads a pipe to its end and hands on what comes out. Ends at once when nobody takes it any more; with an error as
/// soon as `read_well` says that the original could not be read, before anything is handed on that a program may have made
/// of the part it got.
pub(super) async fn read(
    mut pipe: impl AsyncRead + Unpin,
    mut cutter: impl Cutter,
    read_well: impl Fn() -> Result<(), TaskError>,
    out: mpsc::Sender<Made>,
) -> Result<Read, TaskError> {
    let mut reader = Reader::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = tokio::select! {
            biased;
            () = out.closed() => return Ok(Read::Enough),
            read = timeout(media::SILENCE, pipe.read(&mut piece)) => read,
        };
        let read = read.map_err(|_| Cause::Silent)??;
        read_well()?;
        if read == 0 {
            break;
        }
        for part in reader.push(&piece[..read])? {
            let ready = match part {
                Part::Init(init) => {
                    vec![Made::Init { bytes: Bytes::from(init.bytes), codec: init.codec }]
                }
                Part::Fragment(fragment) => {
                    cutter.push(fragment)?.into_iter().map(Made::Segment).collect()
                }
            };
            for next in ready {
                if out.send(next).await.is_err() {
                    return Ok(Read::Enough);
                }
            }
        }
    }
    reader.finish()?;
    for last in cutter.finish()? {
        if out.send(Made::Segment(last)).await.is_err() {
            return Ok(Read::Enough);
        }
    }
    Ok(Read::Whole)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use futures_util::future::join;

    use super::*;

    struct Whole;

    impl Cutter for Whole {
        fn push(&mut self, _: Fragment) -> Result<Vec<Segment>, Mismatch> {
            Ok(Vec::new())
        }

        fn finish(self) -> Result<Vec<Segment>, Mismatch> {
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn a_pipe_that_nobody_takes_is_left_although_nothing_comes() {
        let (ours, theirs) = tokio::io::duplex(64);
        let (out, made) = mpsc::channel(1);
        let read = read(ours, Whole, || Ok(()), out);
        let left = async {
            tokio::task::yield_now().await;
            drop(made);
        };
        let read = timeout(std::time::Duration::from_secs(60), join(read, left)).await.unwrap().0;
        assert_eq!(read.unwrap(), Read::Enough);
        drop(theirs);
    }

    #[tokio::test]
    async fn what_the_others_hear_of_a_pipe_that_was_left_is_no_error() {
        let torn = || Err(TaskError::Ours(Cause::Silent));
        let both = all([ready(Ok(Read::Enough)), ready(torn())]).await;
        assert_eq!(both.unwrap(), Read::Enough);
        assert_eq!(
            all([ready(Ok(Read::Whole)), ready(Ok(Read::Enough))]).await.unwrap(),
            Read::Enough
        );
        assert_eq!(
            all([ready(Ok(Read::Whole)), ready(Ok(Read::Whole))]).await.unwrap(),
            Read::Whole
        );
        assert!(all([ready(Ok(Read::Whole)), ready(torn())]).await.is_err());
    }
}
