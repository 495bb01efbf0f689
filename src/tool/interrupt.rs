//! Ctrl-C, SIGTERM and SIGHUP: long loops ask [`check`] after each unit of work, so that what is on disk stays whole.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::{Error, Result};

/// The exit status after an interruption.
pub const STATUS: i32 = 130;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Installs the handlers. The second Ctrl-C or SIGTERM ends the process at once with status 130; SIGHUP does not, because a terminal that
/// closes may send it twice; and where whoever started the program has it ignored, as `nohup` does, it stays ignored.
///
/// # Errors
/// If the system refuses a handler.
pub fn install() -> Result<()> {
    let asked = Arc::clone(ASKED.get_or_init(Arc::default));
    let failed = |e| Error::environment("cannot install the handlers of signals").because(e);
    for signal in signals() {
        if matches!(signal, SIGINT | SIGTERM) {
            // before the next line: the first signal finds the flag down, and then raises it
            signal_hook::flag::register_conditional_shutdown(signal, STATUS, Arc::clone(&asked)).map_err(failed)?;
        }
        signal_hook::flag::register(signal, Arc::clone(&asked)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(unix)]
fn signals() -> Vec<i32> {
    let hang_up = Some(signal_hook::consts::SIGHUP).filter(|signal| !is_ignored(*signal));
    [SIGINT, SIGTERM].into_iter().chain(hang_up).collect()
}

#[cfg(not(unix))]
fn signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// Whether this process was started with the signal ignored; where the system does not say, no.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// Fails once the user has asked to stop.
///
/// # Errors
/// [`Error::interrupted`] after a signal.
pub fn check() -> Result<()> {
    match ASKED.get() {
        Some(asked) if asked.load(Ordering::SeqCst) => Err(Error::interrupted()),
        _ => Ok(()),
    }
}
