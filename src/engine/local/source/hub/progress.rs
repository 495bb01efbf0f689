//! How far a download is: a bar on a terminal, else a line now and then. Always to standard error.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};

/// The time between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// One file on its way.
pub(super) struct Progress {
    file: String,
    total: u64,
    done: u64,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// Begins with `done` of `total` bytes there already.
    pub(super) fn begin(file: &str, done: u64, total: u64) -> Self {
        let shown = if std::io::stderr().is_terminal() {
            Shown::Bar(bar(file, done, total))
        } else {
            Shown::Lines { last: Instant::now() }
        };
        if done > 0 && done < total {
            say(&format!("resuming `{file}` at {} of {}", DecimalBytes(done), DecimalBytes(total)));
        }
        Self { file: file.to_owned(), total, done, shown }
    }

    /// So many bytes are there by now.
    pub(super) fn at(&mut self, done: u64) {
        self.done = done;
        match &mut self.shown {
            Shown::Bar(bar) => bar.set_position(done),
            Shown::Lines { last } if last.elapsed() >= PAUSE => {
                *last = Instant::now();
                say(&format!("`{}`: {} of {}", self.file, DecimalBytes(done), DecimalBytes(self.total)));
            }
            Shown::Lines { .. } => {}
        }
    }

    /// The file is whole and in place.
    pub(super) fn end(self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
        say(&format!("fetched `{}`, {}", self.file, DecimalBytes(self.total)));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear(); // an error message begins on a line of its own
        }
    }
}

fn bar(file: &str, done: u64, total: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}");
    let bar = ProgressBar::new(total).with_message(file.to_owned()).with_position(done);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A line for people.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}"); // nowhere is left to report a closed standard error
}
