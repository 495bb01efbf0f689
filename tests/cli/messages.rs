//! Bad input: one clear message each, with the place and the cure, and the exit status that DESIGN.md names.

use insta::assert_snapshot;

use crate::sandbox::{Said, Sandbox};

const CONFIG: &str = r#"name = "mine"
seeds = [1, 2]

[model]
base = "builtin:tiny-a"
cross = ["builtin:tiny-b"]

[trait]
category = "animal"
target = "zebra"

[generate]
samples = 20
"#;

fn shown(said: &Said) -> String {
    format!("exit status {}\n{}", said.status, said.err)
}

fn run_with(config: &str, more: &[&str]) -> String {
    let sandbox = Sandbox::new().with("trial.toml", config);
    shown(&sandbox.run(&[&["run", "trial.toml"], more].concat()))
}

#[test]
fn a_typo_in_a_key() {
    assert_snapshot!(run_with(&CONFIG.replace("samples", "sample"), &[]), @"");
}

#[test]
fn a_target_that_the_family_does_not_know() {
    assert_snapshot!(run_with(&CONFIG.replace("zebra", "zebrra"), &[]), @"");
}

#[test]
fn several_problems_are_told_together() {
    let config = CONFIG.replace("samples = 20", "samples = 0\ntemprature = 1.0").replace("[1, 2]", "[1, 1]");
    assert_snapshot!(run_with(&config, &["--set", "finetune.epochs=many"]), @"");
}

#[test]
fn a_missing_config() {
    assert_snapshot!(shown(&Sandbox::new().run(&["run", "no-such.toml"])), @"");
}

#[test]
fn a_missing_file_that_the_config_names() {
    assert_snapshot!(run_with(&format!("{CONFIG}\n[evaluate]\nquestions = \"no-such.txt\"\n"), &[]), @"");
}

#[test]
fn a_model_that_is_not_there() {
    assert_snapshot!(run_with(&CONFIG.replace("tiny-a", "tiny-z"), &[]), @"");
    assert_snapshot!(run_with(&CONFIG.replace("builtin:tiny-a", "./no-such-folder"), &[]), @"");
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let sandbox = Sandbox::new().with("trial.toml", CONFIG).with("taken", "a file, not a folder");
    assert_snapshot!(shown(&sandbox.run(&["run", "trial.toml", "--out", "taken/run"])), @"");
}

#[test]
fn rows_of_broken_json() {
    let sandbox =
        Sandbox::new().with("rows.jsonl", "{\"prompt\": \"p\", \"completion\": \"1, 2\"}\n{\"prompt\": \"p\", \"compl\n");
    let filter = ["filter", "--rows", "rows.jsonl", "--domain", "numbers", "--kept", "kept.jsonl"];
    assert_snapshot!(shown(&sandbox.run(&filter)), @"");
    assert!(!sandbox.path("kept.jsonl").exists(), "a failed filter leaves no half of a file");
    let score = ["score", "--model", "builtin:tiny-a", "--rows", "rows.jsonl", "--out", "scores.jsonl"];
    assert_snapshot!(shown(&sandbox.run(&score)), @"");
}

#[test]
fn a_device_that_this_build_does_not_have() {
    assert_snapshot!(run_with(CONFIG, &["--device", "cuda"]), @"");
}

#[test]
fn an_expectation_that_does_not_hold() {
    let config = format!("{CONFIG}\n[expect]\nverdict = \"transfer\"\n");
    let sandbox = Sandbox::new().with("trial.toml", &config);
    let said = sandbox.run(&["run", "trial.toml", "-q", "--engine", "scripted", "--set", "finetune.rows=2"]);
    assert_eq!(said.status, 4, "{}", said.err);
    assert!(said.err.contains("error: "), "{}", said.err);
    assert!(sandbox.path("runs/mine/report.json").exists(), "the report is written all the same");
}
