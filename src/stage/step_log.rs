//! `steps.jsonl`: each optimiser step once, also where a resumed training repeats those after its checkpoint; and beside it the same for
//! TensorBoard.

use std::path::{Path, PathBuf};

use super::event_log::{self, EventLog};
use crate::error::Result;
use crate::record::StepRow;
use crate::tool::jsonl::{self, Resumed};

/// The steps of a training, on disk as they are taken.
pub struct StepLog {
    path: PathBuf,
    steps: Vec<StepRow>,
    writer: jsonl::Writer,
    events: EventLog,
    /// Why steps that an interrupted training had written had to go.
    pub lost: Option<String>,
    fresh: bool,
}

impl StepLog {
    /// Goes on with the log of an interrupted training, or begins one.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open(path: &Path) -> Result<Self> {
        let Resumed { rows: steps, writer, lost } = jsonl::resume(path)?;
        let events = EventLog::begin(&path.with_file_name(event_log::FILE), &steps)?;
        Ok(Self { path: path.to_path_buf(), steps, writer, events, lost, fresh: true })
    }

    /// Writes a step down. The first one says where a resumed training goes on: what was written from there on is taken back.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn push(&mut self, step: &StepRow) -> Result<()> {
        if std::mem::take(&mut self.fresh) && self.steps.last().is_some_and(|last| last.step >= step.step) {
            self.keep(|old| old.step < step.step)?;
        }
        self.steps.push(step.clone());
        self.writer.push(step)?;
        self.writer.flush()?;
        self.events.push(step)
    }

    /// Writes down only these steps.
    fn keep(&mut self, these: impl Fn(&StepRow) -> bool) -> Result<()> {
        self.steps.retain(these);
        jsonl::replace(&self.path, &self.steps)?;
        self.writer = jsonl::Writer::append(&self.path)?;
        self.events = EventLog::begin(&self.path.with_file_name(event_log::FILE), &self.steps)?;
        Ok(())
    }

    /// The steps of a training that took `expected`, without those that an earlier attempt of another length left.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn finish(mut self, expected: usize) -> Result<Vec<StepRow>> {
        self.writer.flush()?;
        if self.steps.iter().any(|step| step.step > expected) {
            self.keep(|step| step.step <= expected)?;
        }
        Ok(self.steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: usize, seconds: f64) -> StepRow {
        StepRow { step, epoch: 0.0, loss: 1.0, lr: 1e-3, grad_norm: 1.0, tokens: 10, seconds }
    }

    /// Writes steps with this time, as one process would.
    fn attempt(path: &Path, steps: std::ops::RangeInclusive<usize>, seconds: f64) -> StepLog {
        let mut log = StepLog::open(path).expect("opens");
        for i in steps {
            log.push(&step(i, seconds)).expect("writable");
        }
        log
    }

    #[test]
    fn a_resumed_training_takes_back_the_steps_after_its_checkpoint_and_none_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("steps.jsonl");
        attempt(&path, 1..=7, 0.1);
        let log = attempt(&path, 5..=9, 0.2); // its last checkpoint was written after step 4
        let steps = log.finish(9).expect("writable");
        let seen: Vec<(usize, f64)> = steps.iter().map(|s| (s.step, s.seconds)).collect();
        assert_eq!(seen[..4], [(1, 0.1), (2, 0.1), (3, 0.1), (4, 0.1)]);
        assert_eq!(seen[4..], [(5, 0.2), (6, 0.2), (7, 0.2), (8, 0.2), (9, 0.2)]);
        assert_eq!(jsonl::read::<StepRow>(&path).expect("readable"), steps);
    }

    #[test]
    fn steps_of_a_longer_attempt_go() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("steps.jsonl");
        attempt(&path, 1..=7, 0.1);
        let steps = StepLog::open(&path).expect("opens").finish(3).expect("writable");
        assert_eq!(steps.len(), 3);
        assert_eq!(jsonl::read::<StepRow>(&path).expect("readable"), steps);
    }
}
