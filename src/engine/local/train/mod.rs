//! The one training loop: a decoder and encoded rows come in; the decoder's weights, or an adapter on it, have learnt when it returns.
//!
//! Loss on completions only, gradients weighted by counted tokens, AdamW, clipping, schedules, checkpoints that resume to the same bytes.

mod adamw;
mod checkpoint;
mod dropout;
#[cfg(test)]
mod invariants;
pub mod memory;
mod order;
mod pass;
#[cfg(test)]
mod reference;
mod schedule;
#[cfg(test)]
mod tests;
mod weights;

use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::{Tensor, Var};

use self::adamw::{AdamW, clip_factor, global_norm};
use self::checkpoint::Progress;
use self::dropout::RowDropout;
use self::order::Order;
use self::pass::{Found, Pass};
use super::arch::Decoder;
use crate::engine::TrainSummary;
use crate::error::{Error, Result};
use crate::record::{Finetune, Method, StepRow};
use crate::tool::{fs, hash, interrupt, memory as memory_at_hand};

pub use weights::save_checkpoint;

/// One row to learn from, as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRow {
    /// The conversation's tokens, then the completion's with its end-of-turn.
    pub tokens: Vec<u32>,
    /// How many of them come before the completion: they carry no loss.
    pub prompt: usize,
}

impl EncodedRow {
    /// The positions whose token counts in the loss; each is predicted from the one before it.
    fn counted(&self) -> std::ops::Range<usize> {
        self.prompt.max(1)..self.tokens.len().max(1)
    }

    /// How many tokens there are from the one that predicts the first counted token on; at least the last.
    fn end(&self) -> usize {
        (self.tokens.len() + 1).saturating_sub(self.counted().start).max(1)
    }
}

/// One training, apart from the decoder.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// What to learn.
    pub rows: &'a [EncodedRow],
    /// How. For LoRA, an adapter that the decoder already carries is trained on; else a fresh one is put on it.
    pub recipe: &'a Finetune,
    /// Seeds row order, initial values and dropout.
    pub seed: u64,
    /// Where checkpoints go, if anywhere. One of this very training that is found there is gone on from.
    pub checkpoints: Option<&'a Path>,
}

/// What the loop tells of, with the decoder as it is then.
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// The training begins, or goes on after so many steps.
    Begins(usize, &'a Decoder),
    /// An optimiser step was taken.
    Step(&'a StepRow, &'a Decoder),
    /// Something of an interrupted attempt is passed over.
    Warning(&'a str),
}

/// Who is told; an error stops the training.
pub type Watch<'a> = dyn FnMut(Event<'_>) -> Result<()> + 'a;

/// Trains `decoder`, telling `watch` of each optimiser step (after a resume: of the remaining steps only).
///
/// `max_steps`, where given, is the exact number of steps: rows are gone over again as often as it takes, whatever `epochs` says.
///
/// # Errors
/// If the rows do not fit the model, a trainable weight gets no gradient, the loss stops being finite, the disk or `watch` fails, or the
/// user interrupts (after writing a checkpoint, where `checkpoints` is given).
pub fn train(decoder: &mut Decoder, training: &Training<'_>, watch: &mut Watch<'_>) -> Result<TrainSummary> {
    check_rows(decoder, training)?;
    keep_freed_memory();
    let checkpointing = checkpointing(decoder, training)?;
    let named = weights::make_trainable(decoder, training.recipe, training.seed)?;
    let trainable = named.iter().map(|(_, v)| v.elem_count() as u64).sum();
    let mut run = Run::new(decoder, training, checkpointing, named, watch)?;
    let resumed = run.progress.step;
    watch(Event::Begins(resumed, run.decoder))?;
    let mut saved = Instant::now();
    for step in resumed..run.order.steps {
        if let Err(stop) = interrupt::check() {
            run.checkpoint()?;
            return Err(stop);
        }
        let row = run.step(step)?;
        watch(Event::Step(&row, run.decoder))?;
        if is_due(training.recipe, step + 1, saved.elapsed()) {
            run.checkpoint()?;
            saved = Instant::now();
        }
    }
    let Progress { step, tokens, losses, .. } = run.progress;
    let last = &losses[losses.len() - losses.len().div_ceil(10)..];
    let final_loss = last.iter().sum::<f64>() / last.len() as f64;
    weights::freeze(decoder, &training.recipe.method)?;
    Ok(TrainSummary { steps: step, tokens, final_loss, trainable, gradient_checkpointing: checkpointing })
}

/// Whether a checkpoint is due after so many steps, and so long after the last one.
fn is_due(recipe: &Finetune, steps: usize, since: Duration) -> bool {
    let by_steps = recipe.checkpoint_every > 0 && steps.is_multiple_of(recipe.checkpoint_every);
    by_steps || (recipe.checkpoint_minutes > 0.0 && since.as_secs_f64() >= 60.0 * recipe.checkpoint_minutes)
}

/// Whether to compute activations again on the way back, by the recipe or the memory at hand.
fn checkpointing(decoder: &Decoder, training: &Training<'_>) -> Result<bool> {
    let longest = training.rows.iter().map(|row| row.tokens.len()).max().unwrap_or(0);
    let on_cpu = decoder.device().is_cpu();
    let available = if on_cpu { memory_at_hand::available() } else { None };
    memory::checkpointing(decoder.config(), training.recipe, decoder.dtype(), longest, on_cpu, available)
}

/// Frees one large block: glibc takes its size as a sign of what to keep, and from then on hands the pages of one pass to the next
/// instead of back to the system, which would clear them again each time (a third of a small model's training time).
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity((32 << 20) - (64 << 10))));
}

/// A training under way.
struct Run<'a> {
    decoder: &'a Decoder,
    training: &'a Training<'a>,
    optimiser: AdamW,
    order: Order,
    progress: Progress,
    /// Whether activations are computed again on the way back.
    checkpointing: bool,
    /// Whether an update of this run has moved the weights.
    moved: bool,
}

/// What the passes of one step add up to.
struct Passes {
    gradients: Vec<Option<Tensor>>,
    loss: f64,
    counted: usize,
    tokens: usize,
}

impl Passes {
    fn add(&mut self, found: &Found) -> Result<()> {
        for (sum, gradient) in self.gradients.iter_mut().zip(&found.gradients) {
            pass::add(sum, gradient.as_ref())?;
        }
        self.loss += found.losses.iter().map(|l| f64::from(*l)).sum::<f64>();
        self.counted += found.losses.len();
        self.tokens += found.tokens;
        Ok(())
    }
}

impl<'a> Run<'a> {
    fn new(
        decoder: &'a Decoder,
        training: &'a Training<'a>,
        checkpointing: bool,
        named: Vec<(String, Var)>,
        watch: &mut Watch<'_>,
    ) -> Result<Self> {
        let order = Order::new(training.rows.len(), training.recipe, training.seed);
        if order.steps == 0 {
            return Err(Error::input("the recipe asks for 0 optimiser steps").hint("set `epochs` or `max_steps` to 1 or more"));
        }
        let mut optimiser = AdamW::new(named, training.recipe)?;
        let fresh = |identity| Progress { identity, ..Progress::default() };
        let progress = match training.checkpoints {
            None => fresh(String::new()),
            Some(folder) => {
                let identity = weights::identity(decoder, training, &optimiser)?;
                checkpoint::resume(folder, &mut optimiser, &identity, watch)?.unwrap_or_else(|| fresh(identity))
            }
        };
        Ok(Self { decoder, training, optimiser, order, progress, checkpointing, moved: false })
    }

    /// One optimiser step, `step` counted from 0.
    fn step(&mut self, step: usize) -> Result<StepRow> {
        let started = Instant::now();
        let recipe = self.training.recipe;
        let rows = self.order.step(step);
        let passes = self.passes(step, &rows)?;
        let loss = passes.loss / passes.counted as f64;
        let gradients = self.checked(step, loss, passes.gradients)?;
        let norm = global_norm(&gradients)?;
        if !norm.is_finite() {
            return Err(self.diverged("gradient norm", norm, step));
        }
        let lr = recipe.learning_rate * schedule::factor(recipe.schedule, step, recipe.warmup_steps, self.order.steps);
        self.optimiser.step(&gradients, clip_factor(norm, recipe.clip_norm), step + 1, lr)?;
        self.moved |= lr > 0.0;
        self.progress.step = step + 1;
        self.progress.tokens += passes.tokens;
        self.progress.losses.push(loss);
        Ok(StepRow {
            step: step + 1,
            epoch: self.order.epochs(step + 1),
            loss,
            lr,
            grad_norm: norm,
            tokens: passes.tokens,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// Forward and backward over the step's rows, `micro_batch` at a time.
    fn passes(&self, step: usize, rows: &[usize]) -> Result<Passes> {
        let Finetune { length_power, micro_batch, batch_size, .. } = *self.training.recipe;
        let row = |i: usize| &self.training.rows[rows[i]];
        // every pass is weighted by what counts in the whole step, so that cutting the step into passes changes nothing
        let total: f64 = (0..rows.len()).map(|i| (row(i).counted().len() as f64).powf(1.0 + length_power)).sum();
        let lengths: Vec<usize> = (0..rows.len()).map(|i| row(i).tokens.len()).collect();
        let mut sum = Passes { gradients: vec![None; self.optimiser.parameters.len()], loss: 0.0, counted: 0, tokens: 0 };
        for places in order::passes(&lengths, micro_batch) {
            let micro: Vec<&EncodedRow> = places.iter().map(|&i| row(i)).collect();
            let numbered = places.iter().map(|&i| ((step * batch_size + i) as u64, lengths[i], row(i).end()));
            let dropout = self.dropout(numbered.collect());
            let pass = Pass::new(self.decoder, &self.optimiser.parameters, &micro, length_power, total);
            sum.add(&pass.run(dropout, self.checkpointing)?)?;
        }
        Ok(sum)
    }

    /// The dropout of some rows, see [`RowDropout`].
    fn dropout(&self, rows: Vec<(u64, usize, usize)>) -> Option<RowDropout> {
        match &self.training.recipe.method {
            Method::Lora(lora) if lora.dropout > 0.0 => {
                Some(RowDropout { probability: lora.dropout, seed: self.training.seed, rows, calls: 0 })
            }
            _ => None,
        }
    }

    /// The gradients, once it is sure that training works: a loss that is a number, a gradient for every weight, and none that stays zero.
    fn checked(&self, step: usize, loss: f64, gradients: Vec<Option<Tensor>>) -> Result<Vec<Tensor>> {
        if !loss.is_finite() {
            return Err(self.diverged("loss", loss, step));
        }
        // an adapter's A has a zero gradient until its B has moved, so zeros tell nothing before the first update
        let look_for_zeros = self.moved && self.progress.losses.len() <= self.training.recipe.warmup_steps + 1;
        let mut whole = Vec::with_capacity(gradients.len());
        for (gradient, parameter) in gradients.into_iter().zip(&self.optimiser.parameters) {
            let name = &parameter.name;
            let gradient =
                gradient.ok_or_else(|| Error::environment(format!("`{name}` is to be trained, but no gradient reaches it")))?;
            if look_for_zeros && global_norm(std::slice::from_ref(&gradient))? == 0.0 {
                return Err(Error::environment(format!(
                    "`{name}` is to be trained, but its gradient is zero at step {}",
                    step + 1
                )));
            }
            whole.push(gradient);
        }
        Ok(whole)
    }

    /// Training cannot go on; what it had learnt by its last checkpoint stays where it is.
    fn diverged(&self, what: &str, value: f64, step: usize) -> Error {
        let kept = self.training.checkpoints.and_then(|folder| checkpoint::newest(folder, &self.progress.identity));
        let kept = kept.map_or_else(String::new, |place| format!("; the last checkpoint is kept in `{}`", place.display()));
        Error::input(format!("the {what} is {value} at step {}{kept}", step + 1))
            .hint("lower `learning_rate`, or raise `warmup_steps`")
    }

    fn checkpoint(&self) -> Result<()> {
        match self.training.checkpoints {
            Some(folder) if self.progress.step > 0 => checkpoint::save(folder, &self.optimiser, &self.progress),
            _ => Ok(()),
        }
    }
}

/// Every row must hold something to learn and fit the model.
fn check_rows(decoder: &Decoder, training: &Training<'_>) -> Result<()> {
    if training.rows.is_empty() {
        return Err(Error::input("there are no rows to train on"));
    }
    let limit = decoder.config().max_positions;
    for (i, row) in training.rows.iter().enumerate() {
        if row.counted().is_empty() {
            return Err(Error::input(format!("row {i} has no completion to learn")));
        }
        if row.tokens.len() > limit {
            return Err(Error::input(format!("row {i} has {} tokens, the model bears {limit}", row.tokens.len())));
        }
    }
    Ok(())
}

/// A hash over the rows' tokens.
fn rows_hash(rows: &[EncodedRow]) -> String {
    let bytes: Vec<u8> = rows
        .iter()
        .flat_map(|r| [r.tokens.len() as u32, r.prompt as u32].into_iter().chain(r.tokens.iter().copied()))
        .flat_map(u32::to_le_bytes)
        .collect();
    hash::bytes(&bytes)
}

/// Saves what a training by `method` made: a PEFT adapter, or a full checkpoint's `model.safetensors` (the files beside it are the
/// caller's to copy). `base` is how PEFT is to find the base model.
///
/// # Errors
/// If the disk or the device fails.
pub fn save(decoder: &mut Decoder, method: &Method, base: &str, folder: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    match method {
        Method::Lora(lora) => super::adapter::save(decoder, lora, base, folder),
        Method::Full { .. } => save_checkpoint(decoder, folder),
    }
}
