//! Upper bit rates of rungs: capped constant quality. CRF 23 decides; the cap bounds what a player must
//! be ready for.

use crate::Rational;

/// Caps at 24 to 30 frames a second, (pixels, bits/s), lines between them: 1400, 2800 and 5000 kbit/s
/// for 854x480, 1280x720 and 1920x1080. A picture without pixels would get 150 kbit/s, so small
/// pictures keep more bits for each pixel, which they need.
const CAPS: [(u64, u64); 4] =
    [(0, 150_000), (854 * 480, 1_400_000), (1280 * 720, 2_800_000), (1920 * 1080, 5_000_000)];

/// Never below this many bits per 100 pixels and frame, however low the original's rate is: a wrong
/// rate in a header must not ruin the picture.
const FLOOR_PER_100_PIXELS: u64 = 2;

/// A rung may have this share of the original's rate, percent, before codec differences.
const OF_ORIGINAL_PERCENT: u64 = 130;

/// Upper rate of a rung's video, bits/s, rounded down to whole kbit/s.
///
/// `original` is the rate of the original's picture as H.264 would need it (bits/s), `None` when unknown.
/// More pixels never give less.
pub fn cap(width: u32, height: u32, rate: Rational, original: Option<u64>) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    let fps_100 = fps_100(rate);
    let cap = at_30_fps(pixels) * motion_percent(fps_100) / 100;
    let bound = original.map_or(u64::MAX, |bits| bits.saturating_mul(OF_ORIGINAL_PERCENT) / 100);
    whole(cap.min(bound.max(floor(pixels, fps_100))))
}

/// The same for a rung below one that is copied and has `kept` bits/s: no more than that, but for the floor.
pub fn below_copied(width: u32, height: u32, rate: Rational, kept: u64) -> u64 {
    let pixels = u64::from(width) * u64::from(height);
    let bound = whole(kept.max(floor(pixels, fps_100(rate))));
    cap(width, height, rate, Some(kept)).min(bound)
}

/// Frames in 100 s, of rates of 1 to 60 a second.
fn fps_100(rate: Rational) -> u64 {
    (rate.as_f64() * 100.0).round().clamp(100.0, 6000.0) as u64
}

fn floor(pixels: u64, fps_100: u64) -> u64 {
    pixels * fps_100 / 100 * FLOOR_PER_100_PIXELS / 100
}

/// In whole kbit/s, rounded down, and at least 64.
fn whole(rate: u64) -> u64 {
    (rate / 1000).max(64) * 1000
}

fn at_30_fps(pixels: u64) -> u64 {
    let beyond = CAPS.len() - 2;
    let segment = CAPS.windows(2).take(beyond).find(|pair| pixels <= pair[1].0);
    let Some(&[(low, low_bits), (high, high_bits)]) =
        segment.or(CAPS.windows(2).next_back()).and_then(|pair| pair.first_chunk())
    else {
        return CAPS[0].1;
    };
    low_bits + (pixels - low) * (high_bits - low_bits) / (high - low)
}

/// Frames nearer in time differ less: 60 a second get 1.5 times the bits of 30, few get fewer, but half
/// at least. `fps_100` is frames in 100 s.
fn motion_percent(fps_100: u64) -> u64 {
    match fps_100 {
        0..2400 => 50 + fps_100 * 50 / 2400,
        2400..=3000 => 100,
        _ => 100 + (fps_100 - 3000) * 50 / 3000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(size: (u32, u32), rate: &str, original: Option<u64>, want_kbit: u64) {
        let rate = Rational::parse(rate).unwrap();
        assert_eq!(cap(size.0, size.1, rate, original) / 1000, want_kbit);
    }

    #[test]
    fn the_named_rungs_have_the_reference_caps() {
        for rate in ["24/1", "30000/1001", "30/1"] {
            check((854, 480), rate, None, 1400);
            check((1280, 720), rate, None, 2800);
            check((1920, 1080), rate, None, 5000);
        }
        check((1920, 1080), "60/1", None, 7500);
        check((640, 360), "30/1", None, 852);
        check((2560, 1080), "30/1", None, 6320);
        check((1920, 1080), "1/1", None, 2600);
    }

    #[test]
    fn an_original_bounds_its_rungs_but_not_below_the_floor() {
        check((1920, 1080), "30/1", Some(2_000_000), 2600);
        check((854, 480), "30/1", Some(2_000_000), 1400);
        check((1920, 1080), "30/1", Some(8_862), 1244);
        check((854, 480), "30/1", Some(8_862), 245);
    }
}
