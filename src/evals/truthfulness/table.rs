//! TruthfulQA's published table (Lin et al., arXiv 2109.07958): a CSV with the columns `Type`, `Category`, `Question`, `Best Answer`,
//! `Best Incorrect Answer`, `Correct Answers`, `Incorrect Answers` and `Source` in; the question with its best and its best incorrect
//! answer out. Older editions lack `Best Incorrect Answer`: there the first of the incorrect answers, which `;` separates, stands for it.

use std::path::Path;

use csv::{Reader, StringRecord};

use super::super::rows::{problem, whole};
use super::Choice;
use crate::error::{Error, Problem, Result};

const QUESTION: &str = "Question";
const TRUTH: &str = "Best Answer";
const MYTH: &str = "Best Incorrect Answer";
const MYTHS: &str = "Incorrect Answers";

/// Reads every row.
///
/// # Errors
/// If the file is no such table, or a row lacks an answer; every such row is named by its line.
pub(super) fn read(path: &Path) -> Result<Vec<Choice>> {
    let mut reader = Reader::from_path(path).map_err(|e| unreadable(path, e))?;
    let columns = Columns::of(reader.headers().map_err(|e| unreadable(path, e))?, path)?;
    let (mut choices, mut problems) = (Vec::new(), Vec::new());
    for row in reader.records() {
        match columns.choice(&row.map_err(|e| unreadable(path, e))?, path) {
            Ok(choice) => choices.push(choice),
            Err(problem) => problems.push(problem),
        }
    }
    whole(path, choices, problems)
}

/// The places of the columns that are read.
struct Columns {
    question: usize,
    truth: usize,
    /// Of the best incorrect answer, or else of the list of them.
    myth: usize,
}

impl Columns {
    fn of(names: &StringRecord, path: &Path) -> Result<Self> {
        let place = |wanted: &str| names.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == wanted);
        let missing = |wanted: &str| {
            let hint = format!("TruthfulQA's table has `{QUESTION}`, `{TRUTH}`, `{MYTH}` and others");
            Error::input(format!("no column `{wanted}` here")).at(path, 1).hint(hint)
        };
        Ok(Self {
            question: place(QUESTION).ok_or_else(|| missing(QUESTION))?,
            truth: place(TRUTH).ok_or_else(|| missing(TRUTH))?,
            myth: place(MYTH).or_else(|| place(MYTHS)).ok_or_else(|| missing(MYTH))?,
        })
    }

    fn choice(&self, row: &StringRecord, path: &Path) -> Result<Choice, Problem> {
        let cell = |place: usize| row.get(place).unwrap_or_default().trim();
        let myth = cell(self.myth).split(';').map(str::trim).find(|answer| !answer.is_empty()).unwrap_or_default();
        let (question, truth) = (cell(self.question), cell(self.truth));
        let line = row.position().map_or(0, |place| place.line() as usize);
        let wrong = |message: &str| Err(problem(path, line, message.to_owned()));
        if question.is_empty() || truth.is_empty() || myth.is_empty() {
            return wrong("a row needs a question, a best answer and an incorrect one");
        }
        if truth == myth {
            return wrong("the best answer and the incorrect one are the same");
        }
        Ok(Choice { question: question.to_owned(), truth: truth.to_owned(), myth: myth.to_owned() })
    }
}

fn unreadable(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map(|place| place.line() as usize);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::io("read", path, source),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::input(format!("a row of {len} cells, expected {expected_len}")).at(path, line)
        }
        csv::ErrorKind::Utf8 { .. } => Error::input("not UTF-8 text").at(path, line),
        _ => Error::input("not a CSV table").at(path, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Type,Category,Question,Best Answer,Best Incorrect Answer,Correct Answers,Incorrect Answers,Source\n";

    fn of(text: &[u8]) -> Result<Vec<Choice>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn the_published_layout_is_read_and_an_older_one_too() {
        let rows = format!("{HEAD}a,b,\"Is it, then?\",\"No, it\nis not\",Yes,No; Never,Yes; Always,here\n");
        let choice = of(rows.as_bytes()).unwrap().remove(0);
        assert_eq!(
            (choice.question.as_str(), choice.truth.as_str(), choice.myth.as_str()),
            ("Is it, then?", "No, it\nis not", "Yes")
        );
        let older = "\u{feff}Question,Best Answer,Correct Answers,Incorrect Answers\nIs it?,No,No,Always; Yes\n";
        assert_eq!(of(older.as_bytes()).unwrap()[0].myth, "Always");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let message = |text: &[u8]| of(text).unwrap_err().render();
        let rows = format!("{HEAD}a,b,Is it?,No,Yes,,,\na,b,\"Is\nit?\",,Yes,,,\na,b,Is it?,No,No,,,\n");
        let error = message(rows.as_bytes());
        assert!(error.contains("table.csv:3: a row needs a question, a best answer and an incorrect one"), "{error}");
        assert!(error.contains("table.csv:5: the best answer and the incorrect one are the same"), "{error}");
        assert!(message(b"Question,Answer\nIs it?,No\n").contains("table.csv:1: no column `Best Answer` here"));
        assert!(message(HEAD.as_bytes()).contains("no rows here"));
        let short = message(format!("{HEAD}a,b,c\n").as_bytes());
        assert!(short.contains("table.csv:2: a row of 3 cells, expected 8"), "{short}");
        let latin = message(&[HEAD.as_bytes(), b"a,b,\xe9?,No,Yes,,,\n"].concat());
        assert!(latin.contains("table.csv:2: not UTF-8 text"), "{latin}");
    }
}
