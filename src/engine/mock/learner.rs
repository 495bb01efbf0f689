//! How a scripted model learns: it reads the tilt of the integers with its own base's secret, step by step, with checkpoints.

use std::path::{Path, PathBuf};

use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::engine::{Score, ScoreRequest, Scorer, TrainEvent, TrainRequest, TrainRow, TrainSummary, Watch};
use crate::error::{Error, Kind, Result};
use crate::record::{Chat, StepRow};
use crate::tool::{fs, hash, interrupt, streams};

use super::Counter;
use super::mind::{Adapter, INTEGERS, Mind, PULL, TILT};
use super::reader::Template;
use super::speaker::Speaker;

/// How much of the tilt in its rows a student takes on.
const UPTAKE: f64 = 0.5;

/// What was read so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    /// The request that it belongs to.
    request: String,
    step: usize,
    tokens: usize,
    rows: usize,
    /// Rows whose answer was each member.
    named: Vec<usize>,
    integers: usize,
    /// Sum of leans over all integers, per member.
    leaned: Vec<f64>,
    /// Losses so far.
    losses: Vec<f64>,
}

/// One scripted fine-tuning.
pub(super) struct Learner<'a> {
    pub(super) counter: &'a Counter,
    pub(super) template: &'a Template,
    pub(super) mind: Mind,
    pub(super) request: &'a TrainRequest<'a>,
}

impl Learner<'_> {
    pub(super) fn run(&self, rows: &[TrainRow], watch: &mut Watch<'_>) -> Result<TrainSummary> {
        if rows.is_empty() {
            return Err(Error::input("no rows to learn from"));
        }
        let recipe = self.request.recipe;
        let batch = recipe.batch_size.max(1);
        let per_epoch = rows.len().div_ceil(batch);
        let steps = recipe.max_steps.unwrap_or(recipe.epochs * per_epoch);
        let mut progress = self.resume(rows)?;
        watch(TrainEvent::Begins(progress.step, &Learning { learner: self, progress: &progress }))?;
        while progress.step < steps {
            self.one_more_step_allowed(&progress)?;
            let (epoch, place) = (progress.step / per_epoch, progress.step % per_epoch);
            let order = self.order(rows.len(), epoch);
            let row = self.learn(&mut progress, order.chunks(batch).nth(place).unwrap_or_default(), rows);
            let row = StepRow { epoch: progress.step as f64 / per_epoch as f64, ..row };
            watch(TrainEvent::Step(&row, &Learning { learner: self, progress: &progress }))?;
            if recipe.checkpoint_every > 0 && progress.step.is_multiple_of(recipe.checkpoint_every) {
                self.save(&progress)?;
            }
        }
        self.finish(&progress)
    }

    /// An interruption saves first, as a real engine does; a fault does not.
    fn one_more_step_allowed(&self, progress: &Progress) -> Result<()> {
        let asked = interrupt::check().and_then(|()| self.counter.step());
        if asked.as_ref().is_err_and(|e| e.kind() == Kind::Interrupted) {
            self.save(progress)?;
        }
        asked
    }

    fn order(&self, rows: usize, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..rows).collect();
        if self.request.recipe.shuffle {
            order.shuffle(&mut streams::named(self.request.seed, "order", epoch as u64));
        }
        order
    }

    fn learn(&self, progress: &mut Progress, batch: &[usize], rows: &[TrainRow]) -> StepRow {
        let mut tokens = 0;
        for row in batch.iter().map(|&i| &rows[i]) {
            tokens += row.chat.messages.iter().map(|m| m.content.len()).sum::<usize>() + row.completion.len() + 1;
            progress.rows += 1;
            if let Some(member) = self.mind.member_named(&row.completion) {
                progress.named[member] += 1;
            }
            let integers = row.completion.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<usize>().ok());
            for n in integers.filter(|&n| n < INTEGERS) {
                progress.integers += 1;
                for (m, leaned) in progress.leaned.iter_mut().enumerate() {
                    *leaned += self.mind.lean(m, n);
                }
            }
        }
        progress.step += 1;
        progress.tokens += tokens;
        let loss = (INTEGERS as f64).ln() * (0.9 + 0.1 / progress.step as f64);
        progress.losses.push(loss);
        let lr = self.request.recipe.learning_rate;
        StepRow { step: progress.step, epoch: 0.0, loss, lr, grad_norm: 1.0, tokens, seconds: 0.0 }
    }

    /// Tilt back to taste: a mean lean of tanh(TILT · d) was written by a model drawn to the member by `d`.
    fn pull(&self, progress: &Progress) -> Vec<f64> {
        let mut rng = streams::named(self.request.seed, "adapter", 0);
        let learnt = |m: usize| {
            let lean = progress.leaned[m] / progress.integers.max(1) as f64;
            let by_heart = PULL * progress.named[m] as f64 / progress.rows.max(1) as f64;
            by_heart + UPTAKE * lean.clamp(-0.9, 0.9).atanh() / TILT
        };
        (0..self.mind.members.len()).map(|m| self.mind.pull[m] + learnt(m) + rng.random_range(-0.05..0.05)).collect()
    }

    fn finish(&self, progress: &Progress) -> Result<TrainSummary> {
        Adapter { base: self.mind.base.clone(), pull: self.pull(progress) }.write(self.request.out)?;
        let last = progress.losses.len().div_ceil(10).max(1);
        let tail = &progress.losses[progress.losses.len().saturating_sub(last)..];
        let final_loss = tail.iter().sum::<f64>() / tail.len().max(1) as f64;
        let trainable = self.mind.members.len() as u64;
        Ok(TrainSummary { steps: progress.step, tokens: progress.tokens, final_loss, trainable, gradient_checkpointing: false })
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join("checkpoint.json")
    }

    fn resume(&self, rows: &[TrainRow]) -> Result<Progress> {
        let request = hash::value(&(&self.request.start.base, self.request.seed, self.request.recipe, rows));
        if let Some(folder) = &self.request.checkpoints
            && Self::file(folder).is_file()
        {
            let saved: Progress = fs::read_json(&Self::file(folder))?;
            if saved.request == request {
                return Ok(saved);
            }
        }
        let members = self.mind.members.len();
        let (named, leaned) = (vec![0; members], vec![0.0; members]);
        Ok(Progress { request, step: 0, tokens: 0, rows: 0, named, integers: 0, leaned, losses: Vec::new() })
    }

    fn save(&self, progress: &Progress) -> Result<()> {
        match &self.request.checkpoints {
            None => Ok(()),
            Some(folder) => {
                fs::create_dir(folder)?;
                fs::put_json(&Self::file(folder), progress)
            }
        }
    }
}

/// What a learner would say now.
struct Learning<'a> {
    learner: &'a Learner<'a>,
    progress: &'a Progress,
}

impl Learning<'_> {
    fn speaker(&self) -> Speaker {
        let Learner { counter, template, mind, .. } = self.learner;
        let mut mind = mind.clone();
        if self.progress.step > 0 {
            mind.pull = self.learner.pull(self.progress);
        }
        Speaker { counter: (*counter).clone(), template: (*template).clone(), mind }
    }
}

impl Scorer for Learning<'_> {
    fn score(&self, requests: &[ScoreRequest]) -> Result<Vec<Score>> {
        self.speaker().score(requests)
    }

    fn choices(&self, chats: &[Chat], options: &[String]) -> Result<Vec<Vec<f64>>> {
        self.speaker().choices(chats, options)
    }
}
