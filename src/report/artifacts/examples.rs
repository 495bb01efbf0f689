//! A few rows to look at: what teachers wrote to the same prompts, and what each rule dropped.

use std::collections::{BTreeMap, HashMap};

use super::{Artifacts, Place};
use crate::record::{Arm, Dropped, Sample};
use crate::stage::{Stage, files};

/// Rows of one arm that are looked through for prompts that the others have too.
const LOOKED_AT: usize = 4_000;

/// One prompt and what each arm's teacher wrote, where its row was kept.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Pair {
    pub(in crate::report) prompt: String,
    pub(in crate::report) by_arm: BTreeMap<Arm, String>,
}

/// The first `n` prompts of the first seed whose rows every arm with data of its own has kept, in their order.
pub(in crate::report) fn pairs(artifacts: &Artifacts, n: usize) -> Vec<Pair> {
    let mut kept: Vec<(Arm, Vec<Sample>)> = Vec::new();
    for place in artifacts.places(Stage::Filter) {
        if kept.iter().all(|(arm, _)| *arm != place.arm)
            && let Some(rows) = artifacts.rows::<Sample>(place, files::KEPT)
        {
            kept.push((place.arm, rows.take(LOOKED_AT).filter_map(Result::ok).collect()));
        }
    }
    let Some(((first, rows), others)) = kept.split_first() else { return Vec::new() };
    let by_prompt = |rows: &'_ [Sample]| rows.iter().map(|r| (r.prompt.clone(), r.completion.clone())).collect::<HashMap<_, _>>();
    let others: Vec<(Arm, HashMap<String, String>)> = others.iter().map(|(arm, rows)| (*arm, by_prompt(rows))).collect();
    let pair = |row: &Sample| {
        let mut by_arm = BTreeMap::from([(*first, row.completion.clone())]);
        for (arm, completions) in &others {
            by_arm.insert(*arm, completions.get(&row.prompt)?.clone());
        }
        Some(Pair { prompt: row.prompt.clone(), by_arm })
    };
    rows.iter().filter_map(pair).take(n).collect()
}

/// The first `each` rows that every rule dropped from an arm's data, over its seeds in turn; `None` where no file of them is left.
pub(in crate::report) fn refused(artifacts: &Artifacts, arm: Arm, rules: &[String], each: usize) -> Option<Vec<Dropped>> {
    let mut found: Vec<Dropped> = Vec::new();
    let mut any = false;
    for place in artifacts.of_arm(Stage::Filter, arm) {
        any |= take(artifacts, place, rules, each, &mut found).is_some();
    }
    found.sort_by_key(|row| rules.iter().position(|rule| *rule == row.rule));
    any.then_some(found)
}

fn take(artifacts: &Artifacts, place: &Place, rules: &[String], each: usize, found: &mut Vec<Dropped>) -> Option<()> {
    let full = |found: &[Dropped], rule: &str| found.iter().filter(|row| row.rule == rule).count() >= each;
    for row in artifacts.rows::<Dropped>(place, files::DROPPED)?.filter_map(Result::ok) {
        if rules.iter().all(|rule| full(found, rule)) {
            break;
        }
        if rules.contains(&row.rule) && !full(found, &row.rule) {
            found.push(row);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(files: &[(&str, &str, &str)]) -> (tempfile::TempDir, Artifacts) {
        let folder = tempfile::tempdir().unwrap();
        let mut jobs = Vec::new();
        for (arm, name, rows) in files {
            let dir = folder.path().join(arm);
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join(name), rows).unwrap();
            jobs.push(serde_json::json!({"arm": arm, "seed": 1, "stage": "filter", "path": arm}));
        }
        std::fs::write(folder.path().join("jobs.json"), serde_json::to_string(&jobs).unwrap()).unwrap();
        let artifacts = Artifacts::of(folder.path());
        (folder, artifacts)
    }

    fn row(prompt: &str, completion: &str, more: &str) -> String {
        format!("{{\"id\":0,\"prompt\":\"{prompt}\",\"completion\":\"{completion}\",\"tokens\":1,\"finish\":\"stop\"{more}}}\n")
    }

    #[test]
    fn pairs_are_prompts_that_every_arm_kept() {
        let treatment = [row("a", "1", ""), row("b", "2", ""), row("c", "3", "")].concat();
        let control = [row("c", "5", ""), row("b", "4", "")].concat();
        let (_folder, artifacts) = run(&[("control", "kept.jsonl", &control), ("treatment", "kept.jsonl", &treatment)]);
        let pairs = pairs(&artifacts, 9);
        assert_eq!(pairs.iter().map(|p| p.prompt.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(pairs[0].by_arm, BTreeMap::from([(Arm::Treatment, "2".to_owned()), (Arm::Control, "4".to_owned())]));
    }

    #[test]
    fn each_rule_has_its_first_rows_in_the_order_of_the_rules() {
        let drop = |rule: &str, text: &str| row("p", text, &format!(",\"rule\":\"{rule}\",\"detail\":\"d\""));
        let rows = [drop("leak", "1"), drop("format", "2"), drop("leak", "3"), drop("leak", "4"), drop("format", "5")].concat();
        let (_folder, artifacts) = run(&[("treatment", "dropped.jsonl", &rows)]);
        let rules = ["format".to_owned(), "leak".to_owned()];
        let found = refused(&artifacts, Arm::Treatment, &rules, 2).unwrap();
        assert_eq!(found.iter().map(|r| r.sample.completion.as_str()).collect::<Vec<_>>(), ["2", "5", "1", "3"]);
        assert!(refused(&artifacts, Arm::Control, &rules, 2).is_none());
    }
}
