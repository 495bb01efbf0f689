//! One value per seed, or a pair of values per seed, and the t interval of the mean.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::error::{Error, Result};

/// Spread below this share of the values' size is what rounding leaves of none at all.
const ROUNDING: f64 = 1e-12;

/// The lower and the upper end of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// At least one finite value, one per seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
    /// The largest size among the numbers that the values were made from: the measure of rounding.
    scale: f64,
}

impl Sample {
    /// Checks the values.
    ///
    /// # Errors
    /// If there is none, or one is infinite or not a number.
    pub fn new(values: Vec<f64>) -> Result<Self> {
        if values.is_empty() {
            return Err(Error::input("statistics need at least one value, got none"));
        }
        if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::input(format!("`{bad}` is among the values of a statistic, expected finite numbers"))
                .hint("a model that answers with NaN has diverged: lower its learning rate"));
        }
        let scale = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        Ok(Self { values, scale })
    }

    /// The values, in the order they came.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many.
    pub fn n(&self) -> usize {
        self.values.len()
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.n() as f64
    }

    /// The standard deviation with n − 1 in the denominator; exactly 0 where the values differ by rounding alone, `None`
    /// with fewer than two values.
    pub fn sd(&self) -> Option<f64> {
        if self.n() < 2 {
            return None;
        }
        let mean = self.mean();
        let squares: f64 = self.values.iter().map(|v| (v - mean).powi(2)).sum();
        let sd = (squares / (self.n() - 1) as f64).sqrt();
        Some(if sd <= ROUNDING * self.scale { 0.0 } else { sd })
    }

    /// The t interval of the mean, `mean ± t(n − 1) · sd / √n` (Student 1908); `None` with fewer than two values. Where all
    /// values are equal it is a point: the spread over seeds then says nothing about certainty.
    pub fn t_interval(&self, confidence: f64) -> Option<Ends> {
        let half = t_quantile(confidence, self.n() - 1)? * self.sd()? / (self.n() as f64).sqrt();
        Some(Ends { low: self.mean() - half, high: self.mean() + half })
    }

    /// Whether `a` and `b` are equal but for rounding, measured by the values' size.
    pub(super) fn same(&self, a: f64, b: f64) -> bool {
        (a - b).abs() <= ROUNDING * self.scale
    }
}

/// Two values per seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Paired {
    /// The values of the first arm.
    pub first: Sample,
    /// The values of the second arm, seed by seed beside the first.
    pub second: Sample,
}

impl Paired {
    /// Checks the pairs.
    ///
    /// # Errors
    /// If there is none, or a value is infinite or not a number.
    pub fn new(pairs: &[(f64, f64)]) -> Result<Self> {
        let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Ok(Self { first: Sample::new(first)?, second: Sample::new(second)? })
    }

    /// First minus second, seed by seed.
    pub fn differences(&self) -> Sample {
        let values = self.first.values.iter().zip(&self.second.values).map(|(a, b)| a - b).collect();
        Sample { values, scale: self.first.scale.max(self.second.scale) }
    }
}

/// The quantile of Student's t that leaves `1 − confidence` in both tails together; `None` without a degree of freedom.
pub fn t_quantile(confidence: f64, freedom: usize) -> Option<f64> {
    let t = StudentsT::new(0.0, 1.0, freedom as f64).ok()?;
    Some(t.inverse_cdf(0.5 + confidence / 2.0))
}

/// The quantile of the standard normal that leaves `1 − confidence` in both tails together.
pub fn normal_quantile(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + confidence / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).expect("finite values")
    }

    #[test]
    fn mean_sd_and_t_interval_equal_scipys() {
        // scipy.stats.t.interval(0.95, 4, np.mean(x), scipy.stats.sem(x)) for x = [.41, .53, .38, .47, .62]
        let x = sample(&[0.41, 0.53, 0.38, 0.47, 0.62]);
        let ends = x.t_interval(0.95).expect("five values");
        assert!((x.mean() - 0.482).abs() < 1e-12);
        assert!((x.sd().expect("five values") - 0.096_280_839_215_287_28).abs() < 1e-12);
        assert!(
            (ends.low - 0.362_451_548_229_532_57).abs() < 1e-9 && (ends.high - 0.601_548_451_770_467_2).abs() < 1e-9,
            "{ends:?}"
        );
    }

    #[test]
    fn quantiles_of_t_are_right_far_from_the_normals() {
        // scipy.stats.t.ppf([.975, .975, .95, .995], [1, 4, 9, 29])
        for (confidence, freedom, expected) in [
            (0.95, 1, 12.706_204_736_174_694),
            (0.95, 4, 2.776_445_105_197_793_4),
            (0.90, 9, 1.833_112_932_656_237),
            (0.99, 29, 2.756_385_903_670_605),
        ] {
            let t = t_quantile(confidence, freedom).expect("freedom");
            assert!((t - expected).abs() < 1e-8 * expected, "{freedom}: {t}");
        }
        assert_eq!(t_quantile(0.95, 0), None);
    }

    #[test]
    fn one_value_has_no_interval_and_equal_values_give_a_point() {
        assert_eq!(sample(&[0.3]).t_interval(0.95), None);
        let same = sample(&[0.3, 0.1 + 0.2, 0.3]);
        assert_eq!(same.sd(), Some(0.0), "0.1 + 0.2 differs from 0.3 by rounding alone");
        assert_eq!(same.t_interval(0.95).map(|e| e.high - e.low), Some(0.0));
    }

    #[test]
    fn nothing_and_nan_are_refused() {
        assert!(Sample::new(vec![]).is_err());
        let error = Sample::new(vec![0.1, f64::NAN]).expect_err("NaN is no value");
        assert!(error.render().contains("`NaN`"), "{}", error.render());
        assert!(Paired::new(&[(0.1, f64::INFINITY)]).is_err());
    }

    #[test]
    fn differences_are_taken_seed_by_seed_and_measure_rounding_by_the_arms() {
        let pairs = Paired::new(&[(0.3, 0.1), (0.4, 0.2), (0.5, 0.3)]).expect("finite");
        assert_eq!(pairs.differences().sd(), Some(0.0), "each difference is 0.2 but for rounding");
    }
}
