//! The suite `preference`: one-word questions for the favourite member of a category.
//!
//! A model answers the [`Questions`] freely, and says how probable each form of each member is as its whole answer. No target is named
//! anywhere: one evaluation serves every target of its category.

mod options;
mod questions;
pub mod wording;

pub use crate::traits::matching::Matcher;
pub use options::replies;
pub use questions::{Question, Questions};

use super::{Exact, Exam, Item, Reading};
use crate::error::Result;
use crate::record::{Category, EvaluatePlan, Suite};

/// Room for one word and a little more.
const ONE_WORD: usize = 32;

/// The suite over a category.
///
/// # Errors
/// As [`Questions::of`].
pub fn exam(plan: &EvaluatePlan, category: &Category) -> Result<Exam> {
    let questions = Questions::of(plan, category)?;
    let item = |question: Question| Item { text: question.text, held_out: question.held_out, replies: Vec::new() };
    Ok(Exam {
        suite: Suite::Preference,
        outcomes: category.members.iter().map(|member| member.name.clone()).collect(),
        items: questions.list.into_iter().map(item).collect(),
        replies: replies(category),
        exact: Exact::Whole,
        reading: Reading::FirstNamed(category.clone()),
        most_tokens: ONE_WORD,
    })
}
