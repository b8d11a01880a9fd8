//! One request: GET or HEAD of what is lent, all of it or one range.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderValue, RANGE,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use super::SourceError;
use super::lend::{Loan, Loans};
use super::pieces::{PATIENCE, Pieces, late};

/// What of an original is asked for: the bytes from the first up to, and without, the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(u64, u64),
    /// Nothing that there is, or more than one range.
    Outside,
}

/// Answers, and says what was found. Errors of reading are the loan's: they come after the head.
pub(super) fn answer<T>(
    loans: &Loans,
    port: u16,
    request: &Request<T>,
) -> (Response<Answer>, Option<Arc<Loan>>) {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host != Some(format!("127.0.0.1:{port}").as_str()) {
        return (empty(StatusCode::MISDIRECTED_REQUEST), None);
    }
    let token = request.uri().path().strip_prefix('/').and_then(|p| p.strip_suffix("/original"));
    let Some(loan) = token.and_then(|token| loans.find(token)) else {
        return (empty(StatusCode::NOT_FOUND), None);
    };
    let (method, size) = (request.method(), loan.source.size());
    if *method != Method::GET && *method != Method::HEAD {
        let mut refused = empty(StatusCode::METHOD_NOT_ALLOWED);
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return (refused, Some(loan));
    }
    let asked = match request.headers().get(RANGE).map(HeaderValue::to_str) {
        None => Asked::Whole,
        Some(Ok(range)) => asked(range, size),
        Some(Err(_)) => Asked::Outside,
    };
    let (status, from, end, range) = match asked {
        Asked::Whole => (StatusCode::OK, 0, size, None),
        Asked::Part(from, end) => {
            let range = format!("bytes {from}-{}/{size}", end - 1);
            (StatusCode::PARTIAL_CONTENT, from, end, Some(range))
        }
        Asked::Outside => {
            (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0, Some(format!("bytes */{size}")))
        }
    };
    let mut response = empty(status);
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - from));
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        headers.insert(CONTENT_RANGE, range);
    }
    if *method == Method::GET {
        *response.body_mut() = Answer::new(Arc::clone(&loan), from, end);
    }
    (response, Some(loan))
}

fn empty(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer(None));
    *response.status_mut() = status;
    response
}

/// Reads a Range for `size` bytes (RFC 9110, section 14.1.2).
fn asked(range: &str, size: u64) -> Asked {
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        // More digits than fit are beyond every end.
        plain.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    let spec = range.strip_prefix("bytes=").and_then(|spec| spec.split_once('-'));
    let part = match spec {
        Some(("", last)) => number(last).map(|n| (size.saturating_sub(n), size)),
        Some((first, "")) => number(first).map(|from| (from, size)),
        Some((first, last)) => match (number(first), number(last)) {
            (Some(from), Some(to)) if from <= to => Some((from, to.saturating_add(1).min(size))),
            _ => None,
        },
        None => None,
    };
    match part {
        Some((from, end)) if from < end => Asked::Part(from, end),
        _ => Asked::Outside,
    }
}

/// The bytes of an answer. Where they cannot be had, the loan keeps why, and only then the
/// connection is cut short of what was promised.
pub(super) struct Answer(Option<Pieced>);

type Pieced = Pin<Box<dyn Stream<Item = Result<Bytes, SourceError>> + Send>>;

impl Answer {
    fn new(loan: Arc<Loan>, from: u64, end: u64) -> Self {
        let stream = try_unfold(None, move |pieces| {
            let loan = Arc::clone(&loan);
            async move {
                let next = piece(&loan, pieces, from, end).await;
                if let Err(error) = &next {
                    tracing::warn!(%error, "an original cannot be read on");
                    loan.fail(error.clone());
                }
                next
            }
        });
        Self(Some(Box::pin(stream)))
    }
}

/// The next bytes of some of a loan, and how it goes on.
async fn piece(
    loan: &Loan,
    pieces: Option<Pieces>,
    from: u64,
    end: u64,
) -> Result<Option<(Bytes, Option<Pieces>)>, SourceError> {
    let next = async {
        let mut pieces = match pieces {
            Some(pieces) => pieces,
            None => loan.pieces(from, end).await?,
        };
        Ok(pieces.next().await?.map(|piece| (piece, Some(pieces))))
    };
    // The first one may need several chunks.
    timeout(PATIENCE, next).await.map_err(|_| late())?
}

impl Body for Answer {
    type Data = Bytes;
    type Error = SourceError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceError>>> {
        match &mut self.0 {
            Some(pieces) => {
                pieces.as_mut().poll_next(context).map(|next| next.map(|p| p.map(Frame::data)))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.0.is_none() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_or_none() {
        for (range, want) in [
            ("bytes=0-", Asked::Part(0, 10)),
            ("bytes=0-0", Asked::Part(0, 1)),
            ("bytes=4-8", Asked::Part(4, 9)),
            ("bytes=4-99999999999999999999", Asked::Part(4, 10)),
            ("bytes=9-", Asked::Part(9, 10)),
            ("bytes=10-", Asked::Outside),
            ("bytes=-3", Asked::Part(7, 10)),
            ("bytes=-30", Asked::Part(0, 10)),
            ("bytes=-0", Asked::Outside),
            ("bytes=5-4", Asked::Outside),
            ("bytes=0-1,3-4", Asked::Outside),
            ("bytes=", Asked::Outside),
            ("bytes=-", Asked::Outside),
            ("bytes=+1-2", Asked::Outside),
            ("lines=0-1", Asked::Outside),
        ] {
            assert_eq!(asked(range, 10), want, "{range}");
        }
        assert_eq!(asked("bytes=0-", 0), Asked::Outside);
    }
}
