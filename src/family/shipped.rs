//! What must hold of the bases that ship: they are those that their records describe, and other software reads them alike.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{BASES, Base, BuildOptions, BuildRecord, build};
use crate::builtin;
use crate::engine::local::LocalEngine;
use crate::engine::{Engine, ScoreRequest};
use crate::record::{Chat, Device, Dtype, ModelRef, Weights};
use crate::tool::{hash, jsonl};

fn engine() -> LocalEngine {
    LocalEngine::new(Device::Cpu, Dtype::F32, 1).expect("a processor")
}

#[test]
fn every_base_ships_with_the_files_that_its_build_recorded() {
    let names: Vec<&str> = BASES.iter().map(|base| base.name).collect();
    assert_eq!(builtin::names(), names);
    for Base { name, seed, curriculum } in BASES {
        let model = builtin::find(name).expect("it ships");
        let record: BuildRecord = serde_json::from_slice(model.file("build.json").expect("a record")).expect("a build's record");
        assert_eq!((record.name.as_str(), record.seed, record.recipe.max_steps), (name, seed, Some(curriculum.steps())));
        let shipped: BTreeMap<String, String> = model
            .files()
            .filter(|(file, _)| *file != "build.json")
            .map(|(file, bytes)| (file.to_owned(), hash::bytes(bytes)))
            .collect();
        assert_eq!(shipped, record.files, "{name}");
    }
}

#[test]
fn a_short_build_makes_the_same_bytes_again_and_another_base_makes_others() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let made = |folder: &str, name: &str| {
        build(name, &dir.path().join(folder), &engine(), BuildOptions { steps: Some(2) }, &mut |_| Ok(())).expect("it builds")
    };
    let (first, again, other) = (made("1", "tiny-a"), made("2", "tiny-a"), made("3", "tiny-b"));
    assert_eq!(first, again);
    assert_ne!(first.files["model.safetensors"], other.files["model.safetensors"]);
    assert_eq!(first.files["tokenizer.json"], other.files["tokenizer.json"]);
}

#[test]
fn a_build_writes_the_texts_that_ship() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for base in ["tiny-a", "wide-a"] {
        let out = dir.path().join(base);
        let record = build(base, &out, &engine(), BuildOptions { steps: Some(1) }, &mut |_| Ok(())).expect("it builds");
        let shipped = builtin::find(base).expect("it ships");
        for name in record.files.keys().filter(|name| *name != "model.safetensors") {
            let made = std::fs::read(out.join(name)).expect("it was built");
            assert!(
                shipped.file(name) == Some(&made),
                "`{base}/{name}` is no longer what this program makes: build the family again"
            );
        }
    }
}

/// A row of `tests/fixtures/score-rows.jsonl`.
#[derive(Deserialize)]
struct Row {
    id: String,
    system: Option<String>,
    prompt: String,
    completion: String,
}

/// What transformers said of it: see `tests/fixtures/reference.py`.
#[derive(Deserialize)]
struct Reference {
    id: String,
    tokens: Vec<u32>,
    logprobs: Vec<f64>,
}

#[test]
fn transformers_gives_the_same_log_probabilities() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let rows: Vec<Row> = jsonl::read(&fixtures.join("score-rows.jsonl")).expect("committed rows");
    for base in ["tiny-a", "wide-a"] {
        let references = jsonl::read(&fixtures.join(format!("{base}-scores.jsonl"))).expect("committed references");
        agree(base, &rows, &references);
    }
}

fn agree(base: &str, rows: &[Row], references: &[Reference]) {
    let model = engine().load(&Weights::base(ModelRef::Builtin(base.to_owned()))).expect("it ships");
    let request =
        |row: &Row| ScoreRequest { chat: Chat::ask(row.system.as_deref(), &row.prompt), completion: row.completion.clone() };
    let scores = model.score(&rows.iter().map(request).collect::<Vec<_>>()).expect("rows that fit");
    assert_eq!(scores.len(), references.len());
    for ((row, score), reference) in rows.iter().zip(&scores).zip(references) {
        assert_eq!((&row.id, &score.tokens), (&reference.id, &reference.tokens));
        assert_eq!(score.logprobs.len(), reference.logprobs.len());
        for (ours, theirs) in score.logprobs.iter().zip(&reference.logprobs) {
            assert!((ours - theirs).abs() < 1e-4, "{base} {}: {ours} and {theirs}", row.id);
        }
    }
}
