//! A small vocabulary for tests of the program: a folder of its own, commands run in it, what they said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder that is removed at the end, with commands run inside it.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a command said and how it ended.
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn with(self, name: &str, content: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside the sandbox")).expect("a folder");
        fs::write(path, content).expect("a file");
        self
    }

    /// The names in a folder, sorted.
    pub(crate) fn entries(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
        let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Reads a JSON file.
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).expect("JSON")
    }

    /// Reads a JSON Lines file.
    pub(crate) fn rows(&self, name: &str) -> Vec<serde_json::Value> {
        self.read(name).lines().map(|line| serde_json::from_str(line).expect("a JSON row")).collect()
    }

    /// The program, not started yet, in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_subliminal"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).env("HF_HUB_OFFLINE", "1");
        command.env("HF_HOME", self.path("hf-home")).env("NO_COLOR", "1");
        for theirs in
            ["HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_ENDPOINT", "HUGGINGFACE_HUB_CACHE", "HUGGING_FACE_HUB_TOKEN"]
        {
            command.env_remove(theirs);
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_command(&mut self.command(arguments))
    }

    /// Runs a command of [`Sandbox::command`] to its end.
    pub(crate) fn run_command(&self, command: &mut Command) -> Said {
        let output = command.output().expect("the program starts");
        self.said(&output)
    }

    /// Runs it and expects exit status 0.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.status, 0, "`{}` failed:\n{}", arguments.join(" "), said.err);
        said
    }

    /// What a command of one's own said.
    pub(crate) fn said(&self, output: &Output) -> Said {
        let text = |bytes: &[u8]| self.redacted(&String::from_utf8_lossy(bytes));
        Said { status: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The folder's path replaced by a fixed mark.
    fn redacted(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "[dir]")
    }
}

/// The repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails unless two reports say the same, timings and dates and what was cached left out.
pub(crate) fn same_report(a: &serde_json::Value, b: &serde_json::Value) {
    let (a, b) = (without_timings(a), without_timings(b));
    if a != b {
        let (a, b) = (format!("{a:#}"), format!("{b:#}"));
        let differ = a.lines().zip(b.lines()).find(|(x, y)| x != y);
        panic!("the reports differ, first in {differ:?}");
    }
}

fn without_timings(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let timed =
                |key: &str| ["seconds", "finished", "tokens_per_second", "peak_memory", "cached", "device"].contains(&key);
            map.iter().filter(|(key, _)| !timed(key)).map(|(key, value)| (key.clone(), without_timings(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_timings).collect(),
        other => other.clone(),
    }
}
