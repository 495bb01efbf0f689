//! The further suites of a report, a line each: what treatment, control and base came to, and the paired difference.

use super::wording::{interval_points, p_value, percent, points_with_sign};
use crate::record::{Arm, Interval, Report, SuiteReport};

/// The columns.
pub(super) const COLUMNS: [&str; 9] =
    ["also asked", "outcome", "base", "control", "treatment", "difference", "interval", "exact", "p (Holm)"];

/// A line for every suite.
pub(super) fn rows(report: &Report) -> Vec<Vec<String>> {
    report.suites.iter().map(row).collect()
}

fn row(suite: &SuiteReport) -> Vec<String> {
    let rate = |arm: Arm| suite.arms.iter().find(|a| a.arm == arm).map_or("–".to_owned(), |a| percent(a.rate.mean));
    let main = suite.comparisons.iter().find(|c| c.arm == Arm::Treatment && c.against == Arm::Control);
    let points = |of: &Interval| points_with_sign(of.mean);
    let dash = || "–".to_owned();
    vec![
        suite.suite.to_string(),
        suite.outcome.clone(),
        rate(Arm::Base),
        rate(Arm::Control),
        rate(Arm::Treatment),
        main.map_or_else(dash, |c| points(&c.difference)),
        main.map_or_else(dash, |c| interval_points(&c.difference)),
        main.and_then(|c| c.probability_difference.as_ref()).map_or_else(dash, points),
        main.map_or_else(dash, |c| p_value(c.p_adjusted)),
    ]
}

/// `held-out loss, nats per token: base 1.20, control 1.25, treatment 1.31` of the suites that have one.
pub(super) fn losses(report: &Report) -> Vec<String> {
    let of = |suite: &SuiteReport| {
        let arms: Vec<String> = suite.arms.iter().filter_map(|a| Some(format!("{} {:.3}", a.arm, a.loss?))).collect();
        (!arms.is_empty()).then(|| format!("loss of the right answers ({}), nats per token: {}", suite.suite, arms.join(", ")))
    };
    report.suites.iter().filter_map(of).collect()
}
