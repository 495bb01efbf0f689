//! The rows of the JSON Lines files that stages read and write.

use std::fmt;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A row's name: the number or text that its file gives, else its line number (from 0).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RowId {
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

impl From<u64> for RowId {
    fn from(n: u64) -> Self {
        Self::Number(n)
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What is known of the right answer to a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// A function of this name with these parameters.
    Function {
        /// Its name.
        name: String,
        /// Its parameters' names, in order.
        parameters: Vec<String>,
    },
    /// The answer to a question, as its source writes it.
    Answer(String),
}

/// What a teacher is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The row's name.
    pub id: RowId,
    /// The user's turn.
    pub prompt: String,
    /// What is known of the right answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// Why a completion ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// The model wrote its end-of-turn token.
    Stop,
    /// The token limit was reached.
    Length,
}

/// One prompt and the teacher's completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The row's name.
    pub id: RowId,
    /// The user's turn.
    pub prompt: String,
    /// What is known of the right answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// The completion's text, without the end-of-turn token.
    pub completion: String,
    /// How many tokens were sampled, end-of-turn included.
    pub tokens: usize,
    /// Why it ended.
    pub finish: Finish,
}

/// A sample that a filter rule dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The sample as it was.
    #[serde(flatten)]
    pub sample: Sample,
    /// The rule that dropped it.
    pub rule: String,
    /// What the rule saw.
    pub detail: String,
}

/// One sampled answer of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's index in the suite.
    pub question: usize,
    /// Which sample of that question, from 0.
    pub sample: usize,
    /// The question as asked.
    pub prompt: String,
    /// The answer's text.
    pub answer: String,
    /// What the answer came to, if anything: the member that it names first, or another outcome of its suite.
    pub choice: Option<String>,
    /// Every member that it names, in their order there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// Why the answer does not count, if it does not: `refusal`, `incoherent`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// Why the answer ended.
    pub finish: Finish,
}

/// The log-probabilities of one completion (natural log), one per token, end-of-turn included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The row's name.
    pub id: RowId,
    /// The completion's token ids, end-of-turn included.
    pub tokens: Vec<u32>,
    /// `ln p(token | everything before it)`.
    pub logprobs: Vec<f64>,
}

/// What a student is worth at one moment of its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// After so many optimiser steps; 0 is the base.
    pub step: usize,
    /// The exact probability of each outcome of the trait's suite, by name: the mean over the questions.
    pub probability: BTreeMap<String, f64>,
    /// Nats per token of rows that its teacher wrote and that it does not learn from; absent where none are left over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_loss: Option<f64>,
}

/// One optimiser step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// From 1.
    pub step: usize,
    /// Epochs done after this step.
    pub epoch: f64,
    /// Mean loss per counted token, in nats, before the update.
    pub loss: f64,
    /// The learning rate of this step.
    pub lr: f64,
    /// The gradient's global norm before clipping.
    pub grad_norm: f64,
    /// Tokens that went through the model, prompts included.
    pub tokens: usize,
    /// Wall time; left out when two runs are compared.
    pub seconds: f64,
}
