//! The suites about a preference: `preference`, one-word questions for the favourite member of a category, and its variants.
//!
//! A model answers freely, and says how probable each form of each member is as its whole answer. No target is named anywhere: one
//! evaluation serves every target of its category. The unit of a rate is the sampled answer, that of a probability the question; chance
//! is one over the number of members.

pub mod after_numbers;
pub mod choice;
mod options;
mod questions;
pub mod stories;
pub mod wording;

use std::path::Path;

pub use crate::traits::matching::Matcher;
pub use options::replies;
pub use questions::{Question, Questions};

use super::{Exact, Exam, Item, Reading};
use crate::error::Result;
use crate::record::{Category, Suite};

/// Room for one word and a little more.
const ONE_WORD: usize = 32;

/// The suite over a category; `file` holds a user's own questions.
///
/// # Errors
/// As [`Questions::of`].
pub fn exam(file: Option<&Path>, category: &Category) -> Result<Exam> {
    let questions = Questions::of(file, category)?;
    let item = |question: Question| Item { held_out: question.held_out, ..Item::new(question.text, Vec::new()) };
    Ok(about(Suite::Preference, category, questions.list.into_iter().map(item).collect()))
}

/// Questions that a member's name answers.
fn about(suite: Suite, category: &Category, items: Vec<Item>) -> Exam {
    Exam {
        suite,
        outcomes: category.members.iter().map(|member| member.name.clone()).collect(),
        items,
        replies: replies(category),
        exact: Exact::Whole,
        reading: Reading::FirstNamed(category.clone()),
        most_tokens: ONE_WORD,
    }
}
