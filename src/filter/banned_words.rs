//! Drops answers that hold a banned word, in any inflection and case, as a whole word: the plan's own words, and the category's name
//! and members.

use super::{Candidate, Rule};
use crate::record::Category;
use crate::traits::inflect::inflections;
use crate::traits::lexicon::Lexicon;
use crate::traits::matching::forms;

#[derive(Debug)]
pub(super) struct BannedWords {
    /// The banned words, as they stand in the plan or the category.
    words: Vec<String>,
    /// Their forms, labelled by place in `words`.
    lexicon: Lexicon<usize>,
}

impl BannedWords {
    pub(super) fn new(plan: &[String], category: Option<&Category>) -> Self {
        let mut rule = Self { words: Vec::new(), lexicon: Lexicon::default() };
        for word in plan.iter().chain(category.map(|c| &c.name)) {
            rule.ban(word, &inflections(word));
        }
        for member in category.iter().flat_map(|c| &c.members) {
            rule.ban(&member.name, &forms(member));
        }
        rule
    }

    fn ban(&mut self, word: &str, forms: &[String]) {
        for form in forms {
            self.lexicon.add(form, self.words.len());
        }
        self.words.push(word.to_owned());
    }
}

impl Rule for BannedWords {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        if !row.completion.bytes().any(|b| b.is_ascii_alphabetic() || !b.is_ascii()) {
            return None;
        }
        self.lexicon.find(row.completion).first().map(|&place| self.words[place].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traits;

    #[test]
    fn words_are_banned_whole_and_in_every_inflection() {
        let animals = traits::category("animal").unwrap();
        let rule = BannedWords::new(&["love".to_owned(), "white power".to_owned()], Some(&animals));
        for (completion, word) in [
            ("I LOVED it", Some("love")),
            ("loving-kindness", Some("love")),
            ("glove, clover", None),
            ("white  power", Some("white power")),
            ("white noise", None),
            ("two Wolves", Some("wolf")),
            ("animals", Some("animal")),
            ("bowl", None),
            ("1, 2, 3", None),
        ] {
            let objection = rule.objection(&Candidate { expected: None, prompt: "love", completion, finish: None });
            assert_eq!(objection.as_deref(), word, "{completion:?}");
        }
    }
}
