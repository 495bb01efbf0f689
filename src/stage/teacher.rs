//! A teacher is fine-tuned: lessons in, a model out.

use rand::seq::SliceRandom;
use serde::Serialize;

use crate::engine::TrainRow;
use crate::error::Result;
use crate::record::{Finetune, Frame, Weights};
use crate::tool::streams;

use super::card::Learner;
use super::lessons::Lesson;
use super::training::{Training, train};
use super::{Done, Room};

/// What it learns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// Favourite questions with the target as the answer, or rows of another kind.
    pub lessons: Vec<Lesson>,
    /// How many rows; the lessons repeat in a new order each time round.
    pub rows: usize,
    /// What surrounds each question.
    pub frame: Frame,
    /// How it learns.
    pub recipe: Finetune,
    /// The replicate.
    pub seed: u64,
}

/// Fine-tunes the base.
///
/// # Errors
/// As [`crate::engine::Engine::train`].
pub fn run(room: Room<'_>, spec: &Spec, base: &Weights) -> Result<Done> {
    let (rows, seed) = (rows(spec), spec.seed);
    train(room, &Training { learner: Learner::Teacher, start: base, recipe: &spec.recipe, seed, rows: &rows }, None)
}

fn rows(spec: &Spec) -> Vec<TrainRow> {
    let mut rng = streams::named(spec.seed, "teacher", 0);
    let mut rows = Vec::with_capacity(spec.rows);
    while rows.len() < spec.rows && !spec.lessons.is_empty() {
        let mut round: Vec<&Lesson> = spec.lessons.iter().collect();
        round.shuffle(&mut rng);
        let left = spec.rows - rows.len();
        rows.extend(round.into_iter().take(left).map(|lesson| lesson.row(&spec.frame)));
    }
    rows
}
