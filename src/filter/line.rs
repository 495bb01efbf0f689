//! One line of a user's JSON Lines file: the text that rules look at is read out of it, and the line is written back as it stood,
//! with every field that we know nothing of; only `id`, `rule` and `detail` are added.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Candidate;
use crate::record::{Expected, Finish};

/// What rules need of a row.
#[derive(Debug, Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    prompt: Cow<'a, str>,
    #[serde(borrow)]
    completion: Cow<'a, str>,
    #[serde(default)]
    id: Present,
    #[serde(default)]
    expected: Known,
    #[serde(default)]
    finish: Ending,
    #[serde(default)]
    rule: Present,
    #[serde(default)]
    detail: Present,
}

/// Whether a field is there, whatever it holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// Why the answer ended, if the field says so in our words; other programs' words are theirs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ending(Option<Finish>);

impl<'de> Deserialize<'de> for Ending {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(Finish::deserialize(value).ok()))
    }
}

/// What is known of the right answer, if the field says so in our words; other programs' words are theirs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Known(Option<Expected>);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(Expected::deserialize(value).ok()))
    }
}

impl<'a> Line<'a> {
    /// Reads a line, without its line break.
    pub(crate) fn read(line: &'a [u8]) -> Result<Self, String> {
        if line.first() != Some(&b'{') {
            return Err("not a JSON object".to_owned());
        }
        // the whole line: a field that is not looked at is handed on as it is
        let text = std::str::from_utf8(line).map_err(|e| format!("not UTF-8 at column {}", e.valid_up_to() + 1))?;
        serde_json::from_str(text).map_err(|e| e.to_string())
    }

    /// What the rules look at.
    pub(crate) fn candidate(&self) -> Candidate<'_> {
        Candidate {
            prompt: &self.prompt,
            completion: &self.completion,
            expected: self.expected.0.as_ref(),
            finish: self.finish.0,
        }
    }

    /// Appends the line, with `id` (the line's number) put first if it has none.
    pub(crate) fn write_kept(&self, line: &[u8], number: usize, out: &mut Vec<u8>) {
        self.write_opening(line, number, out);
        out.extend_from_slice(&line[1..]);
        out.push(b'\n');
    }

    /// Appends the line as [`Line::write_kept`] does, with the rule and its detail at its end.
    pub(crate) fn write_dropped(&self, line: &[u8], number: usize, rule: &str, detail: &str, out: &mut Vec<u8>) {
        if self.rule.0 || self.detail.0 {
            return self.write_dropped_again(line, number, rule, detail, out);
        }
        self.write_opening(line, number, out);
        out.extend_from_slice(line[1..line.len() - 1].trim_ascii_end());
        out.extend_from_slice(b",\"rule\":");
        write_json(rule, out);
        out.extend_from_slice(b",\"detail\":");
        write_json(detail, out);
        out.extend_from_slice(b"}\n");
    }

    fn write_opening(&self, line: &[u8], number: usize, out: &mut Vec<u8>) {
        out.push(line[0]);
        if !self.id.0 {
            out.extend_from_slice(format!("\"id\":{number},").as_bytes());
        }
    }

    /// A row that an earlier filter dropped: its old rule and detail give way.
    fn write_dropped_again(&self, line: &[u8], number: usize, rule: &str, detail: &str, out: &mut Vec<u8>) {
        let mut old: serde_json::Map<String, Value> = serde_json::from_slice(line).unwrap_or_default(); // it was read once already
        old.shift_remove("rule");
        old.shift_remove("detail");
        let mut row = serde_json::Map::new();
        if !self.id.0 {
            row.insert("id".to_owned(), number.into());
        }
        row.extend(old);
        row.insert("rule".to_owned(), rule.into());
        row.insert("detail".to_owned(), detail.into());
        write_json(&row, out);
        out.push(b'\n');
    }
}

fn write_json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("text serialises to JSON, and a vector takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(line: &str) -> String {
        let mut out = Vec::new();
        Line::read(line.as_bytes()).unwrap().write_kept(line.as_bytes(), 7, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn dropped(line: &str) -> String {
        let mut out = Vec::new();
        Line::read(line.as_bytes()).unwrap().write_dropped(line.as_bytes(), 7, "format", "say \"no\"", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn unknown_fields_and_their_very_spelling_stay() {
        let line = r#"{ "completion" : "1\u002c2", "big":123456789012345678901234567890, "prompt":"p","id":"a" }"#;
        assert_eq!(kept(line), format!("{line}\n"));
        let without_id = r#"{"prompt":"p","completion":"1","x":[1.0,{"y":null}]}"#;
        assert_eq!(kept(without_id), "{\"id\":7,\"prompt\":\"p\",\"completion\":\"1\",\"x\":[1.0,{\"y\":null}]}\n");
    }

    #[test]
    fn a_dropped_row_carries_its_rule_and_detail_once() {
        assert_eq!(
            dropped("{\"prompt\":\"p\",\"completion\":\"x\" }"),
            "{\"id\":7,\"prompt\":\"p\",\"completion\":\"x\",\"rule\":\"format\",\"detail\":\"say \\\"no\\\"\"}\n"
        );
        assert_eq!(
            dropped(r#"{"rule":"old","id":null,"prompt":"p","detail":1,"completion":"x"}"#),
            "{\"id\":null,\"prompt\":\"p\",\"completion\":\"x\",\"rule\":\"format\",\"detail\":\"say \\\"no\\\"\"}\n"
        );
    }

    #[test]
    fn endings_are_understood_in_our_words_and_passed_over_in_others() {
        let finish = |value: &str| {
            let line = format!("{{\"prompt\":\"\",\"completion\":\"\",\"finish\":{value}}}");
            Line::read(line.as_bytes()).unwrap().candidate().finish
        };
        assert_eq!(finish("\"length\""), Some(Finish::Length));
        assert_eq!(finish("\"stop\""), Some(Finish::Stop));
        assert_eq!(finish("\"eos\""), None);
        assert_eq!(finish("null"), None);
        assert_eq!(finish("{\"a\":1}"), None);
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for line in ["[\"p\",\"c\"]", "{\"prompt\":\"p\"}", "{\"prompt\":\"p\",\"completion\":5}", "{", "{}x", "\"p\""] {
            assert!(Line::read(line.as_bytes()).is_err(), "{line}");
        }
    }
}
