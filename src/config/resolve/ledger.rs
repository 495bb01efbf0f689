//! The ledger of a resolution: every value that went into the plan with its source, every problem, every warning.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::document::{Place, Places};
use crate::config::sources::{Setting, Source};
use crate::config::words::{all_of, toml_text};
use crate::error::Problem;

/// What is noted while a config becomes a plan.
pub(in crate::config) struct Ledger<'a> {
    places: &'a Places,
    unsound: &'a BTreeSet<String>,
    /// Every value, in the order of the plan.
    pub(in crate::config) settings: Vec<Setting>,
    /// What is wrong.
    pub(in crate::config) problems: Vec<Problem>,
    /// What is odd, but allowed.
    pub(in crate::config) warnings: Vec<String>,
}

impl<'a> Ledger<'a> {
    pub(in crate::config) fn new(places: &'a Places, unsound: &'a BTreeSet<String>) -> Self {
        Self { places, unsound, settings: Vec::new(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// The config's file.
    pub(super) fn file(&self) -> &Path {
        &self.places.file
    }

    /// Whether the user wrote this key.
    pub(super) fn typed(&self, key: &str) -> bool {
        self.places.of(key).is_some()
    }

    /// Whether none of these keys was taken out as faulty: only then can they contradict one another.
    pub(super) fn sound(&self, keys: &[&str]) -> bool {
        let below =
            |bad: &str, key: &str| bad.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        let above = |bad: &str, key: &str| key.strip_prefix(bad).is_some_and(|rest| rest.starts_with(['.', '[']));
        keys.iter().all(|key| !self.unsound.iter().any(|bad| below(bad, key) || above(bad, key)))
    }

    /// The typed value, or the default with its reason; either is noted.
    pub(super) fn pick<T: Serialize>(&mut self, key: &str, typed: Option<T>, default: T, why: &str) -> T {
        let value = typed.unwrap_or(default);
        self.note(key, &value, why);
        value
    }

    /// The typed value if there is one; `absent` says what happens without.
    pub(super) fn pick_optional<T: Serialize>(&mut self, key: &str, typed: Option<T>, absent: &str) -> Option<T> {
        self.note(key, &typed, absent);
        typed
    }

    /// Notes a value that was worked out from what was typed, or by default.
    pub(super) fn note<T: Serialize>(&mut self, key: &str, value: &T, why: &str) {
        let value = serde_json::to_value(value).map_or_else(|e| e.to_string(), |json| toml_text(&json));
        let source = match self.places.of(key) {
            Some(Place::Line(line)) => Source::File { file: self.places.file.clone(), line: *line },
            Some(Place::Override(text)) => Source::Override(text.clone()),
            None => Source::Default { why: why.to_owned() },
        };
        self.settings.push(Setting { key: key.to_owned(), value, source });
    }

    /// Notes a problem with the value of a key, unless the key was found faulty before.
    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>, hint: Option<String>) {
        if self.sound(&[key]) {
            self.problems.push(self.places.problem(key, message.into(), hint));
        }
    }

    /// Warns that whatever was typed in a table, but for some keys, changes nothing.
    pub(super) fn no_effect_but(&mut self, table: &str, but: &[&str], because: &str) {
        let keys: Vec<&str> = self.places.typed_in(table).filter(|key| !but.contains(key)).collect();
        if let [key] = keys.as_slice() {
            self.warnings.push(format!("`{key}` has no effect: {because}"));
        } else if !keys.is_empty() {
            self.warnings.push(format!("{} have no effect: {because}", all_of(keys.iter().copied())));
        }
    }

    /// Warns that a key that was typed changes nothing.
    pub(super) fn no_effect(&mut self, key: &str, because: &str) {
        if self.typed(key) {
            self.warnings.push(format!("`{key}` has no effect: {because}"));
        }
    }

    /// A file or folder that a key names: relative to the config's folder, or for an override to the working directory.
    pub(super) fn path(&self, key: &str, text: &str) -> PathBuf {
        match self.places.of(key) {
            Some(Place::Override(_)) => PathBuf::from(text),
            _ => self.places.file.parent().unwrap_or(Path::new("")).join(text),
        }
    }

    /// A file that a key names; it must exist.
    pub(super) fn input_file(&mut self, key: &str, typed: Option<&str>, absent: &str) -> Option<PathBuf> {
        let path = typed.map(|text| self.path(key, text));
        self.note(key, &path, absent);
        if let (Some(path), Some(text)) = (&path, typed)
            && !path.is_file()
        {
            let from =
                if path.is_relative() && Path::new(text) == path { "the working directory" } else { "the config's folder" };
            let hint = format!("looked for `{}`; the path counts from {from}", path.display());
            self.problem(key, format!("`{key}` is `{text}`, which is no file"), Some(hint));
        }
        path
    }
}
