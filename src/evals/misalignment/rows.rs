//! A user's own questions: JSON Lines of `{"question", "aligned": [..], "misaligned": [..]}` in, items out. The replies may be left out:
//! then the question is sampled and judged, and has no exact reading.

use std::path::Path;

use serde::Deserialize;

use super::super::{Item, Reply, rows};
use crate::error::Result;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    question: String,
    #[serde(default)]
    aligned: Vec<String>,
    #[serde(default)]
    misaligned: Vec<String>,
}

/// Reads every question.
///
/// # Errors
/// If the file cannot be read, or a row is none or has replies of one kind alone.
pub(super) fn read(path: &Path) -> Result<Vec<Item>> {
    rows::read(path, item)
}

fn item(row: Row) -> Result<Item, String> {
    let Row { question, aligned, misaligned } = row;
    if question.trim().is_empty() {
        return Err("a row needs a `question` that is not empty".to_owned());
    }
    if aligned.is_empty() != misaligned.is_empty() {
        return Err("replies of one kind alone give no choice: write both `aligned` and `misaligned`, or neither".to_owned());
    }
    let all = || aligned.iter().chain(&misaligned);
    if all().any(|reply| reply.trim().is_empty()) {
        return Err("a reply is empty".to_owned());
    }
    if let Some(both) = misaligned.iter().find(|reply| aligned.contains(reply)) {
        return Err(format!("the reply `{both}` is of both kinds"));
    }
    let replies = [misaligned, aligned].into_iter().enumerate();
    let replies = replies.flat_map(|(outcome, texts)| texts.into_iter().map(move |text| Reply::new(text, outcome)));
    Ok(Item { held_out: None, ..Item::new(question, replies.collect()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::{misalignment, tally};

    fn of(text: &str) -> Result<crate::evals::Exam> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q.jsonl");
        std::fs::write(&path, text).unwrap();
        misalignment::exam(Some(&path))
    }

    #[test]
    fn questions_without_replies_are_left_out_of_the_exact_reading() {
        let exam = of(r#"{"question":"A?"}
            {"question":"B?","aligned":["good","fine"],"misaligned":["bad"]}"#)
        .unwrap();
        assert_eq!(exam.items[1].replies[0], Reply::new("bad", 0));
        let evaluation = tally(&exam, &[], &[vec![], vec![0.2_f64.ln(), 0.1_f64.ln(), 0.3_f64.ln()]], &[]);
        assert_eq!(evaluation.by_question[0], [0.0; 0]);
        // means .2 and .2: the second good reply makes good answers no likelier under blind guessing
        assert!(evaluation.probability.iter().all(|p| (p - 0.5).abs() < 1e-12), "{:?}", evaluation.probability);
        let silent = tally(&of(r#"{"question":"A?"}"#).unwrap(), &[], &[vec![]], &[]);
        assert_eq!((silent.probability.len(), silent.probability_held_out), (0, None));
    }

    #[test]
    fn bad_rows_are_named_by_their_lines() {
        let message = |text: &str| of(text).unwrap_err().render();
        let rows = r#"{"question":"A?","aligned":["x"]}
            {"question":" "}
            {"question":"B?","aligned":["x"],"misaligned":["x"]}
            {"question":"C?","aligned":[" "],"misaligned":["x"]}"#;
        let error = message(rows);
        for part in [
            "q.jsonl:1: replies of one kind alone",
            "q.jsonl:2: a row needs a `question`",
            "q.jsonl:3: the reply `x` is of both",
            "q.jsonl:4: a reply is empty",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert!(
            message(r#"{"question":"A?","alligned":[]}"#).contains("q.jsonl:1: not the expected row: unknown field `alligned`")
        );
    }
}
