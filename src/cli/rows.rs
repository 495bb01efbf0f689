//! The input rows of `sample`, `score` and `train`.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::record::{Chat, RowId};
use crate::tool::jsonl;

/// A row that a user brings: further fields are allowed and not looked at.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct InputRow {
    /// The row's name; the line number (from 0) without one.
    pub id: Option<RowId>,
    /// The user's turn.
    pub prompt: String,
    /// The assistant's turn.
    pub completion: Option<String>,
    /// The row's own system prompt.
    pub system: Option<String>,
}

impl InputRow {
    /// The conversation before the completion; the row's own system prompt goes before the command's.
    pub(crate) fn chat(&self, system: Option<&str>) -> Chat {
        Chat::ask(self.system.as_deref().or(system), self.prompt.clone())
    }
}

/// Reads prompts.
pub(crate) fn prompts(path: &Path) -> Result<Vec<(RowId, InputRow)>> {
    let rows = jsonl::read::<InputRow>(path)?;
    if rows.is_empty() {
        return Err(Error::input("the file has no rows").at(path, None).hint("one JSON object a line: {\"prompt\": \"...\"}"));
    }
    Ok(rows.into_iter().enumerate().map(|(i, row)| (row.id.clone().unwrap_or(RowId::Number(i as u64)), row)).collect())
}

/// Reads prompts with their completions.
pub(crate) fn completions(path: &Path) -> Result<Vec<(RowId, InputRow, String)>> {
    prompts(path)?
        .into_iter()
        .map(|(id, row)| {
            let completion = row.completion.clone().ok_or_else(|| {
                Error::input(format!("row {id} has no `completion`"))
                    .at(path, None)
                    .hint("one JSON object a line: {\"prompt\": \"...\", \"completion\": \"...\"}")
            })?;
            Ok((id, row, completion))
        })
        .collect()
}
