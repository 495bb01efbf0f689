//! Drops answers that the token limit cut off: what is left of them may look like a whole answer, but the teacher had more to say.

use super::{Candidate, Rule};
use crate::record::Finish;

/// This rule always comes first.
pub(super) const NAME: &str = "length";

#[derive(Debug)]
pub(super) struct Length;

impl Rule for Length {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        (row.finish == Some(Finish::Length)).then(|| "token limit reached".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_known_to_be_cut_off_is_dropped() {
        let objects = |finish| Length.objection(&Candidate { expected: None, prompt: "", completion: "1, 2", finish }).is_some();
        assert!(objects(Some(Finish::Length)));
        assert!(!objects(Some(Finish::Stop)));
        assert!(!objects(None));
    }
}
