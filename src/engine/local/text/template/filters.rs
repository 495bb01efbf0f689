//! Filters and tests whose meaning in Jinja2 differs from minijinja's own.

#![expect(clippy::needless_pass_by_value, reason = "the signature that minijinja's filters have")]

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, wrong};
use super::bounds::{MOST_ITEMS, fits};
use super::methods::{capitalized, is_blank, replaced, stripped, together};
use super::python::{blanks, text_of, tojson};

/// Replaces what differs.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_filter("tojson", tojson);
    environment.add_filter("string", text);
    environment.add_filter("trim", trim);
    environment.add_filter("title", title);
    environment.add_filter("capitalize", |value: &Value| Ok::<_, Error>(capitalized(&text_of(value)?)));
    environment.add_filter("upper", |value: &Value| Ok::<_, Error>(text_of(value)?.to_uppercase()));
    environment.add_filter("lower", |value: &Value| Ok::<_, Error>(text_of(value)?.to_lowercase()));
    environment.add_filter("replace", replace);
    environment.add_filter("indent", indent);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("join", join);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("round", round);
    for name in ["length", "count"] {
        environment.add_filter(name, length);
    }
    environment.add_filter("first", |value: &Value| Ok::<_, Error>(items(value)?.next().unwrap_or_default()));
    environment.add_filter("last", |value: &Value| Ok::<_, Error>(items(value)?.take(MOST_ITEMS).last().unwrap_or_default()));
    for name in ["escape", "e", "forceescape"] {
        environment.add_filter(name, escape);
    }
    environment.add_filter("safe", text);
    environment.add_filter("wordcount", |value: &Value| Ok::<_, Error>(words(&text_of(value)?)));
    environment.add_test("iterable", |value: &Value| value.is_undefined() || value.try_iter().is_ok() && !value.is_none());
    environment.add_test("sequence", is_sequence);
    environment.add_test("number", |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool));
    environment.add_test("callable", |value: &Value| value.kind() == ValueKind::Plain);
    environment.add_test("lower", |value: &Value| {
        let text = text_of(value)?;
        Ok::<_, Error>(text.chars().any(char::is_lowercase) && *text == text.to_lowercase())
    });
    environment.add_test("upper", |value: &Value| {
        let text = text_of(value)?;
        Ok::<_, Error>(text.chars().any(char::is_uppercase) && *text == text.to_uppercase())
    });
}

fn text(value: &Value) -> Result<String, Error> {
    Ok(text_of(value)?.into_owned())
}

fn trim(value: &Value, args: Rest<Value>) -> Result<String, Error> {
    Ok(stripped(&text_of(value)?, "strip", Arguments::new(&args, 1)?.text(0, "chars")?.as_deref()).to_owned())
}

/// The first letter of every word in upper case, the others in lower case; words begin after blanks, hyphens and opening brackets.
fn title(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    let mut inside = false;
    for c in text_of(value)?.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = !(is_blank(c) || "-({[<".contains(c));
    }
    Ok(out)
}

fn replace(value: &Value, args: Rest<Value>) -> Result<String, Error> {
    let args = Arguments::new(&args, 3)?;
    let given = |place, name| text(&args.get(place, name)?.unwrap_or_else(|| Value::from("")));
    let (old, new) = (given(0, "old")?, given(1, "new")?);
    let most = args.integer(2, "count")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    replaced(&text_of(value)?, &old, &new, most)
}

/// Every line but the first, and but blank ones, further to the right by `width` blanks or by a text.
fn indent(value: &Value, args: Rest<Value>) -> Result<String, Error> {
    let args = Arguments::new(&args, 3)?;
    let (first, blank) = (args.flag(1, "first")?, args.flag(2, "blank")?);
    let by = args.get(0, "width")?.map_or_else(|| Ok(" ".repeat(4)), |width| blanks(&width))?;
    let text = text(value)? + "\n"; // so that a last line end is kept
    let lines: Vec<&str> = text.lines().collect();
    fits(text.len().saturating_add(by.len().saturating_mul(lines.len())))?;
    let place = |(i, line): (usize, &&str)| match i {
        0 if !first => (*line).to_owned(),
        0 => format!("{by}{line}"),
        _ if line.is_empty() && !blank => String::new(),
        _ => format!("{by}{line}"),
    };
    Ok(lines.iter().enumerate().map(place).collect::<Vec<_>>().join("\n"))
}

fn int(value: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let args = Arguments::new(&args, 2)?;
    let base = args.integer(1, "base")?.unwrap_or(10);
    let read = match value.as_str() {
        Some(text) => {
            let text = text.trim_matches(is_blank).replace('_', "");
            let radix = u32::try_from(base).ok().filter(|b| (2..=36).contains(b)).ok_or_else(|| wrong("no such base"))?;
            let float = || text.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| Value::from(x as i128));
            i128::from_str_radix(&text, radix).ok().map(Value::from).or_else(float)
        }
        None if value.kind() == ValueKind::Bool => Some(Value::from(i64::from(value.is_true()))),
        None if value.is_integer() => Some(value.clone()),
        None => f64::try_from(value.clone()).ok().map(|x| Value::from(x as i128)),
    };
    Ok(read.unwrap_or(args.get(0, "default")?.unwrap_or_else(|| Value::from(0))))
}

fn float(value: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let read = match value.as_str() {
        Some(text) => text.trim_matches(is_blank).parse::<f64>().ok(),
        None if value.kind() == ValueKind::Bool => Some(f64::from(value.is_true())),
        None => f64::try_from(value.clone()).ok(),
    };
    let default = Arguments::new(&args, 1)?.get(0, "default")?;
    Ok(read.map(Value::from).or(default).unwrap_or_else(|| Value::from(0.0)))
}

fn join(value: &Value, args: Rest<Value>) -> Result<String, Error> {
    let args = Arguments::new(&args, 2)?;
    let by = args.get(0, "d")?.map_or_else(|| Ok(String::new()), |by| text(&by))?;
    let attribute = args.get(1, "attribute")?;
    let part = |item: Value| match &attribute {
        Some(name) => text(&item.get_item(name)?),
        None => text(&item),
    };
    together(items(value)?.map(part), &by)
}

fn default(value: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let args = Arguments::new(&args, 2)?;
    let missing = value.is_undefined() || args.flag(1, "boolean")? && !value.is_true();
    if !missing {
        return Ok(value.clone());
    }
    // An explicit `none` is a default too.
    Ok(args.given(0, "default_value")?.unwrap_or_else(|| Value::from("")))
}

fn round(value: &Value, args: Rest<Value>) -> Result<Value, Error> {
    let args = Arguments::new(&args, 2)?;
    let x = f64::try_from(value.clone()).map_err(|_| wrong("only numbers can be rounded"))?;
    let scale = 10f64.powi(args.integer(0, "precision")?.and_then(|n| i32::try_from(n).ok()).unwrap_or(0));
    let scaled = x * scale;
    let rounded = match args.text(1, "method")?.as_deref() {
        Some("ceil") => scaled.ceil(),
        Some("floor") => scaled.floor(),
        _ if value.is_integer() => return Ok(value.clone()),
        _ => scaled.round_ties_even(),
    };
    Ok(Value::from(rounded / scale))
}

fn length(value: &Value) -> Result<usize, Error> {
    if value.is_undefined() {
        return Ok(0);
    }
    value.len().ok_or_else(|| wrong(format!("a value of type {} has no length", value.kind())))
}

fn items(value: &Value) -> Result<Box<dyn Iterator<Item = Value> + '_>, Error> {
    match value.as_str() {
        Some(text) => Ok(Box::new(text.chars().map(Value::from))),
        None if value.is_none() => Err(wrong("`none` has no items")),
        None => Ok(Box::new(value.try_iter()?)),
    }
}

fn escape(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    for c in text_of(value)?.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&#34;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    Ok(out)
}

fn words(text: &str) -> usize {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).count()
}

fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map | ValueKind::Undefined)
}
