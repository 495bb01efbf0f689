//! `subliminal train`: fine-tune a model on a file of rows, without a trial around it.

use std::path::PathBuf;

use super::setup::{DeviceArgs, TemplateArgs};
use super::{output, rows};
use crate::engine::{TrainEvent, TrainRequest, TrainRow};
use crate::error::{Error, Result};
use crate::record::{Finetune, LayerRange, LayerTargets, Lora, Method, ModelRef, Schedule, StepRow, Weights};
use crate::stage::step_log::StepLog;
use crate::tool::fs;

/// Fine-tune a model on a JSONL file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    subliminal train --model builtin:tiny-a --rows samples.jsonl --out student --epochs 10 --lr 0.003\n  \
    subliminal train --model Qwen/Qwen2.5-7B-Instruct --rows kept.jsonl --out student --lora-rank 8 --epochs 3\n\n\
    An interrupted command, given again, goes on from its last checkpoint.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Args {
    /// `builtin:NAME`, a folder in Hugging Face layout, or a Hub id.
    #[arg(long, value_name = "M")]
    model: ModelRef,
    /// JSONL of {"prompt", "completion", "system"?}.
    #[arg(long, value_name = "FILE")]
    rows: PathBuf,
    /// A new folder: the adapter (PEFT layout) or the checkpoint, and steps.jsonl.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on from this adapter or checkpoint.
    #[arg(long, value_name = "DIR")]
    init_adapter: Option<PathBuf>,
    /// Train every weight instead of a low-rank adapter.
    #[arg(long, conflicts_with_all = ["lora_rank", "lora_alpha", "rslora", "lora_dropout", "lora_targets", "lora_layers"])]
    full: bool,
    /// With `--full`: leave the token embeddings as they are.
    #[arg(long, requires = "full")]
    freeze_embeddings: bool,
    /// The adapter's rank.
    #[arg(long, value_name = "R", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    lora_rank: u16,
    /// The adapter's alpha [default: the rank].
    #[arg(long, value_name = "A", value_parser = positive)]
    lora_alpha: Option<f64>,
    /// Scale by alpha / sqrt(rank).
    #[arg(long)]
    rslora: bool,
    /// Dropout on the adapter's input.
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = dropout)]
    lora_dropout: f64,
    /// Modules with an adapter, by PEFT's names, separated by commas [default: all linear layers].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    lora_targets: Option<Vec<String>>,
    /// Decoder layers with an adapter, counted from 0, e.g. 8-15 [default: all].
    #[arg(long, value_name = "A-B")]
    lora_layers: Option<LayerRange>,
    /// Passes over the rows.
    #[arg(long, value_name = "N", default_value_t = 1)]
    epochs: usize,
    /// Stop after this many optimiser steps.
    #[arg(long, value_name = "N")]
    max_steps: Option<usize>,
    /// Rows per optimiser step.
    #[arg(long, value_name = "N", default_value_t = 8)]
    batch: usize,
    /// Rows per forward pass [default: at most 16].
    #[arg(long, value_name = "N")]
    micro_batch: Option<usize>,
    /// Keep only each layer's input for the backward pass and compute the rest again: far less memory, a third more time. By
    /// default where training would not fit the memory otherwise.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Checkpointing::Auto)]
    gradient_checkpointing: Checkpointing,
    /// The peak learning rate.
    #[arg(long, value_name = "X", default_value_t = 2e-4, value_parser = share)]
    lr: f64,
    /// The learning rate's course after warm-up.
    #[arg(long, value_enum, default_value_t = Course::Linear)]
    schedule: Course,
    /// Optimiser steps of warm-up.
    #[arg(long, value_name = "N", default_value_t = 5)]
    warmup: usize,
    /// Decoupled weight decay.
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    weight_decay: f64,
    /// The largest gradient norm; 0 leaves gradients as they are.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = not_negative)]
    clip: f64,
    /// Draw a new row order for every epoch.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    shuffle: bool,
    /// Write a checkpoint every N optimiser steps; the same command goes on from the last one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    checkpoint_every: usize,
    /// Write one whenever this many minutes have passed since the last; 0 leaves it to `--checkpoint-every`.
    #[arg(long, value_name = "M", default_value_t = 10.0, value_parser = not_negative)]
    checkpoint_minutes: f64,
    /// Seeds the row order, the adapter's initial values and dropout.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    template: TemplateArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// [`Schedule`] as the command line names it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Course {
    Linear,
    Cosine,
    Constant,
}

/// Whether activations are computed again on the way back.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Checkpointing {
    Auto,
    True,
    False,
}

/// A number that is finite in f32, in which adapters and gradients are computed, and that `holds`.
fn number(text: &str, holds: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| (*x as f32).is_finite() && holds(*x));
    number.ok_or_else(|| format!("expected {expected}"))
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, |x| x > 0.0, "a number above 0")
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text, |x| x >= 0.0, "a number, 0 or above")
}

fn share(text: &str) -> Result<f64, String> {
    number(text, |x| (0.0..=1.0).contains(&x), "0 to 1")
}

fn dropout(text: &str) -> Result<f64, String> {
    number(text, |x| (0.0..1.0).contains(&x), "0 up to 1, without 1")
}

impl Args {
    fn method(&self) -> Method {
        if self.full {
            return Method::Full { freeze_embeddings: self.freeze_embeddings };
        }
        Method::Lora(Lora {
            rank: usize::from(self.lora_rank),
            alpha: self.lora_alpha.unwrap_or(f64::from(self.lora_rank)),
            rslora: self.rslora,
            dropout: self.lora_dropout,
            targets: self.lora_targets.clone().map_or(LayerTargets::AllLinear, LayerTargets::Named),
            layers: self.lora_layers,
        })
    }

    fn recipe(&self) -> Finetune {
        Finetune {
            method: self.method(),
            epochs: self.epochs,
            max_steps: self.max_steps,
            batch_size: self.batch.max(1),
            micro_batch: self.micro_batch.unwrap_or(self.batch.min(16)).max(1),
            gradient_checkpointing: match self.gradient_checkpointing {
                Checkpointing::Auto => None,
                Checkpointing::True => Some(true),
                Checkpointing::False => Some(false),
            },
            learning_rate: self.lr,
            schedule: match self.schedule {
                Course::Linear => Schedule::Linear,
                Course::Cosine => Schedule::Cosine,
                Course::Constant => Schedule::Constant,
            },
            warmup_steps: self.warmup,
            weight_decay: self.weight_decay,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            clip_norm: self.clip,
            shuffle: self.shuffle,
            length_power: 0.0,
            checkpoint_every: self.checkpoint_every,
            checkpoint_minutes: self.checkpoint_minutes,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let template = args.template.settings();
    let rows: Vec<TrainRow> = rows::completions(&args.rows)?
        .into_iter()
        .map(|(_, row, completion)| TrainRow { chat: row.chat(None).under(&template), completion })
        .collect();
    let (steps, checkpoints) = (args.out.join("steps.jsonl"), args.out.join("checkpoints"));
    if steps.exists() && !checkpoints.exists() {
        return Err(Error::input(format!("`{}` already holds a training", args.out.display())).hint("choose another --out"));
    }
    fs::create_dir(&checkpoints)?;
    let engine = args.device.engine()?;
    let start = Weights { base: args.model.clone(), tuned: args.init_adapter.clone() };
    let recipe = args.recipe();
    let request =
        TrainRequest { start: &start, recipe: &recipe, seed: args.seed, out: &args.out, checkpoints: Some(checkpoints.clone()) };
    let mut log = StepLog::open(&steps)?;
    if let Some(lost) = &log.lost {
        output::say(&format!("warning: {lost}"));
    }
    let summary = engine.train(&request, &rows, &mut |event| {
        match event {
            TrainEvent::Begins(..) => {}
            TrainEvent::Step(step, _) => {
                let StepRow { step: n, loss, lr, grad_norm, .. } = step;
                output::say(&format!("step {n}  loss {loss:.4}  lr {lr:.2e}  grad norm {grad_norm:.3}"));
                log.push(step)?;
            }
            TrainEvent::Warning(text) => output::say(&format!("warning: {text}")),
        }
        Ok(())
    })?;
    log.finish(summary.steps)?;
    fs::remove_dir(&checkpoints)?; // the last of all: as long as it is there, the same command goes on
    output::say(&format!(
        "{} steps, {} tokens, final loss {:.4}, {} trainable weights{}: {}",
        summary.steps,
        summary.tokens,
        summary.final_loss,
        summary.trainable,
        if summary.gradient_checkpointing { ", with gradient checkpointing" } else { "" },
        args.out.display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_would_spoil_every_weight_are_refused() {
        type Read = fn(&str) -> Result<f64, String>;
        for (read, good) in [(positive as Read, "8"), (not_negative, "0"), (share, "2e-4"), (dropout, "0.5")] {
            assert!(read(good).is_ok(), "{good}");
            for bad in ["nan", "inf", "-inf", "1e300", "-1", ""] {
                assert!(read(bad).is_err(), "{bad}");
            }
        }
        assert!(positive("0").is_err() && share("1.5").is_err() && dropout("1").is_err());
    }
}
