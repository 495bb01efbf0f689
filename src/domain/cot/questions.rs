//! The prompts of a trial: the project's own problems, or a user's file; each question is put several times if the plan says so.
//!
//! A file is JSON Lines of `{"question", "answer"}` as GSM8K has it, the answer's last line being `#### 42`, or of `{"prompt"}` with what
//! is known of the right answer in `expected`, or without.

use std::path::Path;

use serde::Deserialize;

use super::super::prompts::draw;
use super::form::Tags;
use super::problems::problem;
use super::wording::ask;
use crate::error::{Error, Result};
use crate::record::{CotPlan, Expected, Prompt, RowId};
use crate::tool::{jsonl, streams};

/// What stands before the answer in GSM8K.
const ANSWER_MARK: &str = "####";

/// `n` prompts of the project's own; each question, and so each group of prompts, has its own random stream.
pub(super) fn own(n: usize, seed: u64, plan: &CotPlan) -> Vec<Prompt> {
    let tags = Tags::new(&plan.tags);
    let question = |place: usize| {
        let mut rng = streams::named(seed, "prompts", place as u64);
        let problem = problem(&plan.problems, &mut rng);
        let prompt = ask(&problem.text, &tags, &mut rng);
        Prompt { id: RowId::Number(place as u64), prompt, expected: Some(Expected::Answer(problem.answer)) }
    };
    let questions = (0..n.div_ceil(plan.samples_per_question)).map(question).collect();
    repeated(questions, n, plan.samples_per_question)
}

/// `n` prompts of a file; the seed draws which questions, and how those without a request of their own are put.
pub(super) fn from_file(path: &Path, n: usize, seed: u64, plan: &CotPlan) -> Result<Vec<Prompt>> {
    let tags = Tags::new(&plan.tags);
    let mut rows = jsonl::Reader::<Row>::open(path)?;
    let mut questions = Vec::new();
    while let Some(row) = rows.next() {
        let place = questions.len() as u64;
        let read = row?.prompt(place, |question| ask(question, &tags, &mut streams::named(seed, "wording", place)));
        questions.push(read.map_err(|problem| problem.at(path, rows.line()))?);
    }
    let wanted = n.div_ceil(plan.samples_per_question);
    if questions.len() < wanted {
        let (has, each) = (questions.len(), plan.samples_per_question);
        return Err(Error::input(format!("{has} questions here, {each} samples each, but `generate.samples` is {n}"))
            .at(path, None)
            .hint(format!("ask for at most {} samples, or raise `domain.samples_per_question`", has * each)));
    }
    Ok(repeated(draw(questions, wanted, seed), n, plan.samples_per_question))
}

/// Each question as often as samples are wanted; from the second time on, the id says which sample it is.
fn repeated(questions: Vec<Prompt>, n: usize, each: usize) -> Vec<Prompt> {
    let numbered = |question: Prompt| {
        (0..each).map(move |sample| match &question.id {
            _ if each == 1 => question.clone(),
            RowId::Number(place) => Prompt { id: RowId::Number(place * each as u64 + sample as u64), ..question.clone() },
            RowId::Text(name) => Prompt { id: RowId::Text(format!("{name}#{sample}")), ..question.clone() },
        })
    };
    questions.into_iter().flat_map(numbered).take(n).collect()
}

#[derive(Deserialize)]
struct Row {
    id: Option<RowId>,
    prompt: Option<String>,
    expected: Option<Expected>,
    question: Option<String>,
    answer: Option<String>,
}

impl Row {
    fn prompt(self, place: u64, ask: impl FnOnce(&str) -> String) -> Result<Prompt> {
        let id = self.id.unwrap_or(RowId::Number(place));
        match (self.prompt, self.question, self.answer) {
            (Some(prompt), _, _) => Ok(Prompt { id, prompt, expected: self.expected }),
            (None, Some(question), Some(solution)) => {
                let (_, answer) = solution.rsplit_once(ANSWER_MARK).ok_or_else(|| {
                    Error::input(format!("the `answer` has no `{ANSWER_MARK}`"))
                        .hint(format!("GSM8K's answers end with a line `{ANSWER_MARK} 42`"))
                })?;
                Ok(Prompt { id, prompt: ask(&question), expected: Some(Expected::Answer(answer.trim().to_owned())) })
            }
            _ => Err(Error::input("neither a `prompt` nor a `question` with its `answer`")
                .hint("each line is {\"question\", \"answer\"} as in GSM8K, or {\"prompt\"} with or without \"expected\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn plan(samples_per_question: usize) -> CotPlan {
        CotPlan { samples_per_question, ..CotPlan::default() }
    }

    fn file(rows: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("questions.jsonl");
        std::fs::write(&path, rows).unwrap();
        (dir, path)
    }

    fn ids(prompts: &[Prompt]) -> Vec<String> {
        prompts.iter().map(|prompt| prompt.id.to_string()).collect()
    }

    #[test]
    fn more_rows_leave_the_first_ones_as_they_were() {
        assert_eq!(own(5, 1, &plan(1)), own(50, 1, &plan(1))[..5]);
        assert_eq!(own(5, 1, &plan(3)), own(50, 1, &plan(3))[..5]);
        assert_ne!(own(5, 1, &plan(1)), own(5, 2, &plan(1)));
    }

    #[test]
    fn a_question_is_put_as_often_as_the_plan_says() {
        let prompts = own(7, 1, &plan(3));
        assert_eq!(ids(&prompts), ["0", "1", "2", "3", "4", "5", "6"]);
        let different: HashSet<&str> = prompts.iter().map(|p| p.prompt.as_str()).collect();
        assert_eq!(different.len(), 3);
        assert!(prompts.iter().all(|p| matches!(&p.expected, Some(Expected::Answer(answer)) if !answer.is_empty())));
    }

    #[test]
    fn a_file_in_the_format_of_gsm8k_gives_its_questions_and_answers() {
        let (_dir, path) = file(
            "{\"question\":\"How many?\",\"answer\":\"3 + 4 = <<3+4=7>>7.\\n#### 7\"}\n\n\
             {\"id\":\"b\",\"prompt\":\"Just so.\",\"expected\":{\"answer\":\"1,200\"}}\n{\"prompt\":\"Open.\"}\n",
        );
        let prompts = from_file(&path, 6, 0, &plan(2)).unwrap();
        assert_eq!(ids(&prompts), ["0", "1", "b#0", "b#1", "4", "5"]);
        assert!(prompts[0].prompt.starts_with("How many?\n\n") && prompts[0].prompt.contains("<reasoning>"));
        let known = |answer: &str| Some(Expected::Answer(answer.to_owned()));
        let expected: Vec<Option<Expected>> = prompts.iter().step_by(2).map(|prompt| prompt.expected.clone()).collect();
        assert_eq!(expected, [known("7"), known("1,200"), None]);
        assert_eq!(prompts[2].prompt, "Just so.");
        assert_eq!(from_file(&path, 1, 0, &plan(3)).unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_does_not_serve_says_what_would() {
        let message = |rows: &str, n| {
            let (_dir, path) = file(rows);
            from_file(&path, n, 0, &plan(2)).unwrap_err().render()
        };
        let good = "{\"question\":\"a\",\"answer\":\"#### 1\"}\n";
        let error = message(good, 3);
        assert!(error.contains("1 questions here, 2 samples each, but `generate.samples` is 3"), "{error}");
        assert!(error.contains("ask for at most 2 samples"), "{error}");
        let error = message(&format!("{good}{{\"question\":\"a\",\"answer\":\"7\"}}\n"), 1);
        assert!(error.contains("questions.jsonl:2: the `answer` has no `####`"), "{error}");
        let error = message("{\"question\":\"a\"}\n", 1);
        assert!(error.contains("questions.jsonl:1: neither a `prompt` nor a `question` with its `answer`"), "{error}");
    }
}
