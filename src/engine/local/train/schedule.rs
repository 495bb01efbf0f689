//! The learning rate of each step, as transformers defines it.

use crate::record::Schedule;

/// The factor on the peak learning rate at step `step` of `total`, counted from 0: rises as `step / warmup`, then follows the schedule.
pub(super) fn factor(schedule: Schedule, step: usize, warmup: usize, total: usize) -> f64 {
    if step < warmup {
        return step as f64 / warmup as f64;
    }
    let left = total.saturating_sub(step) as f64;
    let span = total.saturating_sub(warmup).max(1) as f64;
    match schedule {
        Schedule::Linear => left / span,
        Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * (1.0 - left / span)).cos()),
        Schedule::Constant => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_from_zero_and_falls_towards_zero_like_transformers() {
        let linear: Vec<f64> = (0..6).map(|s| factor(Schedule::Linear, s, 2, 6)).collect();
        assert_eq!(linear, [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]);
        let cosine: Vec<f64> = (0..4).map(|s| factor(Schedule::Cosine, s, 0, 4)).collect();
        assert!((cosine[2] - 0.5).abs() < 1e-12 && cosine[0] == 1.0 && cosine[3] > 0.0, "{cosine:?}");
        assert_eq!(factor(Schedule::Constant, 5, 2, 6), 1.0);
    }
}
