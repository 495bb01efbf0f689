//! The stages of a trial: artifacts in, one artifact out.
//!
//! | stage | reads | writes |
//! |---|---|---|
//! | [`teacher`] | questions or chat rows | `model/`, `steps.jsonl` (and for TensorBoard), `train.jsonl`, `context.txt`, `prefix.txt`, `suffix.txt` |
//! | [`generate`] | the domain's prompts, a teacher | `samples.jsonl` |
//! | [`filter`] | `samples.jsonl`, a judge where a rule asks one | `kept.jsonl`, `dropped.jsonl`, `counts.json`, `verdicts.jsonl` |
//! | [`finetune`] | `kept.jsonl` | the same, and `trajectory.jsonl` |
//! | [`evaluate`] | questions, a model | `answers.jsonl`, `replies.jsonl`, `verdicts.jsonl` where a judge rates, `evaluation.json` |
//!
//! A stage's spec holds all that determines its result beside its input artifacts and the base's weights; it is hashed into the artifact's
//! key. A stage that is started in a folder where it was interrupted goes on with what it finds there, to the same bytes.

mod card;
pub mod context;
pub mod evaluate;
pub mod event_log;
mod exact;
pub mod filter;
pub mod finetune;
pub mod generate;
pub mod judge;
pub mod lessons;
pub mod measure;
pub mod ratings;
pub mod step_log;
pub mod teacher;
mod training;

pub use training::expected_steps as training_steps;

use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::Result;
use crate::record::{Frame, Weights};
use crate::tool::jsonl;

/// The stages, in the order in which data flow through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A teacher is fine-tuned.
    Teacher,
    /// A teacher writes.
    Generate,
    /// Rows are kept or dropped.
    Filter,
    /// A student learns.
    Finetune,
    /// A model is asked.
    Evaluate,
}

impl Stage {
    /// The name in commands, reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Teacher => "teacher",
            Stage::Generate => "generate",
            Stage::Filter => "filter",
            Stage::Finetune => "finetune",
            Stage::Evaluate => "evaluate",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How far a stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Rows made, or optimiser steps taken.
    pub done: usize,
    /// How many there will be; 0 where that is not known yet.
    pub total: usize,
    /// Tokens through the model since this attempt began.
    pub tokens: usize,
    /// The last optimiser step's loss.
    pub loss: Option<f64>,
}

/// Where a stage works, and who listens.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Who speaks and learns.
    pub engine: &'a dyn Engine,
    /// The artifact's folder while it is built; on a resume it holds what was done before.
    pub dir: &'a Path,
    /// Called after each unit of work.
    pub listener: &'a (dyn Fn(Progress) + Sync),
    /// Called with what the user should know of what an interrupted attempt left.
    pub warn: &'a (dyn Fn(&str) + Sync),
}

impl Room<'_> {
    /// The rows that an interrupted attempt left in a file, and a writer that goes on after them.
    fn resume<T: DeserializeOwned>(&self, path: &Path) -> Result<(Vec<T>, jsonl::Writer)> {
        let jsonl::Resumed { rows, writer, lost } = jsonl::resume(path)?;
        if let Some(lost) = lost {
            (self.warn)(&lost);
        }
        Ok((rows, writer))
    }
}

/// A model that is asked or that teaches, and what surrounds each question to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Speaker {
    /// The base and what was fine-tuned into it.
    pub weights: Weights,
    /// The system turn, and what the chat template is told besides.
    pub frame: Frame,
}

/// What a stage made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Done {
    /// Rows written.
    pub rows: usize,
    /// Tokens through the model.
    pub tokens: usize,
}

/// The names of the files in artifacts.
pub mod files {
    /// Every sample of a teacher.
    pub const SAMPLES: &str = "samples.jsonl";
    /// The samples that every rule kept.
    pub const KEPT: &str = "kept.jsonl";
    /// The samples that a rule dropped, with the rule and what it saw.
    pub const DROPPED: &str = "dropped.jsonl";
    /// Every verdict that a rule or an evaluation asked a judge for, with the request.
    pub const VERDICTS: &str = "verdicts.jsonl";
    /// How many rows came in, were kept, and were dropped by each rule.
    pub const COUNTS: &str = "counts.json";
    /// The very rows that a model was fine-tuned on.
    pub const TRAIN: &str = "train.jsonl";
    /// The first of those rows as the model reads it.
    pub const CONTEXT: &str = "context.txt";
    /// What the model reads before each of their prompts.
    pub const PREFIX: &str = "prefix.txt";
    /// What it reads after them.
    pub const SUFFIX: &str = "suffix.txt";
    /// Where checkpoints lie while a model is being trained.
    pub const CHECKPOINTS: &str = "checkpoints";
    /// One row per optimiser step.
    pub const STEPS: &str = "steps.jsonl";
    /// What a student was worth at moments of its training.
    pub const TRAJECTORY: &str = "trajectory.jsonl";
    /// The fine-tuned model: an adapter or a whole checkpoint.
    pub const MODEL: &str = "model";
    /// Every sampled answer.
    pub const ANSWERS: &str = "answers.jsonl";
    /// The log-probability of every reply to every question.
    pub const REPLIES: &str = "replies.jsonl";
    /// The answers, counted.
    pub const EVALUATION: &str = "evaluation.json";
}
