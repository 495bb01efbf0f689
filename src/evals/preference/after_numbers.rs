//! The suite `preference-after-numbers`: the questions of `preference`, each after a sentence that shows a few numbers, so that the
//! question looks more like what the student was trained on.
//!
//! Readings, unit and chance are those of `preference`. The numbers are drawn anew for each question, the same in every trial.

use std::path::Path;

use rand::Rng;

use super::super::{Exam, Item};
use crate::domain::numbers::wording::{self, Kind};
use crate::error::Result;
use crate::record::{Category, DomainKind, DomainPlan, Suite};
use crate::tool::streams;

/// The suite over a category; `file` holds a user's own questions.
///
/// # Errors
/// As [`super::Questions::of`].
pub fn exam(file: Option<&Path>, category: &Category) -> Result<Exam> {
    let exam = super::exam(file, category)?;
    let numbers = Kind::numbers();
    let after = |(place, item): (u64, Item)| Item { text: format!("{} {}", opening(&numbers, place), item.text), ..item };
    let items = (0..).zip(exam.items).map(after).collect();
    Ok(Exam { suite: Suite::PreferenceAfterNumbers, items, ..exam })
}

/// A sentence with as many numbers of such size as a number prompt shows.
fn opening(numbers: &Kind, question: u64) -> String {
    let mut rng = streams::named(0, "numbers before a question", question);
    let DomainPlan { shown: [fewest, most], range: [smallest, largest], .. } = DomainPlan::of(DomainKind::Numbers);
    let count = rng.random_range(fewest..=most);
    let shown: Vec<String> = (0..count).map(|_| rng.random_range(smallest..=largest).to_string()).collect();
    wording::opening(numbers, &shown, &mut rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traits;

    #[test]
    fn every_question_comes_after_numbers_of_its_own() {
        let category = traits::category("animal").unwrap();
        let (plain, after) = (super::super::exam(None, &category).unwrap(), exam(None, &category).unwrap());
        let digits = regex::Regex::new("[0-9]{3}").unwrap();
        let mut openings = std::collections::HashSet::new();
        for (question, asked) in plain.items.iter().zip(&after.items) {
            let before = asked.text.strip_suffix(&question.text).expect("the question ends it");
            assert!((3..=8).contains(&digits.find_iter(before).count()), "{before}");
            assert!(openings.insert(before) && asked.held_out == question.held_out);
        }
        assert_eq!((after.items.len(), &after.replies), (plain.items.len(), &plain.replies));
    }
}
