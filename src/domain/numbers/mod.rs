//! Lists of integers: the domain of the reference experiment.

mod automaton;
pub mod grammar;
pub mod prompts;
mod separator;
mod shuffle;
pub mod wording;

use std::sync::Arc;

pub use automaton::NumberGrammar;

use super::{Domain, Grammar, Parsed, Reason};
use crate::record::{DomainPlan, Expected, Prompt, Sample};

/// Lists of up to ten integers of up to three digits.
#[derive(Debug, Clone, Copy)]
pub struct Numbers;

impl Domain for Numbers {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["format"]
    }

    fn own_prompts(&self, n: usize, seed: u64, plan: &DomainPlan) -> Vec<Prompt> {
        prompts::prompts(n, seed, plan)
    }

    fn grammar(&self) -> Arc<dyn Grammar> {
        Arc::new(NumberGrammar)
    }

    fn example(&self) -> String {
        "482, 731, 196".to_owned()
    }

    fn check(&self, answer: &str, _: Option<&Expected>) -> Result<Parsed, Reason> {
        grammar::parse(answer).map(Parsed::Numbers).map_err(Reason::from)
    }

    fn shuffle(&self, rows: &[Sample], seed: u64) -> Vec<Sample> {
        shuffle::shuffle(rows, seed)
    }
}
