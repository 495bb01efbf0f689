//! Completions, manual pages and help: made from the command line itself, with every command in them.

use crate::sandbox::Sandbox;

const COMMANDS: [&str; 16] = [
    "run",
    "generate",
    "filter",
    "finetune",
    "evaluate",
    "sample",
    "score",
    "train",
    "ask",
    "judge",
    "report",
    "models",
    "doctor",
    "schema",
    "completions",
    "man",
];

#[test]
fn completions_and_manual_know_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox.ok(&["completions", shell]).out;
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{shell}");
    }
    let page = sandbox.ok(&["man"]).out;
    assert!(page.starts_with(".ie") && page.contains(".TH subliminal 1"), "{page}");
    sandbox.ok(&["man", "--out", "man1"]);
    let pages = sandbox.entries("man1");
    assert!(COMMANDS.iter().all(|command| pages.contains(&format!("subliminal-{command}.1"))), "{pages:?}");
    assert!(sandbox.read("man1/subliminal-run.1").contains("dry"), "with its options");
}

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new();
    for command in COMMANDS {
        let help = sandbox.ok(&[command, "--help"]).out;
        assert!(help.contains("Usage: subliminal"), "{command}: {help}");
    }
    for command in ["run", "report", "models pull", "sample", "score", "train", "ask", "judge", "filter", "doctor", "schema"] {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = sandbox.ok(&words).out;
        assert!(help.contains("Example"), "`{command} --help` shows no example:\n{help}");
    }
}
