//! `subliminal report`: one run, or several side by side.

use std::path::PathBuf;

use super::output;
use crate::error::{Error, Result};
use crate::report;
use crate::tool::fs;

/// Show one run, or several side by side.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal report runs/zebra-numbers\n  subliminal report runs/sweep/* --markdown\n  \
    subliminal report runs/one runs/other --same")]
pub(crate) struct Args {
    /// Run folders (with a report.json) or report.json files.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Machine-readable: one run's report, or the comparison of several.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// The comparison as a Markdown table.
    #[arg(long)]
    markdown: bool,
    /// Whether two runs came to the same, artifact by artifact, timings left out; says where they differ first. Exit status 4 if they do.
    #[arg(long, conflicts_with_all = ["markdown", "html"])]
    same: bool,
    /// Also write a self-contained page (one run).
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.same {
        return same(args);
    }
    let reports = args.runs.iter().map(|run| report::load(run)).collect::<Result<Vec<_>>>()?;
    if let Some(file) = &args.html {
        let [only] = reports.as_slice() else {
            return Err(Error::input(format!("`--html` shows one run, {} were named", reports.len())));
        };
        fs::write_whole(file, report::html(only).as_bytes())?;
    }
    match (reports.as_slice(), args.json, args.markdown) {
        ([only], true, _) => output::json(only),
        ([only], false, false) => output::data(&report::table_in(
            only,
            report::View { style: output::style(), folder: args.runs.first().map(PathBuf::as_path) },
        )),
        (several, true, _) => output::json(&report::compare(several)),
        (several, false, true) => output::data(&report::compare(several).markdown()),
        (several, false, false) => output::data(&report::compare(several).text(output::style())),
    }
}

fn same(args: &Args) -> Result<()> {
    let [one, other] = args.runs.as_slice() else {
        return Err(Error::input(format!("`--same` compares two runs, {} were named", args.runs.len())));
    };
    let found = report::same(one, other)?;
    if args.json {
        output::json(&found)?
    } else {
        output::data(&found.text(one, other))?
    }
    found.expect()
}
