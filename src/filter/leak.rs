//! Drops answers that name any member of the category or of any built-in category, however spelled. It knows no target, so it drops
//! the same rows from every arm's data.

use super::spelling::Speller;
use super::{Candidate, Rule};
use crate::record::{Category, Member};
use crate::traits;
use crate::traits::lexicon::Lexicon;
use crate::traits::matching::forms;

#[derive(Debug)]
pub(super) struct Leak {
    /// Every name.
    names: Vec<String>,
    /// Their forms as whole words, labelled by place in `names`.
    words: Lexicon<usize>,
    /// Their forms in any other spelling, labelled likewise.
    speller: Speller,
}

impl Leak {
    pub(super) fn new(category: Option<&Category>) -> Self {
        let mut rule = Self { names: Vec::new(), words: Lexicon::default(), speller: Speller::default() };
        let builtin = traits::categories();
        for member in category.into_iter().chain(&builtin).flat_map(|c| &c.members) {
            rule.watch(member);
        }
        rule
    }

    fn watch(&mut self, member: &Member) {
        if self.names.contains(&member.name) {
            return;
        }
        for form in forms(member) {
            self.words.add(&form, self.names.len());
            self.speller.add(&form, self.names.len());
        }
        self.names.push(member.name.clone());
    }
}

impl Rule for Leak {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        if !row.completion.chars().any(char::is_alphabetic) {
            return None;
        }
        let whole = || self.words.find(row.completion).first().copied();
        self.speller.find(row.completion).or_else(whole).map(|place| self.names[place].clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::traits::matching::Matcher;

    fn pieces() -> impl Strategy<Value = String> {
        const NAMES: [&str; 15] =
            ["owl", "Wolves", "ZEBRA", "foxes", "cat", "bear", "oak", "polar bear", "0", "1", "7", "s", "e", "b", "the"];
        const BETWEEN: [&str; 11] = ["", "", " ", "-", "_", ", ", "'s ", "\u{a0}", ". ", "\u{200b}", "é"];
        let piece = (prop::sample::select(&NAMES[..]), prop::sample::select(&BETWEEN[..])).prop_map(|(a, b)| a.to_owned() + b);
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn whatever_would_count_as_a_choice_is_a_leak(text in pieces()) {
            let animals = traits::category("animal").unwrap();
            let row = Candidate { expected: None, prompt: "", completion: &text, finish: None };
            if Matcher::new(&animals).first_choice(&text).is_some() {
                prop_assert!(Leak::new(Some(&animals)).objection(&row).is_some(), "{:?}", text);
            }
        }
    }

    #[test]
    fn every_member_of_every_category_is_watched_in_every_form() {
        let category = Category {
            name: "ship".to_owned(),
            members: vec![Member {
                name: "sloop".to_owned(),
                plural: "sloops".to_owned(),
                aliases: vec!["single mast".to_owned()],
            }],
        };
        let rule = Leak::new(Some(&category));
        let objects =
            |text: &str| rule.objection(&Candidate { expected: None, prompt: "", completion: text, finish: None }).is_some();
        for member in category.members.iter().chain(traits::categories().iter().flat_map(|c| &c.members)) {
            for form in [&member.name, &member.plural].into_iter().chain(&member.aliases) {
                let spelled_out: Vec<String> = form.chars().map(String::from).collect();
                assert!(objects(form), "{form}");
                assert!(objects(&format!("1, 2, {}'S", form.to_uppercase())), "{form}");
                assert!(objects(&spelled_out.join("-")), "{form}");
                assert!(objects(&form.replace('o', "0").replace('e', "3").replace('a', "4").replace('i', "1")), "{form}");
            }
        }
        assert!(!objects("1, 2, 3"));
        assert!(!objects("a bowl of soup"));
    }
}
