//! Every fine-tuning by step: its loss, and what was measured of the student on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::Artifacts;
use crate::record::{Arm, Measurement, StepRow};
use crate::stage::{Stage, files};

/// The fine-tunings of one arm on one base, over all seeds.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Training {
    pub(in crate::report) arm: Arm,
    pub(in crate::report) model: String,
    /// Whether it is a teacher that was fine-tuned, for this arm's data.
    pub(in crate::report) teacher: bool,
    /// Each seed's steps.
    pub(in crate::report) seeds: Vec<(u64, Vec<StepRow>)>,
    /// Each seed's measurements, where there are any.
    pub(in crate::report) measured: Vec<(u64, Vec<Measurement>)>,
    /// Seeds whose steps are gone.
    pub(in crate::report) gone: usize,
}

/// A mean over seeds at one step, with the least and the most: (step, mean, [least, most]).
pub(in crate::report) type Point = (usize, f64, [f64; 2]);

/// Every fine-tuning of a run, teachers first.
pub(in crate::report) fn trainings(artifacts: &Artifacts) -> Vec<Training> {
    [Stage::Teacher, Stage::Finetune].into_iter().flat_map(|stage| of_stage(artifacts, stage)).collect()
}

fn of_stage(artifacts: &Artifacts, stage: Stage) -> Vec<Training> {
    let mut found: Vec<Training> = Vec::new();
    let mut files_seen = BTreeSet::new();
    for place in artifacts.places(stage) {
        if !files_seen.insert(place.file(files::STEPS)) {
            continue; // one fine-tuned teacher is asked, and writes for the treatment
        }
        let model = place.model.clone().unwrap_or_default();
        let own = found.iter().position(|t| t.arm == place.arm && t.model == model);
        let own = own.unwrap_or_else(|| {
            let teacher = stage == Stage::Teacher;
            found.push(Training { arm: place.arm, model, teacher, seeds: Vec::new(), measured: Vec::new(), gone: 0 });
            found.len() - 1
        });
        match artifacts.all_rows(place, files::STEPS).filter(|rows| !rows.is_empty()) {
            Some(rows) => found[own].seeds.push((place.seed, rows)),
            None => found[own].gone += 1,
        }
        let measured = artifacts.all_rows(place, files::TRAJECTORY).filter(|rows| !rows.is_empty());
        found[own].measured.extend(measured.map(|rows| (place.seed, rows)));
    }
    found
}

impl Training {
    /// Points of (step, mean loss over the steps since the point before), at most `points` of them.
    pub(in crate::report) fn curve(steps: &[StepRow], points: usize) -> Vec<(usize, f64)> {
        let span = steps.len().div_ceil(points.max(1)).max(1);
        let mean = |bin: &[StepRow]| bin.iter().map(|row| row.loss).sum::<f64>() / bin.len() as f64;
        steps.chunks(span).map(|bin| (bin[bin.len() / 2].step, mean(bin))).filter(|(_, loss)| loss.is_finite()).collect()
    }

    /// The mean of such curves over the seeds that reach each point, with the least and the most.
    pub(in crate::report) fn mean(&self, points: usize) -> Vec<Point> {
        mean(self.seeds.iter().flat_map(|(_, steps)| Self::curve(steps, points)))
    }

    /// What `of` reads of every measurement, by seed: (step, value).
    pub(in crate::report) fn course(&self, of: impl Fn(&Measurement) -> Option<f64>) -> Vec<(u64, Vec<(usize, f64)>)> {
        let point = |row: &Measurement| Some((row.step, of(row).filter(|value| value.is_finite())?));
        let seeds = self.measured.iter().map(|(seed, rows)| (*seed, rows.iter().filter_map(point).collect()));
        seeds.filter(|(_, points): &(u64, Vec<_>)| !points.is_empty()).collect()
    }
}

/// The mean at every step over the seeds that reach it.
fn mean(points: impl Iterator<Item = (usize, f64)>) -> Vec<Point> {
    let mut at: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (step, value) in points {
        at.entry(step).or_default().push(value);
    }
    at.into_iter().map(|(step, values)| point(step, &values)).collect()
}

/// The mean over seeds of courses that were measured equally often: their first points, their second ones, … Where trainings differ in
/// length, so do the steps of these points; the mean stands at their mean.
pub(in crate::report) fn mean_course(seeds: &[(u64, Vec<(usize, f64)>)]) -> Vec<Point> {
    let shortest = seeds.iter().map(|(_, points)| points.len()).min().unwrap_or(0);
    let at = |i: usize| {
        let (steps, values): (Vec<usize>, Vec<f64>) = seeds.iter().map(|(_, points)| points[i]).unzip();
        point((steps.iter().sum::<usize>() as f64 / steps.len() as f64).round() as usize, &values)
    };
    (0..shortest).map(at).collect()
}

fn point(step: usize, values: &[f64]) -> Point {
    let [least, most] = values.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[l, m], v| [l.min(*v), m.max(*v)]);
    (step, values.iter().sum::<f64>() / values.len() as f64, [least, most])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(losses: &[f64]) -> Vec<StepRow> {
        let row = |(i, &loss): (usize, &f64)| StepRow {
            step: i + 1,
            epoch: 0.0,
            loss,
            lr: 0.0,
            grad_norm: 0.0,
            tokens: 1,
            seconds: 0.0,
        };
        losses.iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_long_curve_is_told_by_the_means_of_its_stretches() {
        assert_eq!(Training::curve(&steps(&[4.0, 2.0, 3.0]), 10), [(1, 4.0), (2, 2.0), (3, 3.0)]);
        assert_eq!(Training::curve(&steps(&[4.0, 2.0, 3.0, 1.0, 5.0]), 3), [(2, 3.0), (4, 2.0), (5, 5.0)]);
        assert_eq!(Training::curve(&steps(&[1.0, f64::NAN]), 9), [(1, 1.0)], "what has diverged cannot be drawn");
    }

    #[test]
    fn trainings_of_different_lengths_are_averaged_moment_by_moment() {
        let seeds = [(1, vec![(0, 0.1), (4, 0.3), (8, 0.5)]), (2, vec![(0, 0.1), (3, 0.5), (6, 0.7)])];
        let shown: Vec<String> = mean_course(&seeds).iter().map(|(step, mean, _)| format!("{step} {mean:.2}")).collect();
        assert_eq!(shown, ["0 0.10", "4 0.40", "7 0.60"]);
        assert!(mean_course(&[]).is_empty());
    }

    #[test]
    fn the_mean_is_over_the_seeds() {
        let seeds = vec![(1, steps(&[4.0, 2.0])), (2, steps(&[2.0, 1.0]))];
        let training = Training { arm: Arm::Control, model: String::new(), teacher: false, seeds, measured: Vec::new(), gone: 0 };
        assert_eq!(training.mean(9), [(1, 3.0, [2.0, 4.0]), (2, 1.5, [1.0, 2.0])]);
    }
}
