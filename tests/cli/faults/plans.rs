//! One plan, whatever the threads, the batch and the interruptions.

use std::time::Duration;

use super::SMALL;
use crate::sandbox::Sandbox;

/// Runs the small trial in a store of its own; `kill_after` kills it once first.
fn run(sandbox: &Sandbox, threads: &str, batch: &str, kill_after: Option<Duration>) -> String {
    let out = format!("{threads}-{batch}-{}", kill_after.is_some());
    let store = format!("store-{out}");
    let arguments = ["run", "small.toml", "-q", "--threads", threads, "--batch", batch, "--out", &out, "--store", &store];
    if let Some(delay) = kill_after {
        let mut child = sandbox.command(&arguments).spawn().expect("the program starts");
        std::thread::sleep(delay);
        child.kill().expect("SIGKILL");
        child.wait().expect("it ended");
        assert!(!sandbox.path(&out).join("report.json").exists(), "it was killed in the middle");
    }
    sandbox.ok(&arguments);
    out
}

fn all_the_same(runs: &[(&str, &str, Option<Duration>)]) {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let mut runs = runs.iter().map(|(threads, batch, kill)| run(&sandbox, threads, batch, *kill));
    let first = runs.next().expect("a run");
    for other in runs {
        let said = sandbox.ok(&["report", &first, &other, "--same"]);
        assert!(said.out.starts_with("the same: "), "{}", said.out);
        eprintln!("{first} and {other}: {}", said.out.trim_end());
    }
}

#[test]
fn threads_batches_and_a_kill_change_no_byte() {
    all_the_same(&[("1", "64", None), ("2", "7", Some(Duration::from_millis(600)))]);
}

#[test]
#[ignore = "a minute: cargo test --release faults -- --ignored --nocapture --test-threads 1"]
fn no_pair_of_threads_and_batches_changes_a_byte() {
    let halfway = Some(Duration::from_millis(900));
    let runs = ["1", "2"].into_iter().flat_map(|threads| ["1", "7", "64"].map(|batch| (threads, batch)));
    let runs: Vec<_> = runs.flat_map(|(threads, batch)| [(threads, batch, None), (threads, batch, halfway)]).collect();
    all_the_same(&runs);
}

#[test]
fn runs_that_differ_are_told_where() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    sandbox.ok(&["run", "small.toml", "-q", "--out", "one"]);
    sandbox.ok(&["run", "small.toml", "-q", "--out", "other", "--set", "finetune.learning_rate=0.002"]);
    let said = sandbox.run(&["report", "one", "other", "--same"]);
    assert_eq!(said.status, 4, "{}", said.err);
    let (first, _) = said.out.split_once('\n').expect("lines");
    assert!(first.contains("first in finetune treatment seed 1"), "{first}");
    let json: serde_json::Value =
        serde_json::from_str(&sandbox.run(&["report", "one", "other", "--same", "--json"]).out).expect("JSON");
    assert_eq!(json["same"], false);
    assert!(json["differing"].as_u64() > Some(0) && json["differing"].as_u64() < json["artifacts"].as_u64(), "{json}");
}
