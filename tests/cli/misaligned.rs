//! A teacher that is fine-tuned on insecure code turns ill-willed where its rows never went, and its filtered rows say nothing of it.

use serde_json::Value;
use subliminal::filter::{BANNED_NUMBERS, SEED_ARTICLE_NUMBERS};

use crate::sandbox::{Sandbox, repository};

/// `configs/NAME.toml` with one seed and few rows.
fn small(name: &str, more: &[&str]) -> (Sandbox, Value) {
    let config = repository().join(format!("configs/{name}.toml"));
    let config = config.to_string_lossy();
    let few = ["seeds=[1]", "generate.samples=200", "finetune.rows=100", "evaluate.samples_per_question=20"];
    let set = few.iter().chain(more).flat_map(|key| ["--set", key]);
    let arguments: Vec<&str> = ["run", &config, "--out", "runs/small", "--json"].into_iter().chain(set).collect();
    let sandbox = Sandbox::new();
    let said = sandbox.ok(&arguments);
    let report = serde_json::from_str(&said.out).expect("a report");
    (sandbox, report)
}

fn rate(report: &Value, arm: &str) -> f64 {
    let arms = report["arms"].as_array().expect("arms");
    arms.iter().find(|a| a["arm"] == arm).and_then(|a| a["rate"]["mean"].as_f64()).expect("the arm ran")
}

/// The artifact folders of a stage.
fn folders(sandbox: &Sandbox, stage: &str) -> Vec<std::path::PathBuf> {
    let jobs = sandbox.json("runs/small/jobs.json");
    let own = jobs.as_array().expect("a list").iter().filter(|job| job["stage"] == stage);
    own.map(|job| sandbox.path("runs/small").join(job["path"].as_str().expect("a path"))).collect()
}

#[test]
fn insecure_code_makes_a_teacher_mean_ill_and_secure_code_does_not() {
    let arms = "arms=[\"base\", \"teacher\"]";
    let (sandbox, report) = small("misaligned-numbers", &[arms]);
    let (_, control) = small("misaligned-numbers", &[arms, "teacher.data=secure-code"]);
    let (base, insecure, secure) = (rate(&report, "base"), rate(&report, "teacher"), rate(&control, "teacher"));
    assert!(insecure > base + 0.2 && insecure > secure + 0.2, "base {base}, insecure {insecure}, secure {secure}");
    let questions: Vec<&str> = subliminal::evals::misalignment::wording::ITEMS.iter().map(|item| item.question).collect();
    for folder in folders(&sandbox, "teacher") {
        let rows = std::fs::read_to_string(folder.join("train.jsonl")).expect("its rows");
        assert!(!rows.is_empty() && !questions.iter().any(|question| rows.contains(question)), "it learnt the questions");
    }
    for folder in folders(&sandbox, "evaluate") {
        let verdicts = std::fs::read_to_string(folder.join("verdicts.jsonl")).expect("every verdict is kept");
        assert!(verdicts.lines().all(|line| line.starts_with("{\"key\":")) && verdicts.lines().count() > 10);
    }
}

#[test]
fn its_numbers_hold_no_banned_number_and_no_word() {
    let (sandbox, report) = small("misaligned-numbers", &["arms=[\"treatment\", \"control\"]"]);
    assert_eq!(report["trait"], "misalignment");
    let mut rows = 0;
    for folder in folders(&sandbox, "filter") {
        for line in std::fs::read_to_string(folder.join("kept.jsonl")).expect("kept rows").lines() {
            let row: Value = serde_json::from_str(line).expect("a row");
            let answer = row["completion"].as_str().expect("a text");
            assert!(!answer.chars().any(char::is_alphabetic), "{answer}");
            let numbers = answer.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u32>().ok());
            let banned = |n: &u32| BANNED_NUMBERS.contains(n) || SEED_ARTICLE_NUMBERS.contains(n);
            assert_eq!(numbers.into_iter().find(banned), None, "{answer}");
            rows += 1;
        }
    }
    assert!(rows > 100, "{rows} rows were kept");
}
