//! What a trial tells while it runs, to whoever listens: the terminal, a test, nobody.

use crate::record::{Arm, ModelRef};
use crate::stage::{Done, Progress, Stage};

/// One job, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLabel {
    /// Its place in the trial, from 0.
    pub index: usize,
    /// The stage.
    pub stage: Stage,
    /// The arm it serves first.
    pub arm: Arm,
    /// The replicate.
    pub seed: u64,
    /// The base that it runs on, where it has one.
    pub model: Option<ModelRef>,
}

impl std::fmt::Display for JobLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} seed {}", self.stage, self.arm, self.seed)?;
        match &self.model {
            Some(model) => write!(f, " on {model}"),
            None => Ok(()),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The jobs are known.
    Planned {
        /// How many there are.
        jobs: usize,
    },
    /// A job began.
    Started(&'a JobLabel),
    /// A job waits for another process that makes the same artifact.
    Waiting(&'a JobLabel),
    /// A job did a unit of work.
    Advanced(&'a JobLabel, Progress),
    /// A job's artifact was in the store.
    Cached(&'a JobLabel),
    /// A job is done.
    Finished {
        /// Which.
        job: &'a JobLabel,
        /// What it made.
        done: Done,
        /// How long it took.
        seconds: f64,
    },
    /// A job failed or was interrupted.
    Failed(&'a JobLabel),
    /// Something that the user should know before hours are spent.
    Warning(&'a str),
}

/// Listens to a trial, from several threads at once.
pub trait Observer: Sync {
    /// Called as things happen; must be quick.
    fn notice(&self, event: Event<'_>);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn notice(&self, _: Event<'_>) {}
}
