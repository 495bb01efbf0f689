//! What the teacher writes: the prompts of a domain, the grammar of an accepted answer, and the shuffled arm's permutation.
//!
//! A domain is one file (or folder) that implements [`Domain`], and one line in [`of`].

pub mod code;
pub mod cot;
mod grammar;
pub mod numbers;
mod prompts;

use std::fmt;
use std::sync::Arc;

pub use grammar::{Grammar, GrammarState};

use crate::error::Result;
use crate::record::{DomainKind, DomainPlan, Expected, Prompt, Sample};

/// One kind of data that a teacher writes.
pub trait Domain: fmt::Debug + Send + Sync {
    /// The name in configs, on the command line and in reports.
    fn name(&self) -> &'static str;

    /// The filter's rules that judge the form of an answer, in their order; without a config these apply.
    fn rules(&self) -> &'static [&'static str];

    /// The project's own prompts: `n` of them, ids from 0, the same for the same seed and plan.
    fn own_prompts(&self, n: usize, seed: u64, plan: &DomainPlan) -> Vec<Prompt>;

    /// The accepted answers as an automaton over bytes, for constrained decoding.
    fn grammar(&self) -> Arc<dyn Grammar>;

    /// An accepted answer, to show a row with before any is written.
    fn example(&self) -> String;

    /// Reads one whole answer. `expected` is what is known of the right one; without it, only the form is judged.
    ///
    /// # Errors
    /// The reason why the answer does not belong to the domain.
    fn check(&self, answer: &str, expected: Option<&Expected>) -> Result<Parsed, Reason>;

    /// The shuffled arm's rows: the tokens of all answers permuted across all rows, each answer's format and length kept. Rows whose
    /// answer does not belong to the domain stay as they are.
    fn shuffle(&self, rows: &[Sample], seed: u64) -> Vec<Sample>;

    /// `n` prompts: the plan's file if it names one, else the project's own.
    ///
    /// # Errors
    /// If the plan's file cannot be read or holds fewer than `n` prompts.
    fn prompts(&self, n: usize, seed: u64, plan: &DomainPlan) -> Result<Vec<Prompt>> {
        match &plan.prompts {
            Some(path) => prompts::from_file(path, n, seed),
            None => Ok(self.own_prompts(n, seed, plan)),
        }
    }
}

/// The domain of a plan.
pub fn of(plan: &DomainPlan) -> Arc<dyn Domain> {
    match plan.kind {
        DomainKind::Numbers => Arc::new(numbers::Numbers),
        DomainKind::Code => Arc::new(code::Code),
        DomainKind::Cot => Arc::new(cot::Cot::new(plan)),
    }
}

/// The domain of this name, as it is where a config says nothing of it; for the command line.
pub fn named(name: &str) -> Option<DomainPlan> {
    ALL.map(DomainPlan::of).into_iter().find(|plan| of(plan).name() == name)
}

/// The name of a kind, as configs write it.
pub fn name_of(kind: DomainKind) -> &'static str {
    of(&DomainPlan::of(kind)).name()
}

/// Every kind of domain, in the order of the documentation.
pub const ALL: [DomainKind; 3] = [DomainKind::Numbers, DomainKind::Code, DomainKind::Cot];

/// What an accepted answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// The integers of a list, in order.
    Numbers(Vec<u32>),
    /// A Python function.
    Code(code::Function),
    /// Reasoning and an answer, without the tags and blanks around them.
    Cot {
        /// What led to the answer.
        reasoning: String,
        /// The answer as it is written.
        answer: String,
    },
}

/// Why an answer does not belong to a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of fault, out of a few, for counting: `invalid format`.
    pub class: &'static str,
    /// What exactly was seen.
    pub what: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.what)
    }
}

/// The start of a text for a message: at most 40 characters, on one line, control characters escaped.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown = String::new();
    for c in text.chars().take(LONGEST) {
        match c {
            '\'' | '"' => shown.push(c),
            other => shown.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
