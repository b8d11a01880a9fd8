//! Content that is made while it is sent.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use http_body::{Body, Frame, SizeHint};

/// The pieces of a flow as they are made; an error breaks the call off.
pub type Flowing = BoxStream<'static, Result<Bytes, Box<dyn std::error::Error + Send + Sync>>>;

/// Bytes of a known number that are made from their beginning as often as they have to be sent.
#[derive(Clone)]
pub struct Flow {
    size: u64,
    open: Arc<dyn Fn() -> Flowing + Send + Sync>,
}

impl Flow {
    /// `open` begins anew each time, and always gives the same `size` bytes.
    pub fn new(size: u64, open: impl Fn() -> Flowing + Send + Sync + 'static) -> Self {
        Self { size, open: Arc::new(open) }
    }

    /// How many bytes it gives.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn stream(&self) -> ByteStream {
        let flow = self.clone();
        ByteStream::new(SdkBody::retryable(move || {
            SdkBody::from_body_1_x(Sent { rest: flow.size, pieces: Mutex::new((flow.open)()) })
        }))
    }
}

/// One sending.
struct Sent {
    rest: u64,
    /// The client wants bodies that can be shared; nobody does.
    pieces: Mutex<Flowing>,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let pieces = self.pieces.get_mut().unwrap_or_else(PoisonError::into_inner);
        let piece = match std::task::ready!(pieces.poll_next_unpin(cx)) {
            None if self.rest == 0 => return Poll::Ready(None),
            None => return Poll::Ready(Some(Err("it ended early".into()))),
            Some(Err(e)) => return Poll::Ready(Some(Err(e))),
            Some(Ok(piece)) => piece,
        };
        match self.rest.checked_sub(piece.len() as u64) {
            Some(rest) => self.rest = rest,
            None => return Poll::Ready(Some(Err("it is longer than was told".into()))),
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest)
    }
}
