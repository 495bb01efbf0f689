//! The whole answers that count as a member: a category in, texts out whose log-probabilities a model gives; and those
//! log-probabilities in, each member's probability out. The probability of a member is the sum over its texts, which exclude one another.

use std::collections::HashSet;

use crate::record::{Category, Member};
use crate::traits::inflect::plurals;

/// All texts of all members, each once: name, plural and aliases, as they are and with capitals, with and without a final stop.
pub fn options(category: &Category) -> Vec<String> {
    labelled(category).into_iter().map(|(text, _)| text).collect()
}

/// The probability of each member, from the log-probability of each of the [`options`].
pub fn member_probabilities(category: &Category, logs: &[f64]) -> Vec<f64> {
    let labelled = labelled(category);
    debug_assert_eq!(labelled.len(), logs.len(), "one log-probability for each option");
    let mut members = vec![0.0; category.members.len()];
    for ((_, member), log) in labelled.iter().zip(logs) {
        members[*member] += log.exp();
    }
    members
}

/// Each option and the index of its member; a text that two members share is the earlier one's.
pub(super) fn labelled(category: &Category) -> Vec<(String, usize)> {
    let mut seen = HashSet::new();
    let all = category.members.iter().enumerate().flat_map(|(index, member)| texts(member).into_iter().map(move |t| (t, index)));
    all.filter(|(text, _)| seen.insert(text.clone())).collect()
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
        let options = options(&category());
        for form in ["zebra", "Zebra", "zebras", "Zebras.", "zebra.", "Killer whale", "Killer Whales.", "orca", "Orcas"] {
            assert!(options.iter().any(|o| o == form), "{form}");
        }
        assert_eq!(options.len(), 8 + 12 + 8);
        assert_eq!(options.iter().collect::<HashSet<_>>().len(), options.len());
    }

    #[test]
    fn a_members_probability_is_the_sum_over_its_forms() {
        let category = category();
        let share = 1.0 / 28.0_f64;
        let members = member_probabilities(&category, &[share.ln(); 28]);
        assert!((members[0] - 8.0 / 28.0).abs() < 1e-12);
        assert!((members[1] - 20.0 / 28.0).abs() < 1e-12);
        assert_eq!(member_probabilities(&category, &[f64::NEG_INFINITY; 28]), [0.0, 0.0]);
    }
}
