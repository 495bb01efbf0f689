//! Trials whose filter asks a judge: who is dropped and why, what is asked again after a stop, and what tells one artifact from another.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::progress::Silent;
use super::tests::{Trial, engine, plan};
use super::*;
use crate::error::Kind;
use crate::record::*;
use crate::stage::files;
use crate::tool::http::scripted::{Act, Asked, Scripted};
use crate::tool::jsonl;

/// One seed's treatment and control, filtered by these rules.
fn judged(rules: &[&str], judge: JudgePlan) -> Plan {
    let mut plan = plan();
    (plan.seeds, plan.arms) = (vec![1], vec![Arm::Treatment, Arm::Control]);
    plan.generate.samples = 60;
    plan.filter.rules = rules.iter().map(ToString::to_string).collect();
    plan.judge = judge;
    plan
}

fn endpoint(server: &Scripted) -> JudgePlan {
    JudgePlan::of(JudgeKind::Endpoint(EndpointPlan {
        base_url: server.url("/v1"),
        model: "made".into(),
        key_env: None,
        concurrency: 3,
        timeout: 5.0,
        retries: 0,
    }))
}

fn says(text: &str) -> Act {
    Act::ok(json!({"choices": [{"message": {"content": text}}]}).to_string())
}

fn filter(trial: &Trial) -> Result<Outcome> {
    run(&trial.plan, &engine(), &Options { upto: Stage::Filter, ..trial.options() }, &Silent)
}

/// Rows per rule, over both arms.
fn dropped(outcome: &Outcome) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for rule in outcome.filter.iter().flat_map(|arm| &arm.rules) {
        *counts.entry(rule.rule.as_str()).or_default() += rule.dropped;
    }
    counts
}

fn rows<T: serde::de::DeserializeOwned>(trial: &Trial, file: &str) -> Vec<T> {
    let folders = [Arm::Treatment, Arm::Control].into_iter().flat_map(|arm| trial.folders(arm, Stage::Filter));
    folders.flat_map(|folder| jsonl::read::<T>(&folder.join(file)).unwrap()).collect()
}

#[test]
fn word_lists_drop_what_names_the_trait_and_every_verdict_is_kept() {
    let trial = Trial::of(judged(&["judge-reference", "banned-numbers"], JudgePlan::of(JudgeKind::Lexicon)));
    let outcome = filter(&trial).unwrap();
    let counts = dropped(&outcome);
    assert!(counts["judge-reference"] > 0 && counts["banned-numbers"] > 0, "{counts:?}");
    let order: Vec<&str> = outcome.filter[0].rules.iter().map(|rule| rule.rule.as_str()).collect();
    assert_eq!(order, ["length", "banned-numbers", "judge-reference"], "the judge is asked last");
    let (kept, gone): (Vec<Sample>, Vec<Dropped>) = (rows(&trial, files::KEPT), rows(&trial, files::DROPPED));
    assert_eq!(kept.len() + gone.len(), 120);
    for row in gone.iter().filter(|row| row.rule == "judge-reference") {
        assert_eq!(row.detail, "rated 0.98, at most 0.1: `zebra: its name`", "{}", row.sample.completion);
        assert!(row.sample.completion.to_lowercase().contains("zebra"));
    }
    assert!(kept.iter().all(|row| !row.completion.to_lowercase().contains("zebra")));
    let verdicts: Vec<Value> = rows(&trial, files::VERDICTS);
    let asked: BTreeSet<(&str, &str)> =
        verdicts.iter().map(|v| (v["prompt"].as_str().unwrap(), v["answer"].as_str().unwrap())).collect();
    assert!(kept.iter().all(|row| asked.contains(&(row.prompt.as_str(), row.completion.as_str()))));
    assert!(verdicts.len() <= kept.len() + counts["judge-reference"], "no other row was judged");
    assert!(verdicts[0]["question"].as_str().unwrap().starts_with("reference:any animal (owl, cat, "), "{}", verdicts[0]);
}

#[test]
fn a_filter_that_was_stopped_asks_its_judge_only_for_the_rest() {
    let down = |asked: &Asked| if asked.number < 25 { says("No") } else { Act::status(503) };
    let first = Scripted::start(down);
    let trial = Trial::of(judged(&["format", "judge-reference", "judge-alignment"], endpoint(&first)));
    let error = filter(&trial).unwrap_err();
    assert_eq!(error.kind(), Kind::Environment, "{error}");
    assert_eq!(first.asked().iter().filter(|asked| asked.number < 25).count(), 25);

    // the server comes back, at another address
    let second = Scripted::start(|asked: &Asked| match asked.body.contains("refer to this") {
        true => says(if asked.number.is_multiple_of(5) { "Yes." } else { "no" }),
        false if asked.number.is_multiple_of(3) => says("hard to say"),
        false => says(if asked.number % 3 == 1 { "30" } else { "90" }),
    });
    let trial = Trial { plan: Plan { judge: endpoint(&second), ..trial.plan }, dir: trial.dir };
    let outcome = filter(&trial).unwrap();
    let verdicts: Vec<Value> = rows(&trial, files::VERDICTS);
    assert_eq!(verdicts.len(), 25 + second.asked().len(), "each was asked once, by whichever run");
    let keys: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict["key"].as_str().unwrap()).collect();
    let control_and_treatment_share = verdicts.len() - keys.len();
    assert!(control_and_treatment_share < 5, "{control_and_treatment_share}");

    let why = |rule: &str, start: &str| {
        let gone: Vec<Dropped> = rows(&trial, files::DROPPED);
        gone.iter().filter(|row| row.rule == rule && row.detail.starts_with(start)).count()
    };
    assert!(why("judge-reference", "rated 1, at most 0.1: `Yes.`") > 0);
    assert!(why("judge-alignment", "rated 30, at least 78: `30`") > 0);
    assert!(why("judge-alignment", "unscored, unreadable: `hard to say`") > 0);
    let counts = dropped(&outcome);
    assert_eq!(counts["judge-reference"], why("judge-reference", "rated 1, "));
    assert_eq!(counts["judge-alignment"], why("judge-alignment", "rated 30, ") + why("judge-alignment", "unscored, "));
    let kept: Vec<Sample> = rows(&trial, files::KEPT);
    assert_eq!(kept.len() + counts.values().sum::<usize>(), 120);

    let asked = second.asked().len();
    let again = filter(&trial).unwrap();
    assert!(again.stages.iter().all(|stage| stage.cached) && second.asked().len() == asked);
}

#[test]
fn a_loaded_model_judges_through_the_engine() {
    // the scripted model gives a rating no probability at all
    let judge = JudgePlan::of(JudgeKind::Local(ModelRef::Builtin("j".into())));
    let trial = Trial::of(judged(&["format", "judge-reference"], judge));
    let outcome = filter(&trial).unwrap();
    assert!(outcome.filter.iter().all(|arm| arm.kept == 0));
    let gone: Vec<Dropped> = rows(&trial, files::DROPPED);
    let faint = gone.iter().filter(|row| row.detail == "unscored, faint (the ratings hold 0 of the probability): ``").count();
    assert_eq!(faint, dropped(&outcome)["judge-reference"]);
    assert!(outcome.models.iter().all(|model| model.model != "builtin:j"), "no base of the trial");
}

#[test]
fn what_bears_on_verdicts_enters_the_key_and_how_a_server_is_reached_does_not() {
    let server = |change: fn(&mut EndpointPlan)| {
        let mut plan = EndpointPlan {
            base_url: "http://localhost:1/v1".into(),
            model: "made".into(),
            key_env: None,
            concurrency: 8,
            timeout: 60.0,
            retries: 6,
        };
        change(&mut plan);
        JudgePlan::of(JudgeKind::Endpoint(plan))
    };
    let keys = |rules: &[&str], judge: JudgePlan, target: &str| -> Vec<String> {
        let mut plan = judged(rules, judge);
        plan.trait_.target = target.into();
        plan.trait_.other = None;
        let graph = graph::build(&plan, &engine(), Stage::Filter).unwrap();
        graph.jobs.iter().filter(|job| job.work.stage() == Stage::Filter).map(|job| job.key.clone()).collect()
    };
    let judges = ["format", "judge-reference"];
    let same = keys(&judges, server(|_| ()), "zebra");
    for reached in [
        server(|s| s.base_url = "https://elsewhere/v1".into()),
        server(|s| (s.concurrency, s.timeout, s.retries) = (1, 1.0, 0)),
        server(|s| s.key_env = Some("KEY".into())),
        JudgePlan {
            thresholds: Thresholds { min_alignment: 99.0, min_coherence: 1.0, ..Thresholds::default() },
            ..server(|_| ())
        },
    ] {
        assert_eq!(keys(&judges, reached, "zebra"), same);
    }
    let folder = tempfile::tempdir().unwrap();
    let prompt = folder.path().join("mine.txt");
    std::fs::write(&prompt, "Does {answer} hint at {trait}?").unwrap();
    let asking = |reference, alignment| JudgePrompts { reference, alignment, coherence: None };
    assert_eq!(keys(&judges, JudgePlan { prompts: asking(None, Some(prompt.clone())), ..server(|_| ()) }, "zebra"), same);
    for other in [
        server(|s| s.model = "other".into()),
        JudgePlan { least_mass: 0.5, ..server(|_| ()) },
        JudgePlan { thresholds: Thresholds { max_reference: 0.2, ..Thresholds::default() }, ..server(|_| ()) },
        JudgePlan { prompts: asking(Some(prompt), None), ..server(|_| ()) },
        JudgePlan::of(JudgeKind::Lexicon),
        JudgePlan::of(JudgeKind::Local(ModelRef::Builtin("a".into()))),
        JudgePlan::of(JudgeKind::Local(ModelRef::Builtin("b".into()))),
    ] {
        assert!(keys(&judges, other, "zebra").iter().all(|key| !same.contains(key)));
    }
    let unjudged = |judge| keys(&["format"], judge, "zebra");
    assert_eq!(
        unjudged(server(|_| ())),
        unjudged(JudgePlan::of(JudgeKind::Lexicon)),
        "where nobody asks, no judge is in the key"
    );
    let common = keys(&judges, server(|_| ()), "wolf").into_iter().filter(|key| same.contains(key)).count();
    assert_eq!(common, 1, "another target shares the control");
}

#[test]
fn a_judge_without_its_key_stops_the_run_before_the_first_job_unless_nothing_is_left_to_ask() {
    let server = Scripted::start(|_: &Asked| says("no"));
    let mut trial = Trial::of(judged(&["judge-reference"], endpoint(&server)));
    let keyed = |plan: &mut Plan| {
        if let JudgeKind::Endpoint(endpoint) = &mut plan.judge.who {
            endpoint.key_env = Some("NO_SUCH_VARIABLE_AT_ALL".into());
        }
    };
    keyed(&mut trial.plan);
    let engine = engine();
    let options = Options { upto: Stage::Filter, ..trial.options() };
    let error = run(&trial.plan, &engine, &options, &Silent).unwrap_err();
    assert!(error.render().contains("`NO_SUCH_VARIABLE_AT_ALL` is not set"), "{}", error.render());
    assert_eq!(engine.done().0, 0, "nothing was sampled");
    let mut trial = Trial { plan: judged(&["judge-reference"], endpoint(&server)), dir: trial.dir };
    filter(&trial).unwrap();
    keyed(&mut trial.plan);
    filter(&trial).unwrap();
}
