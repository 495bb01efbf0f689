//! `subliminal schema`: the JSON Schemas, generated from the types.

use super::output;
use crate::config;
use crate::error::Result;

/// Print a JSON Schema.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal schema config > trial.schema.json\n  subliminal schema report")]
pub(crate) struct Args {
    /// Of what.
    #[arg(value_enum, default_value_t = Of::Config)]
    of: Of,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Of {
    /// The config file.
    Config,
    /// report.json.
    Report,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.of {
        Of::Config => output::json(&config::schema()),
        Of::Report => output::json(&config::report_schema()),
    }
}
