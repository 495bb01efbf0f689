//! Items of a user's own: a JSON Lines file in, checked rows out; whatever is wrong is named by its line.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Problem, Result};
use crate::tool::jsonl;

/// Reads and checks every row; `check` says what is wrong with one.
///
/// # Errors
/// If the file cannot be read, a line is no such row or does not pass, or there is no row.
pub(super) fn read<R: DeserializeOwned, T>(path: &Path, check: impl Fn(R) -> Result<T, String>) -> Result<Vec<T>> {
    let (mut items, mut problems) = (Vec::new(), Vec::new());
    let mut rows = jsonl::Reader::<R>::open(path)?;
    while let Some(row) = rows.next() {
        match check(row?) {
            Ok(item) => items.push(item),
            Err(message) => problems.push(problem(path, rows.line(), message)),
        }
    }
    whole(path, items, problems)
}

/// All items, if there are some and nothing is wrong.
pub(super) fn whole<T>(path: &Path, items: Vec<T>, problems: Vec<Problem>) -> Result<Vec<T>> {
    if !problems.is_empty() {
        return Err(Error::problems(problems));
    }
    if items.is_empty() {
        return Err(Error::input("no rows here").at(path, None));
    }
    Ok(items)
}

pub(super) fn problem(path: &Path, line: usize, message: String) -> Problem {
    Problem { file: Some(path.to_path_buf()), line: Some(line), message, hint: None }
}
