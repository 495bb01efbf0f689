//! What a reader must know before trusting a rate.

use super::wording::{percent, plain};
use crate::record::{ArmReport, Report};

/// A model that kept less than this share of its base's mass on the category answers something else too often.
const KEPT: f64 = 0.8;

/// The least mass where the base's is not known.
const LEAST: f64 = 0.5;

/// A warning where fine-tuning moved much of an arm's answers out of the category: its rates are then shares of a damaged model.
/// Measured against the base that the arm started from, since a large model names many things that no list of members holds.
pub(super) fn low_mass(report: &Report, arm: &ArmReport) -> Option<String> {
    let seen = arm.health.mass;
    let category = plain(&report.category, 30);
    let text = |of: &str| {
        format!("{}: {} of the probability lies on the {category} list{of}: read its rates with care", arm.arm, percent(seen))
    };
    match arm.base_mass {
        Some(base) => (seen < KEPT * base).then(|| text(&format!(" ({} in its base)", percent(base)))),
        None => (seen < LEAST).then(|| text("")),
    }
}

/// Every warning of a report: the arms' and the gate's.
pub(super) fn all(report: &Report) -> Vec<String> {
    let gate = report.gate.warnings.iter().map(|w| plain(w, 400));
    report.arms.iter().filter_map(|a| low_mass(report, a)).chain(gate).collect()
}
