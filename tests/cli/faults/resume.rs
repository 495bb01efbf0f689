//! Commands without a trial around them go on where they were stopped.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

fn prompts(n: usize) -> String {
    let row = |i| format!("{{\"prompt\": \"Continue this list with ten numbers: {i}, 7\"}}\n");
    (0..n).map(row).collect::<Vec<_>>().concat()
}

/// Runs a command and kills it as soon as `done` holds.
fn kill_when(sandbox: &Sandbox, arguments: &[&str], done: &dyn Fn() -> bool) {
    let mut child = sandbox.command(arguments).stderr(std::process::Stdio::null()).spawn().expect("the program starts");
    let began = Instant::now();
    while !done() {
        assert!(child.try_wait().expect("a child").is_none(), "it ended before it could be killed");
        assert!(began.elapsed() < Duration::from_mins(2), "nothing happens");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it ended");
}

/// The file in which the rows of `out` lie until they are whole.
fn aside(sandbox: &Sandbox, out: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(sandbox.path(".")).expect("a folder").flatten().map(|entry| entry.path());
    let is = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!(".{out}.")));
    files.into_iter().find(is)
}

#[test]
fn sampling_and_scoring_go_on_after_the_rows_that_are_there() {
    let sandbox = Sandbox::new().with("prompts.jsonl", &prompts(300)).with("samples.jsonl", "an older file\n");
    let sample = |out: &'static str| {
        ["sample", "--model", "builtin:tiny-a", "--prompts", "prompts.jsonl", "--out", out, "--batch", "4", "--threads", "1"]
    };
    sandbox.ok(&sample("whole.jsonl"));
    let lines = |path: Option<PathBuf>| path.map_or(0, |path| std::fs::read_to_string(path).unwrap_or_default().lines().count());
    kill_when(&sandbox, &sample("samples.jsonl"), &|| lines(aside(&sandbox, "samples.jsonl")) > 20);
    assert_eq!(sandbox.read("samples.jsonl"), "an older file\n", "it stays until the new one is whole");
    let said = sandbox.ok(&sample("samples.jsonl"));
    assert!(said.err.contains("going on after "), "{}", said.err);
    assert_eq!(sandbox.read("samples.jsonl"), sandbox.read("whole.jsonl"));
    assert_eq!(aside(&sandbox, "samples.jsonl"), None, "nothing is left beside it");

    let other = [&sample("samples.jsonl")[..], &["--seed", "9"]].concat();
    kill_when(&sandbox, &other, &|| lines(aside(&sandbox, "samples.jsonl")) > 20);
    let said = sandbox.ok(&sample("samples.jsonl"));
    assert!(!said.err.contains("going on"), "another seed's rows are not taken: {}", said.err);
    assert_eq!(sandbox.read("samples.jsonl"), sandbox.read("whole.jsonl"));
}

#[test]
fn training_goes_on_from_its_checkpoint_and_tells_every_step_once() {
    let sandbox = Sandbox::new().with("prompts.jsonl", &prompts(64));
    sandbox.ok(&["sample", "--model", "builtin:tiny-a", "--prompts", "prompts.jsonl", "--out", "rows.jsonl"]);
    let train = |out: &'static str| {
        let model = ["train", "--model", "builtin:tiny-a", "--rows", "rows.jsonl", "--out", out];
        [&model[..], &["--epochs", "6", "--checkpoint-every", "5", "--lr", "0.003"]].concat()
    };
    sandbox.ok(&train("whole"));
    let checkpoint = sandbox.path("parts/checkpoints/step-00000010");
    kill_when(&sandbox, &train("parts"), &|| checkpoint.is_dir());
    sandbox.ok(&train("parts"));
    let bytes = |name: &str| std::fs::read(sandbox.path(name)).expect("an adapter");
    assert_eq!(bytes("parts/adapter_model.safetensors"), bytes("whole/adapter_model.safetensors"));
    let steps: Vec<u64> = sandbox.rows("parts/steps.jsonl").iter().filter_map(|row| row["step"].as_u64()).collect();
    assert_eq!(steps, (1..=48).collect::<Vec<_>>());
    assert!(!sandbox.path("parts/checkpoints").exists());
    let said = sandbox.run(&train("parts"));
    assert!(said.status == 2 && said.err.contains("already holds a training"), "{}", said.err);
}
