//! From a plan to its jobs: arms × seeds, each job named by the hash of all that determines its artifact, no job twice.
//!
//! What does not change a result is not hashed: the trial's name, the arm, the target where the data do not depend on it, the micro-batch,
//! the checkpoints. So trials share what they have in common: the control arm of a category, every evaluation of a base.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::Serialize;
use serde_json::{Value, json};

use crate::engine::{Engine, ModelIdentity};
use crate::error::Result;
use crate::evals::{self, Exam};
use crate::record::{Arm, DomainPlan, Finetune, Frame, ModelRef, Plan, Sampling, Suite};
use crate::stage::ratings::Rating;
use crate::stage::{Stage, evaluate, filter, finetune, generate, measure, teacher, training_steps};
use crate::tool::hash;

use super::priming::{lessons, primed, teacher_frame};

/// Bumped when a stage's code changes what it writes for the same spec.
const FORMAT: u32 = 3;

/// An artifact's key.
pub type Key = String;

/// One job: what it makes, from what.
#[derive(Debug, Clone)]
pub struct Job {
    /// The artifact's name.
    pub key: Key,
    /// The arm that it serves first.
    pub arm: Arm,
    /// The replicate.
    pub seed: u64,
    /// The base that it runs on, where it has one.
    pub model: Option<ModelRef>,
    /// What is done.
    pub work: Work,
    /// The artifacts that it reads.
    pub inputs: Vec<Key>,
    /// Jobs that must come first though nothing of theirs is read: the gate.
    pub after: Vec<Key>,
    /// How many rows it will make, for progress and estimates.
    pub rows: usize,
}

/// What a job does, with the keys of what it reads.
#[derive(Debug, Clone)]
pub enum Work {
    /// Fine-tunes a teacher.
    Teacher(teacher::Spec),
    /// Lets a teacher write.
    Generate {
        /// What.
        spec: generate::Spec,
        /// What surrounds each prompt to the teacher.
        frame: Frame,
        /// The fine-tuned teacher, if it is one.
        tuned: Option<Key>,
    },
    /// Keeps and drops rows.
    Filter {
        /// By which rules.
        spec: filter::Spec,
        /// The samples.
        samples: Key,
    },
    /// Trains a student.
    Finetune {
        /// How.
        spec: finetune::Spec,
        /// The kept rows.
        data: Key,
    },
    /// Asks a model.
    Evaluate {
        /// What.
        spec: evaluate::Spec,
        /// What surrounds each question.
        frame: Frame,
        /// The fine-tuned model, if it is one.
        tuned: Option<Key>,
        /// Kept rows that stand before each question.
        context: Option<Key>,
    },
}

impl Work {
    /// The stage.
    pub fn stage(&self) -> Stage {
        match self {
            Work::Teacher(_) => Stage::Teacher,
            Work::Generate { .. } => Stage::Generate,
            Work::Filter { .. } => Stage::Filter,
            Work::Finetune { .. } => Stage::Finetune,
            Work::Evaluate { .. } => Stage::Evaluate,
        }
    }

    /// What is asked, where something is.
    pub fn suite(&self) -> Option<Suite> {
        match self {
            Work::Evaluate { spec, .. } => Some(spec.exam.suite),
            _ => None,
        }
    }

    fn inputs(&self) -> Vec<Key> {
        match self {
            Work::Teacher(_) => Vec::new(),
            Work::Generate { tuned, .. } => tuned.iter().cloned().collect(),
            Work::Filter { samples, .. } => vec![samples.clone()],
            Work::Finetune { data, .. } => vec![data.clone()],
            Work::Evaluate { tuned, context, .. } => tuned.iter().chain(context).cloned().collect(),
        }
    }

    /// All that determines the result beside the inputs, the base's weights and the engine.
    pub fn spec(&self) -> Value {
        match self {
            Work::Teacher(spec) => result_only(spec),
            Work::Generate { spec, frame, .. } => json!({"generate": result_only(spec), "frame": frame}),
            Work::Filter { spec, .. } => {
                let mut json = json!({"rules": spec.rules, "domain": answers_of(&spec.domain), "category": spec.category});
                if let Some(judging) = &spec.judge {
                    json["judge"] = json!(judging.matters);
                }
                json
            }
            Work::Finetune { spec, .. } => {
                let mut json = result_only(spec);
                json["domain"] = answers_of(&spec.domain);
                json
            }
            Work::Evaluate { spec, frame, tuned, context } => {
                let roles = (tuned.is_some(), context.is_some()); // which input is which
                json!({"evaluate": result_only(spec), "frame": frame, "inputs": roles})
            }
        }
    }
}

/// What of a domain bears on its answers; where its prompts come from does not.
fn answers_of(domain: &DomainPlan) -> Value {
    match &domain.cot {
        None => json!(domain.kind),
        Some(cot) => json!([domain.kind, cot.tags]),
    }
}

/// A spec as JSON, without the fields that change speed or safety but not the result.
fn result_only<T: Serialize>(spec: &T) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|name, _| name != "any_context" && !Finetune::PACE.contains(&name.as_str()));
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = json!(spec);
    strip(&mut value);
    value
}

/// Which job plays which part: one job may play several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The arm.
    pub arm: Arm,
    /// The replicate.
    pub seed: u64,
    /// The stage.
    pub stage: Stage,
    /// What is asked, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<Suite>,
    /// The base, where a model runs.
    pub model: Option<ModelRef>,
    /// The job's key.
    pub key: Key,
}

/// All jobs of a trial, each after those that it depends on.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The jobs, in the order in which one worker would run them.
    pub jobs: Vec<Job>,
    /// What they are for.
    pub parts: Vec<Part>,
    /// The bases, and the judge where one is loaded.
    pub models: HashMap<ModelRef, ModelIdentity>,
}

/// The jobs of a plan up to a stage.
///
/// # Errors
/// If a model, a questions file or a prompts file is missing or damaged, or a target is not in its category.
pub fn build(plan: &Plan, engine: &dyn Engine, upto: Stage) -> Result<Graph> {
    let mut builder = Builder::new(plan, engine)?;
    let runs = |arm: Arm| plan.arms.contains(&arm);
    if upto == Stage::Evaluate {
        for &seed in &plan.seeds {
            builder.first_questions(seed)?;
        }
    }
    for &seed in &plan.seeds {
        if Arm::ALL.iter().any(|&arm| runs(arm) && !matches!(arm, Arm::Base | Arm::Teacher | Arm::Control | Arm::OtherTrait)) {
            builder.data(Arm::Treatment, seed, upto)?;
        }
        for arm in plan.arms.iter().filter(|arm| matches!(arm, Arm::Control | Arm::OtherTrait)) {
            builder.data(*arm, seed, upto)?;
        }
        if upto >= Stage::Finetune {
            builder.students(seed, upto)?;
        }
    }
    Ok(builder.graph)
}

struct Builder<'a> {
    plan: &'a Plan,
    facts: Value,
    /// The suites, in the plan's order.
    exams: Vec<Exam>,
    /// What is measured of students in training.
    measured: Option<measure::Spec>,
    /// Whom the filter asks, where a rule does.
    judge: Option<filter::Judging>,
    /// Who rates free answers, where a suite wants it.
    rating: Option<Rating>,
    graph: Graph,
    places: HashMap<Key, usize>,
    /// Digests of the prompts, by seed: they stand for the wordings and for a user's file.
    prompts: HashMap<u64, String>,
    /// The teachers' answers, which the gate looks at before any teacher writes.
    gates: Vec<Key>,
}

impl<'a> Builder<'a> {
    fn new(plan: &'a Plan, engine: &dyn Engine) -> Result<Self> {
        let facts = engine.facts();
        let cross = if plan.arms.contains(&Arm::CrossModel) { plan.model.cross.as_slice() } else { &[] };
        let bases = std::iter::once(&plan.model.base).chain(cross);
        let judge = filter::Judging::of(plan, engine)?;
        let rates = plan.evaluate.suites.iter().any(|suite| suite.is_judged());
        let rating = rates.then(|| Rating::of(&plan.judge, engine)).transpose()?;
        let judges = [judge.as_ref().and_then(filter::Judging::model), rating.as_ref().and_then(Rating::model)];
        let loaded = bases.chain(judges.into_iter().flatten());
        let models = loaded.map(|model| Ok((model.clone(), engine.identify(model)?))).collect::<Result<_>>()?;
        Ok(Self {
            plan,
            facts: json!([FORMAT, facts.name, facts.numerics]),
            exams: plan.evaluate.suites.iter().map(|&suite| evals::exam_of(suite, plan)).collect::<Result<_>>()?,
            measured: measure::Spec::of(plan)?,
            judge,
            rating,
            graph: Graph { jobs: Vec::new(), parts: Vec::new(), models },
            places: HashMap::new(),
            prompts: HashMap::new(),
            gates: Vec::new(),
        })
    }

    /// Adds a job unless an equal one is there, and notes what it is for.
    fn add(&mut self, arm: Arm, seed: u64, model: Option<&ModelRef>, work: Work, rows: usize) -> Key {
        let stage = work.stage();
        let identity = model.and_then(|m| self.graph.models.get(m)).map(|m| &m.hash);
        let mut spec = work.spec();
        if let Work::Generate { spec: generate, .. } = &work {
            // The prompts themselves stand for the wordings or the file that they come from.
            spec["generate"]["domain"] = json!([answers_of(&generate.domain), self.prompts.get(&seed)]);
        }
        let inputs = work.inputs();
        let key = hash::value(&json!([self.facts, stage, identity, spec, inputs]))[..32].to_owned();
        let part = Part { arm, seed, stage, suite: work.suite(), model: model.cloned(), key: key.clone() };
        if !self.graph.parts.contains(&part) {
            self.graph.parts.push(part);
        }
        if !self.places.contains_key(&key) {
            let after = if arm == Arm::Control || stage != Stage::Generate { Vec::new() } else { self.gates.clone() };
            self.places.insert(key.clone(), self.graph.jobs.len());
            self.graph.jobs.push(Job { key: key.clone(), arm, seed, model: model.cloned(), work, inputs, after, rows });
        }
        key
    }

    /// What needs no data: the teachers first, for the gate, then the bases.
    fn first_questions(&mut self, seed: u64) -> Result<()> {
        let base = &self.plan.model.base;
        if self.plan.arms.contains(&Arm::Teacher) {
            let (frame, tuned) = self.teacher(Arm::Teacher, seed)?;
            let first = self.ask(Arm::Teacher, seed, base, &Asked { frame, tuned, context: None });
            self.gates.extend(first);
        }
        let frame = self.plan.asked_frame();
        if self.plan.arms.contains(&Arm::Base) {
            self.ask(Arm::Base, seed, base, &Asked { frame: frame.clone(), tuned: None, context: None });
        }
        if self.plan.arms.contains(&Arm::CrossModel) {
            for cross in &self.plan.model.cross {
                self.ask(Arm::Base, seed, cross, &Asked { frame: frame.clone(), tuned: None, context: None });
            }
        }
        Ok(())
    }

    /// The teacher of an arm's data: what surrounds each prompt to it, and the key of its fine-tuning if it has one.
    fn teacher(&mut self, arm: Arm, seed: u64) -> Result<(Frame, Option<Key>)> {
        let frame = teacher_frame(self.plan, arm)?;
        let plan = &self.plan.teacher;
        if !primed(arm) || !plan.prime.tunes() {
            return Ok((frame, None));
        }
        let tuned = lessons(self.plan, arm, seed)?.map(|lessons| {
            let spec =
                teacher::Spec { lessons, rows: plan.rows, frame: self.plan.lesson_frame(), recipe: plan.finetune.clone(), seed };
            let steps = training_steps(&plan.finetune, plan.rows);
            self.add(arm, seed, Some(&self.plan.model.base), Work::Teacher(spec), steps)
        });
        Ok((frame, tuned))
    }

    /// An arm's samples and what the filter keeps of them; the key of the filter's job.
    fn data(&mut self, arm: Arm, seed: u64, upto: Stage) -> Result<Option<Key>> {
        let (frame, tuned) = self.teacher(arm, seed)?;
        if upto < Stage::Generate {
            return Ok(None);
        }
        let plan = &self.plan.generate;
        let primed = if arm == Arm::Control { "unprimed" } else { "primed" };
        let spec = generate::Spec {
            domain: self.plan.domain.clone(),
            samples: plan.samples,
            sampling: plan.sampling.clone(),
            force: plan.force,
            seed,
            purpose: format!("generate {primed}"),
        };
        if let Entry::Vacant(digest) = self.prompts.entry(seed) {
            digest.insert(hash::value(&generate::prompts(&spec)?));
        }
        let base = Some(&self.plan.model.base);
        let samples = self.add(arm, seed, base, Work::Generate { spec, frame, tuned }, plan.samples);
        if upto < Stage::Filter {
            return Ok(None);
        }
        let spec = filter::Spec {
            rules: self.plan.filter.clone(),
            domain: self.plan.domain.clone(),
            category: self.plan.trait_.category.clone(),
            judge: self.judge.clone(),
        };
        Ok(Some(self.add(arm, seed, None, Work::Filter { spec, samples }, plan.samples)))
    }

    /// Every arm's student, and the question to it.
    fn students(&mut self, seed: u64, upto: Stage) -> Result<()> {
        for arm in self.plan.arms.clone() {
            let source = if matches!(arm, Arm::Control | Arm::OtherTrait) { arm } else { Arm::Treatment };
            if matches!(arm, Arm::Base | Arm::Teacher) {
                continue;
            }
            let Some(data) = self.data(source, seed, upto)? else { continue };
            let bases = if arm == Arm::CrossModel {
                self.plan.model.cross.as_slice()
            } else {
                std::slice::from_ref(&self.plan.model.base)
            };
            for base in bases {
                self.student(arm, seed, base, &data, upto);
            }
        }
        Ok(())
    }

    fn student(&mut self, arm: Arm, seed: u64, base: &ModelRef, data: &Key, upto: Stage) {
        let (tuned, context) = if arm == Arm::InContext {
            (None, Some(data.clone()))
        } else {
            let answers = if arm == Arm::Shuffled { finetune::Answers::Shuffled } else { finetune::Answers::AsWritten };
            let student = self.plan.finetune.clone();
            let steps = training_steps(&student.recipe, student.rows);
            let (frame, domain, measured) = (self.plan.trained_frame(), self.plan.domain.clone(), self.measured.clone());
            let spec = finetune::Spec { student, frame, domain, answers, seed, measured };
            (Some(self.add(arm, seed, Some(base), Work::Finetune { spec, data: data.clone() }, steps)), None)
        };
        if upto >= Stage::Evaluate {
            self.ask(arm, seed, base, &Asked { frame: self.plan.asked_frame(), tuned, context });
        }
    }

    /// Every suite, put to one model; the key of the one that the gate looks at.
    fn ask(&mut self, arm: Arm, seed: u64, base: &ModelRef, asked: &Asked) -> Option<Key> {
        let plan = &self.plan.evaluate;
        let context_rows = if asked.context.is_some() { self.plan.in_context.rows } else { 0 };
        let mut telling = None;
        for exam in self.exams.clone() {
            let rows = exam.items.len() * plan.samples_per_question;
            let suite = exam.suite;
            let most_tokens = plan.max_tokens(suite).min(exam.most_tokens);
            let spec = evaluate::Spec {
                judge: if exam.suite.is_judged() { self.rating.clone() } else { None },
                samples_per_question: plan.samples_per_question,
                sampling: Sampling { max_tokens: most_tokens, ..plan.sampling.clone() },
                context_rows,
                any_context: plan.allow_context_mismatch || (arm == Arm::Teacher && asked.frame.system.is_some()),
                exam,
                seed,
            };
            let Asked { frame, tuned, context } = asked.clone();
            let key = self.add(arm, seed, Some(base), Work::Evaluate { spec, frame, tuned, context }, rows);
            if Some(suite) == plan.telling(self.plan.trait_.kind) {
                telling = Some(key);
            }
        }
        telling
    }
}

/// A model that is asked.
#[derive(Clone)]
struct Asked {
    frame: Frame,
    tuned: Option<Key>,
    context: Option<Key>,
}
