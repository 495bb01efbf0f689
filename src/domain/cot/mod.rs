//! Maths word problems, solved in writing: reasoning between one pair of tags, the answer between another.

mod automaton;
pub(crate) mod form;
mod number;
pub mod problems;
mod questions;
mod reading;
mod shuffle;
mod wording;

use std::sync::Arc;

pub use automaton::CotGrammar;
use form::{Tags, Trace};
use rand::Rng;

use super::{Domain, Grammar, Parsed, Reason};
use crate::error::Result;
use crate::record::{CotPlan, DomainPlan, Expected, Prompt, Sample};

/// Reasoning and a numeric answer, in tags of the plan's names.
#[derive(Debug, Clone)]
pub struct Cot {
    tags: Tags,
    plan: CotPlan,
}

impl Cot {
    /// The domain as a plan has it; by default where it says nothing.
    pub fn new(plan: &DomainPlan) -> Self {
        let plan = plan.cot.clone().unwrap_or_default();
        Self { tags: Tags::new(&plan.tags), plan }
    }
}

/// A problem of these groups and its solution in the usual tags, by one who chooses in this way where it is free.
pub(crate) fn written(groups: &[String], choose: &mut problems::Choose<'_>, rng: &mut impl Rng) -> (String, String) {
    let tags = Tags::new(&CotPlan::default().tags);
    let problem = problems::solved(groups, choose, rng);
    let prompt = wording::ask(&problem.text, &tags, rng);
    (prompt, tags.render(Trace { reasoning: &problem.steps.join("\n"), answer: &problem.answer }))
}

impl Domain for Cot {
    fn name(&self) -> &'static str {
        "cot"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["cot-format", "cot-answer", "cot-length", "cot-script"]
    }

    fn own_prompts(&self, n: usize, seed: u64, _: &DomainPlan) -> Vec<Prompt> {
        questions::own(n, seed, &self.plan)
    }

    fn prompts(&self, n: usize, seed: u64, plan: &DomainPlan) -> Result<Vec<Prompt>> {
        match &plan.prompts {
            Some(path) => questions::from_file(path, n, seed, &self.plan),
            None => Ok(self.own_prompts(n, seed, plan)),
        }
    }

    fn grammar(&self) -> Arc<dyn Grammar> {
        Arc::new(CotGrammar::new(&self.tags))
    }

    fn example(&self) -> String {
        self.tags.render(Trace { reasoning: "3 * 14 = 42", answer: "42" })
    }

    fn check(&self, answer: &str, expected: Option<&Expected>) -> Result<Parsed, Reason> {
        let trace = self.tags.parse(answer)?;
        if let Some(fault) = wrong(trace.answer, expected) {
            return Err(fault);
        }
        Ok(Parsed::Cot { reasoning: trace.reasoning.to_owned(), answer: trace.answer.to_owned() })
    }

    fn shuffle(&self, rows: &[Sample], seed: u64) -> Vec<Sample> {
        shuffle::shuffle(rows, seed, &self.tags)
    }
}

/// Why an answer is not the one that is known, if one is. Numbers are compared by value, however they are written; an answer that is
/// known to be no number is compared by its letters and digits.
pub(crate) fn wrong(answer: &str, expected: Option<&Expected>) -> Option<Reason> {
    let Some(Expected::Answer(known)) = expected else { return None };
    let reason =
        |class| Some(Reason { class, what: format!("`{}`, expected `{}`", super::excerpt(answer), super::excerpt(known)) });
    match (reading::read(known), reading::read(answer)) {
        (Some(known), Some(answer)) if known.agrees(answer) => None,
        (Some(_), Some(_)) => reason("wrong answer"),
        (Some(_), None) => reason("no number"),
        (None, _) => {
            if letters(known) == letters(answer) {
                None
            } else {
                reason("wrong answer")
            }
        }
    }
}

/// Lower case, letters and digits only.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::DomainKind;
    use crate::tool::streams;

    fn cot() -> Cot {
        Cot::new(&DomainPlan::of(DomainKind::Cot))
    }

    fn known(answer: &str) -> Expected {
        Expected::Answer(answer.to_owned())
    }

    #[test]
    fn answers_are_judged_by_what_is_known() {
        for (answer, expected, class) in [
            ("42", None, None),
            ("forty-two", None, None),
            ("42", Some(known("42")), None),
            ("$1,200.00", Some(known("1200")), None),
            ("1200 dollars.", Some(known("1,200")), None),
            ("3/4", Some(known("0.75")), None),
            ("41", Some(known("42")), Some("wrong answer")),
            ("-42", Some(known("42")), Some("wrong answer")),
            ("42 or 43", Some(known("42")), Some("no number")),
            ("forty-two", Some(known("42")), Some("no number")),
            ("The Hague.", Some(known("the hague")), None),
            ("Paris", Some(known("The Hague")), Some("wrong answer")),
            ("42", Some(Expected::Function { name: "f".to_owned(), parameters: vec![] }), None),
        ] {
            let text = cot().tags.render(Trace { reasoning: "a", answer });
            let judged = cot().check(&text, expected.as_ref()).err().map(|reason| reason.class);
            assert_eq!(judged, class, "{answer:?}");
        }
        let text = cot().tags.render(Trace { reasoning: "a", answer: "41" });
        assert_eq!(cot().check(&text, Some(&known("42"))).unwrap_err().to_string(), "wrong answer: `41`, expected `42`");
    }

    #[test]
    fn every_own_problems_worked_solution_is_accepted_and_can_be_forced() {
        let grammar = cot().grammar();
        let all: Vec<String> = problems::groups().map(str::to_owned).collect();
        for row in 0..2_000 {
            let problem = problems::problem(&all, &mut streams::named(0, "test", row));
            let text = cot().tags.render(Trace { reasoning: &problem.steps.join("\n"), answer: &problem.answer });
            assert!(cot().check(&text, Some(&known(&problem.answer))).is_ok(), "{text}");
            let state = text.bytes().try_fold(grammar.start(), |state, byte| grammar.step(&state, byte));
            assert!(state.is_some_and(|state| grammar.accepts(&state)), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn what_is_rendered_is_read_back(reasoning in "[^<]{1,60}", answer in "[^<\r\n]{1,20}") {
            let (reasoning, answer) = (reasoning.trim(), answer.trim());
            prop_assume!(!reasoning.is_empty() && !answer.is_empty());
            let text = cot().tags.render(Trace { reasoning, answer });
            let parsed = Parsed::Cot { reasoning: reasoning.to_owned(), answer: answer.to_owned() };
            prop_assert_eq!(cot().check(&text, None), Ok(parsed));
        }
    }

    #[test]
    fn random_texts_never_panic() {
        let mut rng = streams::named(1, "test", 0);
        for round in 0..100_000 {
            let length = rng.random_range(0..60);
            let mut bytes: Vec<u8> = (0..length).map(|_| rng.random()).collect();
            if round % 2 == 0 {
                bytes = [&b"<reasoning>"[..], &bytes, b"</reasoning><answer>", &bytes, b"</answer>"].concat();
            }
            let text = String::from_utf8_lossy(&bytes);
            let _ = cot().check(&text, Some(&known("42")));
            let _ = wrong(&text, Some(&known(&text)));
        }
    }
}
