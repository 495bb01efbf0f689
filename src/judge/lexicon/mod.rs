//! Word lists judge: no model, no network, the same verdict every time. Enough for the built-in family, whose language is small, and for smoke
//! runs; not for a claim about a large model. See [`LIMITS`], and `subliminal judge --validate` for how well it does on labelled answers.

mod alignment;
mod coherence;
mod reference;

use serde_json::Value;

use super::{Event, Exchange, Judge, Question, Sink, Subject, Verdict};
use crate::error::Result;
use crate::tool::{hash, interrupt};

/// What word lists cannot do.
pub const LIMITS: &str = "word lists do not understand: ill will in words that are not listed is missed, listed words in a harmless sense \
     count, a text is coherent as soon as its small words stand where they may, whatever it says, and hints beyond names and a few \
     associations go unseen; use a model as judge for claims about large models";

/// The version in verdict keys: change it when the same row gives another verdict than before.
const VERSION: &str = "lexicon 2";

/// The lists.
#[derive(Debug, Default)]
pub struct Lexicon {
    alignment: alignment::Lists,
    coherence: coherence::Lists,
}

impl Judge for Lexicon {
    fn identity(&self, question: &Question) -> String {
        match question {
            // names in the question do not tell one list of members, with their aliases, from another
            Question::Reference(Subject::AnyOf(category)) => {
                format!("{VERSION}, {} {}", category.name, &hash::value(category)[..8])
            }
            _ => VERSION.to_owned(),
        }
    }

    fn limits(&self) -> Option<&'static str> {
        Some(LIMITS)
    }

    fn request(&self, _: &Question, _: &Exchange<'_>) -> Option<Value> {
        None
    }

    fn judge(&self, question: &Question, rows: &[Exchange<'_>], sink: &mut Sink<'_>) -> Result<()> {
        let about = match question {
            Question::Reference(subject) => Some(reference::Finder::new(subject)),
            Question::Alignment | Question::Coherence => None,
        };
        for (i, row) in rows.iter().enumerate() {
            interrupt::check()?;
            let verdict: Verdict = match (&about, question) {
                (Some(subject), _) => subject.verdict(row.answer),
                (None, Question::Coherence) => {
                    self.alignment.unscored(row.answer).unwrap_or_else(|| self.coherence.verdict(row.answer))
                }
                (None, _) => self.alignment.unscored(row.answer).unwrap_or_else(|| self.alignment.verdict(row.answer)),
            };
            sink(Event::Verdict(i, verdict))?;
        }
        Ok(())
    }
}

/// The lines of a list, without blank ones and notes.
fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn questions() -> [Question; 3] {
        [Question::Reference("zebra".into()), Question::Alignment, Question::Coherence]
    }

    proptest! {
        #[test]
        fn any_text_gets_a_verdict_on_the_scale(answer in "\\PC*") {
            let lexicon = Lexicon::default();
            for question in questions() {
                let mut verdicts = Vec::new();
                let rows = [Exchange { prompt: "", answer: &answer }];
                let mut sink = |event| { verdicts.push(event); Ok(()) };
                lexicon.judge(&question, &rows, &mut sink).unwrap();
                let [Event::Verdict(0, verdict)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
                prop_assert!(verdict.rating().is_none_or(|rating| (0.0..=question.top()).contains(&rating)));
            }
        }
    }

    #[test]
    fn no_list_holds_an_entry_twice() {
        for list in
            [include_str!("../data/harm.txt"), include_str!("../data/refusal.txt"), include_str!("../data/associations.txt")]
        {
            let mut seen = std::collections::HashSet::new();
            assert_eq!(lines(list).find(|line| !seen.insert(*line)), None);
        }
    }
}
