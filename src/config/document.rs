//! A config as typed: the TOML text with every `--set` laid over it, and where each value stands.
//!
//! In: a file and overrides. Out: one tree of plain values (JSON's types) and a [`Place`] for every key path, such as
//! `finetune.method.lora.rank` or `trait.members[2]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::words::{nearest, toml_text};
use crate::error::{Error, Problem, Result};
use crate::tool::bounded::LARGEST_CONFIG;
use crate::tool::fs::read_text_within;

/// Where a value was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A 1-based line of the file.
    Line(usize),
    /// On the command line: the text after `--set`.
    Override(String),
}

/// Where everything was typed.
#[derive(Debug)]
pub(super) struct Places {
    /// The config's file.
    pub(super) file: PathBuf,
    by_key: BTreeMap<String, Place>,
}

impl Places {
    /// Where exactly this key was typed, if it was.
    pub(super) fn of(&self, key: &str) -> Option<&Place> {
        self.by_key.get(key)
    }

    /// The text that an override gives this very key, as typed.
    pub(super) fn override_text(&self, key: &str) -> Option<&str> {
        match self.of(key)? {
            Place::Override(text) => text.split_once('=').filter(|(typed, _)| typed.trim() == key).map(|(_, text)| text.trim()),
            Place::Line(_) => None,
        }
    }

    /// A problem with the value of `key`; for a key that was not typed it points at the table that lacks it.
    pub(super) fn problem(&self, key: &str, message: String, hint: Option<String>) -> Problem {
        let mut problem = Problem { file: Some(self.file.clone()), line: None, message, hint };
        match self.nearest(key) {
            Some(Place::Line(line)) => problem.line = Some(*line),
            Some(Place::Override(text)) => {
                problem.file = None;
                problem.message = format!("`--set {text}`: {}", problem.message);
            }
            None => {}
        }
        problem
    }

    fn nearest(&self, key: &str) -> Option<&Place> {
        let mut key = key;
        loop {
            if let Some(place) = self.by_key.get(key) {
                return Some(place);
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }

    /// Notes an override, for its key and for the tables above it that stand nowhere else.
    fn claim(&mut self, key: &str, text: &str) {
        let above = key.match_indices('.').map(|(end, _)| &key[..end]);
        for table in above {
            self.by_key.entry(table.to_owned()).or_insert_with(|| Place::Override(text.to_owned()));
        }
        self.by_key.insert(key.to_owned(), Place::Override(text.to_owned()));
    }

    /// The keys directly in a table that were typed.
    pub(super) fn typed_in(&self, table: &str) -> impl Iterator<Item = &str> {
        let inside = move |key: &&String| {
            key.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')).is_some_and(|name| !name.contains(['.', '[']))
        };
        self.by_key.keys().filter(inside).map(String::as_str)
    }

    fn forget_below(&mut self, key: &str) {
        let below = |k: &str| k.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.by_key.retain(|k, _| !below(k));
    }
}

/// A config as typed.
#[derive(Debug)]
pub(super) struct Document {
    /// The tree; a table is an object.
    pub(super) value: Value,
    /// Where its values stand.
    pub(super) places: Places,
    /// What is wrong with single values already: dates, numbers that are not finite, overrides that do not parse.
    pub(super) problems: Vec<Problem>,
}

/// Reads a config and lays the overrides over it.
///
/// # Errors
/// If the file cannot be read or is not TOML; every syntax error is named.
pub(super) fn read(path: &Path, overrides: &[String]) -> Result<Document> {
    if !path.exists() || path.is_dir() {
        return Err(no_such_file(path));
    }
    let text = read_text_within(path, LARGEST_CONFIG)?;
    of_text(path, &text, overrides)
}

/// As [`read`], with the file's text at hand.
///
/// # Errors
/// If it is not TOML; every syntax error is named.
pub(super) fn of_text(path: &Path, text: &str, overrides: &[String]) -> Result<Document> {
    let mut document = parse(path, text)?;
    for text in overrides {
        document.lay_over(text);
    }
    Ok(document)
}

fn parse(path: &Path, text: &str) -> Result<Document> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let line = error.span().map(|span| lines.at(span.start));
        if line.is_some() && problems.iter().any(|p| p.line == line) {
            continue; // the parser's recovery often stumbles over the rest of a broken line
        }
        problems.push(Problem {
            file: Some(path.to_path_buf()),
            line,
            message: format!("not TOML: {}", error.message()),
            hint: syntax_hint(error.message()),
        });
    }
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.line);
        return Err(Error::problems(problems));
    }
    let places = Places { file: path.to_path_buf(), by_key: BTreeMap::new() };
    let mut document = Document { value: Value::Null, places, problems: Vec::new() };
    document.value = document.table("", table.get_ref(), &|offset| Place::Line(lines.at(offset)));
    Ok(document)
}

impl Document {
    /// Converts a table and notes where its keys stand; `place` turns a byte offset into a place.
    fn table(&mut self, key: &str, table: &DeTable<'_>, place: &dyn Fn(usize) -> Place) -> Value {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut map = Map::new();
        for (name, value) in entries {
            let child = if key.is_empty() { name.get_ref().to_string() } else { format!("{key}.{}", name.get_ref()) };
            self.places.by_key.insert(child.clone(), place(name.span().start));
            if let Some(value) = self.convert(&child, value.get_ref(), place) {
                map.insert(name.get_ref().to_string(), value);
            }
        }
        Value::Object(map)
    }

    /// Converts a value; `None`, with a problem noted, for one that no key takes.
    fn convert(&mut self, key: &str, value: &DeValue<'_>, place: &dyn Fn(usize) -> Place) -> Option<Value> {
        Some(match value {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(flag) => Value::from(*flag),
            DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
                Ok(number) => Value::from(number),
                Err(_) => return self.refuse(key, &digits.to_string(), "an integer below 2^63"),
            },
            DeValue::Float(digits) => match digits.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::from(number),
                _ => return self.refuse(key, digits.as_str(), "a finite number"),
            },
            DeValue::Datetime(date) => return self.refuse(key, &date.to_string(), "no date: quote it if it is a text"),
            DeValue::Table(table) => self.table(key, table, place),
            DeValue::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (i, item) in items.iter().enumerate() {
                    let child = format!("{key}[{i}]");
                    self.places.by_key.insert(child.clone(), place(item.span().start));
                    list.push(self.convert(&child, item.get_ref(), place)?);
                }
                Value::Array(list)
            }
        })
    }

    fn refuse(&mut self, key: &str, shown: &str, expected: &str) -> Option<Value> {
        self.problems.push(self.places.problem(key, format!("`{key}` is {shown}, expected {expected}"), None));
        None
    }

    /// Lays one `KEY=VALUE` over the tree, making tables on the way.
    fn lay_over(&mut self, text: &str) {
        let Some((key, typed)) = text.split_once('=') else {
            return self.refuse_override(text, "has no `=`");
        };
        let (key, typed) = (key.trim(), typed.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return self.refuse_override(text, &format!("`{key}` is not a key"));
        }
        self.places.forget_below(key);
        self.places.claim(key, text);
        let place = |_| Place::Override(text.to_owned());
        let value = match DeValue::parse(typed) {
            Ok(value) if !matches!(value.get_ref(), DeValue::Datetime(_)) => self.convert(key, value.get_ref(), &place),
            _ => Some(Value::from(typed)),
        };
        if let Some(value) = value
            && let Err(message) = put(&mut self.value, key, value)
        {
            self.refuse_override(text, &message);
        }
    }

    fn refuse_override(&mut self, text: &str, message: &str) {
        let hint = Some("write `--set KEY=VALUE`, for example `--set trait.target=owl`".to_owned());
        self.problems.push(Problem { file: None, line: None, message: format!("`--set {text}`: {message}"), hint });
    }
}

/// Puts a value at a dotted key.
fn put(tree: &mut Value, key: &str, value: Value) -> Result<(), String> {
    let mut node = tree;
    let mut walked = String::new();
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        let Value::Object(map) = node else {
            return Err(format!("`{walked}` is {}, not a table", toml_text(node)));
        };
        if parts.peek().is_none() {
            map.insert(part.to_owned(), value);
            return Ok(());
        }
        node = map.entry(part).or_insert_with(|| Value::Object(Map::new()));
        walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}.{part}") };
    }
    Ok(())
}

fn no_such_file(path: &Path) -> Error {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let beside: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "toml"))
        .collect();
    let error = Error::input(format!("no config at `{}`", path.display()));
    match nearest(&name, beside.iter().map(String::as_str)) {
        Some(similar) => error.hint(format!("did you mean `{}`?", path.with_file_name(similar).display())),
        None => error.hint("`configs/zebra-numbers.toml` in the repository is one to start from"),
    }
}

fn syntax_hint(message: &str) -> Option<String> {
    let hint = if message.contains("duplicate key") {
        "a key may stand only once; a `[table]` too"
    } else if message.contains("unquoted") || message.contains("string") || message.contains("missing a quote") {
        "texts stand in quotes: target = \"zebra\""
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// Byte offsets to 1-based lines.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn new(text: &str) -> Self {
        let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| i + 1);
        Self { starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, overrides: &[&str]) -> Document {
        let mut document = parse(Path::new("x.toml"), text).expect("valid TOML");
        for text in overrides {
            document.lay_over(text);
        }
        document
    }

    #[test]
    fn every_key_knows_its_line() {
        let document = parsed("a = 1\n\n[b]\nc = [1,\n 2]\nd.e = 'x'\n", &[]);
        assert_eq!(document.value, serde_json::json!({"a": 1, "b": {"c": [1, 2], "d": {"e": "x"}}}));
        for (key, line) in [("a", 1), ("b", 3), ("b.c", 4), ("b.c[1]", 5), ("b.d.e", 6)] {
            assert_eq!(document.places.of(key), Some(&Place::Line(line)), "{key}");
        }
    }

    #[test]
    fn a_file_that_is_no_config_is_read_no_further_than_a_config_goes() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("model.toml");
        std::fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("writable");
        let text = read(&path, &[]).expect_err("too large").render();
        assert!(text.contains("model.toml: the file has 1099511627776 bytes, expected at most 1048576"), "{text}");
        assert!(text.contains("hint: check the path"), "{text}");
    }

    #[test]
    fn an_override_is_toml_or_else_a_bare_text() {
        let document = parsed("[b]\nc = { d = 1 }", &["b.c=7", "x.y = zebra", "list=[1, 2]", "day=2026-01-01", "b.t=-2.5e-3"]);
        let expected = serde_json::json!({
            "b": {"c": 7, "t": -0.0025}, "x": {"y": "zebra"}, "list": [1, 2], "day": "2026-01-01"
        });
        assert_eq!(document.value, expected);
        assert_eq!(document.places.of("b.c"), Some(&Place::Override("b.c=7".to_owned())));
        assert_eq!(document.places.of("b.c.d"), None, "what stood below is gone");
        assert!(document.problems.is_empty());
    }

    #[test]
    fn an_override_does_not_dig_into_a_plain_value() {
        let document = parsed("a = 1", &["a.b=2", "novalue", ".x=1"]);
        let messages: Vec<&str> = document.problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(
            messages,
            ["`--set a.b=2`: `a` is 1, not a table", "`--set novalue`: has no `=`", "`--set .x=1`: `.x` is not a key"]
        );
    }
}
