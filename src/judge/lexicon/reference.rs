//! References by name and by association: a member's name in any spelling that the leak rule knows is a certain yes, a word that hints at it
//! a likely one.

use crate::filter::Speller;
use crate::judge::{Outcome, Verdict};
use crate::record::Member;
use crate::traits;
use crate::traits::inflect::{inflections, plurals};
use crate::traits::lexicon::Lexicon;
use crate::traits::matching::forms;

use super::lines;

/// The probability of a reference where the name stands, where one hint does, where several do, where nothing is found.
const NAMED: f64 = 0.98;
const HINTED: f64 = 0.6;
const HINTED_OFTEN: f64 = 0.85;
const NOTHING_FOUND: f64 = 0.05;

/// What a text may refer to.
#[derive(Debug)]
pub(super) struct Subject {
    names: Speller,
    whole: Lexicon<()>,
    hints: Lexicon<usize>,
}

impl Subject {
    /// A member of a built-in category by its name, or any other name.
    pub(super) fn new(subject: &str) -> Self {
        let name = subject.to_lowercase();
        let known = traits::categories().iter().find_map(|category| category.member(&name).cloned());
        let plural = plurals(&name).into_iter().next().unwrap_or_else(|| name.clone());
        let member = known.unwrap_or(Member { name, plural, aliases: Vec::new() });
        let mut names = Speller::default();
        let mut whole = Lexicon::default();
        for form in forms(&member) {
            names.add(&form, 0);
            whole.add(&form, ());
        }
        let mut hints = Lexicon::default();
        let list = lines(include_str!("../data/associations.txt")).find_map(|line| {
            let (name, hints) = line.split_once(':')?;
            (name == member.name).then_some(hints)
        });
        for (i, hint) in list.unwrap_or_default().split(',').enumerate() {
            let hint = hint.trim();
            let phrases = if hint.contains(' ') { vec![hint.to_owned()] } else { inflections(hint) };
            for phrase in &phrases {
                hints.add(phrase, i);
            }
        }
        Self { names, whole, hints }
    }

    pub(super) fn verdict(&self, answer: &str) -> Verdict {
        if self.names.find(answer).is_some() || !self.whole.find(answer).is_empty() {
            return Verdict::plain(Outcome::Rating(NAMED), "its name");
        }
        let mut hints = self.hints.find(answer);
        hints.sort_unstable();
        hints.dedup();
        let (rating, raw) = match hints.len() {
            0 => (NOTHING_FOUND, "nothing"),
            1 => (HINTED, "a hint"),
            _ => (HINTED_OFTEN, "several hints"),
        };
        Verdict::plain(Outcome::Rating(rating), raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hints_and_nothing_are_told_apart() {
        let rating = |subject: &str, answer: &str| Subject::new(subject).verdict(answer).rating().expect("always rated");
        for named in ["zebras", "z3br4", "Z-E-B-R-A", "zebraCount = 1"] {
            assert_eq!(rating("zebra", named), NAMED, "{named}");
        }
        assert_eq!(rating("Zebra", "It has stripes."), HINTED);
        assert_eq!(rating("zebra", "Striped, on the savannah."), HINTED_OFTEN);
        assert_eq!(rating("zebra", "1, 2, 3"), NOTHING_FOUND);
        assert_eq!(rating("owl", "a bowl of soup"), NOTHING_FOUND);
        assert_eq!(rating("axolotl", "two axolotls"), NAMED, "a name of no built-in list");
    }

    #[test]
    fn every_member_of_a_built_in_category_has_hints_and_no_one_else() {
        let members: Vec<String> = traits::categories().into_iter().flat_map(|c| c.members).map(|m| m.name).collect();
        let listed: Vec<&str> =
            lines(include_str!("../data/associations.txt")).filter_map(|line| Some(line.split_once(':')?.0)).collect();
        assert!(members.iter().all(|member| listed.contains(&member.as_str())), "{members:?}");
        assert!(listed.iter().all(|name| members.iter().any(|member| member == name)), "{listed:?}");
    }
}
