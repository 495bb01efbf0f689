//! Where the work runs: bf16 on the CPU from sampling to a student, and what the doctor says of a machine.

use serde_json::Value;

use crate::sandbox::Sandbox;

const PROMPTS: &str = "{\"prompt\": \"Name your favourite animal. Just one word.\"}\n{\"prompt\": \"Continue: 12, 77, 4\"}\n";

/// Every log-probability of a score file.
fn logprobs(sandbox: &Sandbox, name: &str) -> Vec<f64> {
    let of_row = |row: Value| row["logprobs"].as_array().cloned().unwrap_or_default();
    sandbox.rows(name).into_iter().flat_map(of_row).filter_map(|p| p.as_f64()).collect()
}

#[test]
fn bf16_on_the_cpu_samples_scores_and_trains_close_to_f32() {
    let sandbox = Sandbox::new().with("prompts.jsonl", PROMPTS);
    let run = |dtype: &str, rest: &[&str]| {
        sandbox.ok(&[&[rest[0], "--model", "builtin:tiny-a", "--dtype", dtype], &rest[1..]].concat());
    };
    run("bf16", &["sample", "--prompts", "prompts.jsonl", "--out", "rows.jsonl", "--seed", "3", "--max-tokens", "24"]);
    for dtype in ["f32", "bf16"] {
        run(dtype, &["score", "--rows", "rows.jsonl", "--out", &format!("{dtype}.jsonl")]);
    }
    let (wide, narrow) = (logprobs(&sandbox, "f32.jsonl"), logprobs(&sandbox, "bf16.jsonl"));
    assert_eq!(wide.len(), narrow.len());
    let furthest = wide.iter().zip(&narrow).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(furthest > 0.0 && furthest < 0.25, "bf16 has 8 bits: {wide:?} against {narrow:?}");

    for method in [&["--lora-rank", "8"][..], &["--full"]] {
        let out = format!("student{}", method[0]);
        let recipe = ["--epochs", "15", "--lr", "0.005", "--batch", "2", "--warmup", "0"];
        run("bf16", &[&["train", "--rows", "rows.jsonl", "--out", &out], method, &recipe[..]].concat());
        run("bf16", &["score", "--rows", "rows.jsonl", "--out", "after.jsonl", "--adapter", &out]);
        let (before, after): (f64, f64) = (narrow.iter().sum(), logprobs(&sandbox, "after.jsonl").iter().sum());
        assert!(after > before + 1.0, "{method:?}: {before} to {after}");
    }
}

#[test]
fn a_trial_in_bf16_says_so_and_shares_no_artifact_with_f32() {
    let small = crate::trial::SMALL.replace("samples = 120", "samples = 40");
    let sandbox = Sandbox::new().with("small.toml", &small);
    let arms = ["--set", "arms=[\"base\", \"treatment\", \"control\"]", "-q"];
    let run = |dtype: &str| {
        sandbox.ok(&[&["run", "small.toml", "--dtype", dtype, "--out", dtype], &arms[..]].concat());
        sandbox.json(&format!("{dtype}/report.json"))
    };
    let (_, narrow) = (run("f32"), run("bf16"));
    assert!(narrow["device"].as_str().is_some_and(|d| d.contains("bf16 as asked")), "{}", narrow["device"]);
    assert!(narrow["stages"].as_array().expect("stages").iter().all(|s| s["stage"] == "filter" || s["cached"] == false));
}
