//! Conditions and ranges of a request (RFC 9110, sections 13 and 14).

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, IF_NONE_MATCH, IF_RANGE, RANGE};

/// Whether the client has this entity already. `*` counts for every one that exists.
pub(crate) fn has_it(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value
            .split(',')
            .map(str::trim)
            .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == etag)
    })
}

/// What of an entity is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it.
    Whole,
    /// The bytes `from..=to`.
    Part {
        /// First byte.
        from: u64,
        /// Last byte.
        to: u64,
    },
    /// Nothing of it is in the range.
    Outside,
}

/// Whether a range is asked for at all.
pub(crate) fn wants_range(headers: &HeaderMap) -> bool {
    headers.contains_key(RANGE)
}

/// Reads Range and If-Range for an entity of `size` bytes. Several ranges, other units and what
/// cannot be read are answered whole, as RFC 9110 allows.
pub(crate) fn asked(headers: &HeaderMap, etag: &str, size: u64) -> Asked {
    // Only a strong validator keeps the parts of one entity together.
    if headers.get(IF_RANGE).is_some_and(|given| given.as_bytes() != etag.as_bytes()) {
        return Asked::Whole;
    }
    let range = headers.get(RANGE).and_then(|value| value.to_str().ok());
    range.and_then(|range| part(range, size)).unwrap_or(Asked::Whole)
}

fn part(range: &str, size: u64) -> Option<Asked> {
    let (unit, spec) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return None;
    }
    let (first, last) = spec.trim().split_once('-')?;
    if first.is_empty() {
        let n = number(last)?;
        let from = size.saturating_sub(n);
        return Some(if n == 0 || size == 0 {
            Asked::Outside
        } else {
            Asked::Part { from, to: size - 1 }
        });
    }
    let from = number(first)?;
    let to = if last.is_empty() { u64::MAX } else { number(last)? };
    if to < from {
        return None;
    }
    if from >= size {
        return Some(Asked::Outside);
    }
    Some(Asked::Part { from, to: to.min(size - 1) })
}

/// Digits alone; more of them than fit are as good as the end.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// Whether the client takes gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut any = None;
    for item in values.flat_map(|value| value.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
        if name.eq_ignore_ascii_case("gzip") {
            return !refused;
        }
        if name == "*" {
            any = Some(!refused);
        }
    }
    any.unwrap_or(false)
}
