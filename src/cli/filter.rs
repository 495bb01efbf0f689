//! `subliminal filter`: a trial up to its kept rows, or any JSONL, without a model where no rule asks a judge.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use super::{output, trial};
use crate::error::{Error, Result};
use crate::filter::{Bench, Counts, Files, Pipeline, count_rows, filter_file, filter_file_asking};
use crate::judge::Kept;
use crate::record::{DomainKind, DomainPlan, JudgeKind, Plan};
use crate::stage::judge;
use crate::{config, domain};

/// Run a trial up to its kept rows, or filter any JSONL; without a model, unless a rule asks a judge.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal filter configs/zebra-numbers.toml\n  \
    subliminal filter --rows samples.jsonl --domain numbers --kept kept.jsonl --dropped dropped.jsonl")]
pub(crate) struct Args {
    #[command(flatten)]
    trial: trial::Options,
    /// The trial's config.
    #[arg(required_unless_present = "rows", conflicts_with = "rows")]
    config: Option<PathBuf>,
    /// JSONL of {"id"?, "prompt", "completion"}; further fields are kept as they are. Ids default to the line number.
    #[arg(long, value_name = "FILE", requires = "domain")]
    rows: Option<PathBuf>,
    /// With `--rows`: what the rows are.
    #[arg(long, requires = "rows", value_parser = domain_kind)]
    domain: Option<DomainKind>,
    /// With `--rows`: a config whose `[filter]` applies; without it only the domain's own rules do.
    #[arg(long, value_name = "CONFIG", requires = "rows")]
    rules: Option<PathBuf>,
    /// With `--rows`: where kept rows go.
    #[arg(long, value_name = "FILE", requires = "rows")]
    kept: Option<PathBuf>,
    /// With `--rows`: where dropped rows go, with the rule and what it saw.
    #[arg(long, value_name = "FILE", requires = "rows")]
    dropped: Option<PathBuf>,
    /// With `--rules` that ask a judge: every request and verdict is kept here as it comes, and what stands here is not asked again
    /// [default: verdicts.jsonl; for the lexicon nowhere].
    #[arg(long, value_name = "FILE", requires = "rules")]
    verdicts: Option<PathBuf>,
}

impl Args {
    /// Whether rows are filtered, without a trial.
    pub(super) fn of_rows(&self) -> bool {
        self.rows.is_some()
    }
}

fn domain_kind(text: &str) -> Result<DomainKind, String> {
    domain::named(text).map(|plan| plan.kind).ok_or_else(|| {
        let known: Vec<&str> = domain::ALL.into_iter().map(domain_name).collect();
        format!("expected one of: {}", known.join(", "))
    })
}

fn domain_name(kind: DomainKind) -> &'static str {
    domain::of(&DomainPlan::of(kind)).name()
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match (&args.config, &args.rows, args.domain) {
        (Some(config), _, _) => trial::run_config(config, &args.trial, trial::Upto::Filter),
        (None, Some(rows), Some(domain)) => {
            let files = Files { rows, kept: args.kept.as_deref(), dropped: args.dropped.as_deref() };
            let counts = match &args.rules {
                None => filter_file(&files, &Pipeline::format_only(domain)?)?,
                Some(config) => by_config(&files, &plan(args, config, domain)?, args)?,
            };
            show(&counts, args.trial.json)
        }
        _ => Err(Error::input("name a config, or rows with their domain")),
    }
}

/// The plan of the config whose rules apply.
fn plan(args: &Args, path: &Path, domain: DomainKind) -> Result<Plan> {
    let plan = config::load(path, &args.trial.set)?.plan;
    if plan.domain.kind != domain {
        let (asked, own) = (domain_name(domain), domain_name(plan.domain.kind));
        return Err(Error::input(format!("`--domain` is `{asked}`, the config's domain is `{own}`")).at(path, None));
    }
    Ok(plan)
}

fn by_config(files: &Files<'_>, plan: &Plan, args: &Args) -> Result<Counts> {
    let pipeline = Pipeline::build(&plan.filter, &plan.domain, &plan.trait_.category)?;
    if pipeline.judged().next().is_none() {
        return filter_file(files, &pipeline);
    }
    let default = (plan.judge.who != JudgeKind::Lexicon).then(|| PathBuf::from("verdicts.jsonl"));
    let verdicts = args.verdicts.clone().or(default);
    if let Some(path) = verdicts.as_deref().filter(|path| files.have(path)) {
        return Err(Error::input("the verdicts would stand among the rows").at(path, None).hint("give each its own file"));
    }
    let judge = judge::open(&plan.judge, args.trial.device.engine_for(&plan.trait_.category, None)?.as_ref())?;
    let bar = ProgressBar::new(count_rows(files.rows)? as u64);
    let mut listener = |done: usize, note: Option<&str>| {
        bar.set_position(done as u64);
        if let Some(note) = note {
            bar.suspend(|| output::say(note));
        }
    };
    let kept = Kept::open(verdicts.as_deref())?;
    let mut bench = Bench { judge: judge.as_ref(), thresholds: &plan.judge.thresholds, kept, listener: &mut listener };
    let counts = filter_file_asking(&mut bench, files, &pipeline)?;
    bar.finish_and_clear();
    if let Some(limits) = judge.limits() {
        output::say(&format!("note: {limits}"));
    }
    Ok(counts)
}

fn show(counts: &Counts, json: bool) -> Result<()> {
    if json {
        return output::json(counts);
    }
    let share = |n: usize| 100.0 * n as f64 / counts.samples.max(1) as f64;
    output::say(&format!("{:>10} rows", counts.samples));
    for rule in &counts.rules {
        output::say(&format!("{:>10} {:5.1} %  dropped by {}", rule.dropped, share(rule.dropped), rule.rule));
    }
    output::say(&format!("{:>10} {:5.1} %  kept", counts.kept, share(counts.kept)));
    Ok(())
}
