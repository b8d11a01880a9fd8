//! The `Range` header (RFC 9110, 14.2), of which one range of bytes is answered.
use std::ops::Range;

/// What the header asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything; so it is for several ranges, other units and nonsense.
    Whole,
    /// These bytes, at least one.
    Bytes(Range<u64>),
    /// Bytes that the file does not have.
    Unsatisfiable,
}

/// Reads the header's value for a file of `size` bytes.
pub(super) fn part_of(header: &str, size: u64) -> Part {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|set| set.split_once('-'))
    else {
        return Part::Whole;
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.trim().is_empty() => first..size,
        (None, Some(length)) if first.trim().is_empty() => size.saturating_sub(length)..size,
        _ => return Part::Whole,
    };
    if range.is_empty() { Part::Unsatisfiable } else { Part::Bytes(range) }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Part, part_of};

    #[test]
    fn ranges() {
        for (header, size, wanted) in [
            ("bytes=0-9", 100, Part::Bytes(0..10)),
            ("bytes=90-", 100, Part::Bytes(90..100)),
            ("bytes=-5", 100, Part::Bytes(95..100)),
            ("bytes=-500", 100, Part::Bytes(0..100)),
            ("bytes=50-500", 100, Part::Bytes(50..100)),
            ("bytes=50-99999999999999999999999", 100, Part::Bytes(50..100)),
            ("bytes=0-0", 1, Part::Bytes(0..1)),
            ("bytes=100-", 100, Part::Unsatisfiable),
            ("bytes=-0", 100, Part::Unsatisfiable),
            ("bytes=0-", 0, Part::Unsatisfiable),
            ("bytes=9-1", 100, Part::Whole),
            ("bytes=0-1,5-6", 100, Part::Whole),
            ("bytes=-", 100, Part::Whole),
            ("bytes=+1-2", 100, Part::Whole),
            ("items=0-1", 100, Part::Whole),
        ] {
            assert_eq!(part_of(header, size), wanted, "{header} of {size}");
        }
    }
}
