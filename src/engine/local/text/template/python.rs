//! Values as Python spells them: `str` and `repr` for what a template prints, `json.dumps` for its `tojson`.

use std::borrow::Cow;
use std::fmt::Write;

use minijinja::value::{Rest, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value};

use super::arguments::Arguments;
use super::bounds::{fits, in_bounds};

/// Prints a value where a template writes `{{ value }}`.
pub(super) fn print(out: &mut Output<'_>, _: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = text_of(value)?;
    out.write_str(&text).map_err(|e| Error::new(ErrorKind::WriteFailure, "the output does not fit").with_source(e))
}

/// `str(value)`; nothing for what is undefined.
///
/// # Errors
/// If it is longer than a conversation, or nested deeper than Python allows.
pub(super) fn text_of(value: &Value) -> Result<Cow<'_, str>, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::new();
    repr(value, 0, &mut out)?;
    Ok(Cow::Owned(out))
}

/// `repr(value)`.
fn repr(value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
    if depth > DEEPEST {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value is nested too deeply"));
    }
    fits(out.len())?;
    match value.kind() {
        ValueKind::Undefined => {}
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number => out.push_str(&number(value)),
        ValueKind::String => out.push_str(&quoted(value.as_str().unwrap_or_default())),
        ValueKind::Map => {
            out.push('{');
            for (i, (key, value)) in pairs(value).enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                repr(&key, depth + 1, out)?;
                out.push_str(": ");
                repr(&value, depth + 1, out)?;
            }
            out.push('}');
        }
        ValueKind::Seq | ValueKind::Iterable => {
            in_bounds(value)?;
            out.push('[');
            for (i, item) in value.try_iter().into_iter().flatten().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                repr(&item, depth + 1, out)?;
            }
            out.push(']');
        }
        _ => out.push_str(&value.to_string()),
    }
    Ok(())
}

/// The pairs of a mapping, in its order.
pub(super) fn pairs(map: &Value) -> impl Iterator<Item = (Value, Value)> {
    let keys = map.try_iter().into_iter().flatten();
    keys.map(|key| {
        let value = map.get_item(&key).unwrap_or_default();
        (key, value)
    })
}

fn number(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(x) if !value.is_integer() => float(x),
        _ => value.to_string(),
    }
}

/// The shortest digits that read back as the number, with an exponent outside of 1e-4 to 1e16.
fn float(x: f64) -> String {
    if x.is_nan() || x.is_infinite() {
        return if x.is_nan() {
            "nan"
        } else if x > 0.0 {
            "inf"
        } else {
            "-inf"
        }
        .to_owned();
    }
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        let text = x.to_string();
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{x:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A text in quotes: single ones, unless it holds some and no double ones.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\\' => out += "\\\\",
            c if c == quote => out.extend(['\\', c]),
            c if shows(c) => out.push(c),
            c => {
                let _ = match u32::from(c) {
                    // writing to a String does not fail
                    n @ 0..0x100 => write!(out, "\\x{n:02x}"),
                    n @ 0x100..0x1_0000 => write!(out, "\\u{n:04x}"),
                    n => write!(out, "\\U{n:08x}"),
                };
            }
        }
    }
    out.push(quote);
    out
}

/// Whether Python prints a character as it is.
fn shows(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..);
    c == ' ' || !(c.is_control() || c.is_whitespace() || hidden)
}

/// The `tojson` of transformers: `json.dumps`, which escapes nothing for HTML and leaves characters beyond ASCII as they are.
#[expect(clippy::needless_pass_by_value, reason = "the signature that minijinja's filters have")]
pub(super) fn tojson(value: &Value, args: Rest<Value>) -> Result<String, Error> {
    let args = Arguments::new(&args, 4)?;
    let indent = args.get(1, "indent")?;
    let style = Json {
        ensure_ascii: args.flag(0, "ensure_ascii")?,
        sort_keys: args.flag(3, "sort_keys")?,
        separators: match args.get(2, "separators")? {
            Some(pair) => {
                let part = |i| Ok::<_, Error>(text_of(&pair.get_item_by_index(i).unwrap_or_default())?.into_owned());
                [part(0)?, part(1)?]
            }
            None => [if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()],
        },
        indent: indent.map(|indent| blanks(&indent)).transpose()?,
    };
    let mut out = String::new();
    style.write(value, 0, &mut out)?;
    Ok(out)
}

/// So many blanks, or a text as it is.
pub(super) fn blanks(by: &Value) -> Result<String, Error> {
    let Some(text) = by.as_str() else {
        let width = by.as_usize().unwrap_or(0);
        fits(width)?;
        return Ok(" ".repeat(width));
    };
    Ok(text.to_owned())
}

/// How `json.dumps` was asked to write.
struct Json {
    ensure_ascii: bool,
    sort_keys: bool,
    /// Between items, and between a key and its value.
    separators: [String; 2],
    indent: Option<String>,
}

/// Values nested deeper than this are refused, as Python's recursion limit refuses them.
const DEEPEST: usize = 200;

impl Json {
    fn write(&self, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::BadSerialization, "the value is nested too deeply"));
        }
        fits(out.len())?;
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&json_number(value)),
            ValueKind::String => self.text(value.as_str().unwrap_or_default(), out),
            ValueKind::Map => {
                let mut pairs =
                    pairs(value).map(|(key, value)| Ok((json_key(&key)?, value))).collect::<Result<Vec<_>, Error>>()?;
                if self.sort_keys {
                    pairs.sort_by(|a, b| a.0.cmp(&b.0));
                }
                self.group(['{', '}'], pairs, depth, out, |(key, value), out| {
                    self.text(&key, out);
                    out.push_str(&self.separators[1]);
                    self.write(&value, depth + 1, out)
                })?;
            }
            ValueKind::Seq | ValueKind::Iterable => {
                in_bounds(value)?;
                let items = value.try_iter()?;
                self.group(['[', ']'], items, depth, out, |item, out| self.write(&item, depth + 1, out))?;
            }
            kind => return Err(Error::new(ErrorKind::BadSerialization, format!("a value of type {kind} is not JSON"))),
        }
        Ok(())
    }

    fn group<T>(
        &self,
        [open, close]: [char; 2],
        items: impl IntoIterator<Item = T>,
        depth: usize,
        out: &mut String,
        write: impl Fn(T, &mut String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut empty = true;
        out.push(open);
        for item in items {
            if !empty {
                out.push_str(&self.separators[0]);
            }
            empty = false;
            self.line(depth + 1, out)?;
            write(item, out)?;
        }
        if !empty {
            self.line(depth, out)?;
        }
        out.push(close);
        Ok(())
    }

    fn line(&self, depth: usize, out: &mut String) -> Result<(), Error> {
        if let Some(indent) = &self.indent {
            fits(out.len() + indent.len() * depth)?;
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
        Ok(())
    }

    fn text(&self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if c < ' ' || (self.ensure_ascii && c > '~') => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(out, "\\u{unit:04x}"); // writing to a String does not fail
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

fn json_number(value: &Value) -> String {
    match number(value).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        plain => plain.to_owned(),
    }
}

fn json_key(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::Number => Ok(json_number(key)),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        kind => Err(Error::new(ErrorKind::BadSerialization, format!("a value of type {kind} is no key"))),
    }
}
