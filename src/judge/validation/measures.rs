//! Agreement, ranking and calibration of ratings (0 to 1) against labels.

use serde::Serialize;

use super::Brier;
use crate::tool::statistics::normal_quantile;

const CONFIDENCE: f64 = 0.95;

/// A share with its 95 % interval, the number of rows behind it, and what chance would give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// The share.
    pub mean: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// Rows.
    pub n: usize,
    /// What chance would give.
    pub chance: f64,
}

/// Rows whose ratings lie close together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// The least rating, on a scale of 0 to 1.
    pub from: f64,
    /// Below this, in the last bin up to it.
    pub to: f64,
    /// Rows.
    pub n: usize,
    /// Their mean rating; `None` without rows.
    pub rating: Option<f64>,
    /// Their share of yes.
    pub positive: Option<f64>,
}

/// How often rating and label say the same.
pub(super) fn agreement(pairs: &[(f64, bool)]) -> Option<Share> {
    let n = pairs.len();
    if n == 0 {
        return None;
    }
    let agree = pairs.iter().filter(|(rating, label)| (*rating >= 0.5) == *label).count();
    let positive = pairs.iter().filter(|(_, label)| *label).count();
    let mean = agree as f64 / n as f64;
    let variance = |p: f64| p * (1.0 - p) / n as f64;
    let (low, high) = score_interval(mean, variance); // Wilson's
    Some(Share { mean, low, high, n, chance: positive.max(n - positive) as f64 / n as f64 })
}

/// The area under the ROC curve, with Newcombe's interval (Statistics in Medicine 25, 2006, method 5): the Hanley–McNeil variance at the
/// hypothetical area, with both groups' sizes replaced by their mean.
pub(super) fn auroc(pairs: &[(f64, bool)]) -> Option<Share> {
    let of = |label: bool| pairs.iter().filter(move |pair| pair.1 == label).map(|pair| pair.0);
    let (yes, no): (Vec<f64>, Vec<f64>) = (of(true).collect(), of(false).collect());
    if yes.is_empty() || no.is_empty() {
        return None;
    }
    let won = |y: f64| {
        no.iter()
            .map(|n| {
                if y > *n {
                    1.0
                } else if y == *n {
                    0.5
                } else {
                    0.0
                }
            })
            .sum::<f64>()
    };
    let product = (yes.len() * no.len()) as f64;
    let mean = yes.iter().map(|y| won(*y)).sum::<f64>() / product;
    let others = (yes.len() + no.len()) as f64 / 2.0 - 1.0;
    let variance = |a: f64| a * (1.0 - a) * (1.0 + others * (1.0 - a) / (2.0 - a) + others * a / (1.0 + a)) / product;
    let (low, high) = score_interval(mean, variance);
    Some(Share { mean, low, high, n: pairs.len(), chance: 0.5 })
}

/// All values between 0 and 1 from which `mean` is no further than their own standard deviation allows.
fn score_interval(mean: f64, variance: impl Fn(f64) -> f64) -> (f64, f64) {
    let z = normal_quantile(CONFIDENCE);
    let outside = |p: f64| (p - mean).abs() > z * variance(p).sqrt();
    let search = |mut out: f64, mut inside: f64| {
        if !outside(out) {
            return out;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(out, inside);
            if outside(middle) { out = middle } else { inside = middle }
        }
        inside
    };
    (search(0.0, mean), search(1.0, mean))
}

pub(super) fn brier(pairs: &[(f64, bool)]) -> Option<Brier> {
    let n = pairs.len() as f64;
    let mean = pairs.iter().map(|(rating, label)| (rating - f64::from(*label)).powi(2)).sum::<f64>() / n;
    let positive = pairs.iter().filter(|(_, label)| *label).count() as f64 / n;
    (!pairs.is_empty()).then_some(Brier { mean, chance: positive * (1.0 - positive) })
}

/// Equal stretches of the scale.
pub(super) fn bins(pairs: &[(f64, bool)], bins: usize) -> Vec<Bin> {
    let place = |rating: f64| ((rating * bins as f64) as usize).min(bins - 1);
    let bin = |i: usize| {
        let inside: Vec<&(f64, bool)> = pairs.iter().filter(|pair| place(pair.0) == i).collect();
        let share = |sum: f64| (!inside.is_empty()).then(|| sum / inside.len() as f64);
        Bin {
            from: i as f64 / bins as f64,
            to: (i + 1) as f64 / bins as f64,
            n: inside.len(),
            rating: share(inside.iter().map(|pair| pair.0).sum()),
            positive: share(inside.iter().filter(|pair| pair.1).count() as f64),
        }
    };
    (0..bins).map(bin).collect()
}

/// The expected calibration error.
pub(super) fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let n: usize = bins.iter().map(|bin| bin.n).sum();
    let error = |bin: &Bin| Some(bin.n as f64 * (bin.rating? - bin.positive?).abs());
    (n > 0).then(|| bins.iter().filter_map(error).sum::<f64>() / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: [(f64, bool); 8] =
        [(0.9, true), (0.8, true), (0.4, true), (0.4, false), (0.1, false), (0.7, false), (0.2, false), (1.0, true)];

    #[test]
    fn agreement_has_wilsons_interval() {
        let share = agreement(&PAIRS).unwrap();
        assert_eq!((share.mean, share.n, share.chance), (0.75, 8, 0.5));
        let (p, n, z) = (0.75_f64, 8.0, 1.959_963_984_540_054_f64);
        let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / (1.0 + z * z / n);
        assert!((share.low - (centre - half)).abs() < 1e-9 && (share.high - (centre + half)).abs() < 1e-9, "{share:?}");
        assert_eq!(agreement(&[]), None);
    }

    #[test]
    fn auroc_counts_won_pairs_and_ties_half() {
        let share = auroc(&PAIRS).unwrap();
        assert_eq!(share.mean, (4.0 + 4.0 + 2.5 + 4.0) / 16.0);
        assert!(share.low > 0.4 && share.low < 0.7 && share.high > 0.95 && share.high < 1.0, "{share:?}");
        let perfect = auroc(&[(0.9, true), (0.8, true), (0.1, false), (0.2, false)]).unwrap();
        assert!((perfect.mean, perfect.high) == (1.0, 1.0) && perfect.low > 0.2 && perfect.low < 0.8, "{perfect:?}");
        assert_eq!(auroc(&[(0.9, true)]), None);
    }

    #[test]
    fn calibration_compares_ratings_with_labels_bin_by_bin() {
        let bins = bins(&PAIRS, 5);
        assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [1, 1, 2, 1, 3]);
        assert_eq!((bins[2].rating, bins[2].positive), (Some(0.4), Some(0.5)));
        let error = calibration_error(&bins).unwrap();
        assert!((error - (0.1 + 0.2 + 0.2 + 0.7 + 0.3) / 8.0).abs() < 1e-12, "{error}");
        let Brier { mean, chance } = brier(&PAIRS).unwrap();
        assert!((mean - (0.01 + 0.04 + 0.36 + 0.16 + 0.01 + 0.49 + 0.04) / 8.0).abs() < 1e-12 && chance == 0.25, "{mean}");
    }
}
