//! What the intervals cover, by simulation: seeded, so each share is the same number on every machine.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::{Paired, Resampling, Sample, bootstrap_interval, paired_power, paired_t_test, ratio_interval};
use crate::tool::streams;

const TRIALS: usize = 20_000;

/// Standard normal draws, by the inverse of the distribution function.
fn normals(random: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
    let normal = Normal::new(0.0, 1.0).expect("standard normal");
    (0..n).map(|_| normal.inverse_cdf(random.random_range(1e-12..1.0))).collect()
}

/// The share of `trials` in which `covers` says yes; each trial has its own stream.
fn share(trials: usize, purpose: &str, mut covers: impl FnMut(&mut ChaCha8Rng) -> bool) -> f64 {
    let hits = (0..trials).filter(|i| covers(&mut streams::named(1, purpose, *i as u64))).count();
    hits as f64 / trials as f64
}

fn within(nominal: f64, seen: f64, what: &str) {
    assert!((seen - nominal).abs() < 0.01, "{what}: covered {seen}, nominal {nominal}");
}

#[test]
fn a_t_interval_covers_as_often_as_it_says() {
    for (n, confidence) in [(2, 0.95), (5, 0.95), (5, 0.9), (12, 0.95)] {
        let seen = share(TRIALS, "t", |random| {
            let values = normals(random, n).iter().map(|z| 0.3 + 0.05 * z).collect();
            let ends = Sample::new(values).expect("finite").t_interval(confidence).expect("two or more");
            ends.low <= 0.3 && 0.3 <= ends.high
        });
        within(confidence, seen, &format!("t interval, n = {n}"));
    }
}

/// Treatment .4 ± .06 and control .05 ± .01, correlated at .5 through the seed.
fn correlated_pairs(random: &mut ChaCha8Rng, n: usize) -> Paired {
    let (shared, first, second) = (normals(random, n), normals(random, n), normals(random, n));
    let mix = |s: f64, own: f64| 0.5_f64.sqrt() * (s + own);
    let pairs: Vec<(f64, f64)> =
        (0..n).map(|i| (0.4 + 0.06 * mix(shared[i], first[i]), 0.05 + 0.01 * mix(shared[i], second[i]))).collect();
    Paired::new(&pairs).expect("finite")
}

#[test]
fn a_paired_difference_covers_as_often_as_it_says() {
    let seen = share(TRIALS, "paired", |random| {
        let ends = correlated_pairs(random, 5).differences().t_interval(0.95).expect("five pairs");
        ends.low <= 0.35 && 0.35 <= ends.high
    });
    within(0.95, seen, "paired difference, n = 5");
}

#[test]
fn a_ratio_covers_as_often_as_it_says_for_normal_pairs() {
    for n in [3, 5, 10] {
        let seen = share(TRIALS, "ratio", |random| {
            let ends = ratio_interval(&correlated_pairs(random, n), 0.95).expect("pairs");
            ends.low <= 8.0 && ends.high.is_none_or(|high| 8.0 <= high)
        });
        within(0.95, seen, &format!("Fieller's interval, n = {n}"));
    }
}

#[test]
fn a_ratio_of_skewed_rates_covers_almost_as_often_as_it_says() {
    // Log-normal rates with a spread of 40 % (a few times what students of one recipe show): exp(σ²/2) cancels in the ratio.
    let seen = share(TRIALS, "skewed", |random| {
        let (first, second) = (normals(random, 5), normals(random, 5));
        let pairs: Vec<(f64, f64)> =
            first.iter().zip(&second).map(|(a, b)| (0.4 * (0.4 * a).exp(), 0.05 * (0.4 * b).exp())).collect();
        let ends = ratio_interval(&Paired::new(&pairs).expect("finite"), 0.95).expect("five pairs");
        ends.low <= 8.0 && ends.high.is_none_or(|high| 8.0 <= high)
    });
    assert!((0.92..0.97).contains(&seen), "Fieller's interval of skewed rates: {seen}");
}

#[test]
fn a_bootstrap_over_few_seeds_covers_less_than_it_says() {
    for (n, expected) in [(5, 0.84), (10, 0.90), (20, 0.93)] {
        let seen = share(4000, "bootstrap", |random| {
            let sample = Sample::new(normals(random, n)).expect("finite");
            let purpose = format!("coverage {}", random.random::<u64>());
            let ends = bootstrap_interval(&sample, 0.95, Resampling { resamples: 1000, purpose: &purpose }).expect("two or more");
            ends.low <= 0.0 && 0.0 <= ends.high
        });
        assert!((seen - expected).abs() < 0.02, "bootstrap, n = {n}: covered {seen}, documented {expected}");
    }
}

#[test]
fn a_test_of_nothing_rejects_one_time_in_twenty_and_power_is_as_computed() {
    for effect in [0.0, 1.0, 2.0] {
        let seen = share(TRIALS, "power", |random| {
            let values = normals(random, 5).iter().map(|z| z + effect).collect();
            paired_t_test(&Sample::new(values).expect("finite")).is_some_and(|p| p < 0.05)
        });
        within(paired_power(effect, 5, 0.95), seen, &format!("power at {effect} standard deviations"));
    }
}
