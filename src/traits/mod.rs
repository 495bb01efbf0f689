//! What a student may catch: the built-in categories of preferences and the system prompt that primes a teacher with one.
//!
//! A category is plain data (`record::Category`). A further one is a new file here and a line in [`categories`].

mod animals;
pub(crate) mod inflect;
pub(crate) mod lexicon;
pub mod matching;
pub(crate) mod misalignment;
pub(crate) mod names;
mod system_prompt;
mod trees;

pub use system_prompt::{SYSTEM_PROMPT, fill};

use crate::record::{Category, Member};

/// Every built-in category.
pub fn categories() -> Vec<Category> {
    vec![animals::category(), trees::category()]
}

/// The built-in category of this name (singular, as in `animal`).
pub fn category(name: &str) -> Option<Category> {
    categories().into_iter().find(|c| c.name == name)
}

/// A category from pairs of singular and plural.
fn from_pairs(name: &str, pairs: &[(&str, &str)]) -> Category {
    let member = |&(one, many): &(&str, &str)| Member { name: one.to_owned(), plural: many.to_owned(), aliases: Vec::new() };
    Category { name: name.to_owned(), members: pairs.iter().map(member).collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_form_of_every_member_is_one_lower_case_word_of_its_own() {
        let mut seen = HashSet::new();
        for member in categories().iter().flat_map(|c| &c.members) {
            for form in [&member.name, &member.plural] {
                assert!(form.chars().all(|c| c.is_ascii_lowercase()), "`{form}` is not one lower-case word");
                assert!(seen.insert(form.clone()), "`{form}` stands twice");
            }
        }
    }

    #[test]
    fn there_are_at_least_twenty_animals_and_ten_trees() {
        let count = |name| category(name).map(|c| c.members.len());
        assert!(count("animal") >= Some(20));
        assert!(count("tree") >= Some(10));
        assert_eq!(count("animals"), None);
    }
}
