//! Configs, rows, reports and replies.

use std::io::BufReader;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::cli::rows::InputRow;
use crate::config;
use crate::filter::Line;
use crate::judge::{Question, understood};
use crate::record::{Answer, Dropped, Prompt, Report, Sample, Scored, StepRow};
use crate::report;
use crate::tool::jsonl;

/// A config, with a `--set` for every line that begins so.
pub(super) fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (overrides, lines): (Vec<&str>, Vec<&str>) = text.split('\n').partition(|line| line.starts_with("--set "));
    let overrides: Vec<String> = overrides.iter().map(|line| line["--set ".len()..].to_owned()).collect();
    match config::load_text(Path::new("/nowhere/x.toml"), &lines.join("\n"), &overrides) {
        Ok(resolved) => {
            let _ = config::describe(&resolved);
            let again: Value = serde_json::to_value(&resolved.plan).expect("a plan is plain data");
            assert!(!again.to_string().is_empty());
        }
        Err(error) => assert!(error.render().starts_with("error: "), "{error}"),
    }
}

/// The rows of every file that is read line by line.
pub(super) fn rows(data: &[u8]) {
    read::<InputRow>(data);
    read::<Prompt>(data);
    read::<Sample>(data);
    read::<Dropped>(data);
    read::<Answer>(data);
    read::<Scored>(data);
    read::<StepRow>(data);
    for (number, line) in data.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate() {
        if let Ok(row) = Line::read(line) {
            written(&row, line, number);
        }
    }
}

/// Line after line, through a buffer that cuts every line into pieces.
fn read<T: DeserializeOwned>(data: &[u8]) {
    let mut rows = jsonl::Reader::<T, _>::over(Path::new("rows.jsonl"), BufReader::with_capacity(7, data));
    while let Some(row) = rows.next() {
        if let Err(error) = row {
            let place = format!("error: rows.jsonl:{}: ", rows.line());
            assert!(error.render().starts_with(&place), "{}", error.render());
        }
    }
}

/// A row of the user's comes out of the filter as one line with every field that it had.
fn written(row: &Line<'_>, line: &[u8], number: usize) {
    let fields = |bytes: &[u8]| serde_json::from_slice::<Map<String, Value>>(bytes).expect("one object");
    let before = fields(line);
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    row.write_kept(line, number, &mut kept);
    row.write_dropped(line, number, "a \"rule\"", "a\ndetail", &mut dropped);
    for out in [&kept, &dropped] {
        assert_eq!(out.iter().position(|byte| *byte == b'\n'), Some(out.len() - 1), "one line");
        let after = fields(out);
        assert!(after.contains_key("id"));
        let same = |(key, value): (&String, &Value)| ["rule", "detail"].contains(&key.as_str()) || after.get(key) == Some(value);
        assert!(before.iter().all(same), "{before:?} became {after:?}");
    }
    let after = fields(&dropped);
    assert_eq!((after["rule"].as_str(), after["detail"].as_str()), (Some("a \"rule\""), Some("a\ndetail")));
}

/// A report of somebody else's: read, then shown in every way, alone and beside itself.
pub(super) fn report(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let Ok(report) = report::read(value, Path::new("report.json")) else { return };
    let _ = report::table_in(&report, report::View { style: report::Style::Plain, folder: None });
    let page = report::html(&report, None);
    assert!(!page.contains("<script>alert"), "a text of the report became part of the page");
    let _ = report::compare(&[report.clone(), report.clone()]);
    let again: Report = serde_json::from_value(serde_json::to_value(&report).expect("plain data")).expect("what was written");
    assert_eq!(serde_json::to_string(&again).ok(), serde_json::to_string(&report).ok());
}

/// A judge's reply, to every kind of question.
pub(super) fn reply(data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else { return };
    for question in [Question::Reference("owl".into()), Question::Alignment, Question::Coherence] {
        if let Ok(verdict) = understood(body, &question, 0.25) {
            let most = if matches!(question, Question::Reference(_)) { 1.0 } else { 100.0 };
            assert!(verdict.rating().is_none_or(|rating| (0.0..=most).contains(&rating)), "{verdict:?}");
            assert!(verdict.mass.is_none_or(|mass| mass.is_finite() && mass >= 0.0), "{verdict:?}");
        }
    }
}
