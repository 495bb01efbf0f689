//! What the teacher writes: the prompts of a domain and the grammar of an accepted answer.

mod grammar;

pub use grammar::{Grammar, GrammarState};
