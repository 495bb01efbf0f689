//! Two-sided tests of "the mean difference is zero", from one difference per seed.

use rand::Rng;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Sample;
use crate::tool::streams;

/// Up to this many seeds every assignment of signs is counted.
pub const EXACT_SEEDS: usize = 20;

/// Sign assignments drawn beyond [`EXACT_SEEDS`].
const DRAWS: usize = 100_000;

/// The paired t test; `None` with fewer than two seeds. Equal differences leave it without spread: where they are all zero
/// the p value is 1, else the test is undefined and `None`.
pub fn paired_t_test(differences: &Sample) -> Option<f64> {
    let sd = differences.sd()?;
    if sd == 0.0 {
        return differences.same(differences.mean(), 0.0).then_some(1.0);
    }
    let t = differences.mean() / (sd / (differences.n() as f64).sqrt());
    let student = StudentsT::new(0.0, 1.0, (differences.n() - 1) as f64).ok()?;
    Some((2.0 * student.cdf(-t.abs())).min(1.0))
}

/// The sign-flip permutation test (Fisher 1935, section 21): the share of sign assignments whose sum is at least as far
/// from zero as the one seen. All 2^n of them up to [`EXACT_SEEDS`], so its least value is 2^(1 − n); beyond, the draws of
/// the named stream, with the seen assignment counted among them (Phipson & Smyth 2010). `None` with fewer than two seeds.
pub fn sign_flip_test(differences: &Sample, purpose: &str) -> Option<f64> {
    match differences.n() {
        0 | 1 => None,
        n if n <= EXACT_SEEDS => Some(all_flips(differences)),
        _ => Some(drawn_flips(differences, purpose)),
    }
}

/// Walks through the 2^(n − 1) assignments that leave the last sign alone (the others mirror them), one flip a step.
fn all_flips(differences: &Sample) -> f64 {
    let values = differences.values();
    let mut signs = vec![1.0; values.len()];
    let mut sum: f64 = values.iter().sum();
    let seen = sum;
    let (mut as_far, total) = (0_u32, 1_u32 << (values.len() - 1));
    for step in 1..=total {
        as_far += u32::from(at_least(differences, sum, seen));
        let flip = step.trailing_zeros() as usize; // Gray code: each assignment once
        if step < total {
            signs[flip] = -signs[flip];
            sum += 2.0 * signs[flip] * values[flip];
        }
    }
    f64::from(as_far) / f64::from(total)
}

fn drawn_flips(differences: &Sample, purpose: &str) -> f64 {
    let values = differences.values();
    let seen: f64 = values.iter().sum();
    let mut random = streams::named(0, purpose, 0);
    let mut sum = || values.iter().map(|v| if random.random::<bool>() { *v } else { -v }).sum::<f64>();
    let as_far = (0..DRAWS).filter(|_| at_least(differences, sum(), seen)).count();
    (as_far + 1) as f64 / (DRAWS + 1) as f64
}

/// Whether `|sum|` reaches `|seen|`; a tie that rounding tore apart is a tie.
fn at_least(differences: &Sample, sum: f64, seen: f64) -> bool {
    sum.abs() >= seen.abs() || differences.same(sum.abs() / differences.n() as f64, seen.abs() / differences.n() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).expect("finite values")
    }

    #[test]
    fn the_t_test_equals_scipys() {
        // scipy.stats.ttest_1samp([.12, .05, -.02, .09, .11], 0).pvalue
        let p = paired_t_test(&sample(&[0.12, 0.05, -0.02, 0.09, 0.11])).expect("five values");
        assert!((p - 0.051_605_957_811_174_75).abs() < 1e-9, "{p}");
    }

    #[test]
    fn the_permutation_test_equals_scipys_and_a_count_by_hand() {
        // scipy.stats.permutation_test(([.12, .05, -.02, .09, .11],), np.mean, permutation_type="samples").pvalue
        // By hand: the sum .35 is reached by the assignment seen and by the one with -.02 turned (.39): 2 · 2 of 32.
        let p = sign_flip_test(&sample(&[0.12, 0.05, -0.02, 0.09, 0.11]), "test").expect("five values");
        assert!((p - 4.0 / 32.0).abs() < 1e-12, "{p}");
    }

    #[test]
    fn five_seeds_on_one_side_give_the_least_p_value() {
        assert_eq!(sign_flip_test(&sample(&[0.1, 0.2, 0.3, 0.1, 0.4]), "test"), Some(2.0_f64.powi(-4)));
        assert_eq!(sign_flip_test(&sample(&[-0.1, -0.1]), "test"), Some(0.5));
    }

    #[test]
    fn draws_agree_with_the_count_of_all() {
        let values: Vec<f64> = (0..18).map(|i| f64::from(i) / 10.0 - 0.6).collect();
        let exact = all_flips(&sample(&values));
        let drawn = drawn_flips(&sample(&values), "test");
        assert!((exact - drawn).abs() < 0.005, "{exact} {drawn}"); // 3 standard errors of 100,000 draws at p = .1: .003
        assert_eq!(drawn, drawn_flips(&sample(&values), "test"));
    }

    #[test]
    fn without_spread_there_is_no_t_test_unless_nothing_differs() {
        assert_eq!(paired_t_test(&sample(&[0.1, 0.1, 0.1])), None);
        assert_eq!(paired_t_test(&sample(&[0.0, 0.0, 0.0])), Some(1.0));
        assert_eq!(sign_flip_test(&sample(&[0.0, 0.0, 0.0]), "test"), Some(1.0));
        assert_eq!(paired_t_test(&sample(&[0.1])), None);
        assert_eq!(sign_flip_test(&sample(&[0.1]), "test"), None);
    }
}
