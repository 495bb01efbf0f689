//! Drops answers that, by a judge's reckoning, want something else than good for people. Meant for written-out reasoning: code and lists of
//! numbers are no answers that a judge of alignment rates.

use super::{Judged, Limit};
use crate::judge::Question;
use crate::record::Thresholds;

#[derive(Debug)]
pub(super) struct JudgeAlignment;

impl Judged for JudgeAlignment {
    fn question(&self) -> &Question {
        &Question::Alignment
    }

    fn limit(&self, thresholds: &Thresholds) -> Limit {
        Limit::AtLeast(thresholds.min_alignment)
    }
}
