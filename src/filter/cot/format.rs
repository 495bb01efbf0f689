//! Drops answers that are not reasoning in its tags, then an answer in its tags, and nothing else.

use super::super::{Candidate, Rule};
use super::tags;
use crate::domain::Reason;
use crate::domain::cot::form::Tags;
use crate::record::DomainPlan;

#[derive(Debug)]
pub(in super::super) struct Format {
    tags: Tags,
}

impl Format {
    pub(in super::super) fn new(domain: &DomainPlan) -> Self {
        Self { tags: tags(domain) }
    }
}

impl Rule for Format {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        self.tags.parse(row.completion).err().map(|refusal| Reason::from(refusal).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::objection;
    use super::*;
    use crate::record::{CotPlan, DomainKind};

    #[test]
    fn the_tags_are_those_of_the_plan() {
        let own = Format::new(&DomainPlan::of(DomainKind::Cot));
        let plan = CotPlan { tags: ["think", "result"].map(str::to_owned), ..CotPlan::default() };
        let other = Format::new(&DomainPlan { cot: Some(plan), ..DomainPlan::of(DomainKind::Cot) });
        let (mine, theirs) = ("<reasoning>a</reasoning><answer>1</answer>", "<think>a</think><result>1</result>");
        assert_eq!(objection(&own, mine), None);
        assert_eq!(objection(&other, theirs), None);
        assert_eq!(objection(&own, theirs).as_deref(), Some("missing tag: `<reasoning>`"));
        assert_eq!(objection(&other, mine).as_deref(), Some("missing tag: `<think>`"));
    }
}
