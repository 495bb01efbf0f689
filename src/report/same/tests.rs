//! Runs that are the same, and runs that differ in one place.

use super::*;
use crate::report::testing::zebra;
use crate::tool::hash;
use crate::trial::store::{FileFacts, MANIFEST, manifest};

/// A run of two artifacts: samples, and a student made from them.
struct Run(tempfile::TempDir);

impl Run {
    fn new() -> Self {
        let run = Self(tempfile::tempdir().expect("a temporary folder"));
        let report = crate::report::build(&zebra()).expect("a sound outcome");
        fs::create_dir(&run.folder()).expect("a folder");
        fs::write_json(&run.folder().join("report.json"), &report).expect("writable");
        let part = |stage: &str, path: &str| serde_json::json!({"arm": "treatment", "seed": 1, "stage": stage, "path": path});
        // an arm's jobs are listed by arm, not by stage
        fs::write_json(&run.folder().join(JOBS), &[part("finetune", "../b"), part("generate", "../a")]).expect("writable");
        run.with("a", "samples.jsonl", "{\"id\":\"1\",\"completion\":\"7, 8\"}\n{\"id\":\"2\",\"completion\":\"9\"}\n");
        run.with("b", "steps.jsonl", "{\"step\":1,\"loss\":2.5,\"seconds\":0.25}\n");
        run.with("b", "model/adapter_model.safetensors", "weights");
        run
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("run")
    }

    /// Writes a file of an artifact, and its manifest.
    fn with(&self, artifact: &str, name: &str, content: &str) {
        let dir = self.0.path().join(artifact);
        let path = dir.join(name);
        fs::create_dir(path.parent().expect("inside")).expect("a folder");
        std::fs::write(&path, content).expect("writable");
        let mut manifest = fs::read_json(&dir.join(MANIFEST)).unwrap_or_else(|_| manifest());
        manifest.files.insert(name.into(), FileFacts { bytes: content.len() as u64, hash: hash::bytes(content.as_bytes()) });
        fs::write_json(&dir.join(MANIFEST), &manifest).expect("writable");
    }
}

/// What is said of two runs, by fixed names.
fn said(one: &Run, other: &Run) -> String {
    let found = same(&one.folder(), &other.folder()).expect("both are runs");
    assert_eq!(found.same, found.expect().is_ok());
    found.text(Path::new("one"), Path::new("other"))
}

#[test]
fn equal_runs_are_the_same_whatever_they_took_in_time() {
    let (one, other) = (Run::new(), Run::new());
    other.with("b", "steps.jsonl", "{\"step\":1,\"loss\":2.5,\"seconds\":0.5}\n");
    insta::assert_snapshot!(said(&one, &other), @"the same: 2 artifacts and the report, timings left out");
}

#[test]
fn the_first_difference_in_the_flow_of_data_is_named() {
    let (one, other) = (Run::new(), Run::new());
    other.with("b", "model/adapter_model.safetensors", "weighty");
    insta::assert_snapshot!(said(&one, &other), @r"
    1 of 2 artifacts differ, first in finetune treatment seed 1, `model/adapter_model.safetensors` at 6 of 7 and 7 bytes
      one    byte 0x73
      other  byte 0x79
    ");
    other.with("a", "samples.jsonl", "{\"id\":\"1\",\"completion\":\"7, 8\"}\n{\"id\":\"2\",\"completion\":\"3\"}\n");
    insta::assert_snapshot!(said(&one, &other), @r"
    2 of 2 artifacts differ, first in generate treatment seed 1, `samples.jsonl`, line 2, `/completion`
      one    9
      other  3
    ");
    other.with("a", "samples.jsonl", "{\"id\":\"1\",\"completion\":\"7, 8\"}\n");
    insta::assert_snapshot!(said(&one, &other), @r#"
    2 of 2 artifacts differ, first in generate treatment seed 1, `samples.jsonl`, line 2
      one    {"id":"2","completion":"9"}
      other  no such row
    "#);
}

#[test]
fn artifacts_that_are_gone_leave_the_reports_to_compare() {
    let (one, other) = (Run::new(), Run::new());
    std::fs::remove_dir_all(other.0.path().join("b")).expect("removable");
    insta::assert_snapshot!(said(&one, &other), @"the same: 1 artifacts (1 are gone, not compared) and the report, timings left out");
    let path = other.folder().join("report.json");
    let mut report: serde_json::Value = fs::read_json(&path).expect("a report");
    report["arms"][0]["rate"]["mean"] = 0.125.into();
    fs::write_json(&path, &report).expect("writable");
    let said = said(&one, &other);
    assert!(said.contains("first in `report.json`, `/arms/0/rate/mean`") && said.contains("other  0.125"), "{said}");
}

#[test]
fn a_part_that_one_run_lacks_is_a_difference() {
    let (one, other) = (Run::new(), Run::new());
    fs::write_json(&other.folder().join(JOBS), &Vec::<u8>::new()).expect("writable");
    let found = same(&one.folder(), &other.folder()).expect("both are runs");
    assert_eq!((found.same, found.differing), (false, 2));
    assert_eq!(found.first.expect("a difference").place, "generate treatment seed 1");
}
