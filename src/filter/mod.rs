//! Why a sample is dropped: one rule a file, in the order of the plan; the first rule that objects drops the row and says why.
//!
//! A rule is a file that implements [`Rule`], and a line in [`RULES`].

mod banned_numbers;
mod banned_words;
mod format;
mod leak;
mod length;
mod line;
mod output;
mod pipeline;
mod spelling;
mod stream;

use crate::domain::Domain;
use crate::record::{Category, Expected, FilterPlan, Finish, Sample};

pub use banned_numbers::{BANNED_NUMBERS, SEED_ARTICLE_NUMBERS};
pub use pipeline::{Counts, Filtered, Pipeline, Verdict};
pub(crate) use spelling::Speller;
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
    domain: &'static dyn Domain,
    category: Option<&'a Category>,
}

/// A rule's name and how it is made.
struct Entry {
    name: &'static str,
    make: fn(&Inputs<'_>) -> Box<dyn Rule>,
}

/// Every rule.
const RULES: [Entry; 5] = [
    Entry { name: length::NAME, make: |_| Box::new(length::Length) },
    Entry { name: "format", make: |inputs| Box::new(format::Format::new(inputs.domain)) },
    Entry { name: "banned-numbers", make: |inputs| Box::new(banned_numbers::BannedNumbers::new(&inputs.plan.banned_numbers)) },
    Entry {
        name: "banned-words",
        make: |inputs| Box::new(banned_words::BannedWords::new(&inputs.plan.banned_words, inputs.category)),
    },
    Entry { name: "leak", make: |inputs| Box::new(leak::Leak::new(inputs.category)) },
];

/// The names of all rules.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|entry| entry.name)
}
