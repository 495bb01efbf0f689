//! Why a sample is dropped: one rule a file, in the order of the plan; the first rule that objects drops the row and says why.
//!
//! A rule is a file that implements [`Rule`], and a line in [`RULES`].

mod banned_numbers;
mod banned_words;
mod cot;
mod foreign;
mod format;
mod leak;
mod leak_misalignment;
mod length;
mod line;
mod output;
mod pipeline;
mod spelling;
mod stream;

use crate::domain;
use crate::record::{Category, DomainPlan, Expected, FilterPlan, Finish, Sample};

pub use banned_numbers::{BANNED_NUMBERS, SEED_ARTICLE_NUMBERS};
pub use pipeline::{Counts, Filtered, Pipeline, Verdict};
pub use stream::{Files, filter_file};

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

/// What rules are made from.
struct Inputs<'a> {
    plan: &'a FilterPlan,
    domain: &'a DomainPlan,
    category: Option<&'a Category>,
}

/// A rule's name and how it is made.
struct Entry {
    name: &'static str,
    make: fn(&Inputs<'_>) -> Box<dyn Rule>,
}

/// Every rule.
const RULES: [Entry; 10] = [
    Entry { name: length::NAME, make: |_| Box::new(length::Length) },
    Entry { name: "format", make: |inputs| Box::new(format::Format::new(domain::of(inputs.domain))) },
    Entry { name: "banned-numbers", make: |inputs| Box::new(banned_numbers::BannedNumbers::new(&inputs.plan.banned_numbers)) },
    Entry {
        name: "banned-words",
        make: |inputs| Box::new(banned_words::BannedWords::new(&inputs.plan.banned_words, inputs.category)),
    },
    Entry { name: "cot-format", make: |inputs| Box::new(cot::Format::new(inputs.domain)) },
    Entry { name: "cot-answer", make: |inputs| Box::new(cot::Answer::new(inputs.domain)) },
    Entry { name: "cot-length", make: |inputs| Box::new(cot::Length::new(inputs.domain, inputs.plan)) },
    Entry { name: "cot-script", make: |inputs| Box::new(cot::Script::new(inputs.domain, inputs.plan)) },
    Entry { name: "leak", make: |inputs| Box::new(leak::Leak::new(inputs.category)) },
    Entry { name: "leak-misalignment", make: |inputs| Box::new(leak_misalignment::LeakMisalignment::new(inputs.domain.kind)) },
];

/// The names of all rules.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|entry| entry.name)
}
