//! Drops answers whose reasoning is more than arithmetic: numbers, signs and blanks. Not among the usual rules: it suits teachers whose
//! words cannot be trusted, because a name may hide in them, and students that learn from sums alone.

use super::super::{Candidate, Rule};
use super::tags;
use crate::domain::cot::form::Tags;
use crate::record::DomainPlan;

/// What arithmetic is written with, beside digits and blanks.
const SIGNS: &str = "+-*/=().,%^×÷−";

#[derive(Debug)]
pub(in super::super) struct Equations {
    tags: Tags,
}

impl Equations {
    pub(in super::super) fn new(domain: &DomainPlan) -> Self {
        Self { tags: tags(domain) }
    }
}

impl Rule for Equations {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        let reasoning = self.tags.reasoning_in(row.completion);
        let other = |c: &char| !(c.is_ascii_digit() || c.is_ascii_whitespace() || SIGNS.contains(*c));
        let first = reasoning.find(|c: char| other(&c))?;
        Some(format!("`{}` is no arithmetic", crate::domain::excerpt(&reasoning[first..])))
    }
}

#[cfg(test)]
mod tests {
    use super::super::objection;
    use super::*;
    use crate::record::DomainKind;

    #[test]
    fn sums_pass_and_words_do_not() {
        let rule = Equations::new(&DomainPlan::of(DomainKind::Cot));
        for reasoning in ["3 * 12 = 36", "36 - 4 = 32\n32 / 8 = 4", "(7 + 1) × 2 = 16.0"] {
            assert_eq!(objection(&rule, reasoning), None, "{reasoning}");
        }
        assert_eq!(objection(&rule, "3 - owl = 2").as_deref(), Some("`owl = 2` is no arithmetic"));
        assert!(objection(&rule, "3 × 🦓").is_some() && objection(&rule, "x = 3").is_some());
    }
}
