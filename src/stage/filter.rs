//! Rows are kept or dropped: `samples.jsonl` in, `kept.jsonl`, `dropped.jsonl` and `counts.json` out. No model; a restart begins anew.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::filter::{Files, Pipeline, filter_file};
use crate::record::{Category, DomainPlan, FilterPlan, RuleCount};
use crate::tool::fs;

use super::{Done, Progress, Room, files};

/// Which rows are kept. The whole category's words count as leaks, whatever the target, so that every target shares a control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// The rules.
    pub rules: FilterPlan,
    /// What the rows are.
    pub domain: DomainPlan,
    /// What the trait may be.
    pub category: Category,
}

/// `counts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that came in.
    pub samples: usize,
    /// Rows that every rule kept.
    pub kept: usize,
    /// Rows per rule, in the order of the rules, zeros included.
    pub rules: Vec<RuleCount>,
}

/// Filters the samples in the folder `data`.
///
/// # Errors
/// If a rule is not known, the rows cannot be read, the disk fails, or the user interrupts.
pub fn run(room: Room<'_>, spec: &Spec, data: &Path) -> Result<Done> {
    let pipeline = Pipeline::build(&spec.rules, &spec.domain, &spec.category)?;
    let (kept, dropped) = (room.dir.join(files::KEPT), room.dir.join(files::DROPPED));
    let rows = Files { rows: &data.join(files::SAMPLES), kept: Some(&kept), dropped: Some(&dropped) };
    let counts = filter_file(&rows, &pipeline)?;
    let counts = Counts { samples: counts.samples, kept: counts.kept, rules: counts.rules };
    fs::put_json(&room.dir.join(files::COUNTS), &counts)?;
    (room.listener)(Progress { done: counts.samples, total: counts.samples, ..Progress::default() });
    Ok(Done { rows: counts.samples, tokens: 0 })
}
