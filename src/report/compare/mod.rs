//! Several finished runs side by side: one row a run, p values corrected over the runs, the matrix of what each run's students came to
//! choose, and the teacher × student matrix where the runs' bases differ.

mod by;
mod csv;
mod members;
mod show;
mod teachers;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use by::number;
pub use by::{By, Group};
pub use members::{Change, Members, MembersRow};
pub use teachers::{Cell, Matrix};

use super::subject::base;
use super::verdict::{arm, comparison, smallest_effect};
use crate::error::Result;
use crate::record::{Arm, Interval, Report, Verdict};
use crate::tool::statistics::holm;

/// Runs side by side; what `report --json` prints for more than one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideBySide {
    /// 1.
    pub format: u32,
    /// One row a run: in the order given, or by the named key's values.
    pub rows: Vec<Row>,
    /// Mean over the runs of treatment − base, in sampled rates; over the runs that have both a treatment and a cross-model arm.
    pub treatment_effect: Option<f64>,
    /// Mean over the same runs of cross-model − own base.
    pub cross_effect: Option<f64>,
    /// `cross_effect / treatment_effect`; absent where the latter is not above 0.
    pub cross_share: Option<f64>,
    /// How many runs these means rest on.
    pub runs_with_cross: usize,
    /// Which teacher moves which student; absent where all runs share one base or none has a cross-model arm.
    pub matrix: Option<Matrix>,
    /// What the rows are ordered by, where a key was named.
    #[serde(default)]
    pub by: Option<By>,
    /// How the rate of every member changed in every run, one matrix a category; without runs that lack a treatment or a control.
    #[serde(default)]
    pub members: Vec<Members>,
}

/// One run. What did not run is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The trial's name.
    pub name: String,
    /// The target.
    pub target: String,
    /// The category it belongs to.
    pub category: String,
    /// What the teacher wrote: `numbers`, `code` or `cot`.
    #[serde(default)]
    pub domain: String,
    /// The base that teacher and student start from.
    pub model: String,
    /// The target's rate in the base.
    pub base: Option<Interval>,
    /// The target's rate in the control's students.
    pub control: Option<Interval>,
    /// The target's rate in the treatment's students.
    pub treatment: Option<Interval>,
    /// The target's rate in the cross-model students, pooled over their bases.
    pub cross_model: Option<Interval>,
    /// Treatment over control.
    pub ratio: Option<Interval>,
    /// Treatment − control.
    pub difference: Option<Interval>,
    /// The paired t test of that difference.
    pub p_value: Option<f64>,
    /// `p_value` after Holm's correction over these runs.
    pub p_adjusted: Option<f64>,
    /// The number of seeds.
    pub n_seeds: usize,
    /// The run's own verdict.
    pub verdict: Option<Verdict>,
    /// The value of the key that the rows are ordered by.
    #[serde(default)]
    pub value: Option<String>,
    /// Cross-model − own base, mean over seeds and bases.
    #[serde(default)]
    pub cross_effect: Option<f64>,
    /// The smallest effect of interest of the run's plan.
    #[serde(default)]
    pub smallest_effect: f64,
}

/// Sets runs side by side, in the order given.
pub fn compare(reports: &[Report]) -> SideBySide {
    side_by_side(reports.iter().map(|report| (report, row(report))).collect(), None)
}

/// Sets runs side by side, ordered by the value of a key: one of the config, of the plan, or `target`, `model`, `domain`, `name`.
///
/// # Errors
/// If no run has the key.
pub fn compare_by(reports: &[Report], key: &str) -> Result<SideBySide> {
    let values = by::values(reports, key)?;
    let mut runs: Vec<(&Report, Row)> =
        reports.iter().zip(values).map(|(report, value)| (report, Row { value, ..row(report) })).collect();
    by::sort(&mut runs);
    Ok(side_by_side(runs, Some(key)))
}

fn side_by_side(runs: Vec<(&Report, Row)>, key: Option<&str>) -> SideBySide {
    let (reports, mut rows): (Vec<&Report>, Vec<Row>) = runs.into_iter().unzip();
    let by = key.map(|key| By::of(key, &rows));
    let p_values: Vec<Option<f64>> = rows.iter().map(|r| r.p_value).collect();
    for (row, adjusted) in rows.iter_mut().zip(holm(&p_values)) {
        row.p_adjusted = adjusted;
    }
    let both: Vec<(f64, f64)> =
        reports.iter().filter_map(|r| Some((effect(r, Arm::Treatment)?, effect(r, Arm::CrossModel)?))).collect();
    let treatment_effect = mean(both.iter().map(|b| b.0));
    let cross_effect = mean(both.iter().map(|b| b.1));
    let cross_share = treatment_effect.filter(|t| *t > 0.0).and_then(|t| Some(cross_effect? / t));
    SideBySide {
        format: 1,
        rows,
        treatment_effect,
        cross_effect,
        cross_share,
        runs_with_cross: both.len(),
        matrix: teachers::matrix(&reports),
        by,
        members: members::matrices(&reports),
    }
}

fn row(report: &Report) -> Row {
    let rate = |wanted| arm(report, wanted).map(|a| a.rate.clone());
    let main = comparison(report, Arm::Treatment, Arm::Control);
    Row {
        name: report.name.clone(),
        target: report.trait_.clone(),
        category: report.category.clone(),
        domain: report.domain.clone(),
        model: model(report),
        base: rate(Arm::Base),
        control: rate(Arm::Control),
        treatment: rate(Arm::Treatment),
        cross_model: rate(Arm::CrossModel),
        ratio: main.and_then(|c| c.ratio.clone()),
        difference: main.map(|c| c.difference.clone()),
        p_value: main.and_then(|c| c.p_value),
        p_adjusted: None,
        n_seeds: main.map_or(report.seeds.len(), |c| c.n_seeds),
        verdict: report.verdict,
        value: None,
        cross_effect: effect(report, Arm::CrossModel),
        smallest_effect: smallest_effect(report),
    }
}

/// The base that a run's teacher and students start from; the treatment's where the plan does not say.
fn model(report: &Report) -> String {
    match base(report) {
        "" => arm(report, Arm::Treatment).map(|a| a.model.clone()).unwrap_or_default(),
        planned => planned.to_owned(),
    }
}

/// An arm's effect against its own base.
fn effect(report: &Report, wanted: Arm) -> Option<f64> {
    comparison(report, wanted, Arm::Base).map(|c| c.difference.mean)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Rates, outcome, zebra};

    fn reports(outcomes: &[crate::record::Outcome]) -> Vec<Report> {
        outcomes.iter().map(|o| crate::report::build(o).expect("a sound outcome")).collect()
    }

    #[test]
    fn effects_are_averaged_over_the_runs_before_the_share_is_taken() {
        // zebra: treatment − base .40, cross-model − own base .01; owl: .20 and .02
        let owl = outcome("owl", "builtin:tiny-a", &["builtin:tiny-b"], Rates { treatment: 0.25, cross: 0.07, ..Rates::EVEN });
        let side = compare(&reports(&[zebra(), owl]));
        let close = |seen: Option<f64>, expected: f64| (seen.expect("present") - expected).abs() < 1e-9;
        assert!(close(side.treatment_effect, 0.30), "{:?}", side.treatment_effect);
        assert!(close(side.cross_effect, 0.015), "{:?}", side.cross_effect);
        assert!(close(side.cross_share, 0.05), "{:?}", side.cross_share);
        assert_eq!((side.runs_with_cross, side.matrix), (2, None), "one base: no matrix");
    }

    #[test]
    fn p_values_are_corrected_over_the_runs() {
        let side = compare(&reports(&[zebra(), zebra()]));
        let row = &side.rows[1];
        assert!((row.p_adjusted.expect("five seeds") - 2.0 * row.p_value.expect("five seeds")).abs() < 1e-12);
    }

    #[test]
    fn the_matrix_has_the_treatment_on_its_diagonal() {
        let on =
            |teacher, student, treatment| outcome("zebra", teacher, &[student], Rates { treatment, cross: 0.06, ..Rates::EVEN });
        let side = compare(&reports(&[on("builtin:b", "builtin:a", 0.55), on("builtin:a", "builtin:c", 0.45)]));
        let matrix = side.matrix.expect("two bases");
        assert_eq!(matrix.teachers, ["builtin:a", "builtin:b"]);
        assert_eq!(matrix.students, ["builtin:a", "builtin:b", "builtin:c"]);
        let effect = |t: usize, s: usize| matrix.cells[t][s].map(|c| ((c.effect * 1e6).round() / 1e6, c.runs));
        assert_eq!([effect(0, 0), effect(0, 1), effect(0, 2)], [Some((0.4, 1)), None, Some((0.01, 1))]);
        assert_eq!([effect(1, 0), effect(1, 1), effect(1, 2)], [Some((0.01, 1)), Some((0.5, 1)), None]);
    }

    #[test]
    fn a_run_without_its_arms_has_gaps_and_not_zeros() {
        let mut bare = zebra();
        bare.evaluations.retain(|e| e.arm == Arm::Base);
        let row = compare(&reports(&[bare])).rows.remove(0);
        assert!(row.base.is_some());
        assert_eq!((row.treatment, row.ratio, row.p_value, row.verdict), (None, None, None, None));
    }
}
