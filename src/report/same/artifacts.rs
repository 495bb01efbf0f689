//! Two artifacts of the same part: the first file, and in it the first line or field, in which they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::values::{self, cut};
use super::{Difference, Place};
use crate::error::{Error, Result};
use crate::stage::event_log;
use crate::tool::{fs, jsonl};
use crate::trial::store::{FileFacts, MANIFEST, Manifest};

/// Files that hold times throughout, or rows in the order of a server's answers: what they tell is in the files beside them.
const TOLD_ELSEWHERE: [&str; 2] = ["verdicts.jsonl", event_log::FILE];

/// What came of two artifacts.
pub(super) enum Compared {
    /// One of them is in its store no more.
    Gone,
    /// They are the same.
    Same,
    /// They differ, first here.
    Differ(Difference),
}

/// Compares what two artifacts hold, by the hashes that their manifests state, and where these differ by their content.
pub(super) fn compare(one: &Place, other: &Place) -> Result<Compared> {
    let real = |place: &Place| place.path.canonicalize().ok();
    if real(one).is_some() && real(one) == real(other) {
        return Ok(Compared::Same); // both runs took it from the same store
    }
    let (Some(mine), Some(theirs)) = (files(&one.path), files(&other.path)) else { return Ok(Compared::Gone) };
    let names: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
    for name in names.into_iter().filter(|name| !TOLD_ELSEWHERE.contains(&name.as_str())) {
        let hash = |files: &BTreeMap<String, FileFacts>| files.get(name).map(|facts| facts.hash.clone());
        let found = match (hash(&mine), hash(&theirs)) {
            (a, b) if a == b => None,
            (Some(_), Some(_)) => inside(&one.path.join(name), &other.path.join(name))?,
            (a, b) => Some((String::new(), presence(a.is_some()), presence(b.is_some()))),
        };
        if let Some((at, mine, its)) = found {
            return Ok(Compared::Differ(Difference { place: format!("{}, `{name}`{at}", one.part), one: mine, other: its }));
        }
    }
    Ok(Compared::Same)
}

fn presence(there: bool) -> String {
    if there { "there" } else { "no such file" }.to_owned()
}

fn files(artifact: &Path) -> Option<BTreeMap<String, FileFacts>> {
    Some(fs::read_json::<Manifest>(&artifact.join(MANIFEST)).ok()?.files)
}

/// Where in a file the first difference is that counts.
fn inside(one: &Path, other: &Path) -> Result<Option<(String, String, String)>> {
    let ends = |with: &str| one.extension().is_some_and(|end| end == with);
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
