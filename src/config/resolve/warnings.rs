//! Settings that are allowed, but odd. Bases with which the field has seen nothing are the trial's to know: it counts their weights.

use super::Ledger;
use crate::evals;
use crate::record::Plan;

/// Warns of what would surprise at the end.
pub(super) fn odd(plan: &Plan, ledger: &mut Ledger<'_>) {
    if plan.evaluate.sampling.temperature == 0.0 && plan.evaluate.samples_per_question > 1 {
        ledger.warnings.push(format!(
            "`evaluate.temperature` is 0, so all {} samples of a question are the same",
            plan.evaluate.samples_per_question
        ));
    }
    for suite in &plan.evaluate.suites {
        if let Some(caution) = evals::caution(*suite, plan) {
            ledger.warnings.push(format!("`evaluate.suites` has `{suite}`: {caution}"));
        }
    }
    if let Some(first) = plan.evaluate.suites.first().filter(|first| !first.tells_of(plan.trait_.kind)) {
        let of = plan.evaluate.telling(plan.trait_.kind).map_or(String::new(), |suite| format!("; put `{suite}` first"));
        ledger
            .warnings
            .push(format!("`{first}` leads `evaluate.suites`, but does not tell of the trait: nor does the verdict{of}"));
    }
    if plan.seeds.len() < 2 {
        ledger.warnings.push("with one seed there are no intervals and no verdict but `inconclusive`".to_owned());
    }
}
