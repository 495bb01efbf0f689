//! What fine-tuning a teacher and a student have in common: the rows and their rendered context on disk, the steps, the resumed run.

use crate::engine::{TrainRequest, TrainRow};
use crate::error::{Error, Result};
use crate::record::{Finetune, StepRow, Weights};
use crate::tool::{fs, jsonl};

use super::{Done, Progress, Room, context, files};

/// Where checkpoints lie while an artifact is built.
const CHECKPOINTS: &str = "checkpoints";

/// Fine-tunes `start` on `rows` into the room's folder; goes on from a checkpoint that lies there.
pub(super) fn train(room: Room<'_>, start: &Weights, recipe: &Finetune, seed: u64, rows: &[TrainRow]) -> Result<Done> {
    let first = rows.first().ok_or_else(|| {
        Error::input("no rows are left to learn from").hint("see the dropped rows and the rule that dropped each")
    })?;
    jsonl::replace(&room.dir.join(files::TRAIN), rows)?;
    let model = room.engine.load(start)?;
    let rendered = model.render(&first.chat)?;
    fs::put(&room.dir.join(files::CONTEXT), format!("{}{}\n", rendered.text, first.completion).as_bytes())?;
    context::keep(room.dir, &context::around(&rendered.text, &first.chat)?)?;
    drop(model); // before the trainer loads its own
    let (out, checkpoints) = (room.dir.join(files::MODEL), room.dir.join(CHECKPOINTS));
    fs::remove_dir(&out)?;
    fs::create_dir(&out)?;
    let request = TrainRequest { start, recipe, seed, out: &out, checkpoints: Some(checkpoints.clone()) };
    let mut log = StepLog::open(room, expected_steps(recipe, rows.len()))?;
    let summary = room.engine.train(&request, rows, &mut |step| log.push(step))?;
    let steps = log.finish(summary.steps)?;
    fs::remove_dir(&checkpoints)?;
    Ok(Done { rows: rows.len(), tokens: steps.iter().map(|s| s.tokens).sum() })
}

/// How many optimiser steps a recipe takes over `rows` rows.
pub fn expected_steps(recipe: &Finetune, rows: usize) -> usize {
    (recipe.epochs * rows.div_ceil(recipe.batch_size.max(1))).min(recipe.max_steps.unwrap_or(usize::MAX))
}

/// `steps.jsonl`: each step once, also where a resumed training repeats those after its checkpoint.
struct StepLog<'a> {
    room: Room<'a>,
    total: usize,
    steps: Vec<StepRow>,
    writer: Result<jsonl::Writer>,
    fresh: bool,
}

impl<'a> StepLog<'a> {
    fn open(room: Room<'a>, total: usize) -> Result<Self> {
        let path = room.dir.join(files::STEPS);
        let writer = jsonl::Writer::append(&path)?;
        Ok(Self { room, total, steps: jsonl::read(&path)?, writer: Ok(writer), fresh: true })
    }

    fn push(&mut self, step: &StepRow) {
        if std::mem::take(&mut self.fresh) && self.steps.last().is_some_and(|last| last.step >= step.step) {
            self.steps.retain(|old| old.step < step.step);
            self.writer = self.rewind();
        }
        self.steps.push(step.clone());
        // A failed write is kept and reported at the end: the trainer's callback has no way to stop it.
        if let Ok(writer) = &mut self.writer
            && let Err(error) = writer.push(step).and_then(|()| writer.flush())
        {
            self.writer = Err(error);
        }
        let tokens = self.steps.iter().map(|s| s.tokens).sum();
        (self.room.listener)(Progress { done: step.step, total: self.total, tokens, loss: Some(step.loss) });
    }

    fn rewind(&self) -> Result<jsonl::Writer> {
        let path = self.room.dir.join(files::STEPS);
        jsonl::replace(&path, &self.steps)?;
        jsonl::Writer::append(&path)
    }

    /// The steps of the whole training, without those that an earlier attempt of another length left.
    fn finish(self, expected: usize) -> Result<Vec<StepRow>> {
        self.writer?.close()?;
        let mut steps = self.steps;
        steps.retain(|row| row.step <= expected);
        Ok(steps)
    }
}
