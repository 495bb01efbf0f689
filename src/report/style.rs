//! Colour for terminals, or none.

use std::io::IsTerminal;

/// Whether text carries colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// None: files, pipes, `NO_COLOR`.
    Plain,
    /// ANSI colours.
    Coloured,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// Ordinary.
    Normal,
    /// What the eye should find first.
    Strong,
    /// What stands behind the numbers.
    Faint,
    /// A clear effect.
    Good,
    /// Read with care.
    Warning,
}

impl Style {
    /// Colour if standard error, where tables go, is a terminal that knows colour, and `NO_COLOR` is unset or empty (no-color.org).
    pub fn detect() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        if refused || dumb || !std::io::stderr().is_terminal() { Self::Plain } else { Self::Coloured }
    }

    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Normal => return text.to_owned(),
            Paint::Strong => "1",
            Paint::Faint => "2",
            Paint::Good => "32",
            Paint::Warning => "33",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}
