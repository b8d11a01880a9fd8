//! A stream whose other side must go on reading: hyper waits for ever for a client that asks for
//! a film and takes none of it, and the bucket's connection waits with it.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The stream and, while a write waits, when it is given up.
pub(super) struct Patience<S> {
    stream: S,
    stall: Duration,
    ends: Option<Pin<Box<Sleep>>>,
}

impl<S> Patience<S> {
    /// A stream that is given up when not one byte is taken for `stall`.
    pub(super) fn new(stream: S, stall: Duration) -> Self {
        Self { stream, stall, ends: None }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<Result<T>>) -> Poll<Result<T>> {
        if written.is_ready() {
            self.ends = None;
            return written;
        }
        let stall = self.stall;
        let ends = self.ends.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(ends.as_mut().poll(cx));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn who_takes_nothing_is_given_up() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut ours = Patience::new(ours, Duration::from_millis(50));
        let written = ours.write_all(&[0; 100]).await;
        assert_eq!(written.map_err(|e| e.kind()), Err(ErrorKind::TimedOut));
    }

    #[tokio::test]
    async fn who_takes_a_little_now_and_then_gets_it_all() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let stall = Duration::from_secs(1);
        let mut ours = Patience::new(ours, stall);
        let takes = async {
            // Longer in all than one wait may be.
            for _ in 0..15 {
                sleep(stall / 10).await;
                let mut some = [0; 10];
                theirs.read_exact(&mut some).await.expect("it is written");
            }
        };
        let (written, ()) = tokio::join!(ours.write_all(&[0; 150]), takes);
        written.expect("it is taken");
    }
}
