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
    use crate::engine::local::train::reference;

    #[test]
    fn every_schedule_is_that_of_transformers() {
        let schedules = reference::numbers()["schedules"].as_array().expect("a list").clone();
        assert_eq!(schedules.len(), 9);
        for row in schedules {
            let schedule: Schedule = serde_json::from_value(row["schedule"].clone()).expect("a schedule");
            let [warmup, total] = ["warmup", "total"].map(|key| row[key].as_u64().expect("a count") as usize);
            for (step, expected) in reference::list(&row["factors"]).into_iter().enumerate() {
                let ours = factor(schedule, step, warmup, total);
                assert!((ours - expected).abs() < 1e-12, "{schedule:?} {warmup}/{total} at {step}: {ours} against {expected}");
            }
        }
    }

    #[test]
    fn rises_from_zero_and_falls_towards_zero_like_transformers() {
        let linear: Vec<f64> = (0..6).map(|s| factor(Schedule::Linear, s, 2, 6)).collect();
        assert_eq!(linear, [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]);
        let cosine: Vec<f64> = (0..4).map(|s| factor(Schedule::Cosine, s, 0, 4)).collect();
        assert!((cosine[2] - 0.5).abs() < 1e-12 && cosine[0] == 1.0 && cosine[3] > 0.0, "{cosine:?}");
        assert_eq!(factor(Schedule::Constant, 5, 2, 6), 1.0);
    }
}
