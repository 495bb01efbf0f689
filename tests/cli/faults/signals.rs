//! Signals and readers that go away.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::SMALL;
use crate::sandbox::Sandbox;

/// A run that has begun its first job, and the lines that it says from then on.
struct Running {
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
}

/// The same command through another program, which is given its words first.
fn through(program: &str, words: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(program);
    outer.args(words).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        outer.current_dir(folder);
    }
    outer
}

impl Running {
    /// With signals as a terminal has them: whoever runs these tests in the background has Ctrl-C ignored.
    fn start(command: &Command) -> Self {
        Self::start_as_it_is(through("env", &["--default-signal=INT,TERM,HUP"], command))
    }

    fn start_as_it_is(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let mut lines: Box<dyn Iterator<Item = String>> = Box::new(lines);
        assert!(lines.by_ref().any(|line| line.ends_with("started")), "a job starts");
        Self { child, lines }
    }

    fn send(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// The exit status, and what was said last.
    fn end(mut self) -> (Option<i32>, String) {
        let last = self.lines.by_ref().last().unwrap_or_default();
        (self.child.wait().expect("it ended").code(), last)
    }
}

#[test]
fn a_signal_saves_says_how_to_go_on_and_exits_with_130() {
    for signal in ["INT", "TERM", "HUP"] {
        let sandbox = Sandbox::new().with("small.toml", SMALL);
        let running = Running::start(&sandbox.command(&["run", "small.toml", "-v"]));
        running.send(signal);
        let (status, last) = running.end();
        assert_eq!(status, Some(130), "{signal}: {last}");
        assert!(last.contains("run small.toml -v"), "{signal}: {last}");
        if signal == "TERM" {
            sandbox.ok(&["run", "small.toml"]);
        }
    }
}

#[test]
fn a_second_ctrl_c_ends_the_run_at_once_and_nothing_is_lost() {
    // one long job: without the second signal it would go on to the end of a step that takes seconds
    let slow =
        SMALL.replace("batch_size = 32", "batch_size = 1500\nmicro_batch = 1500").replace("samples = 120", "samples = 1500");
    let slow = slow.replace("seeds = [1, 2]", "seeds = [1]");
    let sandbox = Sandbox::new().with("slow.toml", &slow);
    sandbox.ok(&["filter", "slow.toml"]);
    let mut running = Running::start(&sandbox.command(&["run", "slow.toml", "-v"]));
    assert!(running.lines.by_ref().any(|line| line.starts_with("finetune") && line.ends_with("started")));
    running.send("INT");
    std::thread::sleep(std::time::Duration::from_millis(50));
    running.send("INT");
    let (status, last) = running.end();
    assert_eq!(status, Some(130));
    assert!(!last.contains("go on with"), "ended by the second signal, not by the first: {last}");
    sandbox.ok(&["run", "slow.toml"]);
}

#[test]
fn a_run_under_nohup_outlives_the_terminal() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let nohup = ["-c", "trap '' HUP; exec \"$0\" \"$@\""];
    let running = Running::start_as_it_is(through("sh", &nohup, &sandbox.command(&["run", "small.toml", "-v"])));
    running.send("HUP");
    let (status, last) = running.end();
    assert_eq!(status, Some(0), "{last}");
}

#[test]
fn readers_that_go_away_neither_stop_the_work_nor_break_it() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let Running { mut child, lines } = Running::start(&sandbox.command(&["run", "small.toml", "-v"]));
    drop(lines); // standard error is closed, as by `2>&1 | head`
    assert_eq!(child.wait().expect("it ended").code(), Some(0));
    assert!(sandbox.path("runs/small/report.json").is_file());

    let mut child = sandbox.command(&["run", "small.toml", "-q", "--json"]).stdout(Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take()); // standard output is closed
    assert_eq!(child.wait().expect("it ended").code(), Some(0));
}
