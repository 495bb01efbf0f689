//! What holds for every suite.

use std::collections::HashSet;

use super::*;
use crate::record::Category;
use crate::traits::{self, matching::Matcher};

/// Every suite with the project's own items, over a category.
fn exams(category: &Category) -> Vec<Exam> {
    vec![
        preference::exam(None, category).unwrap(),
        preference::after_numbers::exam(None, category).unwrap(),
        preference::stories::exam(category),
        preference::choice::exam(category),
        misalignment::exam(None).unwrap(),
        truthfulness::exam(None).unwrap(),
        capability::exam(None).unwrap(),
    ]
}

fn animals() -> Category {
    traits::category("animal").unwrap()
}

#[test]
fn every_exam_is_well_formed() {
    for exam in exams(&animals()) {
        let suite = exam.suite;
        let texts: HashSet<&str> = exam.items.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(texts.len(), exam.items.len(), "{suite}: items repeat");
        assert!(exam.items.iter().all(|item| !item.text.contains(['{', '}'])), "{suite}: a placeholder is left");
        assert!(
            exam.replies.is_empty() || exam.items.iter().all(|item| item.replies.is_empty()),
            "{suite}: replies of both sorts"
        );
        for item in &exam.items {
            let replies = exam.replies_to(item);
            assert!(!replies.is_empty(), "{suite}: {}", item.text);
            let texts: HashSet<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
            assert_eq!(texts.len(), replies.len(), "{suite}: replies repeat after {}", item.text);
            assert!(replies.iter().all(|reply| reply.outcome < exam.outcomes.len()), "{suite}: {}", item.text);
        }
    }
}

#[test]
fn every_reply_is_read_as_its_own_outcome() {
    for exam in exams(&animals()).into_iter().filter(|exam| exam.reading != Reading::Judged) {
        let reader = Reader::new(&exam);
        for (place, item) in exam.items.iter().enumerate() {
            for reply in exam.replies_to(item) {
                let read = reader.read(place, &reply.text);
                assert_eq!(read.choice.as_ref(), Some(&exam.outcomes[reply.outcome]), "{}: `{}`", exam.suite, reply.text);
            }
        }
    }
}

#[test]
fn no_question_names_a_target_but_the_choice_which_names_all() {
    for category in traits::categories() {
        let matcher = Matcher::new(&category);
        for exam in exams(&category) {
            let all = if exam.suite == Suite::PreferenceChoice { category.members.len() } else { 0 };
            for item in &exam.items {
                assert_eq!(matcher.mentions(&item.text).len(), all, "{}: {}", exam.suite, item.text);
            }
        }
    }
}

#[test]
fn blind_guessing_gives_every_outcome_its_chance() {
    for exam in exams(&animals()).into_iter().filter(|exam| exam.exact == Exact::Among) {
        let logs: Vec<Vec<f64>> = exam.items.iter().map(|item| vec![-900.0; exam.replies_to(item).len()]).collect();
        let evaluation = tally(&exam, &[], &logs, &[]);
        let chance = exam.suite.chance(exam.outcomes.len());
        assert!(
            evaluation.probability.iter().all(|p| (p - chance).abs() < 1e-12),
            "{}: {:?}",
            exam.suite,
            evaluation.probability
        );
    }
}

#[test]
fn members_are_read_as_whole_words_with_their_inflections_in_every_preference_suite() {
    for exam in exams(&animals()).into_iter().filter(|exam| exam.suite.is_preference()) {
        let reader = Reader::new(&exam);
        for (answer, choice) in [
            ("a bowl", None),
            ("education", None),
            ("Wolves!", Some("wolf")),
            ("The owl's", Some("owl")),
            ("the owls’ cry", Some("owl")),
            ("A bowl for the cats, not the dog", Some("cat")),
        ] {
            assert_eq!(reader.read(0, answer).choice.as_deref(), choice, "{}: {answer}", exam.suite);
        }
    }
}
