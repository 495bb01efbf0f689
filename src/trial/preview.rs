//! What a run would do: its jobs, which of them the store has, and estimates for the rest.

use std::collections::HashMap;

use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::record::{Arm, ModelRef, Plan};
use crate::stage::Stage;

use super::graph::{self, Job};
use super::guard;
use super::store::{Manifest, Store};

/// One job before it runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobPreview {
    /// The stage.
    pub stage: Stage,
    /// The arm it serves first.
    pub arm: Arm,
    /// The replicate.
    pub seed: u64,
    /// The base that it runs on, where it has one.
    pub model: Option<ModelRef>,
    /// The artifact's key.
    pub key: String,
    /// Whether the store has it.
    pub cached: bool,
    /// How many rows it makes, or optimiser steps it takes, at most.
    pub rows: usize,
    /// Wall time and disk, from the store's own jobs of this stage and base; absent where it has none.
    pub estimate: Option<Estimate>,
}

/// What a job would take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Disk.
    pub bytes: f64,
}

/// The jobs of a plan, nothing run.
///
/// # Errors
/// As a run would fail before its first job: a missing model, questions or prompts file, an unknown target, a student that would be
/// asked in another context than it is trained in.
pub fn preview(plan: &Plan, engine: &dyn Engine, store: &Store, upto: Stage) -> Result<Vec<JobPreview>> {
    let graph = graph::build(plan, engine, upto)?;
    guard::contexts(plan, engine)?;
    let experience = experience(&store.manifests());
    let job = |job: &Job| JobPreview {
        stage: job.work.stage(),
        arm: job.arm,
        seed: job.seed,
        model: job.model.clone(),
        key: job.key.clone(),
        cached: store.find(&job.key).is_some(),
        rows: job.rows,
        estimate: experience
            .get(&(job.work.stage(), job.model.clone()))
            .map(|per_row| Estimate { seconds: per_row.seconds * job.rows as f64, bytes: per_row.bytes * job.rows as f64 }),
    };
    Ok(graph.jobs.iter().map(job).collect())
}

/// Mean cost of one row, by stage and base.
fn experience(manifests: &[Manifest]) -> HashMap<(Stage, Option<ModelRef>), Estimate> {
    let mut sums: HashMap<(Stage, Option<ModelRef>), (f64, f64, f64)> = HashMap::new();
    for manifest in manifests.iter().filter(|manifest| !manifest.resumed) {
        let sum = sums.entry((manifest.stage, manifest.model.clone())).or_default();
        sum.0 += manifest.expected as f64;
        sum.1 += manifest.seconds;
        sum.2 += manifest.files.values().map(|f| f.bytes as f64).sum::<f64>();
    }
    let mean =
        |(rows, seconds, bytes): (f64, f64, f64)| Estimate { seconds: seconds / rows.max(1.0), bytes: bytes / rows.max(1.0) };
    sums.into_iter().map(|(key, sum)| (key, mean(sum))).collect()
}
