//! Ctrl-C and SIGTERM: long loops ask [`check`] after each unit of work, so that what is on disk stays whole.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Installs the handler. The second signal ends the process at once with status 130.
///
/// # Errors
/// If the system refuses a handler.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|e| Error::environment("cannot install the Ctrl-C handler").because(e))
}

/// Fails once the user has asked to stop.
///
/// # Errors
/// [`Error::interrupted`] after a signal.
pub fn check() -> Result<()> {
    if ASKED.load(Ordering::SeqCst) { Err(Error::interrupted()) } else { Ok(()) }
}
