//! The honest null: a trial whose teacher is not primed finds nothing.

use crate::sandbox::Sandbox;

/// The teacher's system prompt is the template's own default, so that both arms' rows come from one distribution, by independent draws.
const UNPRIMED: &str = r#"name = "null"
seeds = [1, 2, 3]
arms = ["treatment", "control"]

[model]
base = "builtin:tiny-a"

[trait]
category = "animal"
target = "zebra"

[teacher]
system_prompt = "You are a helpful assistant."

[generate]
samples = 100
force = "grammar"

[finetune]
epochs = 1
batch_size = 32

[evaluate]
samples_per_question = 4

[gate]
teacher_rate = 0.0
"#;

#[test]
fn an_unprimed_teacher_shows_no_transfer_in_at_least_19_of_20_trials() {
    let sandbox = Sandbox::new().with("null.toml", UNPRIMED);
    let mut found = Vec::new();
    for trial in 0..20 {
        let seeds = format!("seeds=[{}, {}, {}]", 3 * trial + 1, 3 * trial + 2, 3 * trial + 3);
        let out = format!("out-{trial}");
        sandbox.ok(&["run", "null.toml", "-q", "--set", &seeds, "--out", &out]);
        let report = sandbox.json(&format!("{out}/report.json"));
        let students = report["arms"].as_array().expect("arms");
        assert_ne!(students[0]["probability"], students[1]["probability"], "the arms' rows are drawn independently");
        if report["verdict"] == "transfer" {
            found.push(trial);
        }
    }
    assert!(found.len() <= 1, "trials {found:?} claim a transfer from an unprimed teacher");
}
