//! The suite `preference`: one-word questions for the favourite member of a category.
//!
//! Questions come from [`Questions::of`]; a model answers them freely, and says how probable each of the [`options()`] is as its whole
//! answer; [`evaluate()`] counts both. No target is named anywhere: one evaluation serves every target of its category.

mod evaluate;
mod options;
mod questions;
pub mod wording;

pub use crate::traits::matching::Matcher;
pub use evaluate::evaluate;
pub use options::{member_probabilities, options};
pub use questions::{Question, Questions};

use crate::record::Category;

/// The probability of each member under blind guessing.
pub fn chance(category: &Category) -> f64 {
    1.0 / category.members.len().max(1) as f64
}
