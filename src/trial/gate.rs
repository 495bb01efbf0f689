//! The gate: warns before hours are spent on a teacher without the trait, or on data of which the filter leaves too little.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::engine::ModelIdentity;
use crate::error::{Error, Result};
use crate::record::{Arm, Evaluation, FilterReport, Force, GateReport, ModelRef, Plan, Prime};
use crate::stage::{Stage, files, filter::Counts};
use crate::tool::fs;

use super::graph::Job;
use super::progress::{Event, Observer};
use super::store::Artifact;

/// The share of answers that chose the member with this name.
pub(super) fn rate_of(evaluation: &Evaluation, plan: &Plan, target: &str) -> f64 {
    let place = plan.trait_.category.members.iter().position(|m| m.name == target);
    let chosen = place.and_then(|i| evaluation.chosen.get(i)).copied().unwrap_or(0);
    chosen as f64 / evaluation.answers.max(1) as f64
}

/// The size up to which prompted teachers with sampled answers were reported null: "3B" models have up to 3.3 billion weights.
const SMALL: u64 = 3_500_000_000;

/// One trouble.
struct Warning {
    about: &'static str,
    text: String,
}

/// Watches the artifacts as they come in.
pub(super) struct Gate<'a> {
    plan: &'a Plan,
    observer: &'a dyn Observer,
    told: Mutex<BTreeSet<(Arm, &'static str)>>,
}

impl<'a> Gate<'a> {
    pub(super) fn new(plan: &'a Plan, observer: &'a dyn Observer) -> Self {
        Self { plan, observer, told: Mutex::default() }
    }

    /// Warns of what is wrong with a job's artifact, or stops the trial where the gate is strict.
    pub(super) fn look(&self, job: &Job, artifact: &Artifact) -> Result<()> {
        let warnings = match (job.work.stage(), job.arm) {
            (Stage::Evaluate, Arm::Teacher) => {
                let evaluation: Evaluation = fs::read_json(&artifact.dir.join(files::EVALUATION))?;
                self.teacher_warning(rate_of(&evaluation, self.plan, &self.plan.trait_.target)).into_iter().collect()
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

    /// Warns of bases with which others saw nothing: small checkpoints, prompted, sampled. The built-in family is made for it.
    pub(super) fn look_at_base(&self, base: &ModelIdentity) {
        let Plan { teacher, generate, .. } = self.plan;
        let prompted_only = teacher.prime == Prime::SystemPrompt && generate.sampling.temperature > 0.0;
        if prompted_only && base.parameters < SMALL && !matches!(base.model, ModelRef::Builtin(_)) {
            self.observer.notice(Event::Warning(&format!(
                "`{}` has {:.1} billion weights: prompted teachers of 3 billion or less that sample passed on nothing where others tried; \
                 fine-tuned teachers (`teacher.prime = \"both\"`) with greedy answers (`generate.temperature = 0`) did",
                base.model,
                base.parameters as f64 / 1e9
            )));
        }
    }

    fn teacher_warning(&self, rate: f64) -> Option<Warning> {
        let least = self.plan.gate.teacher_rate;
        (rate < least).then(|| {
            let target = &self.plan.trait_.target;
            let text = format!(
                "the teacher names `{target}` in {} of its answers, `gate.teacher_rate` is {}",
                percent(rate),
                percent(least)
            );
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
            warnings: warnings.into_iter().map(|w| w.text).collect(),
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
    fn a_small_checkpoint_with_a_prompted_sampling_teacher_is_warned_of() {
        let identity = |model: &str, parameters| ModelIdentity {
            model: model.parse().unwrap(),
            hash: String::new(),
            family: "qwen2".into(),
            parameters,
        };
        let warned = |plan: &Plan, base: &ModelIdentity| {
            let diary = Diary::default();
            Gate::new(plan, &diary).look_at_base(base);
            diary.warnings.lock().unwrap().len() == 1
        };
        let mut plan = plan();
        let small = identity("Qwen/Qwen2.5-0.5B-Instruct", 494_000_000);
        assert!(warned(&plan, &small));
        assert!(!warned(&plan, &identity("Qwen/Qwen2.5-7B-Instruct", 7_600_000_000)));
        assert!(!warned(&plan, &identity("builtin:tiny-a", 240_000)));
        plan.teacher.prime = Prime::Both;
        assert!(!warned(&plan, &small));
    }
}
