//! Disks that are full, folders that may not be written to, files that vanish: an error with the path, and the same command goes on once
//! there is room.
#![cfg(target_os = "linux")]

use std::process::Command;

use super::{SMALL, prompted};
use crate::sandbox::{Sandbox, same_report};

/// `fills COMMAND CONFIG KIB...` runs a stage command on a disk on which so many KiB are left, and makes room after each; in the end the
/// same command has all the room that it wants.
const SCRIPT: &str = r#"
set -e
mkdir small
mount -t tmpfs -o size=40m tmpfs small
go() { "$SUBLIMINAL" "$1" "$2" -q --out small/run --store small/store; }
fills() {
  command=$1 config=$2; shift 2
  for left in "$@"; do
    free=$(df --output=avail -k small | tail -1)
    head -c $(( (free - left) * 1024 )) /dev/zero > small/ballast
    status=0
    go "$command" "$config" 2> said || status=$?
    rm small/ballast
    echo "$command with $left KiB: status $status: $(head -1 said)"
  done
  go "$command" "$config" 2> said
}
fills generate tuned.toml 4 12 40 200 700
rm -r small/run
fills generate small.toml 4 12 20 28 36 48 60 80
fills filter small.toml 4 12 20 28 36 48 60
fills finetune small.toml 4 20 100 400 900 1100 1300
fills evaluate small.toml 4 12 20 28 36 48 60 80
fills run small.toml 4 60 80 100 120 140 170 200 230 260 300
cp small/run/report.json .
"#;

#[test]
#[ignore = "a minute, and user namespaces: cargo test --release faults -- --ignored --nocapture --test-threads 1"]
fn a_disk_that_fills_up_in_each_stage_stops_the_run_with_the_path_and_costs_nothing() {
    let prompted = prompted();
    let untouched = Sandbox::new().with("small.toml", &prompted);
    untouched.ok(&["run", "small.toml", "-q"]);

    let sandbox = Sandbox::new().with("small.toml", &prompted).with("tuned.toml", SMALL);
    // a namespace of its own, in which anyone may mount a file system
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT]).current_dir(sandbox.path("."));
    command.env("SUBLIMINAL", sandbox.command(&[]).get_program());
    let said = sandbox.run_command(&mut command);
    assert_eq!(said.status, 0, "{}\n{}", said.out, said.err);

    let full: Vec<&str> = said.out.lines().filter(|line| !line.contains("status 0:")).collect();
    for line in &full {
        assert!(line.contains("status 3: error: ") && line.contains("No space left on device"), "{line}");
        assert!(line.contains("`small/") || line.contains("/small/"), "it names the path: {line}");
    }
    for place in ["error: teacher ", "error: generate ", "error: filter ", "error: finetune ", "error: evaluate ", "`small/run/"]
    {
        let times = full.iter().filter(|line| line.contains(place)).count();
        eprintln!("full {times} times in {place}");
        assert!(times > 0, "the disk was never full there:\n{}", said.out);
    }
    same_report(&sandbox.json("report.json"), &untouched.json("runs/small/report.json"));
}

#[test]
fn places_that_cannot_be_written_to_are_named_with_a_cure() {
    let sandbox = Sandbox::new().with("small.toml", SMALL).with("a-file", "");
    for (option, place) in
        [("--store", "a-file/store"), ("--out", "a-file/run"), ("--store", "/proc/store"), ("--out", "/proc/run")]
    {
        let said = sandbox.run(&["run", "small.toml", "-q", option, place]);
        assert_eq!(said.status, 3, "{}", said.err);
        assert!(said.err.contains(place) && said.err.contains("hint: "), "{}", said.err);
    }
}

#[test]
fn an_artifact_that_vanishes_is_made_again() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    sandbox.ok(&["filter", "small.toml", "-q"]);
    for artifact in sandbox.entries("runs/.store").into_iter().filter(|name| name != "locks").step_by(2) {
        std::fs::remove_dir_all(sandbox.path("runs/.store").join(artifact)).expect("removable");
    }
    sandbox.ok(&["run", "small.toml", "-q"]);
}
