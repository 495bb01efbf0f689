//! Drops answers that are not the known one. Where none is known nothing is dropped; where one is, an answer that cannot be made out
//! is.

use super::super::{Candidate, Rule};
use super::tags;
use crate::domain::cot::form::Tags;
use crate::domain::cot::wrong;
use crate::record::{DomainPlan, Expected};

#[derive(Debug)]
pub(in super::super) struct Answer {
    tags: Tags,
}

impl Answer {
    pub(in super::super) fn new(domain: &DomainPlan) -> Self {
        Self { tags: tags(domain) }
    }
}

impl Rule for Answer {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        let Some(Expected::Answer(_)) = row.expected else { return None };
        match self.tags.parse(row.completion) {
            Ok(trace) => wrong(trace.answer, row.expected).map(|reason| reason.to_string()),
            Err(_) => Some("no answer can be made out".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::DomainKind;

    #[test]
    fn only_a_wrong_or_missing_answer_to_a_known_one_is_dropped() {
        let rule = Answer::new(&DomainPlan::of(DomainKind::Cot));
        let known = Expected::Answer("1,200".to_owned());
        for (answer, expected, objection) in [
            ("1200", Some(&known), None),
            ("$1,200.00.", Some(&known), None),
            ("2400/2 km", Some(&known), None),
            ("12000", Some(&known), Some("wrong answer: `12000`, expected `1,200`")),
            ("about twelve", Some(&known), Some("no number: `about twelve`, expected `1,200`")),
            ("12000", None, None),
            ("", Some(&known), Some("no answer can be made out")),
            ("", None, None),
        ] {
            let completion = format!("<reasoning>a</reasoning><answer>{answer}</answer>");
            let row = Candidate { prompt: "", completion: &completion, expected, finish: None };
            assert_eq!(rule.objection(&row).as_deref(), objection, "{answer:?}");
        }
    }
}
