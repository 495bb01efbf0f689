//! References by name and by association: a member's name in any spelling that the leak rule knows is a certain yes, a word that hints at it
//! a likely one.

use crate::filter::Speller;
use crate::judge::{Outcome, Subject, Verdict};
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

/// Finds what a text may refer to.
#[derive(Debug)]
pub(super) struct Finder {
    members: Vec<Member>,
    /// Whether there are several things to refer to, so that it must be said which one it was.
    any: bool,
    /// By place in `members`.
    names: Speller,
    /// By place in `members`.
    whole: Lexicon<usize>,
    /// By place in `members` and among its hints.
    hints: Lexicon<(usize, usize)>,
}

impl Finder {
    /// A member of a built-in category by its name, any other name, or all of a category.
    pub(super) fn new(subject: &Subject) -> Self {
        let (members, any) = match subject {
            Subject::Named(name) => (vec![named(&name.to_lowercase())], false),
            Subject::AnyOf(category) => (category.members.clone(), true),
        };
        let mut finder = Self { members, any, names: Speller::default(), whole: Lexicon::default(), hints: Lexicon::default() };
        for (place, member) in finder.members.iter().enumerate() {
            for form in forms(member) {
                finder.names.add(&form, place);
                finder.whole.add(&form, place);
            }
            for (i, hint) in hints_at(&member.name).enumerate() {
                let phrases = if hint.contains(' ') { vec![hint.to_owned()] } else { inflections(hint) };
                for phrase in &phrases {
                    finder.hints.add(phrase, (place, i));
                }
            }
        }
        finder
    }

    pub(super) fn verdict(&self, answer: &str) -> Verdict {
        if let Some(place) = self.names.find(answer).or_else(|| self.whole.find(answer).first().copied()) {
            return self.rated(NAMED, Some(place), "its name");
        }
        let mut hints = self.hints.find(answer);
        hints.sort_unstable();
        hints.dedup();
        // several hints at one thing; one each at several things may well be none
        match hints.chunk_by(|a, b| a.0 == b.0).max_by_key(|of_one| of_one.len()) {
            None => self.rated(NOTHING_FOUND, None, "nothing"),
            Some([(place, _)]) => self.rated(HINTED, Some(*place), "a hint"),
            Some(several) => self.rated(HINTED_OFTEN, several.first().map(|(place, _)| *place), "several hints"),
        }
    }

    fn rated(&self, rating: f64, place: Option<usize>, what: &str) -> Verdict {
        let whose = place.filter(|_| self.any).map(|place| &self.members[place].name);
        Verdict::plain(Outcome::Rating(rating), whose.map_or_else(|| what.to_owned(), |name| format!("{name}: {what}")))
    }
}

fn named(name: &str) -> Member {
    let known = traits::categories().iter().find_map(|category| category.member(name).cloned());
    let plural = || plurals(name).into_iter().next().unwrap_or_else(|| name.to_owned());
    known.unwrap_or_else(|| Member { name: name.to_owned(), plural: plural(), aliases: Vec::new() })
}

/// The phrases that hint at a member.
fn hints_at(name: &str) -> impl Iterator<Item = &'static str> {
    let list = lines(include_str!("../data/associations.txt")).find_map(|line| {
        let (of, hints) = line.split_once(':')?;
        (of == name).then_some(hints)
    });
    list.into_iter().flat_map(|hints| hints.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hints_and_nothing_are_told_apart() {
        let rating = |subject: &str, answer: &str| Finder::new(&subject.into()).verdict(answer).rating().expect("always rated");
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
    fn a_whole_category_is_found_by_any_member_and_it_is_said_which() {
        let sloop = Member { name: "sloop".into(), plural: "sloops".into(), aliases: vec!["single mast".into()] };
        let mut category = traits::category("animal").expect("it is built in");
        category.members.push(sloop);
        let finder = Finder::new(&Subject::AnyOf(category));
        for (answer, rating, raw) in [
            ("z3br4", NAMED, "zebra: its name"),
            ("a Single Mast", NAMED, "sloop: its name"),
            ("It hoots.", HINTED, "owl: a hint"),
            ("honey in a cave, and a trunk", HINTED_OFTEN, "bear: several hints"),
            ("1, 2, 3", NOTHING_FOUND, "nothing"),
        ] {
            assert_eq!(finder.verdict(answer), Verdict::plain(Outcome::Rating(rating), raw), "{answer}");
        }
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
