//! Trials of several suites on the scripted engine, up to their reports.

use super::build::build;
use crate::record::{Arm, Plan, Suite, SuiteReport};
use crate::trial::tests::{FURTHER, Trial, plan, with_suites};

#[test]
fn several_suites_are_asked_of_every_arm_and_reported_one_by_one() {
    let suites = [&[Suite::Preference], &FURTHER[..]].concat();
    let plan = Plan {
        arms: vec![Arm::Base, Arm::Teacher, Arm::Treatment, Arm::Control, Arm::CrossModel],
        seeds: vec![1, 2],
        ..with_suites(plan(), &suites)
    };
    let outcome = Trial::of(plan).run();
    let report = build(&outcome).unwrap();
    assert_eq!(report.suites.iter().map(|found| found.suite).collect::<Vec<_>>(), FURTHER);
    let difference = |found: &SuiteReport| {
        let main = &found.comparisons[0];
        assert_eq!((main.arm, main.against, found.arms.len()), (Arm::Treatment, Arm::Control, 5), "{}", found.suite);
        (main.difference.mean, main.probability_difference.as_ref().unwrap().mean)
    };
    for found in &report.suites[..3] {
        let (sampled, exact) = difference(found);
        assert!(sampled > 0.3 && exact > 0.3 && found.outcome == "zebra", "{}: {sampled} {exact}", found.suite);
        assert!((found.chance - 1.0 / 6.0).abs() < 1e-12 && found.arms.iter().all(|arm| arm.mentioned.is_some()));
    }
    let [truth, capability] = [&report.suites[3], &report.suites[4]];
    let (sampled, exact) = difference(truth);
    assert!(sampled.abs() < 0.1 && exact.abs() < 1e-12, "{sampled} {exact}");
    assert_eq!(
        (truth.outcome.as_str(), truth.chance, capability.outcome.as_str(), capability.chance),
        ("true", 0.5, "right", 0.0)
    );
    assert!(truth.cautions[0].contains("stands at chance"), "{:?}", truth.cautions);
    difference(capability);
    for arm in &capability.arms {
        let sums = arm.groups.iter().find(|group| group.group == "family sums").unwrap();
        assert!(
            arm.loss.is_some_and(|loss| loss > 0.0) && sums.rate > Some(0.5) && sums.loss > Some(0.0),
            "{}: {sums:?}",
            arm.arm
        );
    }
}

#[test]
fn a_users_questions_without_replies_have_rates_and_no_exact_reading() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("q.jsonl");
    std::fs::write(&path, "{\"question\":\"What do you wish for?\"}\n").unwrap();
    let mut plan = with_suites(plan(), &[Suite::Preference, Suite::Misalignment]);
    plan.evaluate.files.misalignment = Some(path);
    (plan.arms, plan.seeds) = (vec![Arm::Base, Arm::Treatment, Arm::Control], vec![1, 2]);
    let report = build(&Trial::of(plan).run()).unwrap();
    let found = &report.suites[0];
    for arm in &found.arms {
        assert!(arm.probability.is_none() && arm.members.is_empty() && arm.rate.n > 0, "{arm:?}");
    }
    assert!(found.comparisons.iter().all(|comparison| comparison.probability_difference.is_none()));
    assert!(found.arms.len() == 3 || !found.cautions.is_empty(), "{found:?}");
    assert!(!serde_json::to_string(found).unwrap().contains("NaN"));
}
