//! TOML → [`Plan`]: reads a config, lays `--set` over it, checks everything before the first slow second and reports all
//! problems together, each with its place and what to do.
//!
//! `document` (text with places) → `check` (names, types, ranges by the schema) → `raw` (typed, as written) → `resolve`
//! (defaults with reasons, lookups, contradictions) → [`Resolved`].
//!
//! A new key is a field in `raw` (its doc comment is its description) and a line in `resolve`.

mod check;
mod document;
mod expected;
mod raw;
mod raw_judge;
mod raw_recipe;
mod resolve;
mod schema;
mod sources;
mod words;

use std::path::Path;

pub use resolve::{student_recipe, teacher_recipe};
pub use sources::{Setting, Source};

use crate::error::{Error, Problem, Result};
use crate::record::{EndpointPlan, JudgeKind, JudgePrompts, Plan, SettingReport, SuiteFiles};
use crate::tool::hash;
use resolve::Ledger;

/// A config, resolved.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What will be run.
    pub plan: Plan,
    /// The hash of what determines the plan's results, see [`plan_hash`].
    pub plan_hash: String,
    /// Every value and where it came from, in the order of the plan.
    pub sources: Vec<Setting>,
    /// What is allowed, but odd: keys without effect, settings that leave nothing to measure.
    pub warnings: Vec<String>,
}

impl Resolved {
    /// Every value and its source as a report tells them.
    pub fn settings(&self) -> Vec<SettingReport> {
        let report = |s: &Setting| SettingReport { key: s.key.clone(), value: s.value.clone(), source: s.source.to_string() };
        self.sources.iter().map(report).collect()
    }
}

/// Reads a config, lays each `KEY=VALUE` of `overrides` over it, and resolves it.
///
/// # Errors
/// If the file is missing or not TOML, or if anything in it is wrong: the error names every problem.
pub fn load(path: &Path, overrides: &[String]) -> Result<Resolved> {
    resolved(document::read(path, overrides)?, path)
}

/// As [`load`], with the file's text at hand: what its paths count from is still `path`.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_text(path: &Path, text: &str, overrides: &[String]) -> Result<Resolved> {
    resolved(document::of_text(path, text, overrides)?, path)
}

fn resolved(document: document::Document, path: &Path) -> Result<Resolved> {
    let document::Document { mut value, places, mut problems } = document;
    let findings = check::check(schema::config(), &places, &mut value);
    problems.extend(findings.problems);
    let config: raw::Config = serde_json::from_value(value).map_err(|e| Error::input(e.to_string()).at(path, None))?;
    let mut ledger = Ledger::new(&places, &findings.unsound);
    let plan = resolve::resolve(config, &mut ledger);
    problems.append(&mut ledger.problems);
    if !problems.is_empty() {
        return Err(Error::problems(in_order(problems)));
    }
    Ok(Resolved { plan_hash: plan_hash(&plan)?, plan, sources: ledger.settings, warnings: ledger.warnings })
}

/// The hash of what determines a plan's results: everything but its name, its `[expect]` and how often and how fast a judge's server is
/// asked, with the content of the files that it names in place of their paths.
///
/// # Errors
/// If such a file cannot be read.
pub fn plan_hash(plan: &Plan) -> Result<String> {
    let content = |path: &Option<std::path::PathBuf>| path.as_deref().map(hash::file).transpose();
    let asked = &plan.judge.prompts;
    let files = [
        content(&plan.domain.prompts)?,
        content(&plan.evaluate.questions)?,
        content(&plan.evaluate.files.misalignment)?,
        content(&plan.evaluate.files.truthfulness)?,
        content(&plan.evaluate.files.capability)?,
        content(&asked.reference)?,
        content(&asked.alignment)?,
        content(&asked.coherence)?,
    ];
    let mut bare = plan.clone();
    bare.name = String::new();
    bare.expect = crate::record::ExpectPlan::default();
    bare.domain.prompts = None;
    bare.evaluate.questions = None;
    bare.evaluate.files = SuiteFiles::default();
    bare.judge.prompts = JudgePrompts::default();
    if let JudgeKind::Endpoint(endpoint) = &mut bare.judge.who {
        *endpoint = EndpointPlan { key_env: None, concurrency: 0, timeout: 0.0, retries: 0, ..endpoint.clone() };
    }
    Ok(hash::value(&(bare, files)))
}

/// The JSON Schema of a config.
pub fn schema() -> serde_json::Value {
    schema::config().clone()
}

/// The JSON Schema of `report.json`.
pub fn report_schema() -> serde_json::Value {
    schema::report()
}

/// Every value of a plan and where it came from, aligned and grouped by table.
pub fn describe(resolved: &Resolved) -> String {
    sources::table(&resolved.sources)
}

/// In the order of the file; what comes from the command line last.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.file.is_none(), problem.line.unwrap_or(usize::MAX)));
    problems
}

#[cfg(test)]
mod tests;
