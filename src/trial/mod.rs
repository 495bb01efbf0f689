//! A trial: a plan in, its jobs run, the [`Outcome`] out.
//!
//! | module | what it does |
//! |---|---|
//! | [`graph`] | arms × seeds → jobs, named by what determines them |
//! | [`store`] | artifacts on disk, complete or invisible |
//! | `runner` | jobs in dependency order, side by side |
//! | `guard` | compares the contexts of training and evaluation before any work |
//! | `gate` | warns before hours are spent |
//! | `nulls` | bases with which others saw nothing |
//! | `priming` | how an arm's teacher gets its trait |
//! | [`progress`], [`terminal`], [`events`] | what is told while it runs, and how it is shown to people and to scripts |
//! | [`preview`](mod@preview) | what a run would do |

pub mod events;
mod gate;
pub mod graph;
mod guard;
#[cfg(test)]
mod judged;
mod nulls;
mod outcome;
mod pace;
mod preview;
mod priming;
pub mod progress;
mod runner;
pub mod store;
pub mod terminal;
#[cfg(test)]
pub(crate) mod tests;

use std::path::PathBuf;
use std::time::Instant;

pub use nulls::known_null;
pub use outcome::plan_hash;
pub use preview::{Estimate, JobPreview, preview};
pub use priming::lessons;
pub use store::{Reuse, Store};

use crate::engine::Engine;
use crate::error::Result;
use crate::record::{Outcome, Plan};
use crate::stage::Stage;
use crate::tool::fs;

use progress::{Event, Observer};
use runner::Runner;

/// Where a run works, and how far it goes.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of artifacts; several runs may share it.
    pub store: PathBuf,
    /// The run's own folder: `plan.json`, `jobs.json`, `outcome.json`.
    pub out: PathBuf,
    /// What may be taken from the store.
    pub reuse: Reuse,
    /// The last stage that runs.
    pub upto: Stage,
    /// Threads over all jobs; all cores where absent.
    pub threads: Option<usize>,
}

/// Runs a trial; what is in the store already is not made again.
///
/// # Errors
/// Wrong input, before the first job; the first job's failure, with its name; a strict gate; an interruption, after everything was saved.
pub fn run(plan: &Plan, engine: &dyn Engine, options: &Options, observer: &dyn Observer) -> Result<Outcome> {
    let began = Instant::now();
    let graph = graph::build(plan, engine, options.upto)?;
    let contexts = guard::contexts(plan, engine)?;
    let store = Store::open(&options.store)?;
    check_judges(&graph, &store, options.reuse)?;
    outcome::write_places(&options.out, plan, &graph, |key| store.place(key))?;
    observer.notice(Event::Planned { jobs: graph.jobs.len() });
    let known = graph.models.get(&plan.model.base).and_then(|base| known_null(plan, base));
    let gate = gate::Gate::new(plan, known, observer);
    let look = |job: &graph::Job, artifact: &store::Artifact| gate.look(job, artifact);
    let runner = Runner { graph: &graph, engine, store: &store, reuse: options.reuse, observer, gate: &look };
    let made = runner.run(options.threads)?;
    let mut outcome = outcome::gather(plan, &graph, &made, &gate, engine.facts().device)?;
    outcome.contexts = contexts;
    outcome.seconds = began.elapsed().as_secs_f64();
    fs::put_json(&options.out.join("outcome.json"), &outcome)?;
    Ok(outcome)
}

/// A judge that no job could ask stops the run before the first of them.
fn check_judges(graph: &graph::Graph, store: &Store, reuse: Reuse) -> Result<()> {
    let to_do = graph.jobs.iter().filter(|job| reuse == Reuse::Nothing || store.find(&job.key).is_none());
    let mut checks = to_do.filter_map(|job| match &job.work {
        graph::Work::Filter { spec, .. } => spec.judge.as_ref().map(crate::stage::filter::Judging::check),
        graph::Work::Evaluate { spec, .. } => spec.judge.as_ref().map(crate::stage::ratings::Rating::check),
        _ => None,
    });
    checks.next().unwrap_or(Ok(())) // they all ask the same judge
}
