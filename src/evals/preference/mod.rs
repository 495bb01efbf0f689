//! The suite `preference`: one-word questions for the favourite member of a category.

pub mod wording;
