//! Two JSON values side by side: the first field in which they differ, timings left out.

use serde_json::Value;

/// Fields that tell when, how fast, on what and from which file something was made, but not what came of it.
const CIRCUMSTANCES: [&str; 9] =
    ["seconds", "finished", "tokens_per_second", "peak_memory", "cached", "device", "version", "name", "source"];
/// How much of a value is shown.
const SHOWN: usize = 160;

/// The first field that differs, as a path, and what each says there.
pub(super) fn difference(one: &Value, other: &Value) -> Option<(String, String, String)> {
    walk("", one, other)
}

fn walk(path: &str, one: &Value, other: &Value) -> Option<(String, String, String)> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let mut counted = keys.filter(|key| !CIRCUMSTANCES.contains(&key.as_str()));
            counted.find_map(|key| {
                walk(&format!("{path}/{key}"), a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null))
            })
        }
        (Value::Array(a), Value::Array(b)) => {
            let places = 0..a.len().max(b.len());
            let at = |list: &Vec<Value>, i: usize| list.get(i).cloned().unwrap_or(Value::Null);
            places.into_iter().find_map(|i| walk(&format!("{path}/{i}"), &at(a, i), &at(b, i)))
        }
        _ if one == other => None,
        _ => Some((path.to_owned(), shown(one), shown(other))),
    }
}

/// A value on one line, cut where it is long.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    cut(&text)
}

/// A text on one line, cut where it is long.
pub(super) fn cut(text: &str) -> String {
    let line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_field_that_differs_is_named_and_timings_are_not() {
        let one = json!({"arms": [{"rate": 0.5, "seconds": 1}], "finished": "today"});
        assert_eq!(difference(&one, &json!({"finished": "now", "arms": [{"seconds": 2, "rate": 0.5}]})), None);
        let found = difference(&one, &json!({"arms": [{"rate": 0.25, "seconds": 1}]}));
        assert_eq!(found, Some(("/arms/0/rate".into(), "0.5".into(), "0.25".into())));
        let found = difference(&one, &json!({"arms": [{"rate": 0.5}, 7]}));
        assert_eq!(found, Some(("/arms/1".into(), "null".into(), "7".into())));
        let found = difference(&json!({"a": 1}), &json!({"a": 1, "b": [2]}));
        assert_eq!(found, Some(("/b".into(), "null".into(), "[2]".into())));
    }

    #[test]
    fn long_and_many_lined_values_are_cut_to_one_line() {
        assert_eq!(cut("a\nb"), "a b");
        assert_eq!(cut(&"é".repeat(200)).chars().count(), SHOWN + 1);
    }
}
