//! Drops answers that name any member of the category or of any built-in category, however spelled. It knows no target, so it drops
//! the same rows from every arm's data.

use super::spelling::Speller;
use super::{Candidate, Rule};
use crate::record::{Category, Member};
use crate::traits;
use crate::traits::matching::forms;

#[derive(Debug)]
pub(super) struct Leak {
    /// Every name.
    names: Vec<String>,
    /// Their spellings, labelled by place in `names`.
    speller: Speller,
}

impl Leak {
    pub(super) fn new(category: Option<&Category>) -> Self {
        let mut rule = Self { names: Vec::new(), speller: Speller::default() };
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
            self.speller.add(&form, self.names.len());
        }
        self.names.push(member.name.clone());
    }
}

impl Rule for Leak {
    fn objection(&self, row: &Candidate<'_>) -> Option<String> {
        self.speller.find(row.completion).map(|place| self.names[place].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let objects = |text: &str| rule.objection(&Candidate { prompt: "", completion: text, finish: None }).is_some();
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
