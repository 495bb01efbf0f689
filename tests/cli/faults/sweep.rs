//! Several processes sweep the same configs over one store; one of them is killed.

use std::process::{Child, Stdio};
use std::time::Duration;

use super::prompted;
use crate::sandbox::{Sandbox, same_report};

const TARGETS: [&str; 8] = ["zebra", "owl", "fox", "lion", "wolf", "panda", "whale", "tiger"];

/// One process of the sweep: a shell that runs all configs one after another, beginning with another one than the others do.
fn sweep(sandbox: &Sandbox, process: usize, log: &str) -> Child {
    let program = sandbox.command(&[]).get_program().to_string_lossy().into_owned();
    let run = |target: &&str| format!("'{program}' run sweep.toml -v --set trait.target={target} --out runs/{process}-{target}");
    let mut order = TARGETS;
    order.rotate_left(2 * process);
    let script: Vec<String> = order.iter().map(run).collect();
    let log = std::fs::File::create(sandbox.path(log)).expect("a log");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("set -e\n{}", script.join("\n"))]).current_dir(sandbox.path(".")).stdin(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0); // so that the shell dies with what it runs
    command.stderr(log).spawn().expect("a shell")
}

fn kill(child: &mut Child) {
    let group = format!("-{}", child.id());
    let sent = std::process::Command::new("kill").args(["-KILL", "--", &group]).status().expect("kill runs");
    assert!(sent.success());
    child.wait().expect("it ended");
}

#[cfg(unix)]
#[test]
#[ignore = "a minute: cargo test --release faults -- --ignored --nocapture --test-threads 1"]
fn four_processes_over_one_store_make_every_artifact_once_though_one_is_killed() {
    let sandbox = Sandbox::new().with("sweep.toml", &prompted());
    let logs: Vec<String> = (0..4).map(|process| format!("log-{process}")).collect();
    let mut processes: Vec<Child> = logs.iter().enumerate().map(|(i, log)| sweep(&sandbox, i, log)).collect();
    std::thread::sleep(Duration::from_millis(2500));
    kill(&mut processes[3]);
    for (process, child) in processes.iter_mut().take(3).enumerate() {
        assert!(child.wait().expect("it ended").success(), "{}", sandbox.read(&logs[process]));
    }
    let alone = Sandbox::new().with("sweep.toml", &prompted());
    for target in TARGETS {
        alone.ok(&["run", "sweep.toml", "-q", "--set", &format!("trait.target={target}"), "--out", &format!("runs/{target}")]);
        for process in 0..3 {
            let report = sandbox.json(&format!("runs/{process}-{target}/report.json"));
            same_report(&report, &alone.json(&format!("runs/{target}/report.json")));
        }
    }
    let artifacts = sandbox.entries("runs/.store").len() - 1; // but for the folder of locks
    assert_eq!(artifacts, alone.entries("runs/.store").len() - 1);
    let said: Vec<String> = logs.iter().map(|log| sandbox.read(log)).collect();
    let count = |end: &str| said.iter().flat_map(|log| log.lines()).filter(|line| line.ends_with(end)).count();
    let (begun, waited) = (count(": started"), count("waiting"));
    let by_the_dead = said[3].lines().filter(|line| line.ends_with(": started")).count();
    eprintln!(
        "4 processes, 8 configs, {artifacts} artifacts: {begun} begun, {by_the_dead} of them by the one that was killed; {waited} times a \
         process had to wait"
    );
    assert!((artifacts..=artifacts + 2).contains(&begun), "each once, but for the two that the dead process had begun");
    assert!(by_the_dead > 0, "it was killed too early");
}
