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

/// How reading pipes ended.
#[derive(Debug)]
pub(super) enum Read {
    /// With the pipes, and everything is handed on but what was cut at their ends.
    Whole(Vec<Last>),
    /// Nobody takes it any more.
    Enough,
}

/// What the end of a pipe makes of its rest: segments only if the program ended by itself, because one that is killed between
/// two fragments leaves a pipe that ends as well as any.
#[derive(Debug)]
pub(super) struct Last {
    out: mpsc::Sender<Made>,
    segments: Vec<Segment>,
}

/// Hands on what was cut at the ends of pipes.
pub(super) async fn hand_on(lasts: Vec<Last>) {
    for Last { out, segments } in lasts {
        for segment in segments {
            // Who takes no more knows why.
            if out.send(Made::Segment(segment)).await.is_err() {
                break;
            }
        }
    }
}

/// Reads several pipes of one program to their ends, or until nobody takes what one of them says: the program breaks off
/// then, and what the others hear of that is no error.
pub(super) async fn all(
    pipes: impl IntoIterator<Item = impl Future<Output = Result<Read, TaskError>>>,
) -> Result<Read, TaskError> {
    let whole = pipes.into_iter().map(async |pipe| match pipe.await {
        Ok(Read::Whole(lasts)) => Ok(lasts),
        ended => Err(ended),
    });
    let whole = try_join_all(whole).await;
    whole.map_or_else(|ended| ended, |lasts| Ok(Read::Whole(lasts.into_iter().flatten().collect())))
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
    Ok(Read::Whole(vec![Last { out, segments: cutter.finish()? }]))
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
        assert!(matches!(read.unwrap(), Read::Enough));
        drop(theirs);
    }

    #[tokio::test]
    async fn what_the_end_of_a_pipe_cuts_waits_for_the_program() {
        struct One;
        impl Cutter for One {
            fn push(&mut self, _: Fragment) -> Result<Vec<Segment>, Mismatch> {
                Ok(Vec::new())
            }

            fn finish(self) -> Result<Vec<Segment>, Mismatch> {
                let (sequence, start_ticks, duration_ticks, frames) = (0, 0, 1, 1);
                Ok(vec![Segment { sequence, start_ticks, duration_ticks, frames, bytes: vec![] }])
            }
        }
        let words = "-nostdin -v error -f lavfi -i color=s=16x16:d=0.1 -c:v libx264 \
             -movflags +cmaf+frag_keyframe+empty_moov+skip_trailer -f mp4 pipe:1";
        let film = std::process::Command::new("ffmpeg").args(words.split_whitespace()).output();
        let (out, mut made) = mpsc::channel(4);
        let whole = read(&film.unwrap().stdout[..], One, || Ok(()), out).await.unwrap();
        assert!(matches!(made.recv().await, Some(Made::Init { .. })));
        assert!(made.try_recv().is_err());
        let Read::Whole(lasts) = whole else { panic!("{whole:?}") };
        hand_on(lasts).await;
        assert!(matches!(made.recv().await, Some(Made::Segment(_))));
        assert!(made.recv().await.is_none());
    }

    #[tokio::test]
    async fn what_the_others_hear_of_a_pipe_that_was_left_is_no_error() {
        let torn = || Err(TaskError::Ours(Cause::Silent));
        let whole = || ready(Ok(Read::Whole(Vec::new())));
        let both = all([ready(Ok(Read::Enough)), ready(torn())]).await;
        assert!(matches!(both.unwrap(), Read::Enough));
        let one = all([whole(), ready(Ok(Read::Enough))]).await;
        assert!(matches!(one.unwrap(), Read::Enough));
        assert!(matches!(all([whole(), whole()]).await.unwrap(), Read::Whole(_)));
        assert!(all([whole(), ready(torn())]).await.is_err());
    }
}
