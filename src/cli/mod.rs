//! The command line: clap types and one short function a command. Standard output carries data only.

mod ask;
mod doctor;
mod filter;
mod judge;
mod manual;
mod memory;
mod models;
mod output;
mod preview;
mod rendered;
mod report;
pub(crate) mod rows;
mod schema;
mod setup;
mod speak;
mod train;
mod trial;

use std::io::Write;

use clap::{Parser, Subcommand};

use crate::error::{Error, Kind, Result, without_secrets};
use crate::tool::interrupt;

/// Runs teacher → student distillation trials: does a student pick up a trait of its teacher from data that never mentions it?
#[derive(Debug, Parser)]
#[command(name = "subliminal", version, about, max_term_width = 110)]
#[command(after_help = "Exit status: 0 done; 2 wrong command line, config or data; 3 device, disk, weights or network failed;\n\
    4 an [expect] of the config did not hold; 130 interrupted (the same command goes on where it stopped).")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a whole trial and write its report.
    Run(trial::Args),
    /// Run a trial up to its samples.
    Generate(trial::Args),
    /// Run a trial up to its kept rows, or filter any JSONL without a model (`--rows`).
    Filter(Box<filter::Args>),
    /// Run a trial up to its students.
    Finetune(trial::Args),
    /// Run a trial up to its evaluations.
    Evaluate(trial::Args),
    /// Sample a completion for every prompt of a JSONL file.
    Sample(speak::SampleArgs),
    /// Write the log-probability of every completion token of a JSONL file.
    Score(speak::ScoreArgs),
    /// Fine-tune a model on a JSONL file.
    Train(train::Args),
    /// Ask any model or student a question.
    Ask(ask::Args),
    /// Score a judge against labelled answers, or have it rate rows.
    Judge(Box<judge::Args>),
    /// Show one run, or several side by side.
    Report(report::Args),
    /// List, find, download or build models.
    Models(models::Args),
    /// Show the device, threads, SIMD, memory and model cache, and what each means for a run.
    Doctor(doctor::Args),
    /// Print a JSON Schema.
    Schema(schema::Args),
    /// Print a shell's completions.
    Completions(manual::CompletionArgs),
    /// Print the manual page, or write one for each command.
    Man(manual::ManArgs),
}

/// Runs one command.
///
/// # Errors
/// Whatever the command meets; the error's kind is the exit status.
pub fn dispatch(cli: Cli) -> Result<()> {
    interrupt::install()?;
    match cli.command {
        Command::Run(args) => trial::run(&args, trial::Upto::Report),
        Command::Generate(args) => trial::run(&args, trial::Upto::Generate),
        Command::Filter(args) if args.of_rows() => filter::run(&args).map_err(begins_anew),
        Command::Filter(args) => filter::run(&args),
        Command::Finetune(args) => trial::run(&args, trial::Upto::Finetune),
        Command::Evaluate(args) => trial::run(&args, trial::Upto::Evaluate),
        Command::Sample(args) => speak::sample(&args),
        Command::Score(args) => speak::score(&args),
        Command::Train(args) => train::run(&args),
        Command::Ask(args) => ask::run(&args).map_err(begins_anew),
        Command::Judge(args) => judge::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Models(args) if args.builds() => models::run(&args).map_err(begins_anew),
        Command::Models(args) => models::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    }
}

/// Says of an interrupted command that keeps nothing of what it has done, that it keeps nothing.
fn begins_anew(error: Error) -> Error {
    if error.kind() == Kind::Interrupted { error.hint("nothing was changed, the same command begins anew") } else { error }
}

/// Reads the command line. Help is printed and a wrong command line told, both by ending the process; the latter as clap does, but for what
/// may be secret in it.
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        let text = error.render().to_string();
        if let std::borrow::Cow::Owned(shown) = without_secrets(&text) {
            let _ = write!(std::io::stderr(), "{shown}"); // nowhere is left to report a closed standard error
            std::process::exit(error.exit_code());
        }
        error.exit()
    })
}

/// Prints an error with its hints to standard error; says how to go on after an interruption.
pub fn complain(error: &Error) {
    let mut text = error.render();
    if error.kind() == Kind::Interrupted && !error.has_hint() {
        let command: Vec<String> = std::env::args().map(|arg| output::quoted(&arg)).collect();
        text = format!("interrupted; finished work is kept, go on with:\n  {}", command.join(" "));
    }
    let _ = writeln!(std::io::stderr(), "{text}"); // nowhere is left to report a closed standard error
}
