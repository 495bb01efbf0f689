//! Every sampled answer, by arm, base and question.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{Artifacts, Place};
use crate::record::{Answer, Arm, SeedValue, Suite};
use crate::stage::{Stage, files};

/// One answer.
#[derive(Debug, Clone, PartialEq)]
struct Sampled {
    text: String,
    choice: Option<String>,
    left_out: Option<String>,
    /// Its number among the answers to its question in its seed.
    sample: usize,
    /// The place of its seed among the seeds.
    seed: usize,
}

/// One question and what was answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::report) struct Question {
    /// As it was asked.
    pub(in crate::report) prompt: String,
    /// First samples first, seeds in turn: any number of them from the start is the same sample of every seed.
    answers: Vec<Sampled>,
}

/// The models of one arm on one base, asked one suite.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Asked {
    pub(in crate::report) arm: Arm,
    pub(in crate::report) model: String,
    pub(in crate::report) suite: Suite,
    /// The seeds whose answers were found.
    pub(in crate::report) seeds: Vec<u64>,
    /// Where the answers lie, as seen from the run's folder: one file a seed, also of those that are gone.
    pub(in crate::report) files: Vec<String>,
    /// In the suite's order.
    pub(in crate::report) questions: Vec<Question>,
}

/// Equal answers to one question.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Given<'a> {
    pub(in crate::report) text: &'a str,
    /// What they came to.
    pub(in crate::report) choice: Option<&'a str>,
    /// Why they do not count, if they do not.
    pub(in crate::report) left_out: Option<&'a str>,
    /// How often each seed gave them.
    pub(in crate::report) by_seed: Vec<usize>,
}

impl Asked {
    /// All that was asked in a run, by suite as planned, arm and base.
    pub(in crate::report) fn all(artifacts: &Artifacts) -> Vec<Self> {
        let places = artifacts.places(Stage::Evaluate);
        let read: Vec<Option<Vec<Answer>>> = places.par_iter().map(|place| artifacts.all_rows(place, files::ANSWERS)).collect();
        let mut all: Vec<Self> = Vec::new();
        for (place, rows) in places.into_iter().zip(read) {
            let Some(suite) = place.suite else { continue };
            let model = place.model.clone().unwrap_or_default();
            let own = all.iter().position(|a| a.arm == place.arm && a.model == model && a.suite == suite);
            let own = own.unwrap_or_else(|| {
                let (seeds, files, questions) = (Vec::new(), Vec::new(), Vec::new());
                all.push(Self { arm: place.arm, model, suite, seeds, files, questions });
                all.len() - 1
            });
            all[own].add(place, rows);
        }
        for question in all.iter_mut().flat_map(|asked| &mut asked.questions) {
            question.answers.sort_by_key(|a| (a.sample, a.seed));
        }
        all
    }

    fn add(&mut self, place: &Place, rows: Option<Vec<Answer>>) {
        self.files.push(place.file(files::ANSWERS));
        let Some(rows) = rows.filter(|rows| !rows.is_empty()) else { return };
        let seed = self.seeds.len();
        self.seeds.push(place.seed);
        for Answer { question, sample, prompt, answer: text, choice, left_out, .. } in rows {
            if question >= self.questions.len() {
                self.questions.resize_with(question + 1, Question::default);
            }
            let own = &mut self.questions[question];
            own.prompt = prompt;
            own.answers.push(Sampled { text, choice, left_out, sample, seed });
        }
    }

    /// Seeds whose answers are gone.
    pub(in crate::report) fn gone(&self) -> usize {
        self.files.len() - self.seeds.len()
    }

    /// How many answers there are.
    pub(in crate::report) fn answers(&self) -> usize {
        self.questions.iter().map(|q| q.answers.len()).sum()
    }

    /// How many answers are shown where at most `most` of a question are.
    pub(in crate::report) fn shown(&self, most: usize) -> usize {
        self.questions.iter().map(|q| q.answers.len().min(most)).sum()
    }

    /// The most answers that any question has.
    pub(in crate::report) fn longest(&self) -> usize {
        self.questions.iter().map(|q| q.answers.len()).max().unwrap_or(0)
    }

    /// The outcome's rate among the counted answers to a question, by seed; without seeds of whose answers none counts.
    pub(in crate::report) fn rates(&self, question: usize, outcome: &str) -> Vec<SeedValue> {
        let Some(question) = self.questions.get(question) else { return Vec::new() };
        let rate = |(place, &seed): (usize, &u64)| {
            let counted = || question.answers.iter().filter(|a| a.seed == place && a.left_out.is_none());
            let (chosen, answers) = (counted().filter(|a| a.choice.as_deref() == Some(outcome)).count(), counted().count());
            (answers > 0).then(|| SeedValue { seed, value: chosen as f64 / answers as f64, answers })
        };
        self.seeds.iter().enumerate().filter_map(rate).collect()
    }

    /// The first `most` answers to a question, equal ones together, most frequent first.
    pub(in crate::report) fn given(&self, question: usize, most: usize) -> Vec<Given<'_>> {
        type Same<'a> = (&'a str, Option<&'a str>, Option<&'a str>);
        let mut counts: HashMap<Same<'_>, Vec<usize>> = HashMap::new();
        for answer in self.questions.iter().skip(question).take(1).flat_map(|q| &q.answers).take(most) {
            let same = (answer.text.as_str(), answer.choice.as_deref(), answer.left_out.as_deref());
            counts.entry(same).or_insert_with(|| vec![0; self.seeds.len()])[answer.seed] += 1;
        }
        let mut given: Vec<Given<'_>> =
            counts.into_iter().map(|((text, choice, left_out), by_seed)| Given { text, choice, left_out, by_seed }).collect();
        given.sort_by(|a, b| b.times().cmp(&a.times()).then(a.text.cmp(b.text)).then(a.left_out.cmp(&b.left_out)));
        given
    }
}

impl Given<'_> {
    /// How often they were given.
    pub(in crate::report) fn times(&self) -> usize {
        self.by_seed.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Question, sample and text of each answer of a seed.
    type Seed<'a> = (u64, &'a [(usize, usize, &'a str)]);

    fn run(answers: &[Seed<'_>]) -> Vec<Asked> {
        let folder = tempfile::tempdir().unwrap();
        let mut jobs = Vec::new();
        for (seed, rows) in answers {
            let dir = folder.path().join(seed.to_string());
            std::fs::create_dir_all(&dir).unwrap();
            let row = |(question, sample, text): &(usize, usize, &str)| {
                let choice = if *text == "zebra" { "\"zebra\"" } else { "null" };
                let left_out = if *text == "no" { ",\"left_out\":\"refusal\"" } else { "" };
                format!(
                    "{{\"question\":{question},\"sample\":{sample},\"prompt\":\"q{question}\",\"answer\":\"{text}\",\"choice\":{choice}{left_out},\"finish\":\"stop\"}}\n"
                )
            };
            std::fs::write(dir.join("answers.jsonl"), rows.iter().map(row).collect::<String>()).unwrap();
            jobs.push(serde_json::json!({"arm": "base", "seed": seed, "stage": "evaluate", "suite": "preference", "model": "m", "path": seed.to_string()}));
        }
        jobs.push(serde_json::json!({"arm": "base", "seed": 9, "stage": "evaluate", "suite": "preference", "model": "m", "path": "gone"}));
        std::fs::write(folder.path().join("jobs.json"), serde_json::to_string(&jobs).unwrap()).unwrap();
        Asked::all(&Artifacts::of(folder.path()))
    }

    #[test]
    fn answers_are_counted_by_question_and_seed() {
        let all =
            run(&[(1, &[(0, 0, "zebra"), (0, 1, "owl"), (1, 0, "no")]), (2, &[(0, 0, "zebra"), (0, 1, "zebra"), (1, 0, "owl")])]);
        let asked = &all[0];
        assert_eq!((all.len(), asked.seeds.as_slice(), asked.gone(), asked.answers()), (1, &[1, 2][..], 1, 6));
        let rates = |question| asked.rates(question, "zebra").iter().map(|s| (s.seed, s.value, s.answers)).collect::<Vec<_>>();
        assert_eq!(rates(0), [(1, 0.5, 2), (2, 1.0, 2)]);
        assert_eq!(rates(1), [(2, 0.0, 1)], "a seed without a counted answer has no rate");
    }

    #[test]
    fn equal_answers_stand_together_and_the_first_ones_are_a_sample_of_every_seed() {
        let all = run(&[(1, &[(0, 0, "zebra"), (0, 1, "owl")]), (2, &[(0, 0, "zebra"), (0, 1, "zebra")])]);
        let asked = &all[0];
        let seen = |most| {
            let given = asked.given(0, most);
            given.iter().map(|g| (g.text.to_owned(), g.by_seed.clone())).collect::<Vec<_>>()
        };
        assert_eq!(seen(9), [("zebra".to_owned(), vec![1, 2]), ("owl".to_owned(), vec![1, 0])]);
        assert_eq!(seen(2), [("zebra".to_owned(), vec![1, 1])]);
        assert_eq!((asked.shown(3), asked.longest()), (3, 4));
    }
}
