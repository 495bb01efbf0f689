//! What a reader must know before trusting a rate.

use super::subject;
use super::wording::{percent, plain};
use crate::record::{ArmContextReport, ArmReport, Report};

/// A model that kept less than this share of its base's mass on the category answers something else too often.
const KEPT: f64 = 0.8;

/// The least mass where the base's is not known.
const LEAST: f64 = 0.5;

/// A warning where fine-tuning moved much of an arm's answers out of the category: its rates are then shares of a damaged model.
/// Measured against the base that the arm started from, since a large model names many things that no list of members holds.
pub(super) fn low_mass(report: &Report, arm: &ArmReport) -> Option<String> {
    if !subject::is_preference(report) {
        return None; // other suites read a choice between given replies: its mass is 1
    }
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

/// A warning where students were asked in another context than they were trained in, as the config allows.
pub(super) fn mismatch(arm: &ArmReport) -> Option<String> {
    let differs = |c: &&ArmContextReport| c.trained.as_ref().is_some_and(|trained| *trained != c.asked);
    let of = arm.context.iter().find(differs).filter(|_| arm.arm.trains())?;
    Some(format!(
        "{}: trained in another context ({}) than asked in ({}), as `evaluate.allow_context_mismatch` lets it: its rates may lie far \
         from those in its own context",
        arm.arm,
        of.trained.as_deref().unwrap_or_default(),
        of.asked
    ))
}

/// Every warning of a report: the arms' and the gate's.
pub(super) fn all(report: &Report) -> Vec<String> {
    let gate = report.gate.warnings.iter().map(|w| plain(w, 400));
    let contexts = report.arms.iter().filter_map(mismatch);
    let suites = report.suites.iter().flat_map(|s| s.cautions.iter().map(|text| plain(&format!("{}: {text}", s.suite), 400)));
    report.arms.iter().filter_map(|a| low_mass(report, a)).chain(contexts).chain(suites).chain(gate).collect()
}
