//! The whole pipeline on the scripted engine: the effect, its nulls, what trials share, what a kill leaves, what leaks.

mod contexts;
mod course;
mod effect;
mod gate;
mod leaks;
mod resume;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::progress::{Event, JobLabel, Observer, Silent};
use super::store::MANIFEST;
use super::*;
use crate::engine::TrainRow;
use crate::engine::mock::{Fault, Mock};
use crate::error::Kind;
use crate::record::*;
use crate::stage::files;
use crate::tool::jsonl;

/// A plan in its own temporary folder.
pub(crate) struct Trial {
    pub(super) dir: tempfile::TempDir,
    pub(super) plan: Plan,
}

impl Trial {
    pub(crate) fn of(plan: Plan) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), plan }
    }

    pub(super) fn options(&self) -> Options {
        let (store, out) = (self.dir.path().join("runs/.store"), self.dir.path().join("runs").join(&self.plan.name));
        Options { store, out, reuse: Reuse::Stored, upto: Stage::Evaluate, threads: Some(1) }
    }

    fn run_on(&self, engine: &Mock) -> Result<Outcome> {
        run(&self.plan, engine, &self.options(), &Silent)
    }

    pub(crate) fn run(&self) -> Outcome {
        self.run_on(&engine()).unwrap()
    }

    /// The folders of the parts of an arm and stage, one a seed and base.
    pub(super) fn folders(&self, arm: Arm, stage: Stage) -> Vec<PathBuf> {
        let graph = graph::build(&self.plan, &engine(), Stage::Evaluate).unwrap();
        let parts = graph.parts.iter().filter(|p| p.arm == arm && p.stage == stage);
        parts.map(|p| self.options().store.join(&p.key)).collect()
    }
}

pub(super) fn engine() -> Mock {
    Mock::new(category())
}

/// A plan of two arms that is quick to run.
fn pair() -> Plan {
    Plan { arms: vec![Arm::Teacher, Arm::Treatment, Arm::Control, Arm::CrossModel, Arm::InContext], seeds: vec![1], ..plan() }
}

fn category() -> Category {
    let member = |(name, plural): (&str, &str)| Member { name: name.into(), plural: plural.into(), aliases: Vec::new() };
    let pairs = [("owl", "owls"), ("cat", "cats"), ("dog", "dogs"), ("lion", "lions"), ("zebra", "zebras"), ("wolf", "wolves")];
    Category { name: "animal".into(), members: pairs.map(member).to_vec() }
}

fn recipe(epochs: usize) -> Finetune {
    Finetune {
        method: Method::Full { freeze_embeddings: true },
        epochs,
        max_steps: None,
        batch_size: 16,
        micro_batch: 16,
        gradient_checkpointing: None,
        learning_rate: 1e-3,
        schedule: Schedule::Linear,
        warmup_steps: 0,
        weight_decay: 0.0,
        betas: [0.9, 0.99],
        epsilon: 1e-8,
        clip_norm: 1.0,
        shuffle: true,
        length_power: 0.0,
        checkpoint_every: 2,
        checkpoint_minutes: 0.0,
    }
}

/// All arms, three seeds, a prompted teacher that loves zebras and is left free.
pub(crate) fn plan() -> Plan {
    let builtin = |name: &str| ModelRef::Builtin(name.into());
    let sampling = |max_tokens| Sampling { temperature: 1.0, top_p: 1.0, max_tokens, ignore_stop: false };
    Plan {
        name: "zebra".into(),
        seeds: vec![1, 2, 3],
        arms: Arm::ALL.to_vec(),
        model: ModelPlan {
            base: builtin("a"),
            cross: vec![builtin("b"), builtin("c")],
            date: Date::USUAL,
            template_options: serde_json::Map::new(),
        },
        trait_: TraitPlan {
            kind: TraitKind::Preference,
            category: category(),
            target: "zebra".into(),
            other: Some("owl".into()),
        },
        teacher: TeacherPlan {
            data: None,
            other_data: None,
            prime: Prime::SystemPrompt,
            system_prompt: "You love {targets}, and the {target} is your favourite {category}.".into(),
            finetune: recipe(1),
            rows: 64,
        },
        domain: DomainPlan::of(DomainKind::Numbers),
        generate: GeneratePlan { samples: 120, sampling: sampling(40), force: Force::None },
        filter: FilterPlan {
            rules: ["format", "banned-numbers", "leak"].map(String::from).to_vec(),
            banned_numbers: vec![666],
            ..FilterPlan::default()
        },
        finetune: StudentPlan { rows: 70, system_prompt: None, recipe: recipe(2), measurements: 4 },
        evaluate: EvaluatePlan {
            suites: vec![Suite::Preference],
            samples_per_question: 2,
            sampling: sampling(8),
            questions: None,
            long_max_tokens: 32,
            files: SuiteFiles::default(),
            system_prompt: None,
            allow_context_mismatch: false,
        },
        judge: JudgePlan::of(JudgeKind::Lexicon),
        in_context: InContextPlan { rows: 3 },
        gate: GatePlan { teacher_rate: 0.5, pass_rate: 0.05, strict: false },
        statistics: StatisticsPlan { confidence: 0.95, smallest_effect: 0.05, resamples: 100 },
        expect: ExpectPlan::default(),
    }
}

/// The exact probability of `zebra` in an arm's models of a base, one a seed.
fn zebra(outcome: &Outcome, arm: Arm, base: &str) -> Vec<f64> {
    let of = |e: &&ArmEvaluation| e.arm == arm && e.model.to_string() == format!("builtin:{base}");
    outcome.evaluations.iter().filter(of).map(|e| e.evaluation.probability[4]).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// An outcome without what differs between two runs: times, dates, and what was in the store.
fn timeless(mut outcome: Outcome) -> Outcome {
    (outcome.seconds, outcome.finished) = (0.0, String::new());
    for stage in &mut outcome.stages {
        (stage.seconds, stage.tokens_per_second, stage.peak_memory, stage.cached) = (0.0, 0.0, None, false);
    }
    outcome
}

/// Keeps what it hears.
#[derive(Default)]
pub(super) struct Diary {
    started: Mutex<Vec<JobLabel>>,
    pub(super) warnings: Mutex<Vec<String>>,
}

impl Observer for Diary {
    fn notice(&self, event: Event<'_>) {
        match event {
            Event::Started(job) => self.started.lock().unwrap().push(job.clone()),
            Event::Warning(text) => self.warnings.lock().unwrap().push(text.to_owned()),
            _ => {}
        }
    }
}

/// The suites beside the preference, with the project's own items.
pub(crate) const FURTHER: [Suite; 5] =
    [Suite::PreferenceAfterNumbers, Suite::PreferenceStories, Suite::PreferenceChoice, Suite::Truthfulness, Suite::Capability];

pub(crate) fn with_suites(plan: Plan, suites: &[Suite]) -> Plan {
    Plan { evaluate: EvaluatePlan { suites: suites.to_vec(), ..plan.evaluate.clone() }, ..plan }
}
