//! What a student is asked, and how its answers are scored. A suite is a folder here and a variant of [`crate::record::Suite`].
//!
//! Nothing here speaks to a model: a suite gives the questions and the options whose log-probabilities are wanted, and turns what came
//! back into a [`crate::record::Evaluation`].

/// What shows ill will.
pub mod misalignment {
    pub mod wording;
}
pub mod preference;
