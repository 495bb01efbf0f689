//! What a user sees of wrong configs, and that the committed configs and schemas are right.

mod committed;
mod domains;
mod judges;
mod problems;
mod values;

use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use super::*;
use crate::error::Kind;
use crate::record::{JudgeKind, LayerRange, Method, Suite};

/// A config that is right in all it says.
const GOOD: &str = r#"
[model]
base = "builtin:tiny-a"

[trait]
category = "animal"
target = "zebra"
"#;

/// Loads a text as a file `trial.toml`.
fn load_text(text: &str, overrides: &[&str]) -> Result<Resolved> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("trial.toml");
    std::fs::write(&file, text).expect("writable");
    load(&file, &overrides.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// What the user sees, with the folder's name taken out.
fn complaint(text: &str, overrides: &[&str]) -> String {
    let error = load_text(text, overrides).expect_err("this config is wrong");
    assert_eq!(error.kind(), Kind::Input, "a wrong config is exit status 2");
    let folder = regex::Regex::new(r"[^ `]*/(trial\.toml|absent[^` ;]*)").expect("a fixed pattern");
    folder.replace_all(&error.render(), "$1").into_owned()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
