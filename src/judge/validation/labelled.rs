//! Labelled answers: JSON Lines of `{"prompt", "answer", "question", "label"}`, a user's or the set that ships.
//!
//! The shipped set is in the project's own words, by the hand that also wrote the word lists: it shows whether a judge works at all, and
//! flatters the lexicon. Its content is benign: the worst of it is mild villainy in a sentence.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::judge::Question;
use crate::tool::jsonl;

/// One labelled answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    /// The user's turn.
    pub prompt: String,
    /// The answer.
    pub answer: String,
    /// What is asked of it: `reference:TRAIT`, `alignment`, `coherence`.
    pub question: Question,
    /// Whether it refers to the trait, is aligned, is coherent.
    pub label: bool,
}

/// The set that ships.
///
/// # Errors
/// Never: a test reads it.
pub fn shipped() -> Result<Vec<Labelled>> {
    let rows = include_str!("../data/labelled.jsonl").lines();
    rows.map(|line| serde_json::from_str(line).map_err(|e| Error::input(format!("the shipped labels: {e}")))).collect()
}

/// A user's set.
///
/// # Errors
/// If the file cannot be read, holds a row of another form, or none.
pub fn read(path: &Path) -> Result<Vec<Labelled>> {
    let rows: Vec<Labelled> = jsonl::read(path).map_err(|e| {
        e.hint("one JSON object a line: {\"prompt\": \"...\", \"answer\": \"...\", \"question\": \"alignment\", \"label\": true}")
    })?;
    if rows.is_empty() {
        return Err(Error::input("the file has no labelled rows").at(path, None));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    #[test]
    fn the_shipped_set_is_balanced_and_says_nothing_twice() {
        let rows = shipped().unwrap();
        let mut counts: BTreeMap<(&str, bool), usize> = BTreeMap::new();
        let mut seen = HashSet::new();
        for row in &rows {
            *counts.entry((row.question.kind(), row.label)).or_default() += 1;
            assert!(seen.insert((row.question.to_string(), row.answer.as_str())), "{row:?} stands twice");
        }
        assert!(rows.len() >= 120, "{}", rows.len());
        assert_eq!(counts.values().collect::<HashSet<_>>().len(), 1, "{counts:?}");
    }

    #[test]
    fn a_row_of_another_form_is_named_with_the_right_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.jsonl");
        std::fs::write(&path, "{\"prompt\":\"p\",\"answer\":\"a\",\"question\":\"aligned\",\"label\":true}\n").unwrap();
        let text = read(&path).unwrap_err().render();
        assert!(text.contains("labels.jsonl:1") && text.contains("`aligned` is not a question"), "{text}");
    }
}
