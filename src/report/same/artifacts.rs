//! Two artifacts of the same part: the first file, and in it the first line or field, in which they differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Difference;
use super::values::{self, cut};
use crate::error::{Error, Result};
use crate::tool::{fs, jsonl};
use crate::trial::store::{FileFacts, MANIFEST, Manifest};

/// Where a part of a run lies.
pub(super) struct Place {
    pub(super) path: PathBuf,
}

/// Files whose rows come in the order of a server's answers: what they led to is in the files beside them.
const BY_ARRIVAL: [&str; 1] = ["verdicts.jsonl"];

/// The first difference; the inner `None` where there is none, the outer one where an artifact is gone.
pub(super) fn difference(part: &str, runs: [&Path; 2], [one, other]: [&Place; 2]) -> Result<Option<Option<Difference>>> {
    if one.path.canonicalize().ok().is_some_and(|path| other.path.canonicalize().ok() == Some(path)) {
        return Ok(Some(None)); // both runs took it from the same store
    }
    let (Some(mine), Some(theirs)) = (files(&one.path), files(&other.path)) else { return Ok(None) };
    for (name, facts) in &mine {
        let place = format!("{part}, `{name}`");
        let Some(its) = theirs.get(name) else {
            let [with, without] = runs.map(|run| run.display().to_string());
            let (one, other) = (format!("in {with}"), format!("not in {without}"));
            return Ok(Some(Some(Difference { place, one, other })));
        };
        if facts.hash == its.hash || BY_ARRIVAL.contains(&name.as_str()) {
            continue;
        }
        if let Some((at, one, other)) = inside(name, &one.path.join(name), &other.path.join(name))? {
            return Ok(Some(Some(Difference { place: format!("{place}{at}"), one, other })));
        }
    }
    Ok(Some(theirs.keys().find(|name| !mine.contains_key(*name)).map(|name| {
        let [without, with] = runs.map(|run| run.display().to_string());
        Difference { place: format!("{part}, `{name}`"), one: format!("not in {without}"), other: format!("in {with}") }
    })))
}

fn files(artifact: &Path) -> Option<BTreeMap<String, FileFacts>> {
    Some(fs::read_json::<Manifest>(&artifact.join(MANIFEST)).ok()?.files)
}

/// Where in a file the first difference is that counts.
fn inside(name: &str, one: &Path, other: &Path) -> Result<Option<(String, String, String)>> {
    let ends = |with: &str| Path::new(name).extension().is_some_and(|end| end == with);
    if ends("jsonl") {
        return rows(one, other);
    }
    if ends("json") {
        let (a, b): (Value, Value) = (fs::read_json(one)?, fs::read_json(other)?);
        return Ok(values::difference(&a, &b).map(|(field, a, b)| (format!(", `{field}`"), a, b)));
    }
    let read = |path: &Path| std::fs::read(path).map_err(|e| Error::io("read", path, e));
    let (a, b) = (read(one)?, read(other)?);
    let at = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let of = |bytes: &[u8]| bytes.get(at).map_or("the end of the file".to_owned(), |byte| format!("byte {byte:#04x}"));
    Ok(Some((format!(" at {at} of {} and {} bytes", a.len(), b.len()), of(&a), of(&b))))
}

fn rows(one: &Path, other: &Path) -> Result<Option<(String, String, String)>> {
    let (mut a, mut b) = (jsonl::Reader::<Value>::open(one)?, jsonl::Reader::<Value>::open(other)?);
    let mut line = 0;
    loop {
        line += 1;
        let (x, y) = (a.next().transpose()?, b.next().transpose()?);
        let said = |row: &Option<Value>| row.as_ref().map_or("no such row".to_owned(), |row| cut(&row.to_string()));
        match (&x, &y) {
            (None, None) => return Ok(None),
            (Some(x), Some(y)) => {
                if let Some((field, x, y)) = values::difference(x, y) {
                    return Ok(Some((format!(", line {line}, `{field}`"), x, y)));
                }
            }
            _ => return Ok(Some((format!(", line {line}"), said(&x), said(&y)))),
        }
    }
}
