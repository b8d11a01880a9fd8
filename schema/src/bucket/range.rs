//! Parts of an object that must stay the same from part to part: whatever the server says of its
//! answer is held against what was asked.

use std::time::Duration;

use bytes::Bytes;

use super::{Bucket, BucketError, Part};

/// The longest that one part may take, from the request to its last byte: 8 MiB at 140 kB/s.
pub const PART: Duration = Duration::from_secs(60);

impl Bucket {
    /// The bytes `from..=to` of the object of `size` bytes that has this ETag, in pieces as they
    /// came, within [`PART`]. `to` is below `size`.
    ///
    /// # Errors
    /// [`BucketError::Replaced`] when the object has another ETag or size,
    /// [`BucketError::Answer`] when other bytes are answered than were asked for,
    /// [`BucketError::Missing`], [`BucketError::Read`] when the body breaks off, and the others.
    pub async fn get_range(
        &self,
        key: &str,
        (from, to): (u64, u64),
        etag: &str,
        size: u64,
    ) -> Result<Vec<Bytes>, BucketError> {
        let got = async {
            let part = match self.objects.get_range(key, (from, to), etag).await {
                Err(e) if e.is_precondition() => return Err(replaced(key, "ETag")),
                got => got?,
            };
            check(key, &part, (from, to), etag, size)?;
            collect(key, part, to - from + 1).await
        };
        let late = |_| BucketError::TimedOut { call: "GetObject" };
        tokio::time::timeout(PART, got).await.map_err(late)?
    }
}

fn replaced(key: &str, what: &'static str) -> BucketError {
    BucketError::Replaced { key: key.to_owned(), what }
}

fn wrong(key: &str, what: &'static str) -> BucketError {
    BucketError::Answer { key: key.to_owned(), what }
}

/// Not every server knows If-Match on a GET, so the ETag of the answer counts.
fn check(
    key: &str,
    part: &Part,
    (from, to): (u64, u64),
    etag: &str,
    size: u64,
) -> Result<(), BucketError> {
    match &part.etag {
        None => return Err(wrong(key, "it has no ETag")),
        Some(told) if told != etag => return Err(replaced(key, "ETag")),
        Some(_) => {}
    }
    let told = part.range.as_deref().ok_or_else(|| wrong(key, "it is no range"))?;
    let told = content_range(told).ok_or_else(|| wrong(key, "its Content-Range is unreadable"))?;
    if told.total != size {
        return Err(replaced(key, "size"));
    }
    if (told.from, told.to) != (from, to) {
        return Err(wrong(key, "it is another range"));
    }
    Ok(())
}

async fn collect(key: &str, part: Part, length: u64) -> Result<Vec<Bytes>, BucketError> {
    let (mut body, mut pieces, mut rest) = (part.body, Vec::new(), length);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|e| BucketError::Read(e.into()))?;
        rest = rest
            .checked_sub(piece.len() as u64)
            .ok_or_else(|| wrong(key, "it is longer than its range"))?;
        pieces.push(piece);
    }
    if rest > 0 {
        return Err(wrong(key, "it is shorter than its range"));
    }
    Ok(pieces)
}

#[derive(Debug, PartialEq, Eq)]
struct ContentRange {
    from: u64,
    to: u64,
    total: u64,
}

/// Reads `bytes 0-4/10` (RFC 9110, section 14.4).
fn content_range(text: &str) -> Option<ContentRange> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = range.split_once('-')?;
    let number = |digits: &str| {
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    Some(ContentRange { from: number(from)?, to: number(to)?, total: number(total)? })
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::ByteStream;

    use super::*;

    /// Of an object of 10 bytes called `"a"` the bytes 2..=5 are asked for.
    fn check(range: Option<&str>, etag: Option<&str>, want: &str) {
        let (range, etag) = (range.map(str::to_owned), etag.map(str::to_owned));
        let part = Part { range, etag, body: ByteStream::default() };
        let told = super::check("key", &part, (2, 5), "\"a\"", 10);
        assert_eq!(told.err().map(|e| e.to_string()).unwrap_or_default(), want);
    }

    #[test]
    fn answers_are_held_against_what_was_asked() {
        let (good, name) = (Some("bytes 2-5/10"), Some("\"a\""));
        check(good, name, "");
        let other = "key is no longer the same object: its ETag is another";
        check(good, Some("\"b\""), other);
        check(good, Some("W/\"a\""), other);
        check(Some("bytes 2-5/11"), name, "key is no longer the same object: its size is another");
        let wrong = |what: &str| format!("key: the server's answer is wrong: {what}");
        check(good, None, &wrong("it has no ETag"));
        check(None, name, &wrong("it is no range"));
        for range in ["bytes 0-9/10", "bytes 2-4/10", "bytes 3-5/10"] {
            check(Some(range), name, &wrong("it is another range"));
        }
        for range in ["", "bytes 2-5/*", "bytes */10", "bytes +2-5/10", "2-5/10", "bytes 2/10"] {
            check(Some(range), name, &wrong("its Content-Range is unreadable"));
        }
    }

    #[tokio::test]
    async fn bodies_have_the_length_of_their_range() {
        for (length, fine) in [(0, false), (3, false), (4, true), (5, false)] {
            let body = ByteStream::from(vec![1; length]);
            let part = Part { range: None, etag: None, body };
            assert_eq!(collect("key", part, 4).await.is_ok(), fine, "{length}");
        }
    }
}
