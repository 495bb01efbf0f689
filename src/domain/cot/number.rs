//! Exact numbers, so that 0.5 and 1/2 are one, and a third is a third.

use std::fmt;
use std::ops::{Add, Div, Mul, Sub};

/// A fraction in lowest terms with a positive denominator. Its own operations are for the small numbers of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    numerator: i128,
    denominator: i128,
}

/// The most decimals that are written out; what needs more is written as a fraction.
const MOST_DECIMALS: u32 = 4;

impl Number {
    /// `numerator` / `denominator`; `None` where the latter is zero.
    pub(super) fn fraction(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let shared = greatest_divisor(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128 * denominator.signum();
        Some(Self { numerator: numerator / shared, denominator: denominator / shared })
    }

    /// Its integer part, towards zero.
    pub(super) fn whole(self) -> i128 {
        self.numerator / self.denominator
    }

    /// The same below zero.
    pub(super) fn negated(self) -> Self {
        Self { numerator: -self.numerator, ..self }
    }

    fn of(numerator: i128, denominator: i128) -> Self {
        Self::fraction(numerator, denominator).expect("a problem divides by no zero")
    }
}

fn greatest_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self { numerator: integer.into(), denominator: 1 }
    }
}

impl Add for Number {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let numerator = self.numerator * other.denominator + other.numerator * self.denominator;
        Self::of(numerator, self.denominator * other.denominator)
    }
}

impl Sub for Number {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let numerator = self.numerator * other.denominator - other.numerator * self.denominator;
        Self::of(numerator, self.denominator * other.denominator)
    }
}

impl Mul for Number {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::of(self.numerator * other.numerator, self.denominator * other.denominator)
    }
}

impl Div for Number {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self::of(self.numerator * other.denominator, self.denominator * other.numerator)
    }
}

/// An integer, else decimals if a few are enough, else a fraction.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |decimals: &u32| 10i128.pow(*decimals) % self.denominator == 0;
        match (0..=MOST_DECIMALS).find(exact) {
            Some(0) => write!(f, "{}", self.numerator),
            Some(decimals) => {
                let scale = 10i128.pow(decimals);
                let scaled = (self.numerator * (scale / self.denominator)).unsigned_abs();
                let (whole, rest) = (scaled / scale.unsigned_abs(), scaled % scale.unsigned_abs());
                let sign = if self.numerator < 0 { "-" } else { "" };
                write!(f, "{sign}{whole}.{rest:0width$}", width = decimals as usize)
            }
            None => write!(f, "{}/{}", self.numerator, self.denominator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numerator: i128, denominator: i128) -> Number {
        Number::fraction(numerator, denominator).unwrap()
    }

    #[test]
    fn numbers_are_exact_and_in_lowest_terms() {
        assert_eq!(of(6, -4), of(-3, 2));
        assert_eq!(of(1, 3) + of(1, 6), of(1, 2));
        assert_eq!(of(1, 3) - of(1, 3), Number::from(0));
        assert_eq!(of(2, 3) * of(3, 4), of(1, 2));
        assert_eq!(Number::from(1) / of(-2, 3), of(-3, 2));
        assert_eq!(Number::fraction(1, 0), None);
    }

    #[test]
    fn they_are_written_as_short_as_is_exact() {
        for ((numerator, denominator), text) in [
            ((84, 2), "42"),
            ((-7, 1), "-7"),
            ((27, 4), "6.75"),
            ((-1, 8), "-0.125"),
            ((1, 20), "0.05"),
            ((2, 3), "2/3"),
            ((-9, 7), "-9/7"),
            ((1, 32), "1/32"),
        ] {
            assert_eq!(of(numerator, denominator).to_string(), text);
        }
    }
}
