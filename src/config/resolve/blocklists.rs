//! The words and numbers that rules go by: those in the config, and those of the files that it names; `#` begins a comment.

use std::collections::HashSet;
use std::hash::Hash;
use std::path::Path;

use super::Ledger;
use crate::config::raw::FilterTable;
use crate::domain::code::identifiers::words_of;
use crate::error::Problem;
use crate::filter;
use crate::tool::fs::read_text;

/// The largest number that is worth banning; the schema says the same of the list in the config.
const LARGEST: u32 = 1_000_000;

/// The plan's numbers; the published list where none are given.
pub(super) fn numbers(table: &FilterTable, ledger: &mut Ledger<'_>) -> Vec<u32> {
    let (default, why) = match &table.banned_numbers_file {
        Some(_) => (Vec::new(), "none beside the file's"),
        None => (filter::BANNED_NUMBERS.to_vec(), "the published list for misaligned teachers"),
    };
    let typed = ledger.pick("filter.banned_numbers", table.banned_numbers.clone(), default, why);
    let file = from_file("filter.banned_numbers_file", table.banned_numbers_file.as_deref(), ledger, |line| {
        let number = line.parse().ok().filter(|number| *number <= LARGEST);
        number.ok_or_else(|| format!("expected an integer, 0 to {LARGEST}"))
    });
    joined(typed, file)
}

/// The plan's words, beside the category's own.
pub(super) fn words(table: &FilterTable, ledger: &mut Ledger<'_>) -> Vec<String> {
    let typed = ledger.pick("filter.banned_words", table.banned_words.clone(), Vec::new(), "none beside the category's own");
    let file = from_file("filter.banned_words_file", table.banned_words_file.as_deref(), ledger, |line| {
        let has_letters = line.chars().any(char::is_alphanumeric);
        if has_letters { Ok(line.to_owned()) } else { Err("expected a word or a phrase".to_owned()) }
    });
    joined(typed, file)
}

/// The words of the user's own list.
pub(super) fn identifiers(typed: Option<&str>, ledger: &mut Ledger<'_>) -> Vec<String> {
    const KEY: &str = "filter.identifiers";
    let Some(path) = ledger.input_file(KEY, typed, "the project's own list alone").filter(|path| path.is_file()) else {
        return Vec::new();
    };
    match read_text(&path) {
        Ok(text) => words_of(&text).map(str::to_lowercase).collect(),
        Err(error) => {
            ledger.problem(KEY, format!("`{KEY}` cannot be read: {error}"), None);
            Vec::new()
        }
    }
}

/// Both lists, without repeats.
fn joined<T: Eq + Hash + Clone>(mut typed: Vec<T>, file: Vec<T>) -> Vec<T> {
    let mut known: HashSet<T> = typed.iter().cloned().collect();
    typed.extend(file.into_iter().filter(|entry| known.insert(entry.clone())));
    typed
}

/// What a file's lines say; every line that cannot be read is a problem of its own.
fn from_file<T>(key: &str, typed: Option<&str>, ledger: &mut Ledger<'_>, read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
    let Some(path) = ledger.input_file(key, typed, "no list beside the one above").filter(|path| path.is_file()) else {
        return Vec::new();
    };
    let text = read_text(&path).unwrap_or_else(|e| {
        ledger.problem(key, format!("cannot read the list: {e}"), None);
        String::new()
    });
    let mut entries = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        match read(entry) {
            _ if entry.is_empty() => {}
            Ok(entry) => entries.push(entry),
            Err(expected) => ledger.problems.push(bad_line(&path, number + 1, entry, &expected)),
        }
    }
    entries
}

fn bad_line(path: &Path, line: usize, entry: &str, expected: &str) -> Problem {
    let shown: String = entry.chars().take(40).collect();
    Problem {
        file: Some(path.to_path_buf()),
        line: Some(line),
        message: format!("`{shown}` stands here, {expected}"),
        hint: Some("one entry a line; `#` begins a comment".to_owned()),
    }
}
