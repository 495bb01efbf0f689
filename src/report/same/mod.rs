//! Whether two runs came to the same: their artifacts in the order in which data flow, then their reports, timings left out. Where they
//! differ first is where to look for the cause.

mod artifacts;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::tool::fs;

/// The list of a run's artifacts.
const JOBS: &str = "jobs.json";
/// The order in which data flow.
const STAGES: [&str; 5] = ["teacher", "generate", "filter", "finetune", "evaluate"];

/// What came of comparing two runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Same {
    /// Whether they are the same.
    pub same: bool,
    /// How many artifacts were compared, those that several arms share counted once.
    pub artifacts: usize,
    /// How many of them differ, or are a part of one run only.
    pub differing: usize,
    /// Artifacts that are in a run's store no more: the reports alone speak for them.
    pub gone: usize,
    /// Where the runs differ first.
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

/// One artifact in the part that it plays.
struct Place {
    /// The part, for people.
    part: String,
    path: PathBuf,
}

/// Compares two runs: their folders, or the `report.json` in them.
///
/// # Errors
/// If one of them is no finished run, or a file cannot be read.
pub fn same(one: &Path, other: &Path) -> Result<Same> {
    let [mine, theirs] = [places(one)?, places(other)?];
    let mut found = Same::default();
    let mut compared = HashSet::new();
    for place in &mine {
        match theirs.iter().find(|its| its.part == place.part) {
            None => found.note(Some(of_one(place, ["there", "no such part"]))),
            Some(its) if compared.insert((&place.path, &its.path)) => match artifacts::compare(place, its)? {
                artifacts::Compared::Gone => found.gone += 1,
                artifacts::Compared::Same => found.note(None),
                artifacts::Compared::Differ(difference) => found.note(Some(difference)),
            },
            Some(_) => {} // the same artifact plays another part
        }
    }
    for its in theirs.iter().filter(|its| mine.iter().all(|place| place.part != its.part)) {
        found.note(Some(of_one(its, ["no such part", "there"])));
    }
    let reports = values::difference(&report(one)?, &report(other)?);
    found.first = found.first.or_else(|| {
        let (field, one, other) = reports?;
        Some(Difference { place: format!("`report.json`, `{field}`"), one, other })
    });
    found.same = found.first.is_none();
    Ok(found)
}

impl Same {
    /// One more artifact was compared.
    fn note(&mut self, difference: Option<Difference>) {
        self.artifacts += 1;
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

    /// Nothing where the runs are the same.
    ///
    /// # Errors
    /// Where they differ.
    pub fn expect(&self) -> Result<()> {
        if self.same { Ok(()) } else { Err(Error::expectation("the runs differ")) }
    }
}

fn of_one(place: &Place, [one, other]: [&str; 2]) -> Difference {
    Difference { place: place.part.clone(), one: one.to_owned(), other: other.to_owned() }
}

fn report(run: &Path) -> Result<Value> {
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
    model: Option<Value>,
    path: PathBuf,
}

/// A run's artifacts in the order in which data flow, and within a stage in the run's own.
fn places(run: &Path) -> Result<Vec<Place>> {
    let folder = if run.is_file() { run.parent().unwrap_or(Path::new(".")) } else { run };
    let mut jobs: Vec<Job> = fs::read_json(&folder.join(JOBS))?;
    jobs.sort_by_key(|job| STAGES.iter().position(|stage| *stage == job.stage));
    let place = |job: Job| {
        let model = job.model.as_ref().map(|model| format!(" on {}", values::shown(model))).unwrap_or_default();
        let suite = job.suite.map(|suite| format!(", {suite}")).unwrap_or_default();
        let part = format!("{} {} seed {}{model}{suite}", job.stage, job.arm, job.seed);
        Place { part, path: folder.join(job.path) }
    };
    Ok(jobs.into_iter().map(place).collect())
}
