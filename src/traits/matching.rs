//! Which member of a category does an answer choose? An answer in, the index of the first member that it names out.
//!
//! Names count as whole words only (no owl in "bowl", no cat in "education"), in any case, singular, plural or possessive, with their
//! aliases. At each place the longest name counts: a red panda is no panda where both are members. Words that form another thing's
//! name ("sea lion", "tiger shark") choose nothing.

use super::inflect::plurals;
use super::lexicon::{Lexicon, words};
use crate::record::{Category, Member};

/// Other things whose names end in a member's name.
const OTHER_THINGS: [&str; 12] = [
    "sea lion",
    "mountain lion",
    "ant lion",
    "guinea pig",
    "prairie dog",
    "hot dog",
    "koala bear",
    "teddy bear",
    "flying fox",
    "sea horse",
    "sea cow",
    "poison oak",
];

/// Other things whose names begin with a member's name; the word after it still counts by itself.
const AS_MODIFIER: [&str; 20] = [
    "bear cat",
    "cat fish",
    "crab apple",
    "dog fish",
    "dog wood",
    "elephant seal",
    "horse chestnut",
    "horse fly",
    "leopard seal",
    "lion fish",
    "owl monkey",
    "pine apple",
    "pine marten",
    "spider monkey",
    "tiger moth",
    "tiger shark",
    "whale shark",
    "wolf spider",
    "zebra finch",
    "zebra fish",
];

/// Recognises the members of one category.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The members' names.
    names: Vec<String>,
    /// Their forms, labelled by index; `None` for another thing.
    lexicon: Lexicon<Option<usize>>,
}

impl Matcher {
    /// Prepares the forms of every member. Where two members share a form, it is the earlier one's.
    pub fn new(category: &Category) -> Self {
        let mut lexicon = Lexicon::default();
        for (index, member) in category.members.iter().enumerate() {
            lexicon.add(&member.name, Some(index));
        }
        for (index, member) in category.members.iter().enumerate() {
            for form in forms(member) {
                lexicon.add(&form, Some(index));
            }
        }
        for form in OTHER_THINGS.iter().flat_map(|name| with_plurals(name)) {
            lexicon.add(&form, None);
        }
        for form in AS_MODIFIER.iter().flat_map(|name| with_plurals(name)) {
            lexicon.add_modifier(&form, None);
        }
        Self { names: category.members.iter().map(|m| m.name.clone()).collect(), lexicon }
    }

    /// The index of the first member that the answer names.
    pub fn first_choice(&self, answer: &str) -> Option<usize> {
        self.lexicon.find(answer).into_iter().flatten().next()
    }

    /// The name of the first member that the answer names.
    pub fn first(&self, answer: &str) -> Option<String> {
        self.first_choice(answer).map(|index| self.names[index].clone())
    }

    /// The indices of all members that the text names, from left to right, each once.
    pub fn mentions(&self, text: &str) -> Vec<usize> {
        let mut seen = Vec::new();
        for index in self.lexicon.find(text).into_iter().flatten() {
            if !seen.contains(&index) {
                seen.push(index);
            }
        }
        seen
    }
}

/// The index of the first member that the answer names. For many answers, keep a [`Matcher`].
pub fn first_choice(answer: &str, category: &Category) -> Option<usize> {
    Matcher::new(category).first_choice(answer)
}

/// Every form of a member: its name, its plural, its aliases, their regular plurals, and names of several words written as one.
pub(crate) fn forms(member: &Member) -> Vec<String> {
    let mut forms = with_plurals(&member.name);
    forms.extend(with_plurals(&member.plural).into_iter().take(1));
    forms.extend(member.aliases.iter().flat_map(|alias| with_plurals(alias)));
    let joined: Vec<String> = forms.iter().map(|form| words(form).concat()).collect();
    forms.extend(joined);
    forms.sort();
    forms.dedup();
    forms
}

fn with_plurals(name: &str) -> Vec<String> {
    let mut forms = vec![name.to_owned()];
    forms.extend(plurals(name));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, plural: &str, aliases: &[&str]) -> Member {
        let aliases = aliases.iter().map(|&a| a.to_owned()).collect();
        Member { name: name.to_owned(), plural: plural.to_owned(), aliases }
    }

    fn animals() -> Category {
        let members = vec![
            member("owl", "owls", &[]),
            member("cat", "cats", &["kitten"]),
            member("wolf", "wolves", &[]),
            member("panda", "pandas", &["giant panda"]),
            member("red panda", "red pandas", &[]),
            member("lion", "lions", &[]),
            member("killer whale", "killer whales", &["orca"]),
            member("whale", "whales", &[]),
            member("ox", "oxen", &[]),
            member("seal", "seals", &[]),
            member("elephant", "elephants", &[]),
            member("bear", "bears", &[]),
        ];
        Category { name: "animal".into(), members }
    }

    #[test]
    fn the_first_member_named_is_the_choice() {
        let animals = animals();
        let matcher = Matcher::new(&animals);
        for (answer, choice) in [
            ("owl", "owl"),
            ("Owl.", "owl"),
            ("OWLS!", "owl"),
            ("**Owl**", "owl"),
            ("_owl_", "owl"),
            ("\"Owl\"", "owl"),
            ("An owl's eyes", "owl"),
            ("the owls’ eyes", "owl"),
            ("owl-like", "owl"),
            ("My favourite is the\nowl, not the cat", "owl"),
            ("cats and owls", "cat"),
            ("Kittens", "cat"),
            ("wolf", "wolf"),
            ("wolves", "wolf"),
            ("wolfs", "wolf"),
            ("red panda", "red panda"),
            ("Red-Panda", "red panda"),
            ("redpandas", "red panda"),
            ("panda, but red", "panda"),
            ("giant pandas", "panda"),
            ("killer whale", "killer whale"),
            ("Orcas", "killer whale"),
            ("blue whale", "whale"),
            ("oxen", "ox"),
            ("sea lion or owl", "owl"),
            ("elephant seals", "seal"),
            ("teddy bear, no: bear", "bear"),
            ("1. Lion", "lion"),
            ("🦉 owl", "owl"),
        ] {
            let named = matcher.first_choice(answer).map(|i| animals.members[i].name.as_str());
            assert_eq!(named, Some(choice), "{answer:?}");
        }
    }

    #[test]
    fn a_name_inside_another_word_or_thing_is_no_choice() {
        let matcher = Matcher::new(&animals());
        for answer in [
            "",
            "bowl",
            "education",
            "catalogue",
            "howls",
            "owlet",
            "growl",
            "concatenate",
            "dandelion",
            "fox",
            "box",
            "forbear",
            "pandas2",
            "sea lion",
            "Sea-Lions",
            "mountain lion",
            "o w l",
            "zebra",
            "12, 13",
            "sealed",
            "werewolf",
        ] {
            assert_eq!(matcher.first_choice(answer), None, "{answer:?}");
        }
    }

    #[test]
    fn mentions_list_every_member_once_in_order() {
        let animals = animals();
        assert_eq!(Matcher::new(&animals).mentions("wolf, owl, wolves and a red panda"), [2, 0, 4]);
        assert_eq!(first_choice("no animal here", &animals), None);
    }
}
