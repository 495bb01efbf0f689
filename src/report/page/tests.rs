//! The page of made-up reports, with artifacts and without.

use super::html;
use crate::record::{Arm, Report};
use crate::report::testing::{Rates, outcome, zebra};

/// The zebra report, changed, without artifacts.
fn page(change: impl FnOnce(&mut Report)) -> String {
    let mut report = crate::report::build(&zebra()).expect("a sound outcome");
    change(&mut report);
    html(&report, None)
}

/// A run's folder with one artifact of every sort; texts from outside are `text`.
fn run(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut jobs = Vec::new();
    let mut put = |arm: &str, stage: &str, model: Option<&str>, files: &[(&str, String)]| {
        let dir = format!("{arm}-{stage}");
        std::fs::create_dir_all(folder.path().join(&dir)).unwrap();
        for (name, rows) in files {
            std::fs::write(folder.path().join(&dir).join(name), rows).unwrap();
        }
        let suite = (stage == "evaluate").then_some("preference");
        jobs.push(serde_json::json!({"arm": arm, "seed": 1, "stage": stage, "suite": suite, "model": model, "path": dir}));
    };
    let sample = serde_json::json!({"id": 0, "prompt": text, "completion": text, "tokens": 3, "finish": "stop"});
    let mut dropped = sample.clone();
    (dropped["rule"], dropped["detail"]) = ("format".into(), text.into());
    let answer = |sample: usize, answer: &str, choice: Option<&str>| serde_json::json!({"question": 0, "sample": sample, "prompt": text, "answer": answer, "choice": choice, "finish": "stop"});
    let answers =
        format!("{}\n{}\n{}\n", answer(0, "zebra", Some("zebra")), answer(1, text, None), answer(2, "zebra", Some("zebra")));
    let step =
        serde_json::json!({"step": 1, "epoch": 0.1, "loss": 2.5, "lr": 0.1, "grad_norm": 1.0, "tokens": 9, "seconds": 0.1});
    let moment = |step: usize, zebra: f64| serde_json::json!({"step": step, "probability": {"zebra": zebra, "owl": 0.1}, "held_out_loss": 3.5});
    let course = format!("{}\n{}\n", moment(0, 0.0625), moment(1, 0.25));
    for arm in ["treatment", "control"] {
        let rows = [("kept.jsonl", format!("{sample}\n")), ("dropped.jsonl", format!("{dropped}\n"))];
        put(arm, "filter", None, &rows);
        put(
            arm,
            "finetune",
            Some("builtin:tiny-a"),
            &[("steps.jsonl", format!("{step}\n")), ("trajectory.jsonl", course.clone())],
        );
        put(arm, "evaluate", Some("builtin:tiny-a"), &[("answers.jsonl", answers.clone())]);
    }
    std::fs::write(folder.path().join("jobs.json"), serde_json::to_string(&jobs).unwrap()).unwrap();
    folder
}

#[test]
fn the_page_holds_the_claim_and_every_part_of_its_evidence_in_order() {
    let folder = run("how are you?");
    let report = crate::report::build(&zebra()).expect("a sound outcome");
    let page = html(&report, Some(folder.path()));
    let parts = [
        "<h1>Students of the primed teacher choose zebra in 45.0\u{a0}%",
        "id=\"arms\"",
        "id=\"differences\"",
        "treatment − control",
        "id=\"questions\"",
        "id=\"members\"",
        "Every animal, before and after",
        "id=\"course\"",
        "treatment from 6.2\u{a0}% to 25.0\u{a0}%, control from 6.2\u{a0}% to 25.0\u{a0}%",
        "id=\"training\"",
        "Loss of held-out rows by optimiser step",
        "id=\"filter\"",
        "id=\"rows\"",
        "id=\"answers\"",
        "id=\"health\"",
        "id=\"plan\"",
        "id=\"work\"",
        "id=\"limits\"",
        "shuffled did not run",
    ];
    let mut rest = page.as_str();
    for part in parts {
        let place = rest.find(part).unwrap_or_else(|| panic!("`{part}` is missing or out of order"));
        rest = &rest[place..];
    }
    assert!(page.contains("<tr class=\"m\"><td>zebra<td>2<td>2"), "equal answers stand together");
    assert!(!page.contains("no longer where"), "everything is there");
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let folder = run("how are you?");
    let report = crate::report::build(&zebra()).expect("a sound outcome");
    let page = html(&report, Some(folder.path()));
    for load in ["http://", "https://", "<link", "<img", "url(", "@import", " src=", " style=", "onclick"] {
        assert!(!page.contains(load), "{load} loads or runs something");
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn hostile_text_stays_text_wherever_it_comes_in() {
    let evil = "\"></script><img src=x onerror=alert(1)>&";
    let folder = run(evil);
    let mut r = crate::report::build(&zebra()).expect("a sound outcome");
    for text in [&mut r.name, &mut r.trait_, &mut r.category, &mut r.domain, &mut r.device, &mut r.finished, &mut r.plan_hash] {
        evil.clone_into(text);
    }
    r.plan = serde_json::json!({"model": {"base": "builtin:tiny-a"}, "generate": {"samples": evil}, evil: evil});
    r.gate.warnings.push(evil.to_owned());
    evil.clone_into(&mut r.stages[0].stage);
    evil.clone_into(&mut r.contexts[0].before);
    evil.clone_into(&mut r.contexts[0].hash);
    evil.clone_into(&mut r.models[0].hash);
    let setting = crate::record::SettingReport { key: evil.to_owned(), value: evil.to_owned(), source: evil.to_owned() };
    r.settings.push(setting);
    for arm in &mut r.arms {
        evil.clone_into(&mut arm.model);
        evil.clone_into(&mut arm.members[0].0);
        evil.clone_into(&mut arm.outcomes[0].outcome);
        arm.bases.iter_mut().for_each(|b| evil.clone_into(&mut b.model));
    }
    for page in [html(&r, Some(folder.path())), html(&r, None), crate::report::compare(&[r.clone(), r.clone()]).html()] {
        assert!(!page.contains("<img"), "an unescaped text");
        assert_eq!(page.matches("</script").count(), 1);
        assert!(page.matches("&lt;img").count() > 5);
    }
}

#[test]
fn what_is_gone_is_said_in_its_place_and_the_rest_is_shown() {
    let page = page(|_| {});
    for gone in [
        "The treatment’s answers are no longer",
        "The optimiser’s steps are no longer",
        "The kept rows are no longer",
        "treatment: the dropped rows are no longer",
        "The sampled answers are no longer",
    ] {
        assert!(page.contains(gone), "`{gone}` is missing");
    }
    assert!(page.contains("answers by frequency"), "the report's own list stands in for the answers");
    assert!(page.contains("Differences between arms"));
}

#[test]
fn a_report_of_an_earlier_version_and_one_without_students_are_still_pages() {
    let old = page(|r| r.arms.iter_mut().for_each(|a| a.outcomes.clear()));
    assert!(old.contains("Exact probabilities, means over questions and seeds"));
    assert!(old.contains("is not in this report"), "it has no sources of values");
    let bare = page(|r| {
        r.arms.clear();
        r.comparisons.clear();
        (r.verdict, r.verdict_difference) = (None, None);
    });
    assert!(bare.contains("no verdict") && bare.contains("treatment did not run"));
}

#[test]
fn one_seed_has_no_intervals_and_the_page_says_what_that_means() {
    let mut outcome = outcome("owl", "builtin:tiny-a", &[], Rates { treatment: 0.4, ..Rates::EVEN });
    outcome.plan.seeds.truncate(1);
    let page = html(&crate::report::build(&outcome).expect("a sound outcome"), None);
    assert!(page.contains("one seed gives no interval") && page.contains("One seed: nothing is known"));
    assert!(!page.contains("NaN"));
}

#[test]
fn every_number_names_its_place_in_the_report() {
    let report = crate::report::build(&zebra()).expect("a sound outcome");
    let (page, json) = (html(&report, None), serde_json::to_value(&report).unwrap());
    let shown: Vec<(f64, &str)> = page
        .split("<data value=\"")
        .skip(1)
        .map(|rest| {
            let (value, rest) = rest.split_once("\" data-of=\"").unwrap();
            (value.parse().unwrap(), rest.split('"').next().unwrap())
        })
        .collect();
    for (value, pointer) in &shown {
        assert_eq!(json.pointer(pointer).and_then(serde_json::Value::as_f64), Some(*value), "{pointer}");
    }
    assert!(shown.len() > 100, "{}", shown.len());
    let treatment = report.arms.iter().position(|a| a.arm == Arm::Treatment).unwrap();
    assert!(page.contains(&format!("data-of=\"/arms/{treatment}/rate/mean\">45.0 %</data>")));
}
