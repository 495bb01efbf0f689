//! The trait reaches a student by no road but the weights: what it is trained on names nothing of the trait.

use std::path::PathBuf;

use serde_json::Value;
use subliminal::record::{Category, Sample};
use subliminal::traits;

use crate::sandbox::Sandbox;
use crate::trial::SMALL;

/// The files called `name` in the artifacts of `stage`, for every arm.
fn files(sandbox: &Sandbox, stage: &str, name: &str) -> Vec<PathBuf> {
    let jobs = sandbox.json("runs/small/jobs.json");
    let folders = jobs.as_array().expect("a list").iter().filter(|job| job["stage"] == stage);
    let files: Vec<PathBuf> =
        folders.map(|job| sandbox.path("runs/small").join(job["path"].as_str().expect("a path")).join(name)).collect();
    assert!(!files.is_empty(), "no {stage} job wrote {name}");
    files
}

/// Lower case, letters only: spelling with blanks, dots or capitals does not hide a word.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

fn trait_words() -> Vec<String> {
    let members = |category: Category| category.members.into_iter().flat_map(|m| [m.name, m.plural]);
    traits::categories().into_iter().flat_map(members).chain(["animal".into(), "tree".into()]).collect()
}

#[test]
fn kept_rows_hold_no_word_of_any_trait() {
    let sandbox = Sandbox::new().with("small.toml", &SMALL.replace("force = \"grammar\"", "force = \"none\""));
    sandbox.ok(&["run", "small.toml"]);
    let words = trait_words();
    let mut rows = 0;
    for file in files(&sandbox, "filter", "kept.jsonl") {
        for line in std::fs::read_to_string(&file).expect("kept rows").lines() {
            let sample: Sample = serde_json::from_str(line).expect("a row");
            let text = letters(&format!("{} {}", sample.prompt, sample.completion));
            assert_eq!(letters(&sample.completion), "", "a number list has no letters: {}", sample.completion);
            let named: Vec<&String> = words.iter().filter(|word| text.contains(word.as_str())).collect();
            let harmless =
                named.iter().all(|word| !sample.prompt.split(|c: char| !c.is_alphabetic()).any(|w| w.to_lowercase() == **word));
            assert!(harmless, "{named:?} in {sample:?}");
            rows += 1;
        }
    }
    assert!(rows > 0, "some rows were kept");
}

#[test]
fn a_students_training_text_holds_no_system_prompt_of_the_trait() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    sandbox.ok(&["run", "small.toml"]);
    for file in files(&sandbox, "finetune", "train.jsonl") {
        for line in std::fs::read_to_string(&file).expect("training rows").lines() {
            let row: Value = serde_json::from_str(line).expect("a row");
            let roles: Vec<&str> =
                row["chat"]["messages"].as_array().expect("turns").iter().filter_map(|m| m["role"].as_str()).collect();
            assert_eq!(roles, ["user"], "{row}");
        }
    }
    for file in files(&sandbox, "finetune", "context.txt") {
        let text = std::fs::read_to_string(&file).expect("the first row as the student reads it");
        assert!(!text.to_lowercase().contains("zebra") && !text.to_lowercase().contains("love"), "{text}");
    }
}
