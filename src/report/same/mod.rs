//! Whether two runs came to the same: their artifacts in the order in which data flow, then their reports, timings left out. Where they
//! differ first is where to look for the cause.

mod artifacts;
mod values;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::artifacts::Place;
use crate::error::{Error, Result};
use crate::tool::fs;

/// The list of a run's artifacts.
const JOBS: &str = "jobs.json";

/// What came of comparing two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Same {
    /// Whether they are the same.
    pub same: bool,
    /// How many artifacts were compared, those that several arms share counted once.
    pub artifacts: usize,
    /// How many of them differ.
    pub differing: usize,
    /// Artifacts that are in neither run's store any more: the reports alone speak for them.
    pub gone: usize,
    /// Where they differ first.
    pub first: Option<Difference>,
}

/// A place where two runs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The artifact or the report, the file in it, the line or field.
    pub place: String,
    /// What the one says there.
    pub one: String,
    /// What the other says there.
    pub other: String,
}

/// Compares two runs' folders.
///
/// # Errors
/// If one of them is no finished run, or a file cannot be read.
pub fn same(one: &Path, other: &Path) -> Result<Same> {
    let reports = [report(one)?, report(other)?];
    let [mine, theirs] = [places(one)?, places(other)?];
    let mut found = Same { same: false, artifacts: 0, differing: 0, gone: 0, first: None };
    let mut compared = std::collections::HashSet::new();
    for (part, place) in &mine {
        let Some(its) = theirs.get(part) else {
            found.note(Some(missing(part, [one, other])));
            continue;
        };
        if !compared.insert((&place.path, &its.path)) {
            continue; // the same artifact plays several parts
        }
        match artifacts::difference(part, [one, other], [place, its])? {
            None => found.gone += 1,
            Some(difference) => {
                found.artifacts += 1;
                found.note(difference);
            }
        }
    }
    if let Some(part) = theirs.keys().find(|part| !mine.contains_key(*part)) {
        found.note(Some(missing(part, [other, one])));
    }
    if found.first.is_none() {
        let [a, b] = &reports;
        found.first = values::difference(a, b).map(|(field, one, other)| Difference {
            place: format!("`report.json`, `{field}`"),
            one,
            other,
        });
    }
    found.same = found.first.is_none();
    Ok(found)
}

impl Same {
    fn note(&mut self, difference: Option<Difference>) {
        self.differing += usize::from(difference.is_some());
        self.first = self.first.take().or(difference);
    }

    /// For people, of the runs `one` and `other`.
    pub fn text(&self, one: &Path, other: &Path) -> String {
        let gone = if self.gone == 0 { String::new() } else { format!(" ({} are gone, not compared)", self.gone) };
        let Some(first) = &self.first else {
            return format!("the same: {} artifacts{gone} and the report, timings left out\n", self.artifacts);
        };
        let names = [one.display().to_string(), other.display().to_string()];
        let width = names.iter().map(String::len).max().unwrap_or(0);
        let mut text = format!("{} of {} artifacts differ{gone}, first in {}\n", self.differing, self.artifacts, first.place);
        for (name, said) in names.iter().zip([&first.one, &first.other]) {
            let _ = writeln!(text, "  {name:<width$}  {said}"); // writing to a string cannot fail
        }
        text
    }

    /// An error where the runs differ.
    ///
    /// # Errors
    /// If they do.
    pub fn expect(&self) -> Result<()> {
        if self.same { Ok(()) } else { Err(Error::expectation("the runs differ")) }
    }
}

fn missing(part: &str, [with, without]: [&Path; 2]) -> Difference {
    let one = format!("{} has it", with.display());
    Difference { place: part.to_owned(), one, other: format!("{} has no such part", without.display()) }
}

fn report(run: &Path) -> Result<serde_json::Value> {
    let report = super::load(run)?;
    serde_json::to_value(report).map_err(|e| Error::environment("cannot serialise a report").because(e))
}

/// One line of `jobs.json`, as far as it is needed here.
#[derive(Deserialize)]
struct Job {
    arm: String,
    seed: u64,
    stage: String,
    suite: Option<String>,
    model: Option<serde_json::Value>,
    path: PathBuf,
}

/// A run's parts by their names, in the order in which data flow.
fn places(run: &Path) -> Result<Parts> {
    let folder = if run.is_dir() { run } else { run.parent().unwrap_or(Path::new(".")) };
    let jobs: Vec<Job> = fs::read_json(&folder.join(JOBS))?;
    let mut parts = Parts::default();
    for job in jobs {
        let model = job.model.as_ref().map(|model| format!(" on {}", values::shown(model))).unwrap_or_default();
        let suite = job.suite.map(|suite| format!(" {suite}")).unwrap_or_default();
        let name = format!("{} {} seed {}{model}{suite}", job.stage, job.arm, job.seed);
        parts.insert(stage_order(&job.stage), name, Place { path: folder.join(job.path) });
    }
    Ok(parts)
}

fn stage_order(stage: &str) -> usize {
    let stages = ["teacher", "generate", "filter", "finetune", "evaluate"];
    stages.iter().position(|known| *known == stage).unwrap_or(stages.len())
}

/// Parts in the order of their stages, and in a stage in the run's own.
#[derive(Default)]
struct Parts {
    order: Vec<(usize, String)>,
    of: BTreeMap<String, Place>,
}

impl Parts {
    fn insert(&mut self, stage: usize, name: String, place: Place) {
        let at = self.order.partition_point(|(other, _)| *other <= stage);
        self.order.insert(at, (stage, name.clone()));
        self.of.insert(name, place);
    }

    fn get(&self, name: &str) -> Option<&Place> {
        self.of.get(name)
    }

    fn contains_key(&self, name: &str) -> bool {
        self.of.contains_key(name)
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        self.order.iter().map(|(_, name)| name)
    }
}

impl<'a> IntoIterator for &'a Parts {
    type Item = (&'a String, &'a Place);
    type IntoIter = Box<dyn Iterator<Item = Self::Item> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.order.iter().filter_map(|(_, name)| Some((name, self.of.get(name)?))))
    }
}

#[cfg(test)]
mod tests;
