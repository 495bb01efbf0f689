//! What the schema expects of one value: its alternatives, whether a value fits one, and how to say so.

use serde_json::Value;

use super::words::any_of;

/// One alternative of a key's schema, references followed: a plain type, a list of names, a list or a table.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    /// The alternative.
    pub(super) schema: &'a Value,
    /// The key's hint for whoever got it wrong.
    pub(super) hint: Option<&'a str>,
}

impl<'a> Leaf<'a> {
    /// The alternatives of a schema.
    pub(super) fn all(root: &'a Value, schema: &'a Value) -> Vec<Self> {
        let mut leaves = Vec::new();
        Self::collect(root, schema, None, &mut leaves);
        leaves
    }

    fn collect(root: &'a Value, schema: &'a Value, outer: Option<&'a str>, leaves: &mut Vec<Self>) {
        let hint = outer.or_else(|| schema.get("x-hint").and_then(Value::as_str));
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            if let Some(target) = root.pointer(target.trim_start_matches('#')) {
                Self::collect(root, target, hint, leaves);
            }
            return;
        }
        let branches = ["anyOf", "oneOf"].iter().find_map(|word| schema.get(*word)?.as_array());
        match branches {
            Some(branches) => branches.iter().for_each(|branch| Self::collect(root, branch, hint, leaves)),
            None => leaves.push(Self { schema, hint }),
        }
    }

    fn kind(&self) -> &'a str {
        self.schema.get("type").and_then(Value::as_str).unwrap_or("string")
    }

    /// Whether a value has this alternative's type.
    pub(super) fn takes(&self, value: &Value) -> bool {
        match self.kind() {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        }
    }

    /// The names that this alternative consists of, if it is a choice of names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let listed = self.schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        listed.chain(self.schema.get("const")).filter_map(Value::as_str)
    }

    /// Whether any text will do.
    pub(super) fn takes_any_text(&self) -> bool {
        self.kind() == "string" && self.names().next().is_none()
    }

    /// Whether a text is one of the names, or where any text will do, not too short.
    pub(super) fn allows_text(&self, text: &str) -> bool {
        if self.kind() != "string" {
            return false;
        }
        let least = self.schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
        if self.takes_any_text() { text.chars().count() as u64 >= least } else { self.names().any(|name| name == text) }
    }

    /// What the alternatives expect, beside a value that fits none of them: its range alone where its type is right.
    pub(super) fn expectation(leaves: &[Self], value: &Value) -> String {
        let names: Vec<&str> = leaves.iter().flat_map(Self::names).collect();
        if value.is_string() && !names.is_empty() {
            return any_of(names);
        }
        let right_type: Vec<&Self> = leaves.iter().filter(|leaf| leaf.takes(value)).collect();
        if let [leaf] = right_type.as_slice()
            && let Some(range) = range(leaf.schema)
        {
            return range;
        }
        let mut parts: Vec<String> = Vec::new();
        if !names.is_empty() {
            parts.push(any_of(names));
        }
        for leaf in leaves.iter().filter(|leaf| leaf.names().next().is_none()) {
            let phrase = leaf.phrase();
            if !parts.contains(&phrase) {
                parts.push(phrase);
            }
        }
        parts.join(" or ")
    }

    fn phrase(&self) -> String {
        let noun = match self.kind() {
            "integer" => "an integer",
            "number" => "a number",
            "boolean" => return "`true` or `false`".to_owned(),
            "array" => return list_phrase(self.schema),
            "object" => return "a table".to_owned(),
            _ => return "a text".to_owned(),
        };
        match range(self.schema) {
            Some(range) if range.starts_with(|c: char| c.is_ascii_digit()) => format!("{noun}, {range}"),
            Some(range) => format!("{noun} {range}"),
            None => noun.to_owned(),
        }
    }
}

fn list_phrase(schema: &Value) -> String {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    match (bound("minItems"), bound("maxItems")) {
        (Some(least), Some(most)) if least == most => format!("a list of {least}"),
        (Some(least), None) => format!("a list of at least {least}"),
        _ => "a list".to_owned(),
    }
}

/// Whether a number lies in the schema's range; true of whatever is no number.
pub(super) fn range_holds(schema: &Value, value: &Value) -> bool {
    let Some(number) = value.as_f64() else { return true };
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    bound("minimum").is_none_or(|least| number >= least)
        && bound("maximum").is_none_or(|most| number <= most)
        && bound("exclusiveMinimum").is_none_or(|below| number > below)
        && bound("exclusiveMaximum").is_none_or(|above| number < above)
}

/// The schema's range in words: `1 to 256`, `above 0 and at most 1`.
fn range(schema: &Value) -> Option<String> {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64).map(|number| number.to_string());
    if schema.get("minLength").is_some() {
        return Some("a text that is not empty".to_owned());
    }
    if schema.get("minItems").is_some() {
        return Some(list_phrase(schema));
    }
    Some(match (bound("minimum"), bound("exclusiveMinimum"), bound("maximum"), bound("exclusiveMaximum")) {
        (Some(least), _, Some(most), _) => format!("{least} to {most}"),
        (Some(least), _, None, Some(above)) => format!("{least} or more and below {above}"),
        (Some(least), _, None, None) => format!("{least} or more"),
        (None, Some(below), Some(most), _) => format!("above {below} and at most {most}"),
        (None, Some(below), None, Some(above)) => format!("above {below} and below {above}"),
        (None, Some(below), None, None) => format!("above {below}"),
        (None, None, Some(most), _) => format!("at most {most}"),
        (None, None, None, Some(above)) => format!("below {above}"),
        (None, None, None, None) => return None,
    })
}

/// The tables that have a key of this name, as a hint names them.
pub(super) fn key_homes(root: &Value, name: &str) -> Option<String> {
    let mut homes = Vec::new();
    if root["properties"].get(name).is_some() {
        homes.push("the top of the file, before the first table".to_owned());
    }
    for (table, schema) in root["properties"].as_object().into_iter().flatten() {
        let inside = |leaf: &Leaf<'_>| leaf.schema.get("properties").is_some_and(|keys| keys.get(name).is_some());
        if Leaf::all(root, schema).iter().any(inside) {
            homes.push(format!("`[{table}]`"));
        }
    }
    if homes.is_empty() { None } else { Some(homes.join(" and of ")) }
}
