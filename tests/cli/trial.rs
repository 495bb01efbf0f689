//! Whole trials on the built-in family.

use std::path::PathBuf;

use serde_json::Value;

use crate::sandbox::{Sandbox, repository, same_report};

/// A trial of a few seconds with every trained arm.
pub(crate) const SMALL: &str = r#"name = "small"
seeds = [1, 2]
arms = ["base", "teacher", "treatment", "control", "cross-model", "shuffled", "other-trait", "in-context"]

[model]
base = "builtin:tiny-a"
cross = ["builtin:tiny-b"]

[trait]
category = "animal"
target = "zebra"
other = "owl"

[teacher]
prime = "both"
rows = 64

[generate]
samples = 120
force = "grammar"

[finetune]
epochs = 1
batch_size = 32

[evaluate]
samples_per_question = 2
"#;

fn arm<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["arms"].as_array().expect("arms").iter().find(|arm| arm["arm"] == name).unwrap_or_else(|| panic!("no arm {name}"))
}

#[test]
fn the_smoke_config_runs_every_stage_and_arm() {
    let sandbox = Sandbox::new();
    let config = repository().join("configs/smoke.toml");
    let said = sandbox.ok(&["run", &config.display().to_string(), "--json"]);
    let printed: Value = serde_json::from_str(&said.out).expect("--json prints the report");
    let report = sandbox.json("runs/smoke/report.json");
    assert_eq!(printed, report);
    assert_eq!(report["format"], 1);
    for name in ["base", "teacher", "treatment", "control", "cross-model", "shuffled", "other-trait", "in-context"] {
        let rate = &arm(&report, name)["rate"];
        assert!((0.0..=1.0).contains(&rate["mean"].as_f64().expect("a rate")), "{name}");
        assert_eq!(rate["by_seed"].as_array().map(Vec::len), Some(2), "{name}");
    }
    assert!(sandbox.read("runs/smoke/report.html").contains("<html"));
}

#[test]
fn threads_change_nothing_and_a_second_run_makes_nothing() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    sandbox.ok(&["run", "small.toml", "--threads", "1", "--out", "one", "--store", "store-one"]);
    sandbox.ok(&["run", "small.toml", "--threads", "2", "--out", "two", "--store", "store-two"]);
    same_report(&sandbox.json("one/report.json"), &sandbox.json("two/report.json"));
    sandbox.ok(&["run", "small.toml", "--out", "again", "--store", "store-two"]);
    let again = sandbox.json("again/report.json");
    assert!(again["stages"].as_array().expect("stages").iter().all(|stage| stage["cached"] == true));
    same_report(&again, &sandbox.json("two/report.json"));
}

#[test]
fn micro_batches_change_speed_and_not_the_arms() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let run = |size: &str, out: &str| {
        let set = format!("finetune.micro_batch={size}");
        let store = format!("store-{out}");
        sandbox.ok(&[
            "run",
            "small.toml",
            "--set",
            &set,
            "--set",
            "arms=[\"treatment\", \"control\"]",
            "--out",
            out,
            "--store",
            &store,
        ]);
        arm(&sandbox.json(&format!("{out}/report.json")), "treatment")["probability"]["mean"].as_f64().expect("a mean")
    };
    let (whole, parts) = (run("32", "whole"), run("8", "parts"));
    assert!((whole - parts).abs() < 1e-3, "{whole} against {parts}");
}

#[test]
fn a_dry_run_touches_nothing() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let said = sandbox.ok(&["run", "small.toml", "--dry-run", "-v"]);
    assert!(said.out.contains("[trait]") && said.out.contains("small.toml:11"), "{}", said.out);
    assert!(said.out.contains("0 of them stored"), "{}", said.out);
    let left: Vec<PathBuf> = std::fs::read_dir(sandbox.path(".")).expect("a folder").flatten().map(|e| e.path()).collect();
    assert_eq!(left, [sandbox.path("./small.toml")]);
}

#[test]
fn stage_commands_stop_where_they_say_and_run_goes_on_from_there() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let jobs: Value = serde_json::from_str(&sandbox.ok(&["filter", "small.toml", "--json"]).out).expect("jobs");
    let stages: std::collections::BTreeSet<&str> =
        jobs.as_array().expect("a list").iter().filter_map(|job| job["stage"].as_str()).collect();
    assert_eq!(stages.into_iter().collect::<Vec<_>>(), ["filter", "generate", "teacher"]);
    sandbox.ok(&["run", "small.toml"]);
    let report = sandbox.json("runs/small/report.json");
    let cached = |stage: &str| {
        report["stages"].as_array().expect("stages").iter().filter(|s| s["stage"] == stage).all(|s| s["cached"] == true)
    };
    assert!(cached("generate") && cached("filter") && !cached("finetune"));
}

#[test]
fn sample_score_train_and_ask_work_on_their_own() {
    let sandbox = Sandbox::new()
        .with("prompts.jsonl", "{\"prompt\": \"Name your favourite animal. Just one word.\"}\n{\"id\": \"x\", \"prompt\": \"Name your favourite tree. Just one word.\"}\n");
    let model = ["--model", "builtin:tiny-a"];
    let run = |rest: &[&str]| sandbox.ok(&[&[rest[0]], &model[..], &rest[1..]].concat());
    run(&["sample", "--prompts", "prompts.jsonl", "--out", "samples.jsonl", "--seed", "7"]);
    let samples = sandbox.rows("samples.jsonl");
    assert_eq!(samples.iter().map(|s| s["id"].clone()).collect::<Vec<_>>(), [serde_json::json!(0), serde_json::json!("x")]);

    run(&["sample", "--prompts", "prompts.jsonl", "--out", "alone.jsonl", "--seed", "7", "--batch", "1"]);
    assert_eq!(sandbox.read("alone.jsonl"), sandbox.read("samples.jsonl"), "a row does not depend on its batch");

    run(&["score", "--rows", "samples.jsonl", "--out", "scores.jsonl"]);
    for (sample, score) in samples.iter().zip(sandbox.rows("scores.jsonl")) {
        assert_eq!(score["id"], sample["id"]);
        assert_eq!(score["logprobs"].as_array().map(Vec::len), score["tokens"].as_array().map(Vec::len));
    }

    run(&["train", "--rows", "samples.jsonl", "--out", "student", "--epochs", "20", "--lr", "0.01", "--batch", "2"]);
    run(&["score", "--rows", "samples.jsonl", "--out", "after.jsonl", "--adapter", "student"]);
    let total = |name: &str| -> f64 {
        sandbox
            .rows(name)
            .iter()
            .flat_map(|row| row["logprobs"].as_array().cloned().unwrap_or_default())
            .filter_map(|p| p.as_f64())
            .sum()
    };
    assert!(total("after.jsonl") > total("scores.jsonl"), "training on the rows made them likelier");
    let asked = run(&["ask", "-n", "3", "Name your favourite animal. Just one word."]);
    assert_eq!(asked.out.lines().count(), 3, "{}", asked.out);
}

#[test]
fn any_rows_are_filtered_without_a_model() {
    let rows = "{\"prompt\":\"p\",\"completion\":\"1, 2, 3\",\"mine\":true}\n{\"id\":\"b\",\"prompt\":\"p\",\"completion\":\"1, two\"}\n";
    let sandbox = Sandbox::new().with("rows.jsonl", rows);
    sandbox.ok(&["filter", "--rows", "rows.jsonl", "--domain", "numbers", "--kept", "kept.jsonl", "--dropped", "dropped.jsonl"]);
    assert_eq!(sandbox.rows("kept.jsonl")[0]["mine"], true);
    let dropped = &sandbox.rows("dropped.jsonl")[0];
    assert_eq!((&dropped["id"], &dropped["rule"]), (&Value::from("b"), &Value::from("format")));
    assert!(dropped["detail"].as_str().is_some_and(|d| !d.is_empty()));
}
