//! Where data and messages go.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::error::{Error, Result};
use crate::report::Style;

/// Writes data to standard output. A reader that has gone away (`| head`) ends the program quietly.
pub(crate) fn data(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(|e| Error::environment("cannot write to standard output").because(e)),
    }
}

/// Writes a value as indented JSON to standard output.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::environment("cannot serialise the output").because(e))?;
    data(&format!("{text}\n"))
}

/// Writes a line for people to standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}"); // nowhere is left to report a closed standard error
}

/// Colour on standard output: only on a terminal that takes it, and never with `NO_COLOR`.
pub(crate) fn style() -> Style {
    if std::io::stdout().is_terminal() { Style::detect() } else { Style::Plain }
}

/// An argument as a shell would take it.
pub(crate) fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,@+%".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{}'", arg.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell_only_where_needed() {
        assert_eq!(quoted("configs/zebra.toml"), "configs/zebra.toml");
        assert_eq!(quoted("a.b=[1, 2]"), "'a.b=[1, 2]'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
