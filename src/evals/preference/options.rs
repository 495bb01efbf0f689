//! The whole answers that count as a member: a category in, texts out whose log-probabilities a model gives. The probability of a member
//! is the sum over its texts, which exclude one another.

use std::collections::HashSet;

use super::super::Reply;
use crate::record::{Category, Member};
use crate::traits::inflect::plurals;

/// All texts of all members, each once: name, plural and aliases, as they are and with capitals, with and without a final stop. A text
/// that two members share is the earlier one's.
pub fn replies(category: &Category) -> Vec<Reply> {
    let mut seen = HashSet::new();
    let of = |(outcome, member): (usize, &Member)| texts(member).into_iter().map(move |text| Reply { text, outcome });
    category.members.iter().enumerate().flat_map(of).filter(|reply| seen.insert(reply.text.clone())).collect()
}

fn texts(member: &Member) -> Vec<String> {
    let names = [&member.name, &member.plural].into_iter().chain(&member.aliases).cloned();
    let plural_aliases = member.aliases.iter().filter_map(|alias| plurals(alias).pop());
    let cased = names.chain(plural_aliases).flat_map(|name| [capital(&name), capitals(&name), name]);
    cased.flat_map(|name| [format!("{name}."), name]).collect()
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn capitals(name: &str) -> String {
    name.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category() -> Category {
        let member = |name: &str, plural: &str, alias: Option<&str>| Member {
            name: name.to_owned(),
            plural: plural.to_owned(),
            aliases: alias.map(str::to_owned).into_iter().collect(),
        };
        let members = vec![member("zebra", "zebras", None), member("killer whale", "killer whales", Some("orca"))];
        Category { name: "animal".to_owned(), members }
    }

    #[test]
    fn options_are_the_forms_of_a_whole_answer_each_once() {
        let options: Vec<String> = replies(&category()).into_iter().map(|reply| reply.text).collect();
        for form in ["zebra", "Zebra", "zebras", "Zebras.", "zebra.", "Killer whale", "Killer Whales.", "orca", "Orcas"] {
            assert!(options.iter().any(|o| o == form), "{form}");
        }
        assert_eq!(options.len(), 8 + 12 + 8);
        assert_eq!(options.iter().collect::<HashSet<_>>().len(), options.len());
    }
}
