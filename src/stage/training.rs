//! What fine-tuning a teacher and a student have in common: the rows and their rendered context on disk, the steps, the resumed run.

use crate::engine::{TrainEvent, TrainRequest, TrainRow};
use crate::error::{Error, Result};
use crate::record::{Finetune, Weights};
use crate::tool::{fs, jsonl};

use super::card::{Learner, ModelCard};
use super::measure::Measuring;
use super::step_log::StepLog;
use super::{Done, Progress, Room, context, files};

/// A fine-tuning.
pub(super) struct Training<'a> {
    pub(super) learner: Learner,
    pub(super) start: &'a Weights,
    pub(super) recipe: &'a Finetune,
    pub(super) seed: u64,
    pub(super) rows: &'a [TrainRow],
}

/// Fine-tunes into the room's folder, measuring the student on the way; goes on from a checkpoint that lies there.
pub(super) fn train(room: Room<'_>, training: &Training<'_>, mut measuring: Option<Measuring<'_>>) -> Result<Done> {
    let Training { learner, start, recipe, seed, rows } = *training;
    let first = rows.first().ok_or_else(|| {
        Error::input("no rows are left to learn from").hint("see the dropped rows and the rule that dropped each")
    })?;
    jsonl::replace(&room.dir.join(files::TRAIN), rows)?;
    let model = room.engine.load(start)?;
    let rendered = model.render(&first.chat)?;
    fs::put(&room.dir.join(files::CONTEXT), format!("{}{}\n", rendered.text, first.completion).as_bytes())?;
    context::keep(room.dir, &context::around(&rendered.text, &first.chat)?)?;
    drop(model); // before the trainer loads its own
    let (out, checkpoints) = (room.dir.join(files::MODEL), room.dir.join(files::CHECKPOINTS));
    fs::remove_dir(&out)?;
    fs::create_dir(&out)?;
    let request = TrainRequest { start, recipe, seed, out: &out, checkpoints: Some(checkpoints) };
    let mut log = StepLog::open(&room.dir.join(files::STEPS))?;
    if let Some(lost) = &log.lost {
        (room.warn)(lost);
    }
    let (total, mut tokens) = (expected_steps(recipe, rows.len()), 0);
    let summary = room.engine.train(&request, rows, &mut |event| {
        match event {
            TrainEvent::Begins(step, student) => {
                if let Some(measuring) = &mut measuring {
                    measuring.begin(step, student)?;
                }
            }
            TrainEvent::Step(step, student) => {
                log.push(step)?;
                if let Some(measuring) = &mut measuring {
                    measuring.after(step.step, student)?;
                }
                tokens += step.tokens;
                (room.listener)(Progress { done: step.step, total, tokens, loss: Some(step.loss) });
            }
            TrainEvent::Warning(text) => (room.warn)(text),
        }
        Ok(())
    })?;
    let steps = log.finish(summary.steps)?;
    ModelCard { learner, base: &start.base, recipe, rows: rows.len(), summary: &summary }.write(&out)?;
    Ok(Done { rows: rows.len(), tokens: steps.iter().map(|s| s.tokens).sum() })
}

/// How many optimiser steps a recipe takes over `rows` rows.
pub fn expected_steps(recipe: &Finetune, rows: usize) -> usize {
    recipe.max_steps.unwrap_or(recipe.epochs * rows.div_ceil(recipe.batch_size.max(1)))
}
