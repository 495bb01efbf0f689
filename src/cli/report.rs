//! `subliminal report`: one run, or several side by side.

use std::path::PathBuf;

use rayon::prelude::*;

use super::output;
use crate::error::{Error, Result};
use crate::record::Report;
use crate::report::{self, SideBySide};
use crate::tool::fs;

/// Show one run, or several side by side.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(after_help = "Examples:\n  subliminal report runs/zebra-numbers\n  subliminal report runs/sweep/* --markdown\n  \
    subliminal report runs/sweep/* --by finetune.epochs --html sweep.html\n  \
    subliminal report runs/one runs/other --same")]
pub(crate) struct Args {
    /// Run folders (with a report.json) or report.json files.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Machine-readable: one run's report, or the comparison of several.
    #[arg(long, group = "form")]
    json: bool,
    /// The comparison as a Markdown table.
    #[arg(long, group = "form")]
    markdown: bool,
    /// Whether two runs came to the same, artifact by artifact, timings left out; says where they differ first. Exit status 4 if they do.
    #[arg(long, conflicts_with_all = ["markdown", "csv", "by", "html", "svg"])]
    same: bool,
    /// The comparison as CSV, one line a run.
    #[arg(long, group = "form")]
    csv: bool,
    /// Order the runs by a key of the config (or `target`, `model`, `domain`, `name`) and show the mean effect of each value.
    #[arg(long, value_name = "KEY")]
    by: Option<String>,
    /// Also write a self-contained page: of the run, or of the comparison.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write the main picture: every arm's rate, or every run's effect.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.same {
        return same(args);
    }
    let reports = load(&args.runs)?;
    if let ([run], [only], false, None) = (args.runs.as_slice(), reports.as_slice(), args.csv || args.markdown, &args.by) {
        return one(args, run, only);
    }
    let side = match &args.by {
        Some(key) => report::compare_by(&reports, key)?,
        None => report::compare(&reports),
    };
    several(args, &side)
}

/// Reads the reports side by side: a hundred of them are many megabytes of JSON.
fn load(runs: &[PathBuf]) -> Result<Vec<Report>> {
    let reports: Vec<Result<Report>> = runs.par_iter().map(|run| report::load(run)).collect();
    reports.into_iter().collect()
}

fn one(args: &Args, run: &std::path::Path, only: &Report) -> Result<()> {
    let folder = if run.is_dir() { Some(run) } else { run.parent() };
    if let Some(file) = &args.html {
        fs::write_whole(file, report::html(only, folder).as_bytes())?;
    }
    if let Some(file) = &args.svg {
        fs::write_whole(file, report::picture(only).as_bytes())?;
    }
    if args.json {
        return output::json(only);
    }
    output::data(&report::table_in(only, report::View { style: output::style(), folder: Some(run) }))
}

fn several(args: &Args, side: &SideBySide) -> Result<()> {
    if let Some(file) = &args.html {
        fs::write_whole(file, side.html().as_bytes())?;
    }
    if let Some(file) = &args.svg {
        fs::write_whole(file, side.picture().as_bytes())?;
    }
    match () {
        () if args.json => output::json(side),
        () if args.csv => output::data(&side.csv()?),
        () if args.markdown => output::data(&side.markdown()),
        () => output::data(&side.text(output::style())),
    }
}

fn same(args: &Args) -> Result<()> {
    let [one, other] = args.runs.as_slice() else {
        return Err(Error::input(format!("`--same` compares two runs, {} were named", args.runs.len())));
    };
    let found = report::same(one, other)?;
    if args.json {
        output::json(&found)?;
    } else {
        output::data(&found.text(one, other))?;
    }
    found.expect()
}
