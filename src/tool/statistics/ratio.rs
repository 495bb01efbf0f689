//! The ratio of two means that come in pairs, with Fieller's interval.
//!
//! Fieller (1954): `mean(a − θ b)` has a t statistic for every θ, so the interval is all θ for which the paired t test does
//! not reject `mean a = θ · mean b`. For normal pairs, correlated or not, it covers exactly as often as it says, at any n.
//! A t interval of per-seed log ratios was not taken: it is about the geometric mean of ratios, not the ratio of means, and
//! one seed with a rate of 0 undoes it.

use super::{Paired, Sample, t_quantile};

/// An interval of a ratio of two quantities that are never negative. An end is absent where the pairs set no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioEnds {
    /// The lower end, 0 or more.
    pub low: f64,
    /// The upper end; `None` where the second mean cannot be told from 0, so that no ratio is too large.
    pub high: Option<f64>,
}

/// Fieller's interval of `mean(first) / mean(second)` for quantities that are never negative; `None` with fewer than two pairs.
pub fn ratio_interval(pairs: &Paired, confidence: f64) -> Option<RatioEnds> {
    let n = pairs.first.n() as f64;
    let t2 = t_quantile(confidence, pairs.first.n() - 1)?.powi(2);
    let (a, b) = (pairs.first.mean(), pairs.second.mean());
    let noise = |x: &Sample, y: &Sample| t2 * covariance(x, y) / n;
    // The accepted θ satisfy square · θ² − 2 · middle · θ + constant ≤ 0.
    let square = b * b - noise(&pairs.second, &pairs.second);
    let middle = a * b - noise(&pairs.first, &pairs.second);
    let constant = a * a - noise(&pairs.first, &pairs.first);
    Some(solve(square, middle, constant))
}

fn solve(square: f64, middle: f64, constant: f64) -> RatioEnds {
    let root = (middle * middle - square * constant).max(0.0).sqrt();
    // constant / (middle + root) is the root (middle − root) / square, in a form that bears square = 0. It is no lower end
    // where the first mean may be 0 (constant ≤ 0).
    let low = if constant > 0.0 && middle + root > 0.0 { constant / (middle + root) } else { 0.0 };
    let high = (square > 0.0).then(|| ((middle + root) / square).max(0.0));
    RatioEnds { low, high }
}

fn covariance(x: &Sample, y: &Sample) -> f64 {
    let (mx, my) = (x.mean(), y.mean());
    let sum: f64 = x.values().iter().zip(y.values()).map(|(a, b)| (a - mx) * (b - my)).sum();
    sum / (x.n() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::statistics::paired_t_test;

    fn pairs(values: &[(f64, f64)]) -> Paired {
        Paired::new(values).expect("finite values")
    }

    #[test]
    fn the_ends_are_where_the_paired_t_test_turns() {
        let data = [(0.46, 0.05), (0.52, 0.06), (0.38, 0.04), (0.57, 0.07), (0.49, 0.05)];
        let ends = ratio_interval(&pairs(&data), 0.95).expect("five pairs");
        let high = ends.high.expect("the control's rate is clear of zero");
        assert!(ends.low < 8.96 && 8.96 < high, "{ends:?}");
        for theta in [ends.low, high] {
            let differences = Sample::new(data.iter().map(|(a, b)| a - theta * b).collect()).expect("finite");
            let p = paired_t_test(&differences).expect("five values");
            assert!((p - 0.05).abs() < 1e-6, "{theta}: {p}");
        }
    }

    #[test]
    fn equals_fiellers_formula_worked_by_hand() {
        // first 2, 4 (mean 3, variance 2), second 1, 1 (mean 1, variance 0): the ratio is the first mean, 3 ± t(1) · √(2/2).
        let ends = ratio_interval(&pairs(&[(20.0, 1.0), (22.0, 1.0)]), 0.95).expect("two pairs");
        assert!((ends.low - (21.0 - 12.706_204_736)).abs() < 1e-6, "{ends:?}");
        assert!((ends.high.expect("bounded") - (21.0 + 12.706_204_736)).abs() < 1e-6);
    }

    #[test]
    fn a_second_mean_that_may_be_zero_sets_no_upper_limit() {
        let ends = ratio_interval(&pairs(&[(0.5, 0.0), (0.55, 0.001), (0.6, 0.0)]), 0.95).expect("three pairs");
        assert_eq!(ends.high, None);
        assert!(ends.low > 50.0, "even the highest plausible control rate leaves a large ratio: {ends:?}");
        let nothing = ratio_interval(&pairs(&[(0.0, 0.0), (0.01, 0.02)]), 0.95).expect("two pairs");
        assert_eq!(nothing, RatioEnds { low: 0.0, high: None });
    }

    #[test]
    fn equal_pairs_give_a_point_and_one_pair_nothing() {
        let ends = ratio_interval(&pairs(&[(0.4, 0.1), (0.4, 0.1)]), 0.95).expect("two pairs");
        assert!((ends.low - 4.0).abs() < 1e-6 && (ends.high.expect("bounded") - 4.0).abs() < 1e-6);
        assert_eq!(ratio_interval(&pairs(&[(0.4, 0.1)]), 0.95), None);
    }
}
