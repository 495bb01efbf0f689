//! The one error type: where it happened, what is wrong, what to do next, and the exit status it leads to.
//!
//! Every fallible function of the library returns [`Result`]. `main` prints the message as `error: …`, each hint as
//! `hint: …`, and exits with [`Kind::exit_code`].

mod secrets;

use std::fmt;
use std::path::{Path, PathBuf};

pub use secrets::without_secrets;

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong; it decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line, a config or input data is wrong (exit status 2).
    Input,
    /// The device, disk, weights or network failed (exit status 3).
    Environment,
    /// The trial finished, but an `[expect]` of its config did not hold (exit status 4).
    Expectation,
    /// Stopped by Ctrl-C or SIGTERM (exit status 130).
    Interrupted,
}

impl Kind {
    /// The process's exit status for an error of this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Input => 2,
            Kind::Environment => 3,
            Kind::Expectation => 4,
            Kind::Interrupted => 130,
        }
    }
}

/// One thing that is wrong, and where: a line of a file, a config key, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, if the problem lies in one.
    pub file: Option<PathBuf>,
    /// The 1-based line in that file.
    pub line: Option<usize>,
    /// What is wrong: lower case, no final stop, literals in backticks.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&without_secrets(&self.message))
    }
}

/// One or more problems of one kind, with the error below them if there is one.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    problems: Vec<Problem>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A wrong command line, config or input file.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    /// A failing device, disk, checkpoint or network.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(Kind::Environment, message)
    }

    /// An `[expect]` that did not hold.
    pub fn expectation(message: impl Into<String>) -> Self {
        Self::new(Kind::Expectation, message)
    }

    /// The user asked to stop.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    /// Several input problems, reported together. `problems` must not be empty.
    pub fn problems(problems: Vec<Problem>) -> Self {
        debug_assert!(!problems.is_empty(), "an error needs at least one problem");
        Self { kind: Kind::Input, problems, source: None }
    }

    /// An I/O failure on `path` while doing `action` ("read", "create", …).
    pub fn io(action: &str, path: &Path, source: std::io::Error) -> Self {
        let hint = match source.kind() {
            std::io::ErrorKind::NotFound => Some("check the path, or create it first"),
            std::io::ErrorKind::PermissionDenied => Some("choose a place you may write to, or change its permissions"),
            std::io::ErrorKind::NotADirectory => Some("a part of this path is a file: choose another place"),
            std::io::ErrorKind::ReadOnlyFilesystem => Some("the file system is read-only: choose another place"),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Some("free some space and run the same command again: finished work is kept")
            }
            _ => None,
        };
        let mut error = Self::new(Kind::Environment, format!("cannot {action} `{}`", path.display())).because(source);
        if let Some(hint) = hint {
            error = error.hint(hint);
        }
        error
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        let problem = Problem { file: None, line: None, message: message.into(), hint: None };
        Self { kind, problems: vec![problem], source: None }
    }

    /// Whether it says what to do next.
    pub fn has_hint(&self) -> bool {
        self.problems.iter().any(|problem| problem.hint.is_some())
    }

    /// Names the file and, if known, the 1-based line that the error is about.
    #[must_use]
    pub fn at(mut self, file: &Path, line: impl Into<Option<usize>>) -> Self {
        let line = line.into();
        for problem in &mut self.problems {
            problem.file.get_or_insert_with(|| file.to_path_buf());
            problem.line = problem.line.or(line);
        }
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(problem) = self.problems.last_mut() {
            problem.hint = Some(hint.into());
        }
        self
    }

    /// Attaches the error below this one.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts `context: ` before the message of every problem.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        for problem in &mut self.problems {
            problem.message = format!("{context}: {}", problem.message);
        }
        self
    }

    /// The kind, which decides the exit status.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The problems, at least one.
    pub fn list(&self) -> &[Problem] {
        &self.problems
    }

    /// The whole text as it is shown to the user: every problem, the chain below it, every hint.
    pub fn render(&self) -> String {
        let mut lines = Vec::new();
        for (i, problem) in self.problems.iter().enumerate() {
            let mut line = format!("error: {problem}");
            if i + 1 == self.problems.len() {
                let mut below = self.source.as_deref().map(|e| e as &dyn std::error::Error);
                while let Some(error) = below {
                    line.push_str(&without_secrets(&format!(": {error}")));
                    below = error.source();
                }
            }
            lines.push(line);
            if let Some(hint) = &problem.hint {
                lines.push(format!("hint: {}", without_secrets(hint)));
            }
        }
        lines.join("\n")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))?;
        if f.alternate()
            && let Some(source) = &self.source
        {
            write!(f, ": {}", without_secrets(&source.to_string()))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_place_message_cause_and_hint() {
        let error = Error::input("`finetune.rank` is 0, expected 1 to 256")
            .at(Path::new("configs/owl.toml"), 14)
            .hint("the reference experiment uses 8");
        assert_eq!(
            error.render(),
            "error: configs/owl.toml:14: `finetune.rank` is 0, expected 1 to 256\nhint: the reference experiment uses 8"
        );
        assert_eq!(error.kind().exit_code(), 2);
    }
}
