//! What the stages found, before statistics: the trial hands this to the report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Arm, Context, FilterReport, GateReport, Health, ModelRef, ModelReport, Plan, StageReport, Suite};

/// One model's answers to a suite, counted. It names no target: the same evaluation serves every target of its category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What was asked.
    pub suite: Suite,
    /// What an answer may come to: the category's members, or `misaligned` and `aligned`, …
    pub outcomes: Vec<String>,
    /// Questions asked.
    pub questions: usize,
    /// Sampled answers that count, over all questions.
    pub answers: usize,
    /// Sampled answers that do not count, by why.
    pub left_out: BTreeMap<String, usize>,
    /// How many answers came to each outcome, in their order; a preference's is the member that the answer names first.
    pub chosen: Vec<usize>,
    /// How many answers name each member anywhere.
    pub mentioned: Vec<usize>,
    /// Mean exact probability of each outcome over the questions that have replies to be read; empty where none has.
    pub probability: Vec<f64>,
    /// The same over the held-out questions only; absent where none of them is marked as held out.
    pub probability_held_out: Option<Vec<f64>>,
    /// Exact probability of each outcome for each question: shape (questions, outcomes); a question without replies has an empty row.
    pub by_question: Vec<Vec<f64>>,
    /// The same counts for each group of questions, in the suites that have groups.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Nats per token of the right replies, in the suites that have such.
    pub loss: Option<f64>,
    /// Answers by frequency, most frequent first.
    pub frequent: Vec<(String, usize)>,
    /// Whether the model still answers as it should.
    pub health: Health,
}

impl Evaluation {
    /// The share of the counted answers that came to the outcome in this place; absent where none counts.
    pub fn rate(&self, outcome: usize) -> Option<f64> {
        (self.answers > 0).then(|| self.chosen[outcome] as f64 / self.answers as f64)
    }
}

/// The counts of one group of questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Questions asked.
    pub questions: usize,
    /// Sampled answers that count.
    pub answers: usize,
    /// How many answers came to each outcome.
    pub chosen: Vec<usize>,
    /// Mean exact probability of each outcome; empty where no question has replies.
    pub probability: Vec<f64>,
    /// Nats per token of the right replies, in the suites that have such.
    pub loss: Option<f64>,
}

/// An evaluation and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmEvaluation {
    /// The arm. The bases of the cross-model arm appear as `base` with their own `model`.
    pub arm: Arm,
    /// The replicate.
    pub seed: u64,
    /// The base that the asked model started from.
    pub model: ModelRef,
    /// What it answered.
    pub evaluation: Evaluation,
}

/// What an arm's model reads around the user's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmContext {
    /// The arm.
    pub arm: Arm,
    /// The base that the asked model starts from.
    pub model: ModelRef,
    /// Around each question.
    pub asked: Context,
    /// Around each row that it was fine-tuned on, where it was.
    pub trained: Option<Context>,
}

/// All that a trial's stages found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The plan that was run.
    pub plan: Plan,
    /// The hash of the plan.
    pub plan_hash: String,
    /// The device, the dtype and what they guarantee.
    pub device: String,
    /// The bases: the plan's own first, then those of the cross-model arm.
    #[serde(default)]
    pub models: Vec<ModelReport>,
    /// What each arm's models read around the user's words.
    #[serde(default)]
    pub contexts: Vec<ArmContext>,
    /// Every asked model.
    pub evaluations: Vec<ArmEvaluation>,
    /// Every dataset's way through the filter.
    pub filter: Vec<FilterReport>,
    /// What the gate saw.
    pub gate: GateReport,
    /// Every job.
    pub stages: Vec<StageReport>,
    /// Wall time of the whole run.
    pub seconds: f64,
    /// When it ended, RFC 3339.
    pub finished: String,
}
