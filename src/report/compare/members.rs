//! What each run's students came to choose: the change of every member's rate, treatment − control. The diagonal is the trait itself; a
//! rise beside it is something else that passed on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{Arm, ArmReport, Report};
use crate::report::subject;
use crate::report::verdict::arm;
use crate::tool::statistics::{Paired, holm, paired_t_test};

/// Runs against members of one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Members {
    /// The category.
    pub category: String,
    /// The columns: the runs' targets in the order of the rows, so that they lie on the diagonal; then all other members.
    pub outcomes: Vec<String>,
    /// One row a run.
    pub rows: Vec<MembersRow>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MembersRow {
    /// Its place among the comparison's rows, from 0.
    pub run: usize,
    /// The trial's name.
    pub name: String,
    /// Its target: the member on the diagonal.
    pub target: String,
    /// The base that teacher and students start from.
    pub model: String,
    /// One cell a column; absent where the run's list lacks the member.
    pub cells: Vec<Option<Change>>,
}

/// One member's change in one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Treatment − control of the member's sampled rate, mean over seeds; of its exact probability in reports of earlier versions.
    pub difference: f64,
    /// The paired t test of it; absent with fewer than two seeds, and in reports of earlier versions.
    pub p_value: Option<f64>,
    /// `p_value` after Holm's correction over all cells of this matrix.
    pub p_adjusted: Option<f64>,
}

/// One matrix for each category that a run asked a preference of.
pub(super) fn matrices(reports: &[&Report]) -> Vec<Members> {
    let mut found: Vec<Members> = Vec::new();
    for (run, report) in reports.iter().enumerate().filter(|(_, r)| subject::is_preference(r)) {
        let changes = changes(report);
        if changes.is_empty() {
            continue;
        }
        let own = found.iter().position(|m| m.category == report.category);
        let own = own.unwrap_or_else(|| {
            found.push(Members { category: report.category.clone(), outcomes: Vec::new(), rows: Vec::new() });
            found.len() - 1
        });
        found[own].add(run, report, changes);
    }
    for matrix in &mut found {
        matrix.order();
        matrix.correct();
    }
    found
}

impl Members {
    fn add(&mut self, run: usize, report: &Report, changes: Vec<(String, Change)>) {
        let mut cells = vec![None; self.outcomes.len()];
        for (name, change) in changes {
            let place = self.outcomes.iter().position(|o| *o == name).unwrap_or_else(|| {
                self.outcomes.push(name);
                self.outcomes.len() - 1
            });
            cells.resize(cells.len().max(place + 1), None);
            cells[place] = Some(change);
        }
        let (name, target, model) = (report.name.clone(), report.trait_.clone(), subject::base(report).to_owned());
        self.rows.push(MembersRow { run, name, target, model, cells });
    }

    /// Puts the targets first, and makes every row as long as the columns are many.
    fn order(&mut self) {
        let mut order: Vec<usize> = Vec::new();
        let targets = self.rows.iter().filter_map(|row| self.outcomes.iter().position(|o| *o == row.target));
        for place in targets.chain(0..self.outcomes.len()) {
            if !order.contains(&place) {
                order.push(place);
            }
        }
        self.outcomes = order.iter().map(|&place| self.outcomes[place].clone()).collect();
        for row in &mut self.rows {
            row.cells = order.iter().map(|&place| row.cells.get(place).copied().flatten()).collect();
        }
    }

    /// How many columns are some run's target; they come first.
    pub(in crate::report) fn targets(&self) -> usize {
        self.outcomes.iter().filter(|o| self.rows.iter().any(|row| row.target == **o)).count()
    }

    /// Corrects all p values together.
    fn correct(&mut self) {
        let mut cells: Vec<&mut Change> = self.rows.iter_mut().flat_map(|row| row.cells.iter_mut().flatten()).collect();
        let adjusted = holm(&cells.iter().map(|cell| cell.p_value).collect::<Vec<_>>());
        for (cell, p) in cells.iter_mut().zip(adjusted) {
            cell.p_adjusted = p;
        }
    }
}

/// Every member's change; nothing where treatment or control did not run.
fn changes(report: &Report) -> Vec<(String, Change)> {
    let (Some(treatment), Some(control)) = (arm(report, Arm::Treatment), arm(report, Arm::Control)) else { return Vec::new() };
    let exact = |((name, after), (_, before)): (&(String, f64), &(String, f64))| {
        (name.clone(), Change { difference: after - before, p_value: None, p_adjusted: None })
    };
    if treatment.outcomes.is_empty() {
        return treatment.members.iter().zip(&control.members).map(exact).collect();
    }
    let sampled = |(after, before): (&crate::record::OutcomeReport, &crate::record::OutcomeReport)| {
        let pairs: Vec<(f64, f64)> = after.by_seed.iter().copied().zip(before.by_seed.iter().copied()).collect();
        let paired = Paired::new(&pairs).ok().filter(|_| same_seeds(treatment, control));
        let p_value = paired.and_then(|p| paired_t_test(&p.differences()));
        (after.outcome.clone(), Change { difference: after.rate - before.rate, p_value, p_adjusted: None })
    };
    treatment.outcomes.iter().zip(&control.outcomes).map(sampled).collect()
}

fn same_seeds(a: &ArmReport, b: &ArmReport) -> bool {
    a.rate.by_seed.iter().map(|s| s.seed).eq(b.rate.by_seed.iter().map(|s| s.seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Rates, outcome};

    fn run(target: &str, treatment: f64) -> Report {
        let outcome = outcome(target, "builtin:tiny-a", &[], Rates { treatment, ..Rates::EVEN });
        crate::report::build(&outcome).expect("a sound outcome")
    }

    #[test]
    fn the_diagonal_is_the_difference_of_the_run_and_the_others_pay_for_it() {
        let reports = [run("zebra", 0.45), run("owl", 0.25)];
        let matrix = &matrices(&[&reports[0], &reports[1]])[0];
        assert_eq!((matrix.outcomes.join(" ").as_str(), matrix.targets()), ("zebra owl lion whale wolf", 2));
        let change = |row: usize, column: usize| matrix.rows[row].cells[column].unwrap();
        assert!((change(0, 0).difference - reports[0].comparisons[0].difference.mean).abs() < 1e-9);
        assert!((change(1, 1).difference - 0.20).abs() < 1e-9);
        assert!((change(0, 1).difference + 0.10).abs() < 1e-4, "{:?}", change(0, 1));
        let (p, adjusted) = (change(0, 0).p_value.unwrap(), change(0, 0).p_adjusted.unwrap());
        assert!((p - reports[0].comparisons[0].p_value.unwrap()).abs() < 1e-12 && adjusted > p, "{p} {adjusted}");
    }

    #[test]
    fn lists_that_differ_leave_gaps_and_old_reports_have_exact_changes() {
        let (mut first, second) = (run("zebra", 0.45), run("owl", 0.25));
        for arm in &mut first.arms {
            arm.outcomes.clear();
            arm.members.pop();
        }
        let matrix = &matrices(&[&first, &second])[0];
        assert_eq!((matrix.outcomes[0].as_str(), matrix.rows[0].cells[0]), ("zebra", None));
        assert!(matrix.rows[0].cells[1].unwrap().p_value.is_none());
        assert_eq!(matrix.rows[1].cells.len(), 5);
    }

    #[test]
    fn a_run_without_its_control_is_in_no_matrix() {
        let mut bare = run("zebra", 0.45);
        bare.arms.retain(|a| a.arm != Arm::Control);
        assert!(matrices(&[&bare]).is_empty());
    }
}
