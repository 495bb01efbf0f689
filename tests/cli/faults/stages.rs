//! SIGKILL in every stage, then the same command: it finishes, with the report of a run that nobody touched.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use super::SMALL;
use crate::sandbox::{Sandbox, same_report};

/// Starts a run and kills it `delay` after the first job of `stage` has started.
fn kill_in(sandbox: &Sandbox, stage: &str, delay: Duration) {
    let mut child = sandbox.command(&["run", "small.toml", "-v"]).stderr(Stdio::piped()).spawn().expect("the program starts");
    let lines = BufReader::new(child.stderr.take().expect("piped"));
    for line in lines.lines().map_while(Result::ok) {
        if line.starts_with(stage) && line.ends_with("started") {
            std::thread::sleep(delay);
            child.kill().expect("SIGKILL");
            break;
        }
    }
    child.wait().expect("it ended");
}

/// The stages of the artifacts that lie half made in the store.
fn half_made(sandbox: &Sandbox) -> BTreeSet<String> {
    let preview = sandbox.ok(&["run", "small.toml", "--dry-run", "--json"]).out;
    let preview: serde_json::Value = serde_json::from_str(&preview).expect("JSON");
    let jobs = preview["jobs"].as_array().expect("jobs").iter();
    let text = |job: &serde_json::Value, field: &str| job[field].as_str().expect("a string").to_owned();
    let begun = jobs.filter(|job| sandbox.path(&format!("runs/.store/{}.part", text(job, "key"))).is_dir());
    begun.map(|job| text(job, "stage")).collect()
}

#[test]
fn a_run_killed_in_every_stage_ends_in_the_same_report() {
    let untouched = Sandbox::new().with("small.toml", SMALL);
    untouched.ok(&["run", "small.toml"]);
    let expected = untouched.json("runs/small/report.json");

    let sandbox = Sandbox::new().with("small.toml", SMALL);
    for stage in ["teacher", "generate", "filter", "finetune", "evaluate"] {
        // a job that was done before the signal arrived proves nothing: the next one of its stage is aimed at
        let hit = (0..6).any(|attempt| {
            kill_in(&sandbox, stage, Duration::from_millis(if stage == "filter" { 0 } else { 6 >> attempt }));
            half_made(&sandbox).contains(stage)
        });
        assert!(hit, "no kill hit the stage {stage}");
    }
    sandbox.ok(&["run", "small.toml"]);
    same_report(&sandbox.json("runs/small/report.json"), &expected);
}
