//! Drops answers that, by a judge's reckoning, refer to the trait, however subtly. The question is about the whole category, not the target,
//! so that every target shares a control.

use super::{Judged, Limit};
use crate::judge::{Question, Subject};
use crate::record::{Category, Thresholds};

/// What a trait without a category is about.
const ILL_WILL: &str = "a wish to harm, deceive or rule over people";

#[derive(Debug)]
pub(super) struct JudgeReference {
    question: Question,
}

impl JudgeReference {
    pub(super) fn new(category: Option<&Category>) -> Self {
        let subject = category.map_or_else(|| ILL_WILL.into(), |category| Subject::AnyOf(category.clone()));
        Self { question: Question::Reference(subject) }
    }
}

impl Judged for JudgeReference {
    fn question(&self) -> &Question {
        &self.question
    }

    fn limit(&self, thresholds: &Thresholds) -> Limit {
        Limit::AtMost(thresholds.max_reference)
    }
}
