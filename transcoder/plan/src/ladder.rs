//! Which sizes a video is made in.

use serde::{Deserialize, Serialize};

/// Short sides of the rungs that have a name, lowest first.
pub const NAMED: [u32; 3] = [480, 720, 1080];

/// Longest side of any rung, pixels: what H.264 up to level 4.2 can be wide (8 x 8704 macroblocks are
/// the square of 263), and what hardware decoders take.
pub const MAX_LONG_SIDE: u32 = 4096;

/// One size of the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Pixels, even, because 4:2:0 chroma is sampled 2x2.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
}

impl Size {
    /// The short side, which names a rung.
    pub fn short_side(&self) -> u32 {
        self.width.min(self.height)
    }
}

/// The sizes for a picture shown at `width` x `height` pixels, lowest first, at least one, different.
///
/// The named rungs that the picture has pixels for; below all of them its own size alone; its own size
/// on top where that is at least 1.2 times the highest named rung and at most `max_short_side`.
/// Nothing is larger than the picture, up to a picture's least size of 2x2.
pub fn sizes(width: u32, height: u32, max_short_side: u32) -> Vec<Size> {
    let (short, long) = (width.min(height), width.max(height));
    let portrait = height > width;
    let mut sizes: Vec<Size> = NAMED
        .into_iter()
        .filter(|named| *named <= short && *named <= max_short_side)
        .filter_map(|named| fit(short, long, named, portrait))
        .collect();
    let own = short.min(max_short_side);
    let highest = sizes.last().map(Size::short_side);
    let worth_it = highest.is_none_or(|highest| {
        short <= max_short_side && u64::from(short) * 10 >= u64::from(highest) * 12
    });
    if worth_it {
        let own = fit(short, long, own, portrait).or_else(|| {
            // Too wide for its height: as wide as may be, unless a named rung exists.
            let limited = u64::from(short) * u64::from(MAX_LONG_SIDE) / u64::from(long.max(1));
            let side = even(u32::try_from(limited).unwrap_or(2));
            sizes.is_empty().then(|| oriented(side, MAX_LONG_SIDE, portrait))
        });
        sizes.extend(own);
    }
    sizes
}

/// The picture with a short side of `side`, if its long side may be that long.
fn fit(short: u32, long: u32, side: u32, portrait: bool) -> Option<Size> {
    let scaled =
        (u64::from(long) * u64::from(side) * 2 + u64::from(short)) / (2 * u64::from(short.max(1)));
    let nearest = u32::try_from(scaled.div_ceil(2) * 2).ok()?;
    let exact = u64::from(long) * u64::from(side);
    // The nearest even length, but not beyond the picture's own.
    let below = nearest.saturating_sub(2);
    let off = |length: u32| (u64::from(length) * u64::from(short)).abs_diff(exact);
    let nearest = if off(below) <= off(nearest) { below } else { nearest };
    let length = nearest.min(even(long)).max(even(side));
    (length <= MAX_LONG_SIDE).then(|| oriented(even(side), length, portrait))
}

fn oriented(short: u32, long: u32, portrait: bool) -> Size {
    if portrait { Size { width: short, height: long } } else { Size { width: long, height: short } }
}

/// The even number at or below, at least 2.
fn even(side: u32) -> u32 {
    (side / 2 * 2).max(2)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(width: u32, height: u32, want: Expect) {
        let sizes = sizes(width, height, 1080);
        let text: Vec<_> =
            sizes.iter().map(|size| format!("{}x{}", size.width, size.height)).collect();
        want.assert_eq(&text.join(" "));
    }

    #[test]
    fn named_rungs_as_far_as_the_pixels_go() {
        check(854, 480, expect!["854x480"]);
        check(1280, 720, expect!["854x480 1280x720"]);
        check(1920, 1080, expect!["854x480 1280x720 1920x1080"]);
        check(2560, 1440, expect!["854x480 1280x720 1920x1080"]);
        check(3840, 2160, expect!["854x480 1280x720 1920x1080"]);
    }

    #[test]
    fn own_size_alone_below_480() {
        check(640, 360, expect!["640x360"]);
        check(853, 479, expect!["852x478"]);
        check(960, 400, expect!["960x400"]);
        check(640, 428, expect!["640x428"]);
        check(2, 2, expect!["2x2"]);
        check(1, 1, expect!["2x2"]);
    }

    #[test]
    fn own_size_on_top_from_one_and_a_fifth() {
        check(1600, 900, expect!["854x480 1280x720 1600x900"]);
        check(960, 540, expect!["854x480"]);
        check(1024, 576, expect!["854x480 1024x576"]);
        check(1047, 576, expect!["872x480 1046x576"]);
        check(1535, 863, expect!["854x480 1280x720"]);
        check(1536, 864, expect!["854x480 1280x720 1536x864"]);
        check(1919, 1079, expect!["854x480 1280x720 1918x1078"]);
    }

    #[test]
    fn portrait_by_the_short_side() {
        check(2160, 3840, expect!["480x854 720x1280 1080x1920"]);
        check(720, 1280, expect!["480x854 720x1280"]);
        check(608, 1080, expect!["480x852 608x1080"]);
    }

    #[test]
    fn extreme_shapes() {
        check(2560, 1080, expect!["1138x480 1706x720 2560x1080"]);
        check(8000, 480, expect!["4096x244"]);
        check(480, 8000, expect!["244x4096"]);
        check(5000, 720, expect!["3334x480"]);
        check(16000, 2, expect!["4096x2"]);
    }

    proptest! {
        #![proptest_config(crate::same_cases(400))]

        #[test]
        fn no_rung_exceeds_the_picture(width in 1u32..16_384, height in 1u32..16_384) {
            let sizes = sizes(width, height, 1080);
            prop_assert!(!sizes.is_empty());
            for size in &sizes {
                prop_assert!(size.width % 2 == 0 && size.height % 2 == 0);
                prop_assert!(size.width <= width.max(2) && size.height <= height.max(2));
                prop_assert!(size.width.max(size.height) <= MAX_LONG_SIDE);
                prop_assert!(size.short_side() <= 1080);
            }
            for pair in sizes.windows(2) {
                prop_assert!(pair[0].width < pair[1].width && pair[0].height < pair[1].height);
            }
        }
    }
}
