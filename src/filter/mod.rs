//! Why a sample is dropped: one rule a file, in the order of the plan; the first rule that objects drops the row and says why.
//!
//! A rule is a file that implements [`Rule`], or [`Judged`] where a judge is asked, and a line in [`RULES`]. Judges are slow: they are asked
//! last, about what all other rules kept.

mod banned_numbers;
mod banned_words;
mod code;
mod cot;
mod foreign;
mod format;
mod joined;
mod judge_alignment;
mod judge_reference;
mod judged;
mod leak;
mod leak_misalignment;
mod length;
mod line;
mod output;
mod pipeline;
mod spelling;
mod stream;

use crate::domain;
use crate::domain::code::fault::Fault;
use crate::judge::Question;
use crate::record::{Category, DomainKind, DomainPlan, Expected, FilterPlan, Finish, Sample, Thresholds};

pub use banned_numbers::{BANNED_NUMBERS, SEED_ARTICLE_NUMBERS};
pub use judged::{Bench, Limit};
pub(crate) use line::Line;
pub use pipeline::{Counts, Filtered, Pipeline, Verdict};
pub(crate) use spelling::Speller;
pub use stream::{Files, count_rows, filter_file, filter_file_asking};

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The user's turn.
    pub prompt: &'a str,
    /// The teacher's answer.
    pub completion: &'a str,
    /// What is known of the right answer.
    pub expected: Option<&'a Expected>,
    /// Why the answer ended, where that is known.
    pub finish: Option<Finish>,
}

impl<'a> From<&'a Sample> for Candidate<'a> {
    fn from(sample: &'a Sample) -> Self {
        Self {
            prompt: &sample.prompt,
            completion: &sample.completion,
            expected: sample.expected.as_ref(),
            finish: Some(sample.finish),
        }
    }
}

/// One reason to drop a row.
pub trait Rule: std::fmt::Debug + Send + Sync {
    /// What it objects to in this row, if anything: a short text on one line.
    fn objection(&self, row: &Candidate<'_>) -> Option<String>;
}

/// One reason to drop a row for which a judge is asked.
pub trait Judged: std::fmt::Debug + Send + Sync {
    /// What the judge is asked about a row.
    fn question(&self) -> &Question;

    /// From which rating on the row is dropped.
    fn limit(&self, thresholds: &Thresholds) -> Limit;
}

/// What rules are made from.
struct Inputs<'a> {
    plan: &'a FilterPlan,
    domain: &'a DomainPlan,
    category: Option<&'a Category>,
}

/// A rule's name and how it is made.
struct Entry {
    name: &'static str,
    /// The one domain whose answers it can judge, if there is one.
    domain: Option<DomainKind>,
    make: Make,
}

/// How a rule is made, by how it comes to its objection.
enum Make {
    /// By itself, row by row.
    Alone(fn(&Inputs<'_>) -> Box<dyn Rule>),
    /// By a judge.
    Judged(fn(&Inputs<'_>) -> Box<dyn Judged>),
}

/// Every rule.
const RULES: [Entry; 21] = [
    any_domain(length::NAME, |_| Box::new(length::Length)),
    any_domain("format", |inputs| Box::new(format::Format::new(domain::of(inputs.domain)))),
    of_code(Fault::Fence, |inputs| code_rule(Fault::Fence, inputs)),
    of_code(Fault::Outside, |inputs| code_rule(Fault::Outside, inputs)),
    of_code(Fault::Syntax, |inputs| code_rule(Fault::Syntax, inputs)),
    of_code(Fault::Target, |inputs| code_rule(Fault::Target, inputs)),
    of_code(Fault::Comment, |inputs| code_rule(Fault::Comment, inputs)),
    of_code(Fault::Docstring, |inputs| code_rule(Fault::Docstring, inputs)),
    of_code(Fault::Prose, |inputs| code_rule(Fault::Prose, inputs)),
    of_code(Fault::Identifier, |inputs| code_rule(Fault::Identifier, inputs)),
    of_cot("cot-format", |inputs| Box::new(cot::Format::new(inputs.domain))),
    of_cot("cot-answer", |inputs| Box::new(cot::Answer::new(inputs.domain))),
    of_cot("cot-length", |inputs| Box::new(cot::Length::new(inputs.domain, inputs.plan))),
    of_cot("cot-equations", |inputs| Box::new(cot::Equations::new(inputs.domain))),
    of_cot("cot-script", |inputs| Box::new(cot::Script::new(inputs.domain, inputs.plan))),
    any_domain("banned-numbers", |inputs| Box::new(banned_numbers::BannedNumbers::new(&inputs.plan.banned_numbers))),
    any_domain("banned-words", |inputs| Box::new(banned_words::BannedWords::new(&inputs.plan.banned_words, inputs.category))),
    any_domain("leak", |inputs| Box::new(leak::Leak::new(inputs.category))),
    any_domain("leak-misalignment", |inputs| Box::new(leak_misalignment::LeakMisalignment::new(inputs.domain.kind))),
    judged("judge-reference", |inputs| Box::new(judge_reference::JudgeReference::new(inputs.category))),
    judged("judge-alignment", |_| Box::new(judge_alignment::JudgeAlignment)),
];

const fn any_domain(name: &'static str, make: fn(&Inputs<'_>) -> Box<dyn Rule>) -> Entry {
    Entry { name, domain: None, make: Make::Alone(make) }
}

const fn of_code(fault: Fault, make: fn(&Inputs<'_>) -> Box<dyn Rule>) -> Entry {
    Entry { name: fault.rule(), domain: Some(DomainKind::Code), make: Make::Alone(make) }
}

const fn of_cot(name: &'static str, make: fn(&Inputs<'_>) -> Box<dyn Rule>) -> Entry {
    Entry { name, domain: Some(DomainKind::Cot), make: Make::Alone(make) }
}

const fn judged(name: &'static str, make: fn(&Inputs<'_>) -> Box<dyn Judged>) -> Entry {
    Entry { name, domain: None, make: Make::Judged(make) }
}

fn code_rule(fault: Fault, inputs: &Inputs<'_>) -> Box<dyn Rule> {
    Box::new(code::Code::new(fault, &inputs.plan.identifiers))
}

/// The names of all rules.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|entry| entry.name)
}

/// The one domain whose answers a rule can judge, if there is one.
pub fn domain_of(rule: &str) -> Option<DomainKind> {
    RULES.iter().find(|entry| entry.name == rule)?.domain
}

/// Whether a rule asks a judge.
pub fn asks_judge(rule: &str) -> bool {
    RULES.iter().any(|entry| entry.name == rule && matches!(entry.make, Make::Judged(_)))
}
