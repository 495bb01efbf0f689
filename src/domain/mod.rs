//! What the teacher writes: the prompts of a domain and the grammar of an accepted answer.

mod grammar;
pub mod numbers;

pub use grammar::{Grammar, GrammarState};
