//! How many seeds a paired t test needs.

use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, Normal};

use super::t_quantile;

/// The search for a number of seeds ends here.
pub const MOST_SEEDS: usize = 1000;

/// The power of a two-sided paired t test with `n` seeds at confidence `1 − α`, where the true mean difference is `effect`
/// standard deviations.
///
/// The test statistic is noncentral t with n − 1 degrees of freedom and noncentrality `effect · √n` (Cohen 1988, chapter 2;
/// Johnson, Kotz & Balakrishnan 1995, chapter 31): a normal over an independent `√(χ²/ν)`, integrated here over the latter.
/// 0 with fewer than two seeds.
pub fn paired_power(effect: f64, n: usize, confidence: f64) -> f64 {
    let freedom = n.saturating_sub(1) as f64;
    let (Some(critical), Ok(chi2), Ok(normal)) =
        (t_quantile(confidence, n.saturating_sub(1)), ChiSquared::new(freedom), Normal::new(0.0, 1.0))
    else {
        return 0.0;
    };
    let shift = effect.abs() * (n as f64).sqrt();
    let beyond = |s: f64| normal.cdf(shift - critical * s) + normal.cdf(-shift - critical * s);
    // s = √(χ²/ν) has density 2 ν s · pdf(ν s²); ten standard deviations (about 1/√(2ν)) above 1 nothing is left.
    let density = |s: f64| 2.0 * freedom * s * chi2.pdf(freedom * s * s);
    let end = 1.0 + 10.0 / (2.0 * freedom).sqrt();
    simpson(|s| beyond(s) * density(s), end).clamp(0.0, 1.0)
}

/// The least number of seeds, 2 to [`MOST_SEEDS`], that gives `power` for a mean difference of `difference` with standard
/// deviation `sd` over seeds, in a two-sided paired t test at 5 %. `None` where more would be needed or there is no difference.
///
/// `sd` is itself an estimate: from five seeds it is off by a third as a rule, and the number of seeds by its square.
pub fn seeds_for_power(difference: f64, sd: f64, power: f64) -> Option<usize> {
    if difference == 0.0 || !difference.is_finite() || !sd.is_finite() {
        return None;
    }
    if sd == 0.0 {
        return Some(2);
    }
    let enough = |n: usize| paired_power(difference / sd, n, 0.95) >= power;
    if !enough(MOST_SEEDS) {
        return None;
    }
    let (mut below, mut at) = (1, MOST_SEEDS); // power grows with n: `at` is always enough, `below` never
    while at - below > 1 {
        let middle = usize::midpoint(below, at);
        if enough(middle) { at = middle } else { below = middle }
    }
    Some(at)
}

/// Simpson's rule from just above 0 (where a density with one degree of freedom is not defined) to `end`.
fn simpson(f: impl Fn(f64) -> f64, end: f64) -> f64 {
    const PIECES: usize = 2000;
    let (start, step) = (1e-9, (end - 1e-9) / PIECES as f64);
    let weight = |i: usize| match i {
        0 | PIECES => 1.0,
        _ if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=PIECES).map(|i| weight(i) * f(start + step * i as f64)).sum::<f64>() * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_equals_scipys_noncentral_t() {
        // from scipy.stats import t, nct
        // f = lambda d, n: nct.sf(t.ppf(.975, n-1), n-1, d*n**.5) + nct.cdf(-t.ppf(.975, n-1), n-1, d*n**.5)
        for (effect, n, expected) in [
            (1.0, 2, 0.092_809_155_056),
            (1.0, 5, 0.401_389_917_372),
            (2.0, 5, 0.908_884_868_101),
            (0.5, 30, 0.753_964_715_744),
            (0.0, 7, 0.05),
            (0.3, 90, 0.803_794_296_893),
        ] {
            let power = paired_power(effect, n, 0.95);
            assert!((power - expected).abs() < 1e-6, "{effect} {n}: {power}");
        }
    }

    #[test]
    fn seeds_are_the_first_number_with_enough_power() {
        // the first n with f(d, n) >= .8, f as above
        for (effect, expected) in [(8.0, 3), (3.0, 4), (2.0, 5), (1.0, 10), (0.5, 34), (0.2, 199)] {
            assert_eq!(seeds_for_power(effect, 1.0, 0.8), Some(expected), "{effect}");
        }
    }

    #[test]
    fn no_difference_needs_more_than_any_number() {
        assert_eq!(seeds_for_power(0.0, 1.0, 0.8), None);
        assert_eq!(seeds_for_power(0.01, 1.0, 0.8), None);
        assert_eq!(seeds_for_power(0.1, 0.0, 0.8), Some(2));
        assert_eq!(paired_power(1.0, 1, 0.95), 0.0);
    }
}
