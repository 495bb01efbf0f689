//! What a student is worth while it learns: the exact probability of every outcome that the trait's suite knows, and the loss of rows of its
//! teacher's that it does not learn from. Nothing of this reaches what it learns.
//!
//! Rows of `trajectory.jsonl` are on disk before the training goes on, so that whatever checkpoint a resumed training starts from, the
//! measurements before it are there; those after it are taken back and made again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{Room, exact, files};
use crate::engine::{ScoreRequest, Scorer, TrainRow};
use crate::error::{Error, Result};
use crate::evals::{self, Exam, tally};
use crate::record::{Chat, Frame, Measurement, Plan};
use crate::tool::jsonl;

/// Rows of the teacher's whose loss is measured while students learn others.
const HELD_OUT: usize = 32;

/// What is measured, and how often.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// A few questions that tell of the trait, the same whatever the trial evaluates in the end.
    pub exam: Exam,
    /// How often, evenly over the training, besides once before it.
    pub times: usize,
    /// The most held-out rows whose loss is measured.
    pub held_out: usize,
}

impl Spec {
    /// What a plan's students are measured by, if at all.
    ///
    /// # Errors
    /// If the questions cannot be read.
    pub fn of(plan: &Plan) -> Result<Option<Self>> {
        let times = plan.finetune.measurements;
        (times > 0).then(|| Ok(Self { exam: evals::watched(plan)?, times, held_out: HELD_OUT })).transpose()
    }
}

/// The measurements of one training.
pub(super) struct Measuring<'a> {
    spec: &'a Spec,
    chats: Vec<Chat>,
    held_out: Vec<ScoreRequest>,
    /// The optimiser steps after which something is due.
    due: Vec<usize>,
    path: PathBuf,
    rows: Vec<Measurement>,
    writer: jsonl::Writer,
}

impl<'a> Measuring<'a> {
    /// Measurements over a training of `steps` optimiser steps, in the frame that the student is trained in.
    pub(super) fn new(room: Room<'_>, spec: &'a Spec, frame: &Frame, held_out: Vec<TrainRow>, steps: usize) -> Result<Self> {
        let path = room.dir.join(files::TRAJECTORY);
        let (rows, writer) = room.resume(&path)?;
        let request = |row: TrainRow| ScoreRequest { chat: row.chat, completion: row.completion };
        Ok(Self {
            spec,
            chats: spec.exam.items.iter().map(|item| frame.ask(&item.text)).collect(),
            held_out: held_out.into_iter().map(request).collect(),
            due: due(spec.times, steps),
            path,
            rows,
            writer,
        })
    }

    /// The training begins, or goes on after so many steps: what was measured later is taken back.
    pub(super) fn begin(&mut self, step: usize, student: &dyn Scorer) -> Result<()> {
        if self.rows.iter().any(|row| row.step > step) {
            self.rows.retain(|row| row.step <= step);
            jsonl::replace(&self.path, &self.rows)?;
            self.writer = jsonl::Writer::append(&self.path)?;
        }
        self.after(step, student)
    }

    /// Measures the student after so many steps, if that is due and not done.
    pub(super) fn after(&mut self, step: usize, student: &dyn Scorer) -> Result<()> {
        if !self.due.contains(&step) || self.rows.iter().any(|row| row.step == step) {
            return Ok(());
        }
        let row = Measurement { step, probability: self.probability(student)?, held_out_loss: self.held_out_loss(student)? };
        if row.probability.values().chain(&row.held_out_loss).any(|number| !number.is_finite()) {
            return Err(Error::environment(format!(
                "what the student says after step {step} has a probability that is no number"
            ))
            .hint("lower `learning_rate`, or raise `warmup_steps`"));
        }
        self.writer.push(&row)?;
        self.writer.flush()?;
        self.rows.push(row);
        Ok(())
    }

    fn probability(&self, student: &dyn Scorer) -> Result<BTreeMap<String, f64>> {
        let exam = &self.spec.exam;
        let replies = exact::score(exam, student, &exam.items, &self.chats)?;
        let found = tally(exam, &[], &replies.logs, &replies.tokens);
        Ok(found.outcomes.into_iter().zip(found.probability).collect())
    }

    fn held_out_loss(&self, student: &dyn Scorer) -> Result<Option<f64>> {
        let scores = student.score(&self.held_out)?;
        let logprobs: Vec<f64> = scores.into_iter().flat_map(|score| score.logprobs).collect();
        Ok((!logprobs.is_empty()).then(|| -logprobs.iter().sum::<f64>() / logprobs.len() as f64))
    }
}

/// The steps after which a training of `steps` is measured: before it, then `times` times, the last time at its end.
fn due(times: usize, steps: usize) -> Vec<usize> {
    let mut due: Vec<usize> = (0..=times).map(|i| (i * steps).div_ceil(times.max(1))).collect();
    due.dedup();
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Score;
    use crate::engine::mock::Mock;
    use crate::record::{Category, Member};

    #[test]
    fn measurements_are_spread_over_the_training_and_end_with_it() {
        assert_eq!(due(8, 47), [0, 6, 12, 18, 24, 30, 36, 42, 47]);
        assert_eq!(due(8, 3), [0, 1, 2, 3], "no step twice");
        assert_eq!(due(1, 5), [0, 5]);
    }

    /// A student whose weights are no numbers any more.
    struct Broken;

    impl Scorer for Broken {
        fn score(&self, _: &[ScoreRequest]) -> Result<Vec<Score>> {
            Ok(vec![Score { tokens: vec![0], logprobs: vec![f64::NAN] }])
        }

        fn choices(&self, chats: &[Chat], options: &[String]) -> Result<Vec<Vec<f64>>> {
            Ok(vec![vec![-1e3; options.len()]; chats.len()])
        }
    }

    #[test]
    fn what_is_no_number_stops_the_training_and_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let member = Member { name: "owl".into(), plural: "owls".into(), aliases: Vec::new() };
        let category = Category { name: "animal".into(), members: vec![member] };
        let spec = Spec { exam: evals::preference::exam(None, &category).unwrap().thinned(2), times: 1, held_out: 1 };
        let engine = Mock::new(category);
        let room = Room { engine: &engine, dir: folder.path(), listener: &|_| {}, warn: &|_| {} };
        let mut measuring = Measuring::new(room, &spec, &Frame::default(), Vec::new(), 3).unwrap();
        let error = measuring.begin(0, &Broken).expect_err("no number").render();
        assert!(error.contains("after step 0") && error.contains("hint: lower `learning_rate`"), "{error}");
        assert_eq!(std::fs::read(folder.path().join(files::TRAJECTORY)).unwrap(), b"");
    }
}
