//! Maths word problems with known answers: a random stream in; a text, its worked steps and its answer out.
//!
//! A family of problems is a function over a [`Kit`], and a line in [`GROUPS`].

mod amounts;
mod choices;
mod kit;
mod measures;
mod money;
mod parts;
mod rates;
mod small;
mod work;

use rand::seq::{IteratorRandom, SliceRandom};
use rand::{Rng, RngCore};

pub(crate) use kit::Choose;
use kit::Kit;
use work::Work;

/// A problem as it is put, and how it is solved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The question with all that is needed to answer it.
    pub text: String,
    /// The steps to the answer: `3 * 12 = 36`.
    pub steps: Vec<String>,
    /// The answer, a bare number: `42`, `6.75`, `2/3`, `-4`.
    pub answer: String,
}

/// A problem before it is put into an order.
#[derive(Debug)]
struct Story {
    /// What is known, in sentences.
    facts: Vec<String>,
    /// Whether the facts may stand in any order.
    free: bool,
    /// What is asked.
    question: String,
    work: Work,
}

impl Story {
    /// Facts that only make sense in this order.
    fn told(facts: Vec<String>, question: String, work: Work) -> Self {
        Self { facts, free: false, question, work }
    }

    /// Facts that may stand in any order.
    fn known(facts: Vec<String>, question: String, work: Work) -> Self {
        Self { facts, free: true, question, work }
    }

    fn put(mut self, rng: &mut dyn RngCore) -> Problem {
        if self.free {
            self.facts.shuffle(rng);
        }
        let facts = self.facts.join(" ");
        if facts.is_empty() {
            let (steps, answer) = self.work.finish();
            return Problem { text: self.question, steps, answer };
        }
        let text = if rng.random_bool(0.2) { format!("{} {facts}", self.question) } else { format!("{facts} {}", self.question) };
        let (steps, answer) = self.work.finish();
        Problem { text, steps, answer }
    }
}

/// A family of problems.
type Family = fn(&mut Kit<'_>) -> Story;

/// The groups of families, by the names that configs use.
const GROUPS: [(&str, &[Family]); 7] = [
    (
        "amounts",
        &[
            amounts::changes,
            amounts::boxes,
            amounts::sharing,
            amounts::left_over,
            amounts::enough_bags,
            amounts::more_than,
            amounts::sum_and_difference,
            amounts::rows,
            amounts::series,
        ],
    ),
    ("choices", &[choices::one_number, choices::none_left, choices::some_numbers]),
    (
        "measures",
        &[
            measures::mean,
            measures::missing_for_mean,
            measures::fence,
            measures::tiles,
            measures::rope,
            measures::ages,
            measures::temperature,
        ],
    ),
    ("money", &[money::change, money::discount, money::saving_up, money::coins, money::wages, money::offers, money::splitting]),
    (
        "parts",
        &[
            parts::percentage,
            parts::fractions,
            parts::ratio,
            parts::recipe,
            parts::growth,
            parts::what_is_left,
            parts::what_percent,
        ],
    ),
    (
        "rates",
        &[rates::two_legs, rates::average_speed, rates::machine, rates::tank, rates::reading, rates::lessons, rates::together],
    ),
    ("small", &[small::together, small::left, small::boxes, small::comes_and_goes]),
];

/// The groups that large models are given where a config names none.
pub const WORDED: [&str; 5] = ["amounts", "measures", "money", "parts", "rates"];

/// The groups that a very small model can solve.
pub const EASY: [&str; 2] = ["choices", "small"];

/// The names of all groups.
pub fn groups() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|(name, _)| *name)
}

/// Draws a problem of these groups, all families equally likely; of [`WORDED`] where none is named.
pub fn problem(groups: &[String], rng: &mut impl Rng) -> Problem {
    solved(groups, &mut |rng| rng.random_range(0..1000), rng)
}

/// The same, solved by one who chooses in this way where it is free.
pub(crate) fn solved(groups: &[String], choose: &mut Choose<'_>, rng: &mut impl Rng) -> Problem {
    let wanted = |name: &str| if groups.is_empty() { WORDED.contains(&name) } else { groups.iter().any(|group| group == name) };
    let families = GROUPS.iter().filter(|(name, _)| wanted(name)).flat_map(|(_, families)| families.iter());
    let family = families.choose(rng).expect("a config names only known groups");
    let story = family(&mut Kit::new(rng, &mut |rng| choose(rng)));
    story.put(rng)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::super::reading::read;
    use super::*;
    use crate::filter::{Candidate, Pipeline, Verdict};
    use crate::record::{DomainKind, DomainPlan, FilterPlan};
    use crate::tool::streams;

    fn drawn(n: u64) -> Vec<Problem> {
        (0..n).map(|row| problem(&[], &mut streams::named(0, "test", row))).collect()
    }

    #[test]
    fn more_than_95_percent_of_10000_problems_are_distinct() {
        let texts: HashSet<String> = drawn(10_000).into_iter().map(|problem| problem.text).collect();
        assert!(texts.len() > 9_500, "{} distinct", texts.len());
    }

    #[test]
    fn their_wordings_differ_beyond_names_and_numbers() {
        let wording = |text: &str| -> String {
            let words =
                text.split(' ').filter(|word| !word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '$'));
            words.collect::<Vec<_>>().join(" ")
        };
        let wordings: HashSet<String> = drawn(2_000).iter().map(|problem| wording(&problem.text)).collect();
        assert!(wordings.len() > 1_000, "{} different wordings of 2,000", wordings.len());
    }

    #[test]
    fn every_problem_is_whole_and_takes_one_to_five_steps() {
        let mut lengths = BTreeSet::new();
        for problem in drawn(5_000) {
            assert!(!problem.text.contains(['{', '}']) && !problem.text.contains("  "), "{}", problem.text);
            assert!(problem.text.contains('?') && problem.text.is_ascii(), "{}", problem.text);
            assert!((1..=5).contains(&problem.steps.len()), "{problem:?}");
            assert!(read(&problem.answer).is_some(), "{problem:?}");
            lengths.insert(problem.steps.len());
        }
        assert!(lengths.is_superset(&(2..=4).collect()), "{lengths:?}");
    }

    #[test]
    fn easy_problems_are_right_and_the_numbers_one_may_choose_drop_out() {
        let easy = EASY.map(str::to_owned);
        for row in 0..2_000 {
            let solve = |n: u32| solved(&easy, &mut |_| n, &mut streams::named(0, "test", row));
            let (problem, other) = (solve(7), solve(500));
            assert_eq!((&problem.text, &problem.answer), (&other.text, &other.answer));
            assert!(problem.steps.len() <= 2 && problem.text.contains('?'), "{problem:?}");
            for step in problem.steps.iter().chain(&other.steps) {
                let (left, right) = step.split_once(" = ").expect("an equation");
                assert!((worth(left) - worth(right)).abs() < 1e-9, "{step}");
            }
            assert!(problem.steps.last().unwrap().ends_with(&format!("= {}", problem.answer)), "{problem:?}");
        }
    }

    /// What a step's left side comes to, worked out anew in floating point.
    fn worth(side: &str) -> f64 {
        let words: Vec<&str> = side.split(' ').collect();
        let number = |text: &str| -> f64 {
            let parts: Vec<f64> = text.split('/').map(|part| part.parse().unwrap()).collect();
            if let [above, below] = parts[..] { above / below } else { parts[0] }
        };
        match words.as_slice() {
            [share, "of", whole] => number(share.trim_end_matches('%')) / 100.0 * number(whole),
            [a, "mod", b] => number(a) % number(b),
            [first, rest @ ..] => rest.chunks(2).fold(number(first), |so_far, pair| match pair {
                ["+", n] => so_far + number(n),
                ["-", n] => so_far - number(n),
                ["*", n] => so_far * number(n),
                [":", n] => so_far / number(n),
                other => panic!("{other:?} in `{side}`"),
            }),
            [] => panic!("an empty step"),
        }
    }

    #[test]
    fn every_step_is_right_and_the_last_one_gives_the_answer() {
        for problem in drawn(5_000) {
            for step in &problem.steps {
                let (left, right) = step.split_once(" = ").expect("an equation");
                assert!((worth(left) - worth(right)).abs() < 1e-9, "{step} in {problem:?}");
            }
            assert!(problem.steps.last().unwrap().ends_with(&format!("= {}", problem.answer)), "{problem:?}");
        }
    }

    /// Every number in a text by its value, and the integers of its fractions.
    fn values(text: &str) -> Vec<String> {
        let number = regex::Regex::new(r"\d+(\.\d+|/\d+)?").expect("a valid pattern");
        let value = |text: &str| read(text).expect("a number").value.to_string();
        number
            .find_iter(text)
            .flat_map(|found| [vec![found.as_str()], found.as_str().split('/').collect()].concat())
            .map(value)
            .collect()
    }

    #[test]
    fn every_number_of_the_steps_is_in_the_text_or_found_before() {
        for problem in drawn(5_000) {
            let mut known: HashSet<String> = values(&problem.text).into_iter().collect();
            // 1 to 3 are also told in words; 60 and 100 are known to all.
            known.extend(["1", "2", "3", "60", "100"].map(str::to_owned));
            for step in &problem.steps {
                let (left, right) = step.split_once(" = ").expect("an equation");
                for number in values(left) {
                    assert!(known.contains(&number), "{number} of {step} comes from nowhere in {problem:?}");
                }
                known.extend(values(right));
            }
        }
    }

    #[test]
    fn answers_are_of_several_kinds() {
        let answers: Vec<String> = drawn(3_000).into_iter().map(|problem| problem.answer).collect();
        for kind in [".", "/"] {
            assert!(answers.iter().any(|answer| answer.contains(kind)), "no answer with `{kind}`");
        }
        let different: HashSet<&String> = answers.iter().collect();
        assert!(different.len() > 400, "{} different answers", different.len());
    }

    #[test]
    fn nothing_of_any_trait_is_in_them() {
        let plan = FilterPlan { rules: vec!["leak".to_owned()], ..FilterPlan::default() };
        let animals = crate::traits::category("animal").unwrap();
        let leaks = Pipeline::build(&plan, &DomainPlan::of(DomainKind::Cot), &animals).unwrap();
        let categories = regex::Regex::new(r"(?i)\b(animals?|trees?)\b").expect("a valid pattern");
        for problem in drawn(10_000) {
            let row = Candidate { prompt: "", completion: &problem.text, expected: None, finish: None };
            assert_eq!(leaks.judge(row), Verdict::Kept, "{}", problem.text);
            assert!(!categories.is_match(&problem.text), "{}", problem.text);
        }
    }
}
