//! Statistics with the seed as the unit: in come one value per seed (or a pair), out come means, intervals, p values and
//! the number of seeds that an effect needs.
//!
//! A [`Sample`] is checked once, when it is made: at least one value, all finite. Nothing after that can fail; what the
//! values cannot answer (an interval from one seed, a test without spread) is `None`.

mod bootstrap;
mod correction;
#[cfg(test)]
mod coverage;
mod power;
mod ratio;
mod sample;
mod significance;

pub use bootstrap::{Resampling, bootstrap_interval};
pub use correction::holm;
pub use power::{MOST_SEEDS, paired_power, seeds_for_power};
pub use ratio::{RatioEnds, ratio_interval};
pub use sample::{Ends, Paired, Sample, normal_quantile, t_quantile};
pub use significance::{EXACT_SEEDS, paired_t_test, sign_flip_test};
