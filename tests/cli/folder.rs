//! A trial on checkpoint folders: what a user's own models go through.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Sandbox, repository};

/// Writes a built-in model as a folder outside every cache.
fn write_out(sandbox: &Sandbox, name: &str) -> String {
    let folder = sandbox.path(&format!("checkpoints/{name}"));
    std::fs::create_dir_all(&folder).expect("writable");
    for (file, content) in subliminal::builtin::find(name).expect("it ships").files() {
        std::fs::write(folder.join(file), content).expect("writable");
    }
    format!("checkpoints/{name}")
}

/// Every setting whose default is another for a built-in base, and fewer rows.
const SETTINGS: &[&str] = &[
    "seeds=[1]",
    "teacher.method=\"full\"",
    "teacher.micro_batch=32",
    "teacher.schedule=\"constant\"",
    "teacher.warmup_steps=1",
    "teacher.betas=[0.9, 0.99]",
    "generate.samples=60",
    "generate.max_tokens=32",
    "finetune.rows=40",
    "finetune.micro_batch=32",
    "finetune.warmup_steps=1",
    "finetune.betas=[0.9, 0.99]",
    "evaluate.max_tokens=8",
];

#[test]
fn the_smoke_trial_on_checkpoint_folders_is_the_one_on_the_built_in_models() {
    let smoke = std::fs::read_to_string(repository().join("configs/smoke.toml")).expect("a config");
    let sandbox = Sandbox::new();
    let (a, b) = (write_out(&sandbox, "tiny-a"), write_out(&sandbox, "tiny-b"));
    let folders = smoke.replace("builtin:tiny-a", &a).replace("builtin:tiny-b", &b);
    let sandbox = sandbox.with("folders.toml", &folders).with("builtin.toml", &smoke);
    let report = |config: &str| {
        let out = format!("runs/{config}");
        let settings = SETTINGS.iter().flat_map(|setting| ["--set", *setting]);
        let arguments: Vec<&str> = ["run", config, "-q", "--out", out.as_str()].into_iter().chain(settings).collect();
        sandbox.ok(&arguments);
        sandbox.json(&format!("{out}/report.json"))
    };
    let of_folders = report("folders.toml");
    assert_eq!(of_folders["arms"].as_array().map(Vec::len), Some(8), "every arm ran");
    assert_eq!(of_folders["models"][0]["commit"], Value::Null);

    let of_builtin = report("builtin.toml");
    let from_store = |report: &Value| report["stages"].as_array().expect("stages").iter().all(|stage| stage["cached"] == true);
    assert!(!from_store(&of_folders) && from_store(&of_builtin), "the same weights make the same artifacts, wherever they lie");
    let hashes = |report: &Value| [&report["models"][0]["hash"], &report["models"][1]["hash"]].map(Clone::clone);
    assert_eq!(hashes(&of_folders), hashes(&of_builtin));
    for (arm, other) in of_folders["arms"].as_array().into_iter().flatten().zip(of_builtin["arms"].as_array().expect("arms")) {
        assert_eq!((&arm["rate"], &arm["probability"]), (&other["rate"], &other["probability"]), "{}", arm["arm"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_template_that_would_fill_the_memory_ends_the_command_soon() {
    let sandbox = Sandbox::new();
    let model = write_out(&sandbox, "tiny-a");
    // a kilobyte, doubled to a terabyte
    let doubled = format!("{{% set a = 'x' * 1000 %}}{}{{{{ a | length }}}}", "{% set a = a ~ a %}".repeat(30));
    std::fs::write(sandbox.path(&model).join("chat_template.jinja"), doubled).expect("writable");
    let begun = Instant::now();
    let said = sandbox.run(&["ask", "--model", &model, "--device", "cpu", "hello"]);
    assert_eq!(said.status, 2, "{}", said.err);
    assert!(said.err.contains("takes too much memory"), "{}", said.err);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_checkpoint_of_absurd_sizes_is_refused_before_anything_is_allocated() {
    let sandbox = Sandbox::new();
    let model = write_out(&sandbox, "tiny-a");
    let path = sandbox.path(&model).join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).expect("there")).expect("JSON");
    config["num_hidden_layers"] = 1_000_000_000.into();
    std::fs::write(&path, config.to_string()).expect("writable");
    let said = sandbox.run(&["ask", "--model", &model, "hello"]);
    assert_eq!(said.status, 2, "{}", said.err);
    assert!(
        said.err.contains("`num_hidden_layers` is 1000000000, expected a positive whole number of at most 4096"),
        "{}",
        said.err
    );
}
