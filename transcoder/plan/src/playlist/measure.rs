//! Measured rates, as RFC 8216 defines them.

use crate::TICKS;

/// BANDWIDTH of one rendition, bits/s, rounded up: the largest rate of any run of segments that lasts between 0.5 and
/// 1.5 target durations (RFC 8216, 4.1); of everything when all together is shorter. `segments` are (bytes, ticks) in
/// order, `target_duration` is in seconds.
pub fn peak_bitrate(segments: &[(u64, u64)], target_duration: u32) -> u64 {
    let target = u64::from(target_duration) * TICKS;
    let (shortest, longest) = (target / 2, target * 3 / 2);
    let mut peak = None;
    for from in 0..segments.len() {
        let (mut bytes, mut ticks) = (0u64, 0u64);
        for (more_bytes, more_ticks) in segments.iter().skip(from) {
            bytes = bytes.saturating_add(*more_bytes);
            ticks = ticks.saturating_add(*more_ticks);
            if ticks > longest {
                break;
            }
            if ticks >= shortest {
                peak = peak.max(Some(rate(bytes, ticks)));
            }
        }
    }
    peak.unwrap_or_else(|| average_bitrate(segments))
}

/// AVERAGE-BANDWIDTH of one rendition, bits/s, rounded up.
pub fn average_bitrate(segments: &[(u64, u64)]) -> u64 {
    let sum = |of: fn(&(u64, u64)) -> u64| segments.iter().map(of).fold(0, u64::saturating_add);
    rate(sum(|segment| segment.0), sum(|segment| segment.1))
}

/// The planned target duration, or more where a film without an index turned out to have a longer segment.
pub fn target_duration(planned: u32, durations: impl IntoIterator<Item = u64>) -> u32 {
    let longest = durations.into_iter().max().unwrap_or(0);
    let seconds = longest.saturating_add(TICKS / 2) / TICKS;
    u32::try_from(seconds).unwrap_or(u32::MAX).max(planned)
}

fn rate(bytes: u64, ticks: u64) -> u64 {
    let bits = u128::from(bytes) * 8 * u128::from(TICKS);
    u64::try_from(bits.div_ceil(u128::from(ticks.max(1)))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = TICKS;

    #[test]
    fn a_short_segment_is_no_window_by_itself() {
        let segments = [
            (1_000_000, 2 * SECOND),
            (100_000, 2 * SECOND),
            (100_000, 2 * SECOND),
            (750_000, 6 * SECOND),
        ];
        // 1.1 MB in 4 s; the first alone would be 4 Mbit/s.
        assert_eq!(peak_bitrate(&segments, 6), 2_200_000);
        assert_eq!(average_bitrate(&segments), 1_300_000);
    }

    #[test]
    fn a_film_shorter_than_any_window_counts_whole() {
        assert_eq!(peak_bitrate(&[(250_000, SECOND)], 6), 2_000_000);
        assert_eq!(peak_bitrate(&[], 6), 0);
    }

    #[test]
    fn the_target_grows_only_when_it_must() {
        assert_eq!(target_duration(6, [6 * SECOND + SECOND / 2 - 1]), 6);
        assert_eq!(target_duration(6, [6 * SECOND + SECOND / 2]), 7);
    }
}
