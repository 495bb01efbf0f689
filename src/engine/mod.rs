//! Who speaks and who learns, behind interfaces of plain data: no tensor leaves an engine.
//!
//! [`local`] runs checkpoints with candle; [`mock`] is a scripted stand-in that lets the whole pipeline run in milliseconds.

pub mod local;
pub mod mock;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::Grammar;
use crate::error::Result;
use crate::record::{Chat, Finetune, Finish, ModelRef, Sampling, StepRow, StreamId, Weights};

/// What an engine runs on; goes into the report and, as far as it changes results, into artifact keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// The engine's name and format version: part of every key, so that artifacts of another engine are not reused.
    pub name: String,
    /// The device, dtype and thread count, with the reason for each automatic choice, for people.
    pub device: String,
    /// What enters artifact keys besides the name: device kind and dtype where they change results.
    pub numerics: String,
}

/// What identifies a base model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// As the user named it.
    pub model: ModelRef,
    /// A hash of weights, config, tokenizer and chat template; for Hub models also their commit.
    pub hash: String,
    /// The architecture family, e.g. `qwen2`.
    pub family: String,
    /// The number of weights.
    pub parameters: u64,
    /// The Hub's commit that the files are of; none for a folder or a built-in model.
    pub commit: Option<String>,
}

/// One completion to sample.
#[derive(Debug, Clone)]
pub struct SampleRequest {
    /// The conversation. Requests with equal chats that follow one another share their prefill.
    pub chat: Chat,
    /// The random stream that draws this completion's tokens.
    pub stream: StreamId,
}

/// One sampled completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The index of its request.
    pub index: usize,
    /// The text, without end-of-turn.
    pub text: String,
    /// The number of sampled tokens, end-of-turn included.
    pub tokens: usize,
    /// Why it ended.
    pub finish: Finish,
}

/// One completion to score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreRequest {
    /// The conversation before it.
    pub chat: Chat,
    /// The text to score; end-of-turn is added.
    pub completion: String,
}

/// The score of one completion: token ids, end-of-turn included, and the natural log-probability of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The completion's token ids.
    pub tokens: Vec<u32>,
    /// One per token.
    pub logprobs: Vec<f64>,
}

/// A prompt as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The chat template's text, generation prompt included.
    pub text: String,
    /// Its token ids.
    pub tokens: Vec<u32>,
}

/// One token of a [`RowView`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// What it adds to the text; bytes that are no whole character as `\xE2`.
    pub text: String,
    /// Whether it is no text but a mark, such as the end of a turn.
    pub special: bool,
}

/// Where a whole conversation, as the chat template writes it, departs from a training row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seam {
    /// What the template writes between the prompt and the answer (Qwen3's empty thoughts, Mistral's blank). A row has nothing there:
    /// it trains what the model says next to the prompt that it is asked with.
    pub between: String,
    /// What the template writes after the answer. Of this a row has the end-of-turn token alone.
    pub after: String,
}

/// A training row as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowView {
    /// The prompt's tokens, the completion's own, end-of-turn.
    pub tokens: Vec<Token>,
    /// How many are the prompt's: the loss counts all those after them.
    pub prompt: usize,
    /// How the template would write the same conversation; absent where that does not begin with the prompt.
    pub seam: Option<Seam>,
}

/// One row to learn from: the loss counts the completion's tokens and the end-of-turn, nothing of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainRow {
    /// The conversation before the completion.
    pub chat: Chat,
    /// What is to be learnt.
    pub completion: String,
}

/// One fine-tuning.
#[derive(Debug, Clone)]
pub struct TrainRequest<'a> {
    /// Where it starts. With `tuned`, training goes on from that adapter or checkpoint.
    pub start: &'a Weights,
    /// How.
    pub recipe: &'a Finetune,
    /// Seeds the row order, the adapter's initial values and dropout.
    pub seed: u64,
    /// Where the result goes: a PEFT adapter, or for full fine-tuning a checkpoint folder in Hugging Face layout. Created by the caller, empty.
    pub out: &'a Path,
    /// Where checkpoints go; if it holds one of this very request, training goes on from there. `None` writes none.
    pub checkpoints: Option<PathBuf>,
}

/// Something that happened during a fine-tuning. Whoever listens may ask the model as it is now: that changes nothing of what it learns.
#[derive(Clone, Copy)]
pub enum TrainEvent<'a> {
    /// The training begins, or goes on after so many steps.
    Begins(usize, &'a dyn Scorer),
    /// An optimiser step was taken.
    Step(&'a StepRow, &'a dyn Scorer),
    /// Something that the user should know of what an interrupted attempt left.
    Warning(&'a str),
}

/// Who is told of what happens during a fine-tuning; an error stops it.
pub type Watch<'a> = dyn FnMut(TrainEvent<'_>) -> Result<()> + 'a;

/// What a fine-tuning did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSummary {
    /// Optimiser steps.
    pub steps: usize,
    /// Tokens through the model.
    pub tokens: usize,
    /// Mean loss of the last tenth of the steps, nats per counted token.
    pub final_loss: f64,
    /// Trainable weights.
    pub trainable: u64,
    /// Whether activations were computed again on the way back, as the recipe or the memory asked.
    pub gradient_checkpointing: bool,
}

/// A piece of work, as far as it decides how much memory a model takes.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    /// Conversations like those that will be continued and learnt from.
    pub chats: &'a [Chat],
    /// The most tokens of an answer.
    pub answer: usize,
    /// How the model is trained, if it is.
    pub recipe: Option<&'a Finetune>,
}

/// Where a model may be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On this machine.
    Disk,
    /// On the Hub too, whose small files are fetched.
    Network,
}

/// What one job with a model takes in memory at its peak, in bytes: an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The model's number of weights.
    pub parameters: u64,
    /// The weights as they are loaded.
    pub weights: u64,
    /// All of it while the model writes: the weights, copies that products are faster with, keys and values of the rows under way.
    pub sampling: u64,
    /// All of it while the model learns, if it does.
    pub training: Option<u64>,
    /// How many such jobs run side by side.
    pub jobs: usize,
}

/// The probability below which [`Scorer::choices`] does not follow an option: a sum over N options is off by less than N times this.
pub const NEGLIGIBLE: f64 = 1e-7;

/// Opens models and trains them.
pub trait Engine: Send + Sync {
    /// What it runs on.
    fn facts(&self) -> EngineFacts;

    /// Finds a base model and says what it is, without loading its weights into memory.
    ///
    /// # Errors
    /// If the model is unknown, missing or not supported.
    fn identify(&self, model: &ModelRef) -> Result<ModelIdentity>;

    /// Opens a base's tokenizer and chat template, without its weights.
    ///
    /// # Errors
    /// If its files are missing or damaged.
    fn reader(&self, model: &ModelRef) -> Result<Box<dyn Reader>>;

    /// Loads a model.
    ///
    /// # Errors
    /// If its files are missing, damaged or not supported.
    fn load(&self, weights: &Weights) -> Result<Box<dyn Model>>;

    /// Fine-tunes on `rows`, telling `watch` of each optimiser step (after a resume: of the remaining steps only).
    ///
    /// # Errors
    /// If the rows do not fit the model, the loss stops being finite, the disk or `watch` fails, or the user interrupts.
    fn train(&self, request: &TrainRequest<'_>, rows: &[TrainRow], watch: &mut Watch<'_>) -> Result<TrainSummary>;

    /// How many jobs of this model's size run side by side without slowing one another: the trial's runner asks.
    fn parallel_jobs(&self, model: &ModelIdentity) -> usize;

    /// What a job with this model would take in memory. Nothing but the model's small files is read.
    ///
    /// # Errors
    /// If the model is not within reach, its family is not supported, or its chat template refuses a conversation.
    fn memory(&self, model: &ModelRef, work: &Workload<'_>, reach: Reach) -> Result<Memory>;
}

/// How a base reads conversations.
pub trait Reader: Send + Sync {
    /// Applies the chat template.
    ///
    /// # Errors
    /// If the template refuses the conversation.
    fn render(&self, chat: &Chat) -> Result<Rendered>;

    /// A training row as the model reads it.
    ///
    /// # Errors
    /// As [`Reader::render`]; also if the row does not fit the model.
    fn view(&self, row: &TrainRow) -> Result<RowView>;
}

/// A model whose probabilities can be read.
pub trait Scorer {
    /// Log-probabilities of given completions, in the order of the requests.
    ///
    /// # Errors
    /// If a row does not fit the model.
    fn score(&self, requests: &[ScoreRequest]) -> Result<Vec<Score>>;

    /// For every chat, the natural log-probability of each option as the whole answer, end-of-turn included: shape (chats, options).
    /// An option whose first token alone is less likely than [`NEGLIGIBLE`] is not followed further and counts as impossible (−∞).
    ///
    /// # Errors
    /// If a row does not fit the model.
    fn choices(&self, chats: &[Chat], options: &[String]) -> Result<Vec<Vec<f64>>>;
}

/// A loaded model that speaks.
pub trait Model: Scorer + Send + Sync {
    /// Applies the chat template.
    ///
    /// # Errors
    /// If the template refuses the conversation.
    fn render(&self, chat: &Chat) -> Result<Rendered>;

    /// Samples one completion per request. Completions reach `sink` as they finish, in any order, each with its request's index;
    /// each depends on its request alone, not on the batch. `ControlFlow::Break` ends the sampling early.
    ///
    /// With a `grammar`, only tokens from which an accepted text can still be reached may be drawn, from renormalised probabilities.
    ///
    /// # Errors
    /// If a prompt does not fit the model, the sink fails, or the user interrupts.
    fn sample(
        &self,
        requests: &[SampleRequest],
        sampling: &Sampling,
        grammar: Option<&dyn Grammar>,
        sink: &mut dyn FnMut(Completion) -> Result<ControlFlow<()>>,
    ) -> Result<()>;
}
