//! Fractions as containers state them: frame rates, time bases, sample aspect ratios.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A positive fraction, written `24000/1001`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rational {
    num: i64,
    den: i64,
}

impl Rational {
    /// `num / den`; `None` unless both are at least 1.
    pub const fn new(num: i64, den: i64) -> Option<Self> {
        if num > 0 && den > 0 { Some(Self { num, den }) } else { None }
    }

    /// A whole number; numbers below 1 become 1.
    pub const fn whole(num: u32) -> Self {
        Self { num: if num == 0 { 1 } else { num as i64 }, den: 1 }
    }

    /// Reads `a/b` or `a:b`; `None` for zeros, negatives and anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (num, den) = text.split_once(['/', ':'])?;
        Self::new(num.parse().ok()?, den.parse().ok()?)
    }

    /// Numerator, at least 1.
    pub const fn num(self) -> i64 {
        self.num
    }

    /// Denominator, at least 1.
    pub const fn den(self) -> i64 {
        self.den
    }

    /// For estimates and comparisons that need no exactness.
    pub fn as_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// The fraction divided by a whole number of at least 1.
    pub fn over(self, by: u32) -> Self {
        let by = i64::from(by.max(1));
        if self.num % by == 0 {
            Self { num: self.num / by, den: self.den }
        } else {
            Self { num: self.num, den: self.den.saturating_mul(by) }
        }
    }

    /// `count * self * per`, to the nearest whole number, halves away from zero (as ffmpeg rounds
    /// when it changes a time base); saturates.
    ///
    /// With a time base this turns its units into units of which there are `per` a second.
    pub fn scale(self, count: i64, per: u64) -> i64 {
        let num = i128::from(count) * i128::from(self.num) * i128::from(per);
        round_div(num, i128::from(self.den))
    }
}

/// `num / den` to nearest, halves away from zero, saturating; `den` is positive.
fn round_div(num: i128, den: i128) -> i64 {
    let half = den / 2;
    let rounded = if num >= 0 { (num + half) / den } else { (num - half) / den };
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// The text is not a positive fraction.
#[derive(Debug, thiserror::Error)]
#[error("not a positive fraction: {0:?}")]
pub struct NotAFraction(String);

impl TryFrom<String> for Rational {
    type Error = NotAFraction;

    fn try_from(text: String) -> Result<Self, NotAFraction> {
        Self::parse(&text).ok_or(NotAFraction(text))
    }
}

impl From<Rational> for String {
    fn from(value: Rational) -> Self {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_to_the_nearest_tick_halves_away_from_zero() {
        let base = Rational::parse("1/12288").unwrap();
        assert_eq!(base.scale(512, 90_000), 3750);
        assert_eq!(Rational::parse("1/180000").unwrap().scale(1, 90_000), 1);
        assert_eq!(Rational::parse("1/180000").unwrap().scale(-1, 90_000), -1);
        assert_eq!(Rational::parse("1/1").unwrap().scale(i64::MAX, 90_000), i64::MAX);
    }

    #[test]
    fn zeros_and_negatives_are_no_fractions() {
        for text in ["0/0", "0/1", "1/0", "-1/1", "1/-1", "", "1", "a/b"] {
            assert_eq!(Rational::parse(text), None, "{text}");
        }
    }
}
