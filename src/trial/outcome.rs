//! From the artifacts to the [`Outcome`] that the report is made of, and the run's folder that tells users where their rows lie.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::engine::ModelIdentity;
use crate::error::Result;
use crate::record::{Arm, ArmEvaluation, Evaluation, FilterReport, ModelReport, Outcome, Plan, StageReport};
use crate::stage::{Stage, files, filter::Counts};
use crate::tool::{clock, fs, hash};

use super::gate::{Gate, rate_of};
use super::graph::{Graph, Key, Part};
use super::runner::{Made, runs_model};

/// The hash of all of a plan but its name.
pub fn plan_hash(plan: &Plan) -> String {
    hash::value(&Plan { name: String::new(), ..plan.clone() })
}

/// Reads what the jobs made.
pub(super) fn gather(plan: &Plan, graph: &Graph, made: &HashMap<Key, Made>, gate: &Gate<'_>, device: String) -> Result<Outcome> {
    let evaluations = evaluations(graph, made)?;
    let filter = filter_reports(graph, made)?;
    let telling = plan.evaluate.telling(plan.trait_.kind);
    let teachers = evaluations.iter().filter(|e| e.arm == Arm::Teacher && Some(e.evaluation.suite) == telling);
    let rates: Vec<f64> = teachers.map(|e| rate_of(&e.evaluation, plan)).collect();
    let mut gate = gate.report(&rates, &filter);
    gate.warnings.extend(evaluations.iter().filter_map(nothing_counts));
    Ok(Outcome {
        plan: plan.clone(),
        plan_hash: plan_hash(plan),
        device,
        models: models(plan, graph),
        gate,
        contexts: Vec::new(),
        evaluations,
        filter,
        stages: stages(graph, made),
        seconds: 0.0,
        finished: clock::now(),
    })
}

/// A warning where every answer of a model was left out: its seed has no rate then.
fn nothing_counts(asked: &ArmEvaluation) -> Option<String> {
    let evaluation = &asked.evaluation;
    let reasons: Vec<String> = evaluation.left_out.iter().map(|(why, n)| format!("{why} {n}")).collect();
    (evaluation.answers == 0 && !reasons.is_empty()).then(|| {
        format!(
            "{}, seed {}: no answer to the suite `{}` counts ({})",
            asked.arm,
            asked.seed,
            evaluation.suite,
            reasons.join(", ")
        )
    })
}

/// What the plan's bases stood for, in the plan's order.
fn models(plan: &Plan, graph: &Graph) -> Vec<ModelReport> {
    let report = |ModelIdentity { model, hash, family, parameters, commit }: ModelIdentity| ModelReport {
        model: model.to_string(),
        family,
        parameters,
        hash,
        commit,
    };
    let bases = std::iter::once(&plan.model.base).chain(&plan.model.cross);
    bases.filter_map(|base| graph.models.get(base).cloned()).map(report).collect()
}

/// The parts of one stage with their folders, in the order of arms, bases and seeds.
fn parts_of<'a>(graph: &'a Graph, made: &'a HashMap<Key, Made>, stage: Stage) -> Vec<(&'a Part, &'a Path)> {
    let folder = |part: &'a Part| Some((part, made.get(&part.key)?.artifact.dir.as_path()));
    let mut parts: Vec<_> = graph.parts.iter().filter(|p| p.stage == stage).filter_map(folder).collect();
    parts.sort_by_key(|(part, _)| part.arm); // stable: bases and seeds stay in the plan's order
    parts
}

fn evaluations(graph: &Graph, made: &HashMap<Key, Made>) -> Result<Vec<ArmEvaluation>> {
    let read = |(part, dir): (&Part, &Path)| {
        let evaluation: Evaluation = fs::read_json(&dir.join(files::EVALUATION))?;
        Ok(part.model.clone().map(|model| ArmEvaluation { arm: part.arm, seed: part.seed, model, evaluation }))
    };
    parts_of(graph, made, Stage::Evaluate).into_iter().filter_map(|part| read(part).transpose()).collect()
}

fn filter_reports(graph: &Graph, made: &HashMap<Key, Made>) -> Result<Vec<FilterReport>> {
    let read = |(part, dir): (&Part, &Path)| {
        let Counts { samples, kept, rules } = fs::read_json(&dir.join(files::COUNTS))?;
        Ok(FilterReport { arm: part.arm, seed: part.seed, samples, kept, rules })
    };
    parts_of(graph, made, Stage::Filter).into_iter().map(read).collect()
}

fn stages(graph: &Graph, made: &HashMap<Key, Made>) -> Vec<StageReport> {
    let report = |job: &super::graph::Job| {
        let Made { artifact, cached } = made.get(&job.key)?;
        let (stage, manifest) = (job.work.stage(), &artifact.manifest);
        // of a resumed artifact only the last part's time is known, but all of its tokens
        let timed = runs_model(stage) && manifest.seconds > 0.0 && !manifest.resumed;
        let tokens_per_second = if timed { manifest.done.tokens as f64 / manifest.seconds } else { 0.0 };
        Some(StageReport {
            stage: stage.name().to_owned(),
            arm: job.arm,
            seed: Some(job.seed),
            model: job.model.as_ref().map(ToString::to_string),
            key: job.key.clone(),
            seconds: manifest.seconds,
            rows: manifest.done.rows,
            tokens: manifest.done.tokens,
            tokens_per_second,
            peak_memory: manifest.peak_memory,
            cached: *cached,
        })
    };
    graph.jobs.iter().filter_map(report).collect()
}

/// One line of `jobs.json`: whose rows lie where.
#[derive(Serialize)]
struct Place<'a> {
    #[serde(flatten)]
    part: &'a Part,
    /// Relative to the run's folder where the store lies beside it.
    path: PathBuf,
}

/// Writes `plan.json` and `jobs.json` into the run's folder.
pub(super) fn write_places(out: &Path, plan: &Plan, graph: &Graph, place: impl Fn(&Key) -> PathBuf) -> Result<()> {
    fs::create_dir(out)?;
    fs::put_json(&out.join("plan.json"), plan)?;
    let here = out.canonicalize().unwrap_or_else(|_| out.to_path_buf());
    let places: Vec<Place<'_>> =
        graph.parts.iter().map(|part| Place { part, path: seen_from(&here, place(&part.key)) }).collect();
    fs::put_json(&out.join("jobs.json"), &places)
}

/// `path` as seen from `here`, where both lie in one folder; else as it is. So a folder of runs can be moved as a whole.
fn seen_from(here: &Path, path: PathBuf) -> PathBuf {
    let beside = here.parent().and_then(|parent| path.strip_prefix(parent).ok());
    beside.map(|rest| Path::new("..").join(rest)).unwrap_or(path)
}
