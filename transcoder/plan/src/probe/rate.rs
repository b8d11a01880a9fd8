//! The nominal frame rate: what the camera meant, from two numbers that both can mislead.

use crate::Rational;

/// Rates that cameras, screens and discs have.
const STANDARD: [(i64, i64); 13] = [
    (12, 1),
    (15, 1),
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (120, 1),
    (240, 1),
];

/// The rate that the grid, the bit rates and FRAME-RATE are made from.
///
/// `lowest` is ffprobe's `r_frame_rate`, the lowest rate in which every time can be told: exact
/// for constant rates, twice too high for fields, absurd for variable ones. `average` is frames
/// by duration. The first is taken where the second is near (0.9 to 1.34 times: phones drop a
/// quarter of their frames in the dark), else the second. Within 0.1 % of a standard rate, the
/// standard rate; 30 when nothing is known.
pub fn nominal(lowest: Option<Rational>, average: Option<Rational>) -> Rational {
    let best = match (lowest, average) {
        (Some(lowest), Some(average)) => {
            let ratio = lowest.as_f64() / average.as_f64();
            if (0.9..=1.34).contains(&ratio) { lowest } else { average }
        }
        (Some(only), None) if only.as_f64() <= 240.0 => only,
        (None, Some(only)) => only,
        _ => Rational::whole(30),
    };
    standard(best)
}

/// The nearest standard rate if it is within 0.1 %, else the rate itself.
pub fn standard(rate: Rational) -> Rational {
    let off = |other: Rational| (rate.as_f64() / other.as_f64() - 1.0).abs();
    STANDARD
        .iter()
        .filter_map(|&(num, den)| Rational::new(num, den))
        .min_by(|a, b| off(*a).total_cmp(&off(*b)))
        .filter(|nearest| off(*nearest) < 0.001)
        .unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(lowest: &str, average: &str, want: Expect) {
        want.assert_eq(&nominal(Rational::parse(lowest), Rational::parse(average)).to_string());
    }

    #[test]
    fn constant_rates_are_exact() {
        check("24/1", "24/1", expect!["24/1"]);
        check("30000/1001", "30000/1001", expect!["30000/1001"]);
        check("30000/1001", "300000/10201", expect!["30000/1001"]);
    }

    #[test]
    fn fields_do_not_double_the_rate() {
        check("50/1", "25/1", expect!["25/1"]);
    }

    #[test]
    fn variable_rates_use_the_average() {
        check("90000/1", "2401/100", expect!["24/1"]);
        check("30000/1001", "51600/1841", expect!["30000/1001"]);
        check("23040000/767849", "23040000/767849", expect!["30/1"]);
        check("60/1", "810000/13487", expect!["60/1"]);
    }

    #[test]
    fn nothing_known_is_thirty() {
        check("0/0", "0/0", expect!["30/1"]);
        check("90000/1", "0/0", expect!["30/1"]);
        check("0/0", "25/1", expect!["25/1"]);
    }
}
