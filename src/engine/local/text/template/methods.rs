//! Python's methods of texts, lists and mappings, as chat templates call them. What is not here, minijinja's own set answers.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use minijinja_contrib::pycompat;

use super::arguments::{Arguments, wrong};
use super::bounds::{MOST_ITEMS, fits, widths_fit};

/// Calls a method that minijinja does not know.
pub(super) fn call(state: &State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let own = match value.as_str() {
        Some(text) => of_text(text, method, args)?,
        None => of_list(value, method, args)?,
    };
    own.map_or_else(|| pycompat::unknown_method_callback(state, value, method, args), Ok)
}

/// What Python takes for blank: Unicode's white space and four separators of ASCII.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn of_text(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let value = match method {
        "strip" | "lstrip" | "rstrip" => {
            Value::from(stripped(text, method, Arguments::new(args, 1)?.text(0, "chars")?.as_deref()))
        }
        "split" | "rsplit" => {
            let args = Arguments::new(args, 2)?;
            let most = args.integer(1, "maxsplit")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
            Value::from(split(text, args.text(0, "sep")?.as_deref(), most, method == "rsplit")?)
        }
        "splitlines" => Value::from(lines(text, Arguments::new(args, 1)?.flag(0, "keepends")?)),
        "partition" | "rpartition" => {
            Value::from(parted(text, &Arguments::new(args, 1)?.needed_text(0, "sep")?, method).to_vec())
        }
        "removeprefix" => Value::from(text.strip_prefix(&*Arguments::new(args, 1)?.needed_text(0, "prefix")?).unwrap_or(text)),
        "removesuffix" => Value::from(text.strip_suffix(&*Arguments::new(args, 1)?.needed_text(0, "suffix")?).unwrap_or(text)),
        "find" | "rfind" | "index" | "rindex" | "count" => search(text, method, &Arguments::new(args, 3)?)?,
        "title" => Value::from(title(text)),
        "capitalize" => Value::from(capitalized(text)),
        "swapcase" => Value::from(text.chars().map(swapped).collect::<String>()),
        "islower" => Value::from(in_case(text, char::is_lowercase, char::is_uppercase)),
        "isupper" => Value::from(in_case(text, char::is_uppercase, char::is_lowercase)),
        "isspace" => Value::from(!text.is_empty() && text.chars().all(is_blank)),
        "isalpha" => Value::from(!text.is_empty() && text.chars().all(char::is_alphabetic)),
        "isalnum" => Value::from(!text.is_empty() && text.chars().all(char::is_alphanumeric)),
        "isdigit" | "isdecimal" | "isnumeric" => Value::from(!text.is_empty() && text.chars().all(char::is_numeric)),
        "zfill" | "ljust" | "rjust" | "center" => Value::from(widened(text, method, &Arguments::new(args, 2)?)?),
        "replace" => {
            let args = Arguments::new(args, 3)?;
            let most = args.integer(2, "count")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
            Value::from(replaced(text, &args.needed_text(0, "old")?, &args.needed_text(1, "new")?, most)?)
        }
        "format" => {
            widths_fit(text)?; // minijinja does the rest
            return Ok(None);
        }
        "join" => Value::from(joined(text, &Arguments::new(args, 1)?)?),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn of_list(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    Ok(match method {
        "index" if is_list => {
            let wanted = Arguments::new(args, 1)?.get(0, "value")?.unwrap_or_default();
            let place = value.try_iter()?.position(|item| item == wanted);
            Some(Value::from(place.ok_or_else(|| wrong("the value is not in the list"))?))
        }
        "copy" if is_list || value.kind() == ValueKind::Map => Some(value.clone()),
        _ => None,
    })
}

/// Without these characters, or without blanks, at the ends that the method names.
pub(super) fn stripped<'a>(text: &'a str, method: &str, chars: Option<&str>) -> &'a str {
    let goes = |c: char| chars.map_or_else(|| is_blank(c), |chars| chars.contains(c));
    match method {
        "lstrip" => text.trim_start_matches(goes),
        "rstrip" => text.trim_end_matches(goes),
        _ => text.trim_matches(goes),
    }
}

fn split(text: &str, by: Option<&str>, most: usize, from_end: bool) -> Result<Vec<String>, Error> {
    let pieces = match by {
        Some("") => return Err(wrong("empty separator")),
        Some(by) if from_end => text.rsplitn(most.saturating_add(1), by).map(str::to_owned).collect(),
        Some(by) => return Ok(text.splitn(most.saturating_add(1), by).map(str::to_owned).collect()),
        None if from_end => words_from_end(text, most),
        None => return Ok(words(text, most)),
    };
    Ok(pieces.into_iter().rev().collect())
}

/// Split at runs of blanks, at most so often; the rest keeps its blanks but for those at its start.
fn words(text: &str, most: usize) -> Vec<String> {
    let (mut pieces, mut rest) = (Vec::new(), text.trim_start_matches(is_blank));
    while !rest.is_empty() {
        if pieces.len() == most {
            pieces.push(rest.to_owned());
            break;
        }
        let end = rest.find(is_blank).unwrap_or(rest.len());
        pieces.push(rest[..end].to_owned());
        rest = rest[end..].trim_start_matches(is_blank);
    }
    pieces
}

/// The same from the end, the last word first.
fn words_from_end(text: &str, most: usize) -> Vec<String> {
    let (mut pieces, mut rest) = (Vec::new(), text.trim_end_matches(is_blank));
    while !rest.is_empty() {
        if pieces.len() == most {
            pieces.push(rest.to_owned());
            break;
        }
        let start = rest.char_indices().rev().find(|(_, c)| is_blank(*c)).map_or(0, |(at, c)| at + c.len_utf8());
        pieces.push(rest[start..].to_owned());
        rest = rest[..start].trim_end_matches(is_blank);
    }
    pieces
}

/// The lines, at any of Python's line ends.
fn lines(text: &str, keep_ends: bool) -> Vec<String> {
    let ends = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let (mut lines, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let end = rest.find(ends).unwrap_or(rest.len());
        let mark = if rest[end..].starts_with("\r\n") { 2 } else { rest[end..].chars().next().map_or(0, char::len_utf8) };
        lines.push(rest[..if keep_ends { end + mark } else { end }].to_owned());
        rest = &rest[end + mark..];
    }
    lines
}

fn parted(text: &str, by: &str, method: &str) -> [String; 3] {
    let found = if method == "partition" { text.split_once(by) } else { text.rsplit_once(by) };
    let parts = match found {
        Some((before, after)) => [before, by, after],
        None if method == "partition" => [text, "", ""],
        None => ["", "", text],
    };
    parts.map(str::to_owned)
}

/// `find`, `rfind`, `index`, `rindex` and `count`, in characters.
fn search(text: &str, method: &str, args: &Arguments) -> Result<Value, Error> {
    let (wanted, length) = (args.needed_text(0, "sub")?, text.chars().count() as i64);
    let place = |at: i64| if at < 0 { (length + at).max(0) } else { at.min(length) } as usize;
    let (start, end) = (place(args.integer(1, "start")?.unwrap_or(0)), place(args.integer(2, "end")?.unwrap_or(length)));
    let part: String = text.chars().skip(start).take(end.saturating_sub(start)).collect();
    if method == "count" {
        let count = if wanted.is_empty() { part.chars().count() + 1 } else { part.matches(&*wanted).count() };
        return Ok(Value::from(count));
    }
    let found = if method.starts_with('r') { part.rfind(&*wanted) } else { part.find(&*wanted) };
    match found {
        Some(at) => Ok(Value::from(start + part[..at].chars().count())),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(wrong("substring not found")),
    }
}

/// The first letter of every run of letters in upper case, the others in lower case.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// The first letter in upper case, the others in lower case.
pub(super) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

fn swapped(c: char) -> String {
    if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() }
}

fn in_case(text: &str, one: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(one) && !text.chars().any(other)
}

fn widened(text: &str, method: &str, args: &Arguments) -> Result<String, Error> {
    let width = args.integer(0, "width")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(WIDEST);
    let fill = if method == "zfill" { "0".to_owned() } else { args.text(1, "fillchar")?.unwrap_or_else(|| " ".to_owned()) };
    if fill.chars().count() != 1 {
        return Err(wrong("the fill character must be exactly one character long"));
    }
    let missing = width.saturating_sub(text.chars().count());
    let fill = |n: usize| fill.repeat(n);
    Ok(match method {
        "ljust" => format!("{text}{}", fill(missing)),
        "rjust" => format!("{}{text}", fill(missing)),
        "zfill" => {
            let digits = text.trim_start_matches(['+', '-']);
            format!("{}{}{digits}", &text[..text.len() - digits.len()], fill(missing))
        }
        _ => {
            let before = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill(before), fill(missing - before))
        }
    })
}

/// More than any template pads to.
const WIDEST: usize = 1 << 20;

fn joined(text: &str, args: &Arguments) -> Result<String, Error> {
    let items = args.get(0, "iterable")?.unwrap_or_default();
    let texts = items.try_iter()?.map(|item| match item.as_str() {
        Some(item) => Ok(item.to_owned()),
        None => Err(wrong(format!("expected a list of texts, found a value of type {}", item.kind()))),
    });
    together(texts, text)
}

/// Texts with another between them, as long as all of it fits.
pub(super) fn together(texts: impl Iterator<Item = Result<String, Error>>, by: &str) -> Result<String, Error> {
    let mut out = String::new();
    for (i, text) in texts.enumerate() {
        if i > 0 {
            out.push_str(by);
        }
        out.push_str(&text?);
        fits(out.len())?;
        if i > MOST_ITEMS {
            return Err(wrong(format!("more than {MOST_ITEMS} texts to join")));
        }
    }
    Ok(out)
}

/// A text with another in the place of a third, at most so often, as long as all of it fits.
pub(super) fn replaced(text: &str, old: &str, new: &str, most: usize) -> Result<String, Error> {
    let count = text.matches(old).take(most).count();
    fits(text.len().saturating_add(count.saturating_mul(new.len())))?;
    Ok(text.replacen(old, new, most))
}
