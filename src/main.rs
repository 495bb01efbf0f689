//! Parses the command line, runs the command, prints the error and its hint, sets the exit status.

use std::process::ExitCode;

use clap::Parser;
use subliminal::cli::{self, Cli};

fn main() -> ExitCode {
    match cli::dispatch(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::complain(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
