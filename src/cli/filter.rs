//! `subliminal filter`: a trial up to its kept rows, or any JSONL without a model.

use std::path::PathBuf;

use super::{output, trial};
use crate::error::{Error, Result};
use crate::filter::{Counts, Files, Pipeline, filter_file};
use crate::record::DomainKind;
use crate::{config, domain};

/// Run a trial up to its kept rows, or filter any JSONL without a model.
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
    /// With `--rows`: a config whose `[filter]` applies; without it only the rules of the domain's form do.
    #[arg(long, value_name = "CONFIG", requires = "rows")]
    rules: Option<PathBuf>,
    /// With `--rows`: where kept rows go.
    #[arg(long, value_name = "FILE", requires = "rows")]
    kept: Option<PathBuf>,
    /// With `--rows`: where dropped rows go, with the rule and what it saw.
    #[arg(long, value_name = "FILE", requires = "rows")]
    dropped: Option<PathBuf>,
}

fn domain_kind(text: &str) -> Result<DomainKind, String> {
    domain::ALL.into_iter().find(|kind| domain::of(*kind).name() == text).ok_or_else(|| {
        let known: Vec<&str> = domain::ALL.into_iter().map(|kind| domain::of(kind).name()).collect();
        format!("expected one of: {}", known.join(", "))
    })
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match (&args.config, &args.rows, args.domain) {
        (Some(config), _, _) => trial::run_config(config, &args.trial, trial::Upto::Filter),
        (None, Some(rows), Some(domain)) => {
            let pipeline = pipeline(args, domain)?;
            let files = Files { rows, kept: args.kept.as_deref(), dropped: args.dropped.as_deref() };
            let counts = filter_file(&files, &pipeline)?;
            show(&counts, args.trial.json)
        }
        _ => Err(Error::input("name a config, or rows with their domain")),
    }
}

fn pipeline(args: &Args, domain: DomainKind) -> Result<Pipeline> {
    let Some(path) = &args.rules else { return Pipeline::format_only(domain) };
    let plan = config::load(path, &args.trial.set)?.plan;
    if plan.domain.kind != domain {
        let (asked, own) = (domain::of(domain).name(), domain::of(plan.domain.kind).name());
        return Err(Error::input(format!("`--domain` is `{asked}`, the config's domain is `{own}`")).at(path, None));
    }
    Pipeline::build(&plan.filter, &plan.domain, &plan.trait_.category)
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
