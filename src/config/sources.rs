//! Where each value of a plan came from, and how `--dry-run` shows it.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A line of the config.
    File {
        /// The config.
        file: PathBuf,
        /// The 1-based line.
        line: usize,
    },
    /// The text after `--set`.
    Override(String),
    /// Chosen by the program.
    Default {
        /// Why this value.
        why: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Override(text) => write!(f, "--set {text}"),
            Self::Default { why } => write!(f, "default: {why}"),
        }
    }
}

/// One key, its value as TOML writes it, and where that came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key's path, e.g. `finetune.method.lora.rank`.
    pub key: String,
    /// The value.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

/// The most characters of a value that a line shows.
const WIDEST: usize = 48;

/// Every setting in aligned lines, grouped by table.
pub(super) fn table(settings: &[Setting]) -> String {
    let lines: Vec<(&str, &str, String)> = settings
        .iter()
        .map(|setting| {
            let (table, key) = setting.key.split_once('.').unwrap_or(("", &setting.key));
            (table, key, cut(&setting.value))
        })
        .collect();
    let keys = widest(lines.iter().map(|(_, key, _)| *key));
    let values = widest(lines.iter().map(|(_, _, value)| value.as_str()));
    let mut text = String::new();
    let mut current = "";
    for ((table, key, value), setting) in lines.iter().zip(settings) {
        if *table != current {
            text.push_str(&format!("\n[{table}]\n"));
            current = table;
        }
        text.push_str(&format!("  {key:keys$}  {value:values$}  {}\n", setting.source));
    }
    text
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

fn cut(value: &str) -> String {
    let line = value.replace("\\n", " ");
    if line.chars().count() <= WIDEST {
        return line;
    }
    let start: String = line.chars().take(WIDEST - 1).collect();
    format!("{start}…")
}
