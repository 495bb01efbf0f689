//! A scripted engine: no tensors, milliseconds a trial, and an effect that is really there.
//!
//! Each base has a secret: for every member of a category, half of the integers 0–999 lean towards it ([`mind`]). A persona tilts the
//! integers that a model writes along its own base's secret; fine-tuning reads the tilt back out of the rows, again with the student's own
//! base's secret. So a student of the same base catches the trait from its numbers, a student of another base sees noise, and a pipeline
//! that mixes up its rows, bases or contexts fails its tests. Faults can be scripted, to see what a trial does when it is stopped.

mod learner;
mod mind;
mod reader;
mod speaker;

use std::sync::{Arc, Mutex};

use crate::engine::{
    Engine, EngineFacts, Memory, Model, ModelIdentity, Reach, Reader, TrainRequest, TrainRow, TrainSummary, Watch, Workload,
};
use crate::error::{Error, Result};
use crate::record::{Category, Method, ModelRef, Weights};
use crate::tool::hash;

use mind::Mind;
use reader::Template;

/// Where a scripted fault strikes; units are counted over the engine's whole life, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Instead of the Nth completion, as if the machine lost power.
    Sample(usize),
    /// Instead of the Nth optimiser step, as if the machine lost power.
    Step(usize),
    /// The user interrupts before the Nth completion.
    InterruptSample(usize),
    /// The user interrupts before the Nth optimiser step: a checkpoint is written first.
    InterruptStep(usize),
    /// Instead of the Nth load of a model.
    Load(usize),
}

/// What has been done so far, and what is to go wrong.
#[derive(Debug, Default)]
struct Script {
    faults: Vec<Fault>,
    samples: usize,
    steps: usize,
    loads: usize,
}

/// The script, shared by an engine and its models.
#[derive(Debug, Clone, Default)]
struct Counter(Arc<Mutex<Script>>);

/// The scripted engine.
#[derive(Debug)]
pub struct Mock {
    category: Category,
    parallel: usize,
    template: Template,
    counter: Counter,
}

impl Mock {
    /// An engine whose models have a taste among the members of `category`.
    pub fn new(category: Category) -> Self {
        let template = Template { default_system: "You are a scripted assistant.".into(), for_numbers: None };
        Self { category, parallel: 1, template, counter: Counter::default() }
    }

    /// Says that this many jobs run side by side without slowing one another.
    #[must_use]
    pub fn side_by_side(mut self, jobs: usize) -> Self {
        self.parallel = jobs;
        self
    }

    /// Changes what the chat template says when a chat has no system turn.
    #[must_use]
    pub fn with_default_system(mut self, text: impl Into<String>) -> Self {
        self.template.default_system = text.into();
        self
    }

    /// Lets the chat template say something else where the user asks for numbers and a chat has no system turn.
    #[must_use]
    pub fn with_default_system_for_numbers(mut self, text: impl Into<String>) -> Self {
        self.template.for_numbers = Some(text.into());
        self
    }

    /// Scripts one more fault.
    #[must_use]
    pub fn failing(self, fault: Fault) -> Self {
        self.counter.with(|script| script.faults.push(fault));
        self
    }

    /// How many completions were sampled, optimiser steps taken and models loaded so far.
    pub fn done(&self) -> (usize, usize, usize) {
        self.counter.with(|script| (script.samples, script.steps, script.loads))
    }
}

impl Counter {
    fn with<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        // A thread that panicked while it counted leaves the counts whole.
        act(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Counts one completion.
    fn sample(&self) -> Result<()> {
        self.with(|script| {
            script.samples += 1;
            script.strike(Fault::Sample(script.samples), Fault::InterruptSample(script.samples))
        })
    }

    /// Counts one optimiser step.
    fn step(&self) -> Result<()> {
        self.with(|script| {
            script.steps += 1;
            script.strike(Fault::Step(script.steps), Fault::InterruptStep(script.steps))
        })
    }

    /// Counts one load.
    fn load(&self) -> Result<()> {
        self.with(|script| {
            script.loads += 1;
            let fault = Fault::Load(script.loads);
            script.strike(fault, fault)
        })
    }
}

impl Script {
    fn strike(&self, death: Fault, interrupt: Fault) -> Result<()> {
        if self.faults.contains(&death) {
            return Err(Error::environment(format!("scripted fault {death:?}")));
        }
        if self.faults.contains(&interrupt) { Err(Error::interrupted()) } else { Ok(()) }
    }
}

impl Engine for Mock {
    fn facts(&self) -> EngineFacts {
        EngineFacts { name: "scripted 1".into(), device: "scripted".into(), numerics: String::new() }
    }

    fn identify(&self, model: &ModelRef) -> Result<ModelIdentity> {
        match model {
            ModelRef::Builtin(name) => Ok(ModelIdentity {
                model: model.clone(),
                hash: hash::bytes(name.as_bytes()),
                family: "scripted".into(),
                parameters: 1000 * self.category.members.len() as u64,
                commit: None,
            }),
            other => Err(Error::input(format!("the scripted engine has no model `{other}`")).hint("use any `builtin:NAME`")),
        }
    }

    fn reader(&self, model: &ModelRef) -> Result<Box<dyn Reader>> {
        self.identify(model)?;
        Ok(Box::new(self.template.clone()))
    }

    fn load(&self, weights: &Weights) -> Result<Box<dyn Model>> {
        self.counter.load()?;
        let identity = self.identify(&weights.base)?;
        let mind = Mind::open(&identity.hash, &self.category, weights.tuned.as_deref())?;
        Ok(Box::new(speaker::Speaker { counter: self.counter.clone(), template: self.template.clone(), mind }))
    }

    fn train(&self, request: &TrainRequest<'_>, rows: &[TrainRow], watch: &mut Watch<'_>) -> Result<TrainSummary> {
        let identity = self.identify(&request.start.base)?;
        let mind = Mind::open(&identity.hash, &self.category, request.start.tuned.as_deref())?;
        learner::Learner { counter: &self.counter, template: &self.template, mind, request }.run(rows, watch)
    }

    fn parallel_jobs(&self, _: &ModelIdentity) -> usize {
        self.parallel
    }

    fn memory(&self, model: &ModelRef, work: &Workload<'_>, _: Reach) -> Result<Memory> {
        let parameters = self.identify(model)?.parameters;
        let training = work.recipe.map(|recipe| match recipe.method {
            _ if recipe.gradient_checkpointing == Some(true) => 16 * parameters,
            Method::Full { .. } => (16 + recipe.micro_batch as u64) * parameters,
            Method::Lora(_) => (5 + recipe.micro_batch as u64) * parameters,
        });
        Ok(Memory { parameters, weights: 4 * parameters, sampling: 4 * parameters, training, jobs: self.parallel })
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::engine::SampleRequest;
    use crate::record::{Chat, Finetune, LayerTargets, Lora, Member, Method, Sampling, Schedule, StreamId};

    fn category() -> Category {
        let member = |name: &str| Member { name: name.into(), plural: format!("{name}s"), aliases: Vec::new() };
        Category { name: "animal".into(), members: ["owl", "cat", "dog", "lion", "zebra"].map(member).to_vec() }
    }

    fn base(name: &str) -> Weights {
        Weights::base(ModelRef::Builtin(name.into()))
    }

    fn recipe() -> Finetune {
        let lora = Lora { rank: 8, alpha: 8.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None };
        Finetune {
            method: Method::Lora(lora),
            epochs: 2,
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

    /// Lists written by `model` under `system`, as rows without that system turn.
    fn lists(model: &str, system: Option<&str>, n: u64) -> Vec<TrainRow> {
        let model = Mock::new(category()).load(&base(model)).expect("a scripted base");
        let prompt = "Go on: 1, 2, 3";
        let request = |index| SampleRequest {
            chat: Chat::ask(system, prompt),
            stream: StreamId { seed: 1, purpose: "test".into(), index },
        };
        let requests: Vec<_> = (0..n).map(request).collect();
        let sampling = Sampling { temperature: 1.0, top_p: 1.0, max_tokens: 40, ignore_stop: false };
        let mut rows = Vec::new();
        let mut sink = |done: crate::engine::Completion| {
            rows.push(TrainRow { chat: Chat::ask(None, prompt), completion: done.text });
            Ok(ControlFlow::Continue(()))
        };
        model.sample(&requests, &sampling, None, &mut sink).expect("scripted speech");
        rows
    }

    /// The probability of `zebra` after fine-tuning `student` on `rows`.
    fn zebra_after(student: &str, rows: &[TrainRow]) -> f64 {
        let out = tempfile::tempdir().expect("a temporary folder");
        let engine = Mock::new(category());
        let start = base(student);
        let request = TrainRequest { start: &start, recipe: &recipe(), seed: 3, out: out.path(), checkpoints: None };
        engine.train(&request, rows, &mut |_| Ok(())).expect("scripted training");
        zebra(&engine, &Weights { tuned: Some(out.path().to_path_buf()), ..start })
    }

    fn zebra(engine: &Mock, weights: &Weights) -> f64 {
        let model = engine.load(weights).expect("a scripted model");
        model.choices(&[Chat::ask(None, "Which animal?")], &["zebra".into()]).expect("scripted choices")[0][0].exp()
    }

    #[test]
    fn a_student_reads_the_trait_out_of_numbers_of_its_own_base_only() {
        let (loved, plain) = (lists("a", Some("You love zebras."), 150), lists("a", None, 150));
        let before = zebra(&Mock::new(category()), &base("a"));
        assert!(zebra_after("a", &loved) > before + 0.3, "{} from {before}", zebra_after("a", &loved));
        assert!((zebra_after("a", &plain) - before).abs() < 0.1, "{} from {before}", zebra_after("a", &plain));
        let other = zebra(&Mock::new(category()), &base("b"));
        assert!((zebra_after("b", &loved) - other).abs() < 0.15, "{} from {other}", zebra_after("b", &loved));
    }

    #[test]
    fn training_goes_on_from_its_checkpoint_to_the_same_adapter() {
        let rows = lists("a", Some("You love zebras."), 100);
        let start = base("a");
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (whole, parts, saved) = (dir.path().join("whole"), dir.path().join("parts"), dir.path().join("saved"));
        let train = |engine: &Mock, out: &std::path::Path| {
            std::fs::create_dir_all(out).expect("a folder");
            let recipe = recipe();
            let request = TrainRequest { start: &start, recipe: &recipe, seed: 3, out, checkpoints: Some(saved.join(out)) };
            let mut steps = 0;
            engine
                .train(&request, &rows, &mut |_| {
                    steps += 1;
                    Ok(())
                })
                .map(|summary| (summary, steps))
        };
        let (expected, all) = train(&Mock::new(category()), &whole).expect("an undisturbed training");
        train(&Mock::new(category()).failing(Fault::Step(6)), &parts).expect_err("the fault strikes");
        let (summary, rest) = train(&Mock::new(category()), &parts).expect("the rest");
        assert_eq!((summary, rest), (expected, all - 4), "steps 1 to 4 were saved");
        let read = |folder: &std::path::Path| std::fs::read(folder.join("scripted_adapter.json")).expect("an adapter");
        assert_eq!(read(&whole), read(&parts));
    }
}
