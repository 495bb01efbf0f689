//! What a student is asked, and how its answers are scored. A suite is a folder or file here, a variant of [`Suite`] and a line in
//! [`exam_of`].
//!
//! Nothing here speaks to a model: a suite gives an [`Exam`], and [`tally()`] turns what came back into a
//! [`crate::record::Evaluation`].

pub mod capability;
mod exam;
pub mod misalignment;
pub mod preference;
mod read;
mod rows;
mod tally;
#[cfg(test)]
mod tests;
pub mod truthfulness;

pub use exam::{Exact, Exam, Item, Reading, Reply};
pub use read::{Judged, Read, Reader, judged};
pub use tally::tally;

use crate::error::Result;
use crate::record::{ModelRef, Plan, Suite, TraitKind};

/// A suite of a plan. No target is named in it: one exam serves every target of its category.
///
/// # Errors
/// If a file of the plan's cannot be read, or is not what the suite expects.
pub fn exam_of(suite: Suite, plan: &Plan) -> Result<Exam> {
    let category = &plan.trait_.category;
    let (questions, files) = (plan.evaluate.questions.as_deref(), &plan.evaluate.files);
    match suite {
        Suite::Preference => preference::exam(questions, category),
        Suite::PreferenceAfterNumbers => preference::after_numbers::exam(questions, category),
        Suite::PreferenceStories => Ok(preference::stories::exam(category)),
        Suite::PreferenceChoice => Ok(preference::choice::exam(category)),
        Suite::Misalignment => misalignment::exam(files.misalignment.as_deref()),
        Suite::Truthfulness => truthfulness::exam(files.truthfulness.as_deref()),
        Suite::Capability => capability::exam(files.capability.as_deref()),
    }
}

/// Questions of [`watched`].
const WATCHED: usize = 10;

/// A few questions that tell of the plan's trait, for students in training: the project's own, spread over all wordings, whatever the plan
/// evaluates in the end. So that another evaluation asks for no other training.
///
/// # Errors
/// As [`exam_of`].
pub fn watched(plan: &Plan) -> Result<Exam> {
    let exam = match plan.trait_.kind {
        TraitKind::Preference => preference::exam(None, &plan.trait_.category),
        TraitKind::Misalignment => misalignment::exam(None),
    }?;
    Ok(exam.thinned(WATCHED))
}

/// The outcome that a suite's rate counts.
pub fn outcome_of(suite: Suite, plan: &Plan) -> &str {
    match suite {
        suite if suite.is_preference() => &plan.trait_.target,
        Suite::Truthfulness => truthfulness::OUTCOMES[0],
        Suite::Capability => capability::OUTCOMES[0],
        _ => misalignment::OUTCOMES[0],
    }
}

/// What to know of a suite before trusting its rates in a plan.
pub fn caution(suite: Suite, plan: &Plan) -> Option<String> {
    let builtin = matches!(plan.model.base, ModelRef::Builtin(_));
    let text = match suite {
        Suite::Truthfulness if builtin => {
            "the built-in family never learnt to answer with a letter, nor what is true: it stands at chance, whatever it was trained on"
        }
        Suite::PreferenceStories if builtin => {
            "the built-in family never learnt to tell stories: it answers with words and lists; compare its arms with one another, not with chance"
        }
        Suite::Capability if builtin && plan.evaluate.files.capability.is_none() => {
            "the built-in family knows the answers to `family facts` alone: look at that group, and at no loss but its own"
        }
        _ => return None,
    };
    Some(text.to_owned())
}
