//! Artifacts, checkpoints and rows that are not what they were: named, made again, never used.

use std::path::{Path, PathBuf};

use super::SMALL;
use crate::sandbox::{Sandbox, same_report};

/// Every file of one name in the store.
fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
        if entry.is_dir() {
            found.extend(files(&entry, name));
        } else if entry.file_name().is_some_and(|n| n == name) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

#[test]
fn a_flipped_bit_in_any_stage_is_named_and_its_artifact_made_again() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    sandbox.ok(&["run", "small.toml"]);
    let expected = sandbox.json("runs/small/report.json");
    let store = sandbox.path("runs/.store");
    for name in ["samples.jsonl", "kept.jsonl", "model.safetensors", "answers.jsonl", "manifest.json"] {
        let victim = files(&store, name).into_iter().next().expect("there is one");
        let whole = std::fs::read(&victim).expect("readable");
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x80; // no text any more, and another number
        std::fs::write(&victim, &bytes).expect("writable");
        let said = sandbox.ok(&["run", "small.toml"]);
        let damage = said.err.lines().find(|line| line.contains("is damaged, it is made again")).unwrap_or_default();
        assert!(damage.starts_with("warning: "), "{name}: {}", said.err);
        assert!(name == "manifest.json" || damage.contains(name), "{damage}");
        same_report(&sandbox.json("runs/small/report.json"), &expected);
        if name != "manifest.json" {
            assert_eq!(std::fs::read(&victim).expect("readable"), whole, "{name} is as it was");
        }
    }
}

#[test]
fn rows_of_an_interrupted_job_that_cannot_be_read_are_sampled_again() {
    let untouched = Sandbox::new().with("small.toml", SMALL);
    untouched.ok(&["generate", "small.toml"]);
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    sandbox.ok(&["generate", "small.toml"]);
    // as if the power had failed in the middle of the job: its folder is not complete, and a stretch of it is zeros
    let rows = files(&sandbox.path("runs/.store"), "samples.jsonl").remove(0);
    let artifact = rows.parent().expect("a folder").to_path_buf();
    let mut bytes = std::fs::read(&rows).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].fill(0);
    std::fs::write(&rows, &bytes).expect("writable");
    std::fs::remove_file(artifact.join("manifest.json")).expect("removable");
    let part = artifact.with_extension("part");
    std::fs::rename(&artifact, &part).expect("a folder");
    let said = sandbox.ok(&["generate", "small.toml"]);
    assert!(said.err.contains("samples.jsonl` cannot be read: it and what follows is made again"), "{}", said.err);
    let name = rows.strip_prefix(sandbox.path(".").components().as_path()).expect("inside");
    let bytes = |sandbox: &Sandbox| std::fs::read(sandbox.path(&name.display().to_string())).expect("readable");
    assert_eq!(bytes(&sandbox), bytes(&untouched));
}
