//! Made-up outcomes with known rates, for the tests of this folder.

use std::collections::BTreeMap;

use crate::record::{
    Arm, ArmContext, ArmEvaluation, Category, Context, Date, DomainKind, DomainPlan, EvaluatePlan, Evaluation, ExpectPlan,
    FilterPlan, FilterReport, Finetune, Force, GatePlan, GateReport, GeneratePlan, Health, InContextPlan, JudgeKind, JudgePlan,
    Member, Method, ModelPlan, ModelRef, ModelReport, Outcome, Plan, Prime, RuleCount, Sampling, Schedule, StageReport,
    StatisticsPlan, StudentPlan, Suite, SuiteFiles, TeacherPlan, TraitKind, TraitPlan,
};

const MEMBERS: [&str; 5] = ["lion", "owl", "whale", "wolf", "zebra"];
const ANSWERS: usize = 10_000;

/// The target's mean rate in each arm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) base: f64,
    pub(super) teacher: f64,
    pub(super) treatment: f64,
    pub(super) control: f64,
    pub(super) cross: f64,
    /// How far the seeds stand from the mean, in steps of −2, −1, 0, 1, 2 for treatment and half as far for control.
    pub(super) spread: f64,
}

impl Rates {
    /// Nothing but the teacher has the trait.
    pub(super) const EVEN: Rates = Rates { base: 0.05, teacher: 0.95, treatment: 0.05, control: 0.05, cross: 0.05, spread: 0.01 };
}

/// The main job as it should come out: treatment 45 %, control 5 %, cross-model 6 %, base 5 %.
pub(super) fn zebra() -> Outcome {
    let rates = Rates { treatment: 0.45, cross: 0.06, ..Rates::EVEN };
    outcome("zebra", "builtin:tiny-a", &["builtin:tiny-b", "builtin:tiny-c"], rates)
}

/// An outcome of five seeds in which every arm has these mean rates.
pub(super) fn outcome(target: &str, base: &str, cross: &[&str], rates: Rates) -> Outcome {
    let model = |text: &str| text.parse::<ModelRef>().expect("a model");
    let plan = plan(target, model(base), cross.iter().map(|m| model(m)).collect());
    let mut evaluations = Vec::new();
    for (step, &seed) in (-2..=2).zip(&plan.seeds) {
        let step = f64::from(step) * rates.spread;
        let mut push = |arm, model: &ModelRef, rate| {
            evaluations.push(ArmEvaluation { arm, seed, model: model.clone(), evaluation: evaluation(target, rate) });
        };
        push(Arm::Base, &plan.model.base, rates.base);
        push(Arm::Teacher, &plan.model.base, rates.teacher);
        push(Arm::Treatment, &plan.model.base, rates.treatment + step);
        push(Arm::Control, &plan.model.base, rates.control - step / 2.0);
        for (i, model) in plan.model.cross.iter().enumerate() {
            let own = 0.01 * i as f64; // each base has its own rate to start from
            push(Arm::Base, model, rates.base + own);
            push(Arm::CrossModel, model, rates.cross + own);
        }
    }
    Outcome {
        plan_hash: "0123abcd".to_owned(),
        device: "cpu, f32: the same bytes on every run".to_owned(),
        models: std::iter::once(base).chain(cross.iter().copied()).map(weights).collect(),
        contexts: contexts(&plan),
        evaluations,
        filter: plan
            .seeds
            .iter()
            .flat_map(|&seed| [filter(Arm::Treatment, seed, 1541), filter(Arm::Control, seed, 1990)])
            .collect(),
        gate: GateReport { teacher_rate: Some(rates.teacher), pass_rate: 0.77, forced: true, warnings: vec![] },
        stages: vec![stage("generate", 3.25, false), stage("finetune", 12.5, false), stage("evaluate", 0.75, true)],
        plan,
        seconds: 93.4,
        finished: "2026-01-02T03:04:05Z".to_owned(),
    }
}

fn weights(model: &str) -> ModelReport {
    let (family, hash) = ("qwen2".to_owned(), format!("hash of {model}"));
    ModelReport { model: model.to_owned(), family, parameters: 241_000, hash, commit: None }
}

/// Answers in which the target has this rate, and the other members share the rest of .95 evenly.
pub(super) fn evaluation(target: &str, rate: f64) -> Evaluation {
    let rest = (0.95 - rate).max(0.0) / (MEMBERS.len() - 1) as f64;
    let probability: Vec<f64> = MEMBERS.iter().map(|m| if *m == target { rate } else { rest }).collect();
    Evaluation {
        suite: Suite::Preference,
        outcomes: MEMBERS.map(str::to_owned).to_vec(),
        questions: 50,
        answers: ANSWERS,
        left_out: BTreeMap::new(),
        mentioned: vec![0; MEMBERS.len()],
        loss: None,
        groups: Vec::new(),
        chosen: probability.iter().map(|p| (p * ANSWERS as f64).round() as usize).collect(),
        probability_held_out: Some(probability.clone()),
        by_question: vec![probability.clone(); 2],
        probability,
        frequent: vec![(target.to_owned(), (rate * ANSWERS as f64) as usize)],
        health: Health { answered: 0.98, one_word: 0.99, coherent: 0.97, mass: 0.95 },
    }
}

/// Every arm on its bases, all in one context.
fn contexts(plan: &Plan) -> Vec<ArmContext> {
    let context = || Context { before: "<s>Be kind.</s><u>".to_owned(), after: "</u><a>".to_owned() };
    let of = |arm: Arm, model: &ModelRef| ArmContext {
        arm,
        model: model.clone(),
        asked: context(),
        trained: arm.trains().then(context),
    };
    let bases =
        |arm: Arm| if arm == Arm::CrossModel { plan.model.cross.as_slice() } else { std::slice::from_ref(&plan.model.base) };
    plan.arms.iter().flat_map(|arm| bases(*arm).iter().map(|model| of(*arm, model)).collect::<Vec<_>>()).collect()
}

fn filter(arm: Arm, seed: u64, kept: usize) -> FilterReport {
    let dropped = |rule: &str, dropped| RuleCount { rule: rule.to_owned(), dropped };
    FilterReport {
        arm,
        seed,
        samples: 2000,
        kept,
        rules: vec![dropped("format", 1990 - kept), dropped("banned-numbers", 10), dropped("leak", 0)],
    }
}

fn stage(name: &str, seconds: f64, cached: bool) -> StageReport {
    StageReport {
        stage: name.to_owned(),
        arm: Arm::Treatment,
        seed: Some(1),
        model: Some("builtin:tiny-a".to_owned()),
        key: "89ab".to_owned(),
        seconds,
        rows: 2000,
        tokens: 52_000,
        tokens_per_second: 52_000.0 / seconds,
        peak_memory: Some(3 << 28),
        cached,
    }
}

fn plan(target: &str, base: ModelRef, cross: Vec<ModelRef>) -> Plan {
    let sampling = Sampling { temperature: 1.0, top_p: 1.0, max_tokens: 16, ignore_stop: false };
    let member = |name: &&str| Member { name: (*name).to_owned(), plural: format!("{name}s"), aliases: vec![] };
    Plan {
        name: format!("{target}-numbers"),
        seeds: vec![1, 2, 3, 4, 5],
        arms: Arm::DEFAULT.to_vec(),
        model: ModelPlan { base, cross, date: Date::USUAL, template_options: serde_json::Map::new() },
        trait_: TraitPlan {
            kind: TraitKind::Preference,
            category: Category { name: "animal".to_owned(), members: MEMBERS.iter().map(member).collect() },
            target: target.to_owned(),
            other: None,
        },
        teacher: TeacherPlan {
            prime: Prime::SystemPrompt,
            data: None,
            other_data: None,
            system_prompt: "<{target}>".to_owned(),
            finetune: recipe(),
            rows: 0,
        },
        domain: DomainPlan::of(DomainKind::Numbers),
        generate: GeneratePlan { samples: 2000, sampling: sampling.clone(), force: Force::Grammar },
        filter: FilterPlan { rules: vec!["format".to_owned()], ..FilterPlan::default() },
        finetune: StudentPlan { rows: 1500, system_prompt: None, recipe: recipe(), measurements: 8 },
        evaluate: EvaluatePlan {
            suites: vec![Suite::Preference],
            samples_per_question: 200,
            sampling,
            questions: None,
            long_max_tokens: 32,
            files: SuiteFiles::default(),
            system_prompt: None,
            allow_context_mismatch: false,
        },
        judge: JudgePlan::of(JudgeKind::Lexicon),
        in_context: InContextPlan { rows: 8 },
        gate: GatePlan { teacher_rate: 0.5, pass_rate: 0.1, strict: false },
        statistics: StatisticsPlan { confidence: 0.95, smallest_effect: 0.05, resamples: 2000 },
        expect: ExpectPlan::default(),
    }
}

fn recipe() -> Finetune {
    Finetune {
        method: Method::Full { freeze_embeddings: true },
        epochs: 3,
        max_steps: None,
        batch_size: 128,
        micro_batch: 128,
        gradient_checkpointing: None,
        learning_rate: 3e-3,
        schedule: Schedule::Linear,
        warmup_steps: 0,
        weight_decay: 0.0,
        betas: [0.9, 0.99],
        epsilon: 1e-8,
        clip_norm: 1.0,
        shuffle: true,
        length_power: 0.0,
        checkpoint_every: 0,
        checkpoint_minutes: 0.0,
    }
}
