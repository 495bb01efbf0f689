//! Checks a document against the config's schema and takes out what does not fit, so that the rest can still be read and
//! judged: names, types, ranges, lengths, required keys.
//!
//! It knows the part of JSON Schema that the config's own schema uses, and says in a person's words what was expected.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::Places;
use super::expected::{Leaf, key_homes, range_holds};
use super::words::{all_of, any_of, nearest, toml_text};
use crate::error::Problem;

/// What a check found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// The keys whose values were taken out.
    pub(super) unsound: BTreeSet<String>,
}

/// Checks `value`, and removes from it whatever does not fit.
pub(super) fn check(schema: &Value, places: &Places, value: &mut Value) -> Findings {
    let mut checker = Checker { root: schema, places, findings: Findings::default() };
    checker.visit(schema, value, "");
    checker.findings
}

struct Checker<'a> {
    root: &'a Value,
    places: &'a Places,
    findings: Findings,
}

impl<'a> Checker<'a> {
    fn problem(&mut self, key: &str, message: String, hint: Option<String>) {
        self.findings.problems.push(self.places.problem(key, message, hint));
    }

    /// Whether the value may stay; what is wrong below it is taken out already.
    fn visit(&mut self, schema: &'a Value, value: &mut Value, key: &str) -> bool {
        let leaves = Leaf::all(self.root, schema);
        self.bare_text(&leaves, value, key);
        let fitting: Vec<&Leaf<'_>> = leaves.iter().filter(|leaf| leaf.takes(value)).collect();
        let sound = match (fitting.as_slice(), &mut *value) {
            ([], _) => false,
            ([leaf], Value::Object(map)) => {
                self.table(leaf.schema, map, key);
                return true;
            }
            (tagged, Value::Object(map)) => return self.choice(tagged, map, key),
            ([leaf, ..], Value::Array(items)) => match self.list(leaf.schema, items, key) {
                Some(sound) => return sound || self.taken_out(key),
                None => false,
            },
            (_, Value::String(text)) => leaves.iter().any(|leaf| leaf.allows_text(text)),
            ([leaf, ..], plain) => range_holds(leaf.schema, plain),
        };
        if !sound {
            self.mismatch(&leaves, value, key);
        }
        sound
    }

    /// In an override a text needs no quotes, even one that looks like a number: `--set name=7`.
    fn bare_text(&self, leaves: &[Leaf<'a>], value: &mut Value, key: &str) {
        if !leaves.iter().any(|leaf| leaf.takes(value))
            && leaves.iter().any(Leaf::takes_any_text)
            && let Some(text) = self.places.override_text(key)
        {
            *value = Value::from(text);
        }
    }

    fn taken_out(&mut self, key: &str) -> bool {
        self.findings.unsound.insert(key.to_owned());
        false
    }

    /// Says that a value does not fit.
    fn mismatch(&mut self, leaves: &[Leaf<'a>], value: &Value, key: &str) {
        let names: Vec<&str> = leaves.iter().flat_map(Leaf::names).collect();
        let similar = value.as_str().and_then(|text| nearest(text, names.iter().copied()));
        let own_hint = || leaves.iter().find_map(|leaf| leaf.hint).map(str::to_owned);
        let hint = similar.map(|name| format!("did you mean `{name}`?")).or_else(own_hint);
        let expected = Leaf::expectation(leaves, value);
        self.problem(key, format!("`{key}` is {}, expected {expected}", shown(value)), hint);
        self.taken_out(key);
    }

    /// A table with fixed keys.
    fn table(&mut self, schema: &'a Value, map: &mut Map<String, Value>, key: &str) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let names: Vec<String> = map.keys().cloned().collect();
        for name in names {
            let child = join(key, &name);
            let sound = match (properties.get(&name), map.get_mut(&name)) {
                (Some(schema), Some(value)) => self.visit(schema, value, &child),
                _ => self.unknown(properties, &name, &child, key),
            };
            if !sound {
                map.remove(&name);
            }
        }
        for name in required(schema) {
            let child = join(key, name);
            if !map.contains_key(name) && !self.findings.unsound.contains(&child) {
                self.missing(&properties[name], &child);
            }
        }
    }

    /// A table of which exactly one key says which kind it is.
    fn choice(&mut self, tagged: &[&Leaf<'a>], map: &mut Map<String, Value>, key: &str) -> bool {
        let tags: Vec<&str> = tagged.iter().flat_map(|leaf| required(leaf.schema)).collect();
        let typed: Vec<String> = map.keys().cloned().collect();
        let branch = match typed.as_slice() {
            [only] => tagged.iter().find(|leaf| required(leaf.schema).any(|tag| tag == only)),
            _ => None,
        };
        if let Some(branch) = branch {
            self.table(branch.schema, map, key);
            return !map.is_empty() || self.taken_out(key);
        }
        let has =
            if typed.is_empty() { "is empty".to_owned() } else { format!("has {}", all_of(typed.iter().map(String::as_str))) };
        let similar = typed.iter().find_map(|word| nearest(word, tags.iter().copied()).filter(|name| name != word));
        self.problem(
            key,
            format!("`{key}` {has}, expected {}", any_of(tags.iter().copied())),
            similar.map(|name| format!("did you mean `{name}`?")),
        );
        self.taken_out(key)
    }

    /// A list: whether all of it may stay, `None` where its length or repeats are wrong.
    fn list(&mut self, schema: &'a Value, items: &mut [Value], key: &str) -> Option<bool> {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64).map(|n| n as usize);
        if bound("minItems").is_some_and(|least| items.len() < least) || bound("maxItems").is_some_and(|most| items.len() > most)
        {
            return None;
        }
        let mut sound = true;
        if let Some(schema) = schema.get("items") {
            for (i, item) in items.iter_mut().enumerate() {
                sound &= self.visit(schema, item, &format!("{key}[{i}]"));
            }
        }
        if sound && schema.get("uniqueItems").is_some_and(|unique| unique == true) {
            sound = self.no_repeats(items, key);
        }
        Some(sound)
    }

    fn no_repeats(&mut self, items: &[Value], key: &str) -> bool {
        let repeat = items.iter().enumerate().find(|(i, item)| items[..*i].contains(item));
        if let Some((i, item)) = repeat {
            self.problem(&format!("{key}[{i}]"), format!("`{key}` holds {} twice", shown(item)), None);
        }
        repeat.is_none()
    }

    fn unknown(&mut self, properties: &Map<String, Value>, name: &str, child: &str, table: &str) -> bool {
        let hint = if let Some(similar) = nearest(name, properties.keys().map(String::as_str)) {
            format!("did you mean `{similar}`?")
        } else if let Some(homes) = key_homes(self.root, name) {
            format!("`{name}` is a key of {homes}")
        } else if table.is_empty() {
            format!("the keys and tables are {}", all_of(properties.keys().map(String::as_str)))
        } else {
            format!("the keys of `{table}` are {}", all_of(properties.keys().map(String::as_str)))
        };
        self.problem(child, format!("`{child}` is not a key"), Some(hint));
        self.taken_out(child)
    }

    /// Names a missing key; of a missing table, its missing keys.
    fn missing(&mut self, schema: &'a Value, child: &str) {
        let leaves = Leaf::all(self.root, schema);
        let inner = leaves.iter().find(|leaf| required(leaf.schema).next().is_some());
        if let Some(table) = inner {
            for name in required(table.schema) {
                self.missing(&table.schema["properties"][name], &join(child, name));
            }
            return;
        }
        let hint = leaves.iter().find_map(|leaf| leaf.hint).map(str::to_owned);
        self.problem(child, format!("`{child}` is missing"), hint);
        self.taken_out(child);
    }
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn join(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
}

/// A value as a message shows it: texts in backticks, long ones cut.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Object(_) => "a table".to_owned(),
        other => {
            let text = toml_text(other);
            if text.chars().count() > 60 { format!("{}…", text.chars().take(59).collect::<String>()) } else { text }
        }
    }
}
