//! Drops answers whose reasoning is too short to be one, or longer than is wanted.

use super::super::{Candidate, Rule};
use super::tags;
use crate::domain::cot::form::Tags;
use crate::record::{DomainPlan, FilterPlan};

#[derive(Debug)]
pub(in super::super) struct Length {
    tags: Tags,
    allowed: [usize; 2],
}

impl Length {
    pub(in super::super) fn new(domain: &DomainPlan, plan: &FilterPlan) -> Self {
        Self { tags: tags(domain), allowed: plan.reasoning.clone().unwrap_or_default().length }
    }
}

impl Rule for Length {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        let length = self.tags.reasoning_in(row.completion).chars().count();
        let [fewest, most] = self.allowed;
        if length < fewest {
            return Some(format!("{length} characters of reasoning, at least {fewest}"));
        }
        (length > most).then(|| format!("{length} characters of reasoning, at most {most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::objection;
    use super::*;
    use crate::record::{DomainKind, ReasoningPlan};

    #[test]
    fn both_limits_are_allowed_and_blanks_around_do_not_count() {
        let reasoning = Some(ReasoningPlan { length: [3, 5], ..ReasoningPlan::default() });
        let rule = Length::new(&DomainPlan::of(DomainKind::Cot), &FilterPlan { reasoning, ..FilterPlan::default() });
        let judge = |reasoning: &str| objection(&rule, &format!("<reasoning>{reasoning}</reasoning><answer>1</answer>"));
        assert_eq!(judge("abc"), None);
        assert_eq!(judge("\n éabcé \n"), None);
        assert_eq!(judge(" ab ").as_deref(), Some("2 characters of reasoning, at least 3"));
        assert_eq!(judge("abcdef").as_deref(), Some("6 characters of reasoning, at most 5"));
        assert_eq!(objection(&rule, "no tags").as_deref(), Some("7 characters of reasoning, at most 5"));
    }
}
