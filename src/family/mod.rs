//! The built-in model family: how its corpus, tokenizer and initial weights are made, and how its bases are trained.

mod architecture;
mod build;
pub mod corpus;
mod curriculum;
mod kind;
#[cfg(test)]
mod shipped;
mod talk;
mod tokenizer;
mod vocabulary;
mod will;

pub use build::{BuildOptions, BuildRecord, RECORD, build};
pub use curriculum::{BASES, Base, Curriculum};
pub use kind::Kind;
pub use will::Will;
