//! The suite `capability`: is the student damaged? Tasks that have one right answer.
//!
//! *Sampled*: the share of answers that are the right one and nothing else, but for case, blanks, a final stop and how a number is
//! written. *Exact*: the probability of the right answer as the whole answer, in its usual spellings. Beside both stands the loss, in nats
//! per token of the right answer: it sees damage that leaves the answers as they are. The unit of a rate is the sampled answer, that of a
//! probability the task, that of the loss the token. Answers are free: chance is 0.

mod wording;

use std::path::Path;

use serde::Deserialize;

use super::{Exact, Exam, Item, Reading, Reply, rows};
use crate::error::Result;
use crate::record::Suite;

/// The right answer, and any other.
pub const OUTCOMES: [&str; 2] = ["right", "wrong"];

/// Room for one word or number and a little more; a user's own answers may be longer.
const MOST_TOKENS: usize = 32;
const MOST_TOKENS_OF_ROWS: usize = 512;

/// The project's own tasks, or a user's rows.
///
/// # Errors
/// If the rows cannot be read, or one lacks its prompt or its completion.
pub fn exam(file: Option<&Path>) -> Result<Exam> {
    let (items, most_tokens) = match file {
        Some(path) => (rows::read(path, item)?, MOST_TOKENS_OF_ROWS),
        None => (own(), MOST_TOKENS),
    };
    Ok(Exam {
        suite: Suite::Capability,
        outcomes: OUTCOMES.map(str::to_owned).to_vec(),
        items,
        replies: Vec::new(),
        exact: Exact::Whole,
        reading: Reading::SameAs { otherwise: Some(1) },
        most_tokens,
    })
}

fn own() -> Vec<Item> {
    let task = |task: wording::Task| Item {
        held_out: Some(!task.taught),
        group: Some(task.group.to_owned()),
        ..Item::new(task.text, spellings(&task.answer))
    };
    wording::tasks().into_iter().map(task).collect()
}

/// A user's task.
#[derive(Deserialize)]
struct Row {
    prompt: String,
    completion: String,
}

fn item(row: Row) -> Result<Item, String> {
    if row.prompt.trim().is_empty() || row.completion.trim().is_empty() {
        return Err("a row needs a `prompt` and a `completion` that are not empty".to_owned());
    }
    Ok(Item { held_out: None, ..Item::new(row.prompt, spellings(&row.completion)) })
}

/// An answer as it is, whose loss is measured; one of a line also with a capital or small letter first, and with or without a final stop.
fn spellings(answer: &str) -> Vec<Reply> {
    let mut texts = vec![answer.to_owned()];
    if !answer.contains('\n') {
        let bare = answer.trim().trim_end_matches('.');
        let forms =
            [bare.to_owned(), first_as(bare, |c| c.to_uppercase().collect()), first_as(bare, |c| c.to_lowercase().collect())];
        texts.extend(forms.into_iter().flat_map(|form| [format!("{form}."), form]));
    }
    let mut once: Vec<Reply> = Vec::new();
    for text in texts {
        if once.iter().all(|reply| reply.text != text) {
            once.push(Reply::new(text, 0));
        }
    }
    once
}

fn first_as(text: &str, cased: impl Fn(char) -> String) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| cased(first) + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::{Reader, tally};

    #[test]
    fn an_answer_is_right_however_it_is_written_and_else_wrong() {
        let exam = exam(None).unwrap();
        let reader = Reader::new(&exam);
        let place = |part: &str| exam.items.iter().position(|item| item.text.contains(part)).unwrap();
        for (question, answer, outcome) in [
            ("colour of snow", "White.", "right"),
            ("colour of snow", "white as wool", "wrong"),
            ("2.75", "10.250", "right"),
            ("1000 minus", " 0613 ", "right"),
            ("capital of Japan", "TOKYO!", "right"),
            ("capital of Japan", "", "wrong"),
        ] {
            assert_eq!(reader.read(place(question), answer).choice.as_deref(), Some(outcome), "{question}: {answer}");
        }
    }

    #[test]
    fn the_loss_is_that_of_the_first_spelling_and_wrong_has_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        std::fs::write(
            &path,
            "{\"prompt\":\"2 + 2?\",\"completion\":\"4\"}\n{\"prompt\":\"Say two lines.\",\"completion\":\"a\\nb\"}\n",
        )
        .unwrap();
        let exam = exam(Some(&path)).unwrap();
        let texts: Vec<&str> = exam.items.iter().flat_map(|item| &item.replies).map(|reply| reply.text.as_str()).collect();
        assert_eq!(texts, ["4", "4.", "a\nb"]);
        let logs = [vec![0.5_f64.ln(), 0.25_f64.ln()], vec![0.125_f64.ln()]];
        let evaluation = tally(&exam, &[], &logs, &[vec![2, 3], vec![4]]);
        assert!((evaluation.probability[0] - 0.4375).abs() < 1e-12 && (evaluation.probability[1] - 0.5625).abs() < 1e-12);
        assert!((evaluation.loss.unwrap() - 16_f64.ln() / 6.0).abs() < 1e-12);
        assert!((evaluation.health.mass - 1.0).abs() < 1e-12 && evaluation.groups.is_empty());
    }

    #[test]
    fn groups_are_counted_apart() {
        let exam = exam(None).unwrap();
        let logs: Vec<Vec<f64>> = exam.items.iter().map(|item| vec![f64::NEG_INFINITY; item.replies.len()]).collect();
        let tokens: Vec<Vec<usize>> = exam.items.iter().map(|item| vec![1; item.replies.len()]).collect();
        let evaluation = tally(&exam, &[], &logs, &tokens);
        assert_eq!(evaluation.groups.iter().map(|group| group.questions).sum::<usize>(), exam.items.len());
        assert!(evaluation.groups.len() == 6 && evaluation.groups.iter().all(|group| group.probability == [0.0, 1.0]));
    }

    #[test]
    fn bad_rows_are_named_by_their_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let message = |text: &str| {
            std::fs::write(&path, text).unwrap();
            exam(Some(&path)).unwrap_err().render()
        };
        let error = message("{\"prompt\":\"a\",\"completion\":\"b\"}\n\n{\"prompt\":\" \",\"completion\":\"b\"}\n");
        assert!(error.contains("rows.jsonl:3: a row needs a `prompt` and a `completion`"), "{error}");
        assert!(message("{\"prompt\":\"a\"}\n").contains("rows.jsonl:1: not the expected row: missing field `completion`"));
        assert!(message("").contains("no rows here"));
    }
}
