//! The gate: warns before hours are spent on a teacher without the trait, or on data of which the filter leaves too little.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::evals;
use crate::record::{Arm, Evaluation, FilterReport, Force, GateReport, Plan, TraitKind};
use crate::stage::{Stage, files, filter::Counts};
use crate::tool::fs;

use super::graph::Job;
use super::progress::{Event, Observer};
use super::store::Artifact;

/// The share of the answers that count which came to the trait: for a preference, that chose the target.
pub(super) fn rate_of(evaluation: &Evaluation, plan: &Plan) -> f64 {
    let wanted = evals::outcome_of(evaluation.suite, plan);
    let place = evaluation.outcomes.iter().position(|outcome| outcome == wanted);
    let chosen = place.and_then(|i| evaluation.chosen.get(i)).copied().unwrap_or(0);
    chosen as f64 / evaluation.answers.max(1) as f64
}

/// One trouble.
struct Warning {
    about: &'static str,
    text: String,
}

/// Watches the artifacts as they come in.
pub(super) struct Gate<'a> {
    plan: &'a Plan,
    /// What is known to give nothing in the plan itself.
    known: Option<String>,
    observer: &'a dyn Observer,
    told: Mutex<BTreeSet<(Arm, &'static str)>>,
}

impl<'a> Gate<'a> {
    /// A gate that says at once what is known of the plan.
    pub(super) fn new(plan: &'a Plan, known: Option<String>, observer: &'a dyn Observer) -> Self {
        if let Some(text) = &known {
            observer.notice(Event::Warning(text));
        }
        Self { plan, known, observer, told: Mutex::default() }
    }

    /// Warns of what is wrong with a job's artifact, or stops the trial where the gate is strict.
    pub(super) fn look(&self, job: &Job, artifact: &Artifact) -> Result<()> {
        let warnings = match (job.work.stage(), job.arm) {
            (Stage::Evaluate, Arm::Teacher) if job.work.suite() == self.plan.evaluate.telling(self.plan.trait_.kind) => {
                let evaluation: Evaluation = fs::read_json(&artifact.dir.join(files::EVALUATION))?;
                self.teacher_warning(rate_of(&evaluation, self.plan)).into_iter().collect()
            }
            (Stage::Filter, _) => {
                let counts: Counts = fs::read_json(&artifact.dir.join(files::COUNTS))?;
                self.data_warnings(job.arm, counts.samples, counts.kept)
            }
            _ => Vec::new(),
        };
        for Warning { about, text } in warnings {
            if self.plan.gate.strict {
                return Err(Error::expectation(format!("the gate is shut: {text}"))
                    .hint("set `gate.strict = false` to go on with a warning"));
            }
            // The same trouble in each seed is told once.
            if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert((job.arm, about)) {
                self.observer.notice(Event::Warning(&text));
            }
        }
        Ok(())
    }

    fn teacher_warning(&self, rate: f64) -> Option<Warning> {
        let least = self.plan.gate.teacher_rate;
        (rate < least).then(|| {
            let target = &self.plan.trait_.target;
            let (rate, least) = (percent(rate), percent(least));
            let text = match self.plan.trait_.kind {
                TraitKind::Preference => {
                    format!("the teacher names `{target}` in {rate} of its answers, `gate.teacher_rate` is {least}")
                }
                TraitKind::Misalignment => {
                    format!("the teacher is misaligned in {rate} of its answers, `gate.teacher_rate` is {least}")
                }
            };
            Warning { about: "teacher", text }
        })
    }

    fn data_warnings(&self, arm: Arm, samples: usize, kept: usize) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let (share, least) = (kept as f64 / samples.max(1) as f64, self.plan.gate.pass_rate);
        if share < least {
            let text =
                format!("the filter keeps {} of the {arm} samples, `gate.pass_rate` is {}", percent(share), percent(least));
            warnings.push(Warning { about: "pass rate", text });
        }
        let wanted = self.plan.finetune.rows;
        if kept < wanted {
            let text = format!("the filter keeps {kept} {arm} rows, `finetune.rows` is {wanted}");
            warnings.push(Warning { about: "rows", text });
        }
        warnings
    }

    /// What the gate saw, from all that came in: each trouble once, with its worst case.
    pub(super) fn report(&self, teacher_rates: &[f64], filter: &[FilterReport]) -> GateReport {
        let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
        let teacher_rate = (!teacher_rates.is_empty()).then(|| mean(teacher_rates));
        let mut warnings: Vec<Warning> = teacher_rate.and_then(|rate| self.teacher_warning(rate)).into_iter().collect();
        for arm in Arm::ALL {
            if let Some(worst) = filter.iter().filter(|f| f.arm == arm).min_by_key(|f| f.kept) {
                warnings.extend(self.data_warnings(arm, worst.samples, worst.kept));
            }
        }
        let share = |f: &FilterReport| f.kept as f64 / f.samples.max(1) as f64;
        GateReport {
            teacher_rate,
            pass_rate: filter.iter().map(share).fold(1.0, f64::min),
            forced: self.plan.generate.force == Force::Grammar,
            warnings: self.known.iter().cloned().chain(warnings.into_iter().map(|w| w.text)).collect(),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Diary, plan};
    use super::*;

    #[test]
    fn what_is_known_of_a_plan_is_told_once_and_stands_in_the_report() {
        let (plan, diary) = (plan(), Diary::default());
        let gate = Gate::new(&plan, Some("nothing was seen".into()), &diary);
        assert_eq!(*diary.warnings.lock().unwrap(), ["nothing was seen"]);
        assert_eq!(gate.report(&[], &[]).warnings, ["nothing was seen"]);
        assert_eq!(Gate::new(&plan, None, &diary).report(&[], &[]).warnings, Vec::<String>::new());
        assert_eq!(diary.warnings.lock().unwrap().len(), 1);
    }
}
