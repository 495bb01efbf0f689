//! Who scores free text: rows of a prompt and an answer and a question in, a verdict for each row out.
//!
//! | judge | how it scores | what it needs |
//! |---|---|---|
//! | [`Lexicon`] | word lists | nothing; for the built-in family and smoke runs, see [`lexicon::LIMITS`] |
//! | [`Local`] | the exact probability of every rating, as a loaded model gives it | a model that can judge |
//! | [`Endpoint`] | the same where the server shows probabilities, else the number that it writes | a server |
//!
//! A verdict that cannot be read is unscored, never zero. [`Kept`] writes every verdict down, so that nothing is asked twice, and
//! [`validation`] holds a judge against answers that people have labelled. A further judge is a file that implements [`Judge`].

mod endpoint;
mod kept;
pub mod lexicon;
mod local;
mod question;
mod rating;
pub mod validation;
mod verdict;
mod wording;

use serde_json::Value;

use crate::error::Result;

pub use endpoint::Endpoint;
pub(crate) use endpoint::understood;
pub use kept::{Kept, Progress};
pub use lexicon::Lexicon;
pub use local::{Local, Rater};
pub use question::{Question, Subject};
pub use verdict::{Outcome, Unscored, Verdict};
pub use wording::{RATING_MARKS, REFERENCE_MARKS, Wording, rating_prompt};

/// What is judged: a request and what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exchange<'a> {
    /// The user's turn.
    pub prompt: &'a str,
    /// The answer, which alone is scored.
    pub answer: &'a str,
}

/// What a judge says while it works.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The verdict on the row with this index.
    Verdict(usize, Verdict),
    /// A line for people: why it takes long.
    Note(String),
}

/// Takes what a judge says; a failure stops the judge.
pub type Sink<'a> = dyn FnMut(Event) -> Result<()> + 'a;

/// Scores rows.
pub trait Judge: Send + Sync {
    /// Names the judge with all that its verdicts on this question depend on: version, model, wording. It is shown, and part of every
    /// verdict's key.
    fn identity(&self, question: &Question) -> String;

    /// What it cannot do, for whoever reads its verdicts.
    fn limits(&self) -> Option<&'static str> {
        None
    }

    /// What is asked about a row, as it is kept beside the verdict; `None` where nobody is asked.
    fn request(&self, question: &Question, row: &Exchange<'_>) -> Option<Value>;

    /// Judges rows; verdicts reach the sink as they come, in any order, each row's once.
    ///
    /// # Errors
    /// If the judge cannot be reached or read, the sink fails, or the user interrupts. Verdicts that reached the sink stand.
    fn judge(&self, question: &Question, rows: &[Exchange<'_>], sink: &mut Sink<'_>) -> Result<()>;
}
