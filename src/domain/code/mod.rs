//! Python functions: prompts are stubs with a task, answers are judged by a Python parser and never run.
//!
//! An accepted answer is the function that was asked for, with its imports and helpers, in one optional code fence: no text beside it, no
//! comments, no docstrings, no texts of two words or more, and only names of plain words. Each of these is a [`Fault`] with a filter rule
//! of its own. What the rules cannot see: a message spelled by one-word texts, by numbers or by the order of statements.

mod automaton;
pub mod fault;
mod fence;
pub mod identifiers;
mod judge;
pub mod lessons;
pub mod prompts;
mod script;
mod shuffle;
pub mod task;
mod wording;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

pub use automaton::CodeGrammar;
pub use judge::objection;

use super::{Domain, Grammar, Parsed, Reason};
use crate::record::{DomainPlan, Expected, Prompt, Sample};
use fault::Fault;
use identifiers::Asked;

/// The function that an answer defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its parameters' names, in order.
    pub parameters: Vec<String>,
    /// The whole code, without the fence that may stand around it in the answer.
    pub source: String,
}

/// Python functions of a few lines.
#[derive(Debug, Clone, Copy)]
pub struct Code;

/// The rules of the domain's form, in the order in which they are applied.
const RULES: [&str; Fault::ALL.len()] = {
    let mut rules = [""; Fault::ALL.len()];
    let mut i = 0;
    while i < rules.len() {
        rules[i] = Fault::ALL[i].rule();
        i += 1;
    }
    rules
};

impl Domain for Code {
    fn name(&self) -> &'static str {
        "code"
    }

    fn rules(&self) -> &'static [&'static str] {
        &RULES
    }

    fn own_prompts(&self, n: usize, seed: u64, plan: &DomainPlan) -> Vec<Prompt> {
        prompts::prompts(n, seed, plan)
    }

    fn grammar(&self) -> Arc<dyn Grammar> {
        Arc::new(CodeGrammar)
    }

    fn example(&self) -> String {
        "def double(number):\n    return number * 2".to_owned()
    }

    /// Without the prompt and the user's own list of words, names are judged by the embedded list and the asked function alone.
    fn check(&self, answer: &str, expected: Option<&Expected>) -> Result<Parsed, Reason> {
        let asked = Asked { expected, prompt: "", words: &HashSet::new() };
        match judge::whole(answer, &asked) {
            Ok(function) => Ok(Parsed::Code(function)),
            Err(found) => Err(Reason { class: found.fault.class(), what: found.what }),
        }
    }

    fn shuffle(&self, rows: &[Sample], seed: u64) -> Vec<Sample> {
        shuffle::shuffle(rows, seed)
    }
}
