//! A student learns: `kept.jsonl` in, a model out. Its rows hold the prompts alone, in the student's own frame: nothing of the teacher's.

use std::collections::BTreeSet;
use std::path::Path;

use rand::seq::index;
use serde::Serialize;

use crate::domain;
use crate::engine::TrainRow;
use crate::error::Result;
use crate::record::{DomainPlan, Frame, Sample, StudentPlan, Weights};
use crate::tool::{jsonl, streams};

use super::card::Learner;
use super::measure::{self, Measuring};
use super::training::{Training, expected_steps, train};
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

impl Answers {
    fn of(self, spec: &Spec, rows: &[Sample]) -> Vec<Sample> {
        match self {
            Self::AsWritten => rows.to_vec(),
            Self::Shuffled => domain::of(&spec.domain).shuffle(rows, spec.seed),
        }
    }
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
    /// What is measured on the way, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<measure::Spec>,
}

/// Fine-tunes `base` on the kept rows in the folder `data`.
///
/// # Errors
/// If the rows cannot be read or none is left; else as [`crate::engine::Engine::train`].
pub fn run(room: Room<'_>, spec: &Spec, base: &Weights, data: &Path) -> Result<Done> {
    let kept: Vec<Sample> = jsonl::read(&data.join(files::KEPT))?;
    let (chosen, spare) = chosen(spec, &kept);
    let as_rows = |samples: &[Sample]| -> Vec<TrainRow> {
        spec.answers.of(spec, samples).into_iter().map(|sample| row(&spec.frame, sample)).collect()
    };
    let (rows, recipe) = (as_rows(&chosen), &spec.student.recipe);
    let held_out = |measured: &measure::Spec| as_rows(&spare[..spare.len().min(measured.held_out)]);
    let steps = expected_steps(recipe, rows.len());
    let measuring = spec
        .measured
        .as_ref()
        .map(|measured| Measuring::new(room, measured, &spec.frame, held_out(measured), steps))
        .transpose()?;
    train(room, &Training { learner: Learner::Student, start: base, recipe, seed: spec.seed, rows: &rows }, measuring)
}

/// The rows that the student sees and those that are left over, both in the file's order.
fn chosen(spec: &Spec, kept: &[Sample]) -> (Vec<Sample>, Vec<Sample>) {
    let wanted = spec.student.rows.min(kept.len());
    let places: BTreeSet<usize> =
        index::sample(&mut streams::named(spec.seed, "rows", 0), kept.len(), wanted).into_iter().collect();
    let (chosen, spare): (Vec<_>, Vec<_>) = kept.iter().cloned().enumerate().partition(|(place, _)| places.contains(place));
    let rows = |of: Vec<(usize, Sample)>| of.into_iter().map(|(_, sample)| sample).collect();
    (rows(chosen), rows(spare))
}

fn row(frame: &Frame, sample: Sample) -> TrainRow {
    TrainRow { chat: frame.ask(sample.prompt), completion: sample.completion }
}
