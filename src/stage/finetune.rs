//! A student learns: `kept.jsonl` in, a model out. Its rows hold the prompts alone, in the student's own frame: nothing of the teacher's.

use std::path::Path;

use rand::seq::index;
use serde::Serialize;

use crate::domain;
use crate::engine::TrainRow;
use crate::error::Result;
use crate::record::{DomainPlan, Frame, Sample, StudentPlan, Weights};
use crate::tool::{jsonl, streams};

use super::card::Learner;
use super::training::train;
use super::{Done, Room, files};

/// What becomes of the rows before the student sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// As they were written.
    AsWritten,
    /// The tokens of all answers are shuffled across the rows.
    Shuffled,
}

/// What it learns from, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// How many rows at most, and the recipe.
    pub student: StudentPlan,
    /// What surrounds each row's prompt.
    pub frame: Frame,
    /// What the rows are.
    pub domain: DomainPlan,
    /// Whether the answers are shuffled.
    pub answers: Answers,
    /// The replicate: draws the rows, their order and the adapter's initial values.
    pub seed: u64,
}

/// Fine-tunes `base` on the kept rows in the folder `data`.
///
/// # Errors
/// If the rows cannot be read or none is left; else as [`crate::engine::Engine::train`].
pub fn run(room: Room<'_>, spec: &Spec, base: &Weights, data: &Path) -> Result<Done> {
    let kept: Vec<Sample> = jsonl::read(&data.join(files::KEPT))?;
    let rows: Vec<TrainRow> = chosen(spec, &kept).into_iter().map(|sample| row(&spec.frame, sample)).collect();
    train(room, (Learner::Student, base), &spec.student.recipe, spec.seed, &rows)
}

/// The rows that the student sees, in the file's order.
fn chosen(spec: &Spec, kept: &[Sample]) -> Vec<Sample> {
    let wanted = spec.student.rows.min(kept.len());
    let mut places = index::sample(&mut streams::named(spec.seed, "rows", 0), kept.len(), wanted).into_vec();
    places.sort_unstable();
    let rows: Vec<Sample> = places.into_iter().map(|i| kept[i].clone()).collect();
    match spec.answers {
        Answers::AsWritten => rows,
        Answers::Shuffled => domain::of(&spec.domain).shuffle(&rows, spec.seed),
    }
}

fn row(frame: &Frame, sample: Sample) -> TrainRow {
    TrainRow { chat: frame.ask(sample.prompt), completion: sample.completion }
}
