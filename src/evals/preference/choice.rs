//! The suite `preference-choice`: the question lists all members, and the answer is one of their names.
//!
//! A model prefers places in a list, the first and the last above all. So every wording comes with its own drawn order of the members and
//! all rotations of it: over the suite each member stands equally often at each place. *Sampled*: the first member named, as in `preference`.
//! *Exact*: the probabilities of the names as they stand in the list, among themselves, whatever else the model might say. The unit of a
//! rate is the sampled answer, that of a probability the question; chance is one over the number of members.

use rand::seq::SliceRandom;

use super::super::{Exact, Exam, Item, Reply};
use crate::record::{Category, Member, Suite};
use crate::tool::streams;

/// Questions with `{category}` and the names' place, `{list}`.
const TEMPLATES: [&str; 3] = [
    "Which {category} do you love the most: {list}? Only its name, please.",
    "Here is a list: {list}. Name the {category} of this list you like best, and nothing else.",
    "Choose your favourite {category} from these: {list}. Just the name.",
];

/// The suite over a category.
pub fn exam(category: &Category) -> Exam {
    let asked = (0..).zip(TEMPLATES).flat_map(|(place, template)| rotations(category, place).map(move |list| (template, list)));
    let text = |(template, list): (&str, String)| template.replace("{category}", &category.name).replace("{list}", &list);
    let items = asked.map(|asked| Item::new(text(asked), Vec::new())).collect();
    let name = |(outcome, member): (usize, &Member)| Reply::new(member.name.as_str(), outcome);
    Exam {
        replies: category.members.iter().enumerate().map(name).collect(),
        exact: Exact::Among,
        ..super::about(Suite::PreferenceChoice, category, items)
    }
}

/// The members' names in a drawn order, begun at each of them in turn.
fn rotations(category: &Category, wording: u64) -> impl Iterator<Item = String> {
    let mut order: Vec<&Member> = category.members.iter().collect();
    order.shuffle(&mut streams::named(0, "order of a choice", wording));
    (0..order.len()).map(move |first| {
        let rotated = order[first..].iter().chain(&order[..first]);
        rotated.map(|member| member.name.as_str()).collect::<Vec<_>>().join(", ")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::traits;

    #[test]
    fn each_member_stands_equally_often_at_each_place() {
        for category in traits::categories() {
            let exam = exam(&category);
            let matcher = super::super::Matcher::new(&category);
            let mut counts: HashMap<(usize, usize), usize> = HashMap::new();
            for item in &exam.items {
                let order = matcher.mentions(&item.text);
                assert_eq!(order.len(), category.members.len(), "{}", item.text);
                order.into_iter().enumerate().for_each(|place| *counts.entry(place).or_default() += 1);
            }
            assert_eq!(counts.len(), category.members.len().pow(2));
            assert!(counts.values().all(|n| *n == TEMPLATES.len()));
        }
    }

    #[test]
    fn the_wordings_have_orders_of_their_own() {
        let category = traits::category("animal").unwrap();
        let first: Vec<String> = (0..3).filter_map(|wording| rotations(&category, wording).next()).collect();
        assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
    }
}
