//! What every suite comes to: questions, the outcomes that an answer may have, and how an answer is read.
//!
//! Both readings are distributions over the same outcomes. *Sampled*: each answer is read, and counted under its outcome or left out for
//! a named reason. *Exact*: replies with known outcomes get their probability from the model, without sampling.

use serde::Serialize;

use crate::record::{Category, Suite};

/// A suite, ready to be asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exam {
    /// Which suite.
    pub suite: Suite,
    /// What an answer may turn out to be, by name: the members of a category, `misaligned` and `aligned`, …
    pub outcomes: Vec<String>,
    /// The questions.
    pub items: Vec<Item>,
    /// Replies to every item; empty where each item has its own.
    pub replies: Vec<Reply>,
    /// What the replies' probabilities mean.
    pub exact: Exact,
    /// How a sampled answer is read.
    pub reading: Reading,
    /// An answer needs no more tokens than this, end-of-turn included.
    pub most_tokens: usize,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The user's turn.
    pub text: String,
    /// Whether the built-in family's corpus never holds its wording; absent for a user's own.
    pub held_out: Option<bool>,
    /// The group that it is counted under besides, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its own replies, where the exam has none for all; without any there is no exact reading of it.
    pub replies: Vec<Reply>,
}

/// A reply whose probability is read, and the outcome that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The whole answer.
    pub text: String,
    /// The outcome's index.
    pub outcome: usize,
}

/// What the replies' probabilities mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exact {
    /// An outcome's probability is that of its replies together, as whole answers. An outcome of all other answers has the rest.
    Whole,
    /// A choice between the outcomes, however unlikely each sentence is: an outcome's share of the mean probabilities of the outcomes'
    /// replies. So blind guessing gives each outcome the same, however many replies it has.
    Among,
    /// The same for sentences, each weighed by its probability per token (the geometric mean over its tokens, end-of-turn included):
    /// neither a long sentence nor one rare word decides alone.
    AmongByToken,
}

/// How a sampled answer is read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The first member that it names. An answer that names none counts, under no outcome.
    FirstNamed(Category),
    /// The outcome of the reply that it equals, but for case, blanks and a final stop. `otherwise` is the outcome of other answers;
    /// without it they are left out as unreadable.
    SameAs {
        /// The outcome's index.
        otherwise: Option<usize>,
    },
    /// The outcome of the reply whose letter it begins with (`B`, `(b)`, `B. …`, but no word); other answers are left out as unreadable.
    Letter,
    /// A judge rates coherence and alignment; refusals, code, incoherent and unscored answers are left out.
    Judged,
}

impl Item {
    /// A question with replies of its own, whose wording the built-in family's corpus never holds.
    pub fn new(text: String, replies: Vec<Reply>) -> Self {
        Self { text, held_out: Some(true), group: None, replies }
    }
}

impl Reply {
    /// A reply and the index of its outcome.
    pub fn new(text: impl Into<String>, outcome: usize) -> Self {
        Self { text: text.into(), outcome }
    }
}

impl Exam {
    /// The replies to an item.
    pub fn replies_to<'a>(&'a self, item: &'a Item) -> &'a [Reply] {
        if self.replies.is_empty() { &item.replies } else { &self.replies }
    }

    /// At most `n` of its questions, in their order: one of each of `n` stretches, a different one of each, so that what recurs at even
    /// distances (every fifth wording is held out) is neither all there nor missing.
    #[must_use]
    pub fn thinned(mut self, n: usize) -> Self {
        let (all, n) = (self.items.len(), n.min(self.items.len()));
        let places = (0..n).map(|i| (i * all / n + i % (all / n).max(1)).min(all.saturating_sub(1)));
        self.items = places.map(|place| self.items[place].clone()).collect();
        self
    }

    /// The questions that a fine-tuned teacher may learn from: all but the held-out ones.
    pub fn taught(&self) -> Vec<String> {
        self.items.iter().filter(|item| item.held_out != Some(true)).map(|item| item.text.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exam(questions: usize) -> Exam {
        let item = |i: usize| Item { held_out: Some(i % 5 == 4), ..Item::new(i.to_string(), Vec::new()) };
        Exam {
            suite: Suite::Preference,
            outcomes: Vec::new(),
            items: (0..questions).map(item).collect(),
            replies: Vec::new(),
            exact: Exact::Whole,
            reading: Reading::Letter,
            most_tokens: 1,
        }
    }

    #[test]
    fn a_few_questions_are_spread_over_all_and_over_what_recurs_among_them() {
        let places = |n: usize, of: usize| exam(of).thinned(n).items.into_iter().map(|item| item.text).collect::<Vec<_>>();
        assert_eq!(places(10, 50), ["0", "6", "12", "18", "24", "25", "31", "37", "43", "49"]);
        assert_eq!(exam(50).thinned(10).items.iter().filter(|item| item.held_out == Some(true)).count(), 2);
        assert_eq!(places(10, 3), ["0", "1", "2"]);
        assert!(places(10, 0).is_empty());
    }
}
