//! `subliminal run` and the stage commands: a config in, a finished trial (or a part of it) out.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::memory::{self, Need, Needs};
use super::setup::DeviceArgs;
use super::{output, preview, rendered};
use crate::config::{self, Resolved};
use crate::engine::{Engine, Reach};
use crate::error::Result;
use crate::record::{Outcome, Plan, Report};
use crate::report::{self, Style};
use crate::stage::Stage;
use crate::tool::fs;
use crate::trial::events::Events;
use crate::trial::progress::Observer;
use crate::trial::terminal::{Terminal, Verbosity};
use crate::trial::{self, JobPreview, Reuse, Store};

/// Run a trial.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal run configs/zebra-numbers.toml\n  \
    subliminal run configs/zebra-numbers.toml --set trait.target=owl --set seeds=[1,2,3]\n  \
    subliminal run configs/zebra-numbers.toml --dry-run")]
pub(crate) struct Args {
    /// The trial's config.
    config: PathBuf,
    #[command(flatten)]
    options: Options,
}

/// What `run` and the stage commands share.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Options {
    /// The run's folder: report.json, report.html, plan.json, jobs.json [default: runs/NAME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The folder of artifacts; runs that share it share what they have in common.
    #[arg(long, value_name = "DIR", default_value = "runs/.store")]
    store: PathBuf,
    /// Override a key of the config, e.g. `trait.target=owl`; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// At most this many rows together when sampling [default: what the engine finds best]; the samples do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch: Option<u32>,
    /// Show the resolved plan (each value and where it came from), the jobs and what they would take; run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Make everything anew, whatever the store has.
    #[arg(long)]
    fresh: bool,
    /// Machine-readable result on standard output.
    #[arg(long)]
    pub json: bool,
    /// Progress for scripts: one JSON object a line on standard error, instead of bars or lines.
    #[arg(long, conflicts_with_all = ["quiet", "verbose"])]
    json_progress: bool,
    /// Only warnings and the result.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// More about each job; with `--dry-run` also one rendered row.
    #[arg(short, long)]
    verbose: bool,
}

/// How far a trial goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upto {
    /// Samples.
    Generate,
    /// Kept rows.
    Filter,
    /// Students.
    Finetune,
    /// Answers.
    Evaluate,
    /// Everything.
    Report,
}

impl Upto {
    fn stage(self) -> Stage {
        match self {
            Self::Generate => Stage::Generate,
            Self::Filter => Stage::Filter,
            Self::Finetune => Stage::Finetune,
            Self::Evaluate | Self::Report => Stage::Evaluate,
        }
    }
}

pub(crate) fn run(args: &Args, upto: Upto) -> Result<()> {
    run_config(&args.config, &args.options, upto)
}

pub(crate) fn run_config(path: &Path, options: &Options, upto: Upto) -> Result<()> {
    let resolved = config::load(path, &options.set)?;
    for warning in &resolved.warnings {
        output::say(&format!("warning: {warning}"));
    }
    let engine = options.device.engine_for(&resolved.plan.trait_.category, options.batch)?;
    if options.dry_run {
        return dry_run(&resolved, engine.as_ref(), options, upto);
    }
    let out = options.out.clone().unwrap_or_else(|| Path::new("runs").join(&resolved.plan.name));
    let places = trial::Options {
        store: options.store.clone(),
        out: out.clone(),
        reuse: if options.fresh { Reuse::Nothing } else { Reuse::Stored },
        upto: upto.stage(),
        threads: options.device.threads.map(|n| n as usize),
    };
    let outcome = trial::run(&resolved.plan, engine.as_ref(), &places, options.observer().as_ref())?;
    if upto == Upto::Report { conclude(&resolved, &outcome, &out, options) } else { stop_early(&out, options) }
}

impl Options {
    fn observer(&self) -> Box<dyn Observer> {
        if self.json_progress { Box::new(Events::default()) } else { Box::new(Terminal::new(self.verbosity())) }
    }

    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// Writes the report, shows it, and holds it against `[expect]`.
fn conclude(resolved: &Resolved, outcome: &Outcome, out: &Path, options: &Options) -> Result<()> {
    let report = Report { settings: resolved.settings(), ..report::build(outcome)? };
    write(&report, out)?;
    if options.json {
        output::json(&report)?;
    }
    if options.json_progress {
        let verdict = &report.verdict;
        output::say(&serde_json::json!({"event": "report", "verdict": verdict, "folder": out}).to_string());
    } else if !options.json {
        let view = report::View { style: Style::detect(), folder: Some(out) };
        output::say(&format!("\n{}", report::table_in(&report, view).trim_end()));
    }
    report::expectations(&report, &resolved.plan.expect)
}

fn write(report: &Report, out: &Path) -> Result<()> {
    fs::write_json(&out.join("report.json"), report)?;
    fs::write_whole(&out.join("report.html"), report::html(report, Some(out)).as_bytes())
}

/// After a stage command: where the artifacts are.
fn stop_early(out: &Path, options: &Options) -> Result<()> {
    let places = out.join("jobs.json");
    if options.json {
        let jobs: serde_json::Value = fs::read_json(&places)?;
        return output::json(&jobs);
    }
    output::say(&format!("each job's folder is listed in {}", places.display()));
    Ok(())
}

/// What `--dry-run --json` prints.
#[derive(Serialize)]
struct Preview<'a> {
    plan: &'a Plan,
    plan_hash: &'a str,
    jobs: &'a [JobPreview],
    /// What each base takes in memory.
    memory: &'a [Need],
}

fn dry_run(resolved: &Resolved, engine: &dyn Engine, options: &Options, upto: Upto) -> Result<()> {
    let jobs = trial::preview(&resolved.plan, engine, &Store::look(&options.store), upto.stage())?;
    if let Some(known) = trial::known_null(&resolved.plan, &engine.identify(&resolved.plan.model.base)?) {
        output::say(&format!("warning: {known}"));
    }
    let room = memory::room(&options.device, &engine.facts());
    let needs = Needs { plan: &resolved.plan, engine, reach: Reach::Network, room }.all()?;
    if options.json {
        let Resolved { plan, plan_hash, .. } = resolved;
        return output::json(&Preview { plan, plan_hash, jobs: &jobs, memory: &needs });
    }
    let memory = format!("\nmemory of the jobs side by side\n{}", memory::table(&needs, room));
    output::data(&format!("{}\n{}{memory}", config::describe(resolved), preview::jobs(&jobs, options.device.thread_count())))?;
    if options.verbose {
        output::data(&format!("\n{}", rendered::rows(&resolved.plan, engine)?))?;
    }
    Ok(())
}
