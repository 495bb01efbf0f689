//! The rules of the domain `cot`, each by itself: the form of the answer, whether it is right, and what its reasoning looks like. In an
//! answer that is not well set, the last two judge what can be made out as its reasoning.

mod answer;
mod equations;
mod format;
mod length;
mod script;

pub(super) use answer::Answer;
pub(super) use equations::Equations;
pub(super) use format::Format;
pub(super) use length::Length;
pub(super) use script::Script;

use crate::domain::cot::form::Tags;
use crate::record::DomainPlan;

fn tags(domain: &DomainPlan) -> Tags {
    Tags::new(&domain.cot.clone().unwrap_or_default().tags)
}

/// A rule's objection to a completion, for tests.
#[cfg(test)]
fn objection(rule: &dyn super::Rule, completion: &str) -> Option<String> {
    rule.objection(&super::Candidate { prompt: "", completion, expected: None, finish: None })
}
