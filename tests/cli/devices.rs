//! Where the work runs: bf16 on the CPU from sampling to a student, and what the doctor says of a machine.

use insta::assert_snapshot;
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

/// The lines of a doctor's report from the first that starts with `what`; this machine's sizes and estimates beyond any machine replaced.
fn told(report: &str, what: &str) -> String {
    let lines = report.lines().skip_while(|line| !line.starts_with(what)).collect::<Vec<_>>().join("\n");
    let replaced = |pattern: &str, mark: &str, text: &str| {
        regex::Regex::new(pattern).expect("a fixed pattern").replace_all(text, mark).into_owned()
    };
    replaced(r"[0-9]{4,}\.[0-9] GiB", "[much]", &replaced(r"of [0-9.]+ [GM]iB\b", "of [room]", &lines))
}

#[test]
fn the_doctor_says_of_each_config_what_it_takes_and_whether_it_fits() {
    let hub = crate::trial::SMALL.replace("builtin:tiny-a", "someone/Large-7B-Instruct").replace("builtin:tiny-b", "./huge");
    let sandbox = Sandbox::new().with("configs/hub.toml", &hub).with("configs/broken.toml", "seeds = 3");
    for (name, content) in subliminal::builtin::find("tiny-a").expect("built in").files() {
        let content = if name == "config.json" {
            let mut config: Value = serde_json::from_slice(content).expect("JSON");
            config["intermediate_size"] = 1_000_000.into();
            config["num_hidden_layers"] = 1500.into();
            config.to_string().into_bytes()
        } else {
            content.to_vec()
        };
        std::fs::create_dir_all(sandbox.path("configs/huge")).expect("a folder");
        std::fs::write(sandbox.path("configs/huge").join(name), content).expect("a file");
    }
    assert_snapshot!(told(&sandbox.ok(&["doctor", "--threads", "1"]).out, "config"), @r"
    config       configs/broken.toml
                   configs/broken.toml:1: `seeds` is 3, expected a list of at least 1; configs/broken.toml: `model.base` is missing; configs/broken.toml: `trait.category` is missing; configs/broken.toml: `trait.target` is missing
    config       configs/hub.toml
                   base                             weights      loaded     writing    learning  of [room]
                   someone/Large-7B-Instruct     ~7 billion   ~26.1 GiB           ?           ?  not known
                     not in the cache: `subliminal models pull someone/Large-7B-Instruct`, then ask again
                   configs/./huge             288.0 billion  [much]  [much]  [much]  too much
                     `--dtype bf16` on a GPU, a smaller base or a larger machine would do
    ");
    assert_eq!(sandbox.run(&["doctor", "configs/broken.toml"]).status, 2, "a config that was named must be right");
}

#[test]
fn a_fitting_config_is_told_to_machines_too() {
    let sandbox = Sandbox::new().with("small.toml", crate::trial::SMALL);
    let findings: Value = serde_json::from_str(&sandbox.ok(&["doctor", "small.toml", "--json"]).out).expect("JSON");
    let config = findings.as_array().and_then(|all| all.last()).expect("findings");
    assert_eq!((&config["what"], &config["found"]), (&Value::from("config"), &Value::from("small.toml")));
    let base = &config["needs"][0];
    assert_eq!((&base["model"], &base["fits"]), (&Value::from("builtin:tiny-a"), &Value::from(true)));
    assert!(base["memory"]["training"].as_u64() > base["memory"]["weights"].as_u64(), "{base}");
    assert!(findings[0].get("needs").is_none(), "only configs need");
}

#[test]
#[cfg(unix)]
fn a_gpu_that_this_build_cannot_use_is_told_with_the_build_command() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new().with("bin/nvidia-smi", "#!/bin/sh\necho '0, NVIDIA H100 80GB HBM3, 80000, 81559'\n");
    std::fs::set_permissions(sandbox.path("bin/nvidia-smi"), std::fs::Permissions::from_mode(0o755)).expect("ours");
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH").unwrap_or_default());
    let output = sandbox.command(&["doctor"]).env("PATH", path).output().expect("the program starts");
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let gpu: Vec<&str> = report.lines().skip_while(|line| !line.starts_with("gpu")).take(2).collect();
    assert_snapshot!(gpu.join("\n"), @r"
    gpu          0 NVIDIA H100 80GB HBM3, 78.1 GiB of 79.6 GiB free
                   not used by this build or these options: cargo build --release --features cuda
    ");
}
