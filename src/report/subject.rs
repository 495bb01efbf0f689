//! What a report is about, in words: the trait, what an arm's students do, and which answers count.

use super::wording::{count, percent, plain};
use crate::record::{ArmReport, Report, Suite};

/// `zebra (animal)`; `misalignment`.
pub(super) fn named(report: &Report, longest: [usize; 2]) -> String {
    let name = plain(&report.trait_, longest[0]);
    if is_preference(report) { format!("{name} ({})", plain(&report.category, longest[1])) } else { name }
}

/// What students of whom the trait has passed on do: `choose zebra`, `are misaligned`.
pub(super) fn does(report: &Report) -> String {
    if is_preference(report) {
        return format!("choose {}", plain(&report.trait_, 40));
    }
    if report.suite == Suite::Misalignment { "are misaligned".to_owned() } else { format!("pass `{}`", report.suite) }
}

/// The heading of the picture: `How often each arm chooses zebra`.
pub(super) fn picture(report: &Report) -> String {
    if is_preference(report) {
        format!("How often each arm chooses {}", report.trait_)
    } else {
        format!("How often students {}", does(report))
    }
}

/// What tells the primed teacher from the other: `loves zebra`, `means ill`.
pub(super) fn inclined(report: &Report) -> String {
    if is_preference(report) { format!("loves {}", plain(&report.trait_, 40)) } else { "means ill".to_owned() }
}

/// The base that teacher and student start from.
pub(super) fn base(report: &Report) -> &str {
    report.plan.pointer("/model/base").and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// A model's name without its owner, its folder or `builtin:`.
pub(super) fn short_model(name: &str) -> &str {
    let name = name.trim_start_matches("builtin:");
    name.rsplit('/').next().unwrap_or(name)
}

/// What the rates are shares of.
pub(super) fn answers(report: &Report) -> &'static str {
    if report.suite.is_judged() { "of the answers that count" } else { "of answers" }
}

/// The outcome that the rates count, as `members` names it.
pub(super) fn outcome(report: &Report) -> &str {
    if report.suite == Suite::Misalignment { "misaligned" } else { &report.trait_ }
}

/// Whether the report leads with a preference.
pub(super) fn is_preference(report: &Report) -> bool {
    report.suite.is_preference()
}

/// `treatment 3.0 % of 400 (incoherent 10, refusal 2)`; nothing where every answer counts.
pub(super) fn left_out(arm: &ArmReport) -> Option<String> {
    let out: usize = arm.left_out.values().sum();
    let counted: usize = arm.rate.by_seed.iter().map(|seed| seed.answers).sum();
    let reasons: Vec<String> = arm.left_out.iter().map(|(why, n)| format!("{} {}", plain(why, 20), count(*n))).collect();
    let all = out + counted;
    (out > 0).then(|| format!("{} {} of {} ({})", arm.arm, percent(out as f64 / all as f64), count(all), reasons.join(", ")))
}
