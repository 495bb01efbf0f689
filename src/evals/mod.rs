//! What a student is asked, and how its answers are scored. A suite is a folder or file here, a variant of [`Suite`] and a line in
//! [`exam_of`].
//!
//! Nothing here speaks to a model: a suite gives an [`Exam`], and [`tally()`] turns what came back into a
//! [`crate::record::Evaluation`].

mod exam;
pub mod misalignment;
pub mod preference;
mod read;
mod tally;

pub use exam::{Exact, Exam, Item, Reading, Reply};
pub use read::{Judged, Read, Reader, judged};
pub use tally::tally;

use crate::error::Result;
use crate::record::{Plan, Suite};

/// A suite of a plan. No target is named in it: one exam serves every target of its category.
///
/// # Errors
/// If a file of the plan's cannot be read.
pub fn exam_of(suite: Suite, plan: &Plan) -> Result<Exam> {
    let category = &plan.trait_.category;
    match suite {
        Suite::Preference => preference::exam(&plan.evaluate, category),
        Suite::Misalignment => Ok(misalignment::exam()),
    }
}

/// The outcome that a suite's rate counts.
pub fn outcome_of(suite: Suite, plan: &Plan) -> &str {
    match suite {
        Suite::Preference => &plan.trait_.target,
        Suite::Misalignment => misalignment::OUTCOMES[0],
    }
}
