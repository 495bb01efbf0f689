//! The percentile bootstrap over seeds (Efron & Tibshirani 1993, chapter 13).

use rand::Rng;

use super::{Ends, Sample};
use crate::tool::streams;

/// How a bootstrap draws: the same name gives the same interval, wherever it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling<'a> {
    /// How many times the seeds are drawn again, with replacement.
    pub resamples: usize,
    /// Names the random stream.
    pub purpose: &'a str,
}

/// The percentile interval of the mean over resampled seeds; `None` with fewer than two values or no resamples.
///
/// With few seeds it is **too narrow**: a nominal 95 % interval over 5 normal values covers the true mean 84 times in 100
/// (the suite's simulation shows it), over 10 values 90 times, over 20 values 93. It needs no normal distribution, so it
/// stands beside the t interval as a second look, and decides nothing.
pub fn bootstrap_interval(sample: &Sample, confidence: f64, how: Resampling<'_>) -> Option<Ends> {
    if sample.n() < 2 || how.resamples == 0 {
        return None;
    }
    let mut random = streams::named(0, how.purpose, 0);
    let n = sample.n() as u32;
    let mut mean = || (0..n).map(|_| sample.values()[random.random_range(0..n) as usize]).sum::<f64>() / f64::from(n);
    let mut means: Vec<f64> = (0..how.resamples).map(|_| mean()).collect();
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some(Ends { low: quantile(&means, tail), high: quantile(&means, 1.0 - tail) })
}

/// The quantile of sorted values, linear between them (type 7 of Hyndman & Fan 1996, numpy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, rest) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + rest * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_equal_numpys() {
        // np.quantile([1, 2, 4, 8, 16], [0, .1, .5, .9, 1])
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (share, expected) in [(0.0, 1.0), (0.1, 1.4), (0.5, 4.0), (0.9, 12.8), (1.0, 16.0)] {
            assert!((quantile(&values, share) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn it_comes_near_the_exact_distribution_of_all_resamples() {
        // All 5^5 resamples of x = [.41, .53, .38, .47, .62], enumerated:
        // np.quantile([np.mean(r) for r in itertools.product(x, repeat=5)], [.025, .975])
        let x = Sample::new(vec![0.41, 0.53, 0.38, 0.47, 0.62]).expect("finite");
        let ends = bootstrap_interval(&x, 0.95, Resampling { resamples: 20_000, purpose: "test" }).expect("five values");
        assert!((ends.low - 0.41).abs() < 0.004 && (ends.high - 0.56).abs() < 0.004, "{ends:?}");
    }

    #[test]
    fn the_same_name_gives_the_same_interval_and_another_another() {
        let x = Sample::new(vec![0.1, 0.2, 0.4, 0.8]).expect("finite");
        let run = |purpose| bootstrap_interval(&x, 0.9, Resampling { resamples: 999, purpose });
        assert_eq!(run("a"), run("a"));
        assert_ne!(run("a"), run("b"));
    }

    #[test]
    fn one_value_has_no_interval() {
        let x = Sample::new(vec![0.1]).expect("finite");
        assert_eq!(bootstrap_interval(&x, 0.95, Resampling { resamples: 10, purpose: "test" }), None);
    }
}
