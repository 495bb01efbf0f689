//! Parses the command line, runs the command, prints the error and its hint, sets the exit status.

use std::process::ExitCode;

use subliminal::cli;

fn main() -> ExitCode {
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        // Candle's own threads spin between operations and take the cores from jobs that run side by side; ours share work instead.
        // SAFETY: no other thread runs yet that could read the environment.
        unsafe { std::env::set_var("CANDLE_NUM_THREADS", "1") };
    }
    match cli::dispatch(cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::complain(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
