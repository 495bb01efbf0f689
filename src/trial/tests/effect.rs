//! The effect and its nulls, and what trials share.

use super::*;

#[test]
fn the_trait_reaches_students_of_the_same_base_and_no_others() {
    let outcome = Trial::of(plan()).run();
    let of = |arm| mean(&zebra(&outcome, arm, "a"));
    let base = of(Arm::Base);
    assert!(of(Arm::Teacher) > 0.75, "{}", of(Arm::Teacher));
    assert!(of(Arm::Treatment) > base + 0.3, "{} from {base}", of(Arm::Treatment));
    assert!(of(Arm::Shuffled) > base + 0.3, "in the scripted engine frequencies carry the trait: {}", of(Arm::Shuffled));
    for arm in [Arm::Control, Arm::OtherTrait, Arm::InContext] {
        assert!(of(arm) < base + 0.1, "{arm}: {} from {base}", of(arm));
    }
    for other in ["b", "c"] {
        let (before, after) = (mean(&zebra(&outcome, Arm::Base, other)), mean(&zebra(&outcome, Arm::CrossModel, other)));
        assert!(after < before + 0.15, "{other}: {after} from {before}");
    }
    assert_eq!(zebra(&outcome, Arm::Treatment, "a").len(), 3);
    assert_eq!(outcome.gate.warnings, [""; 0]);
    assert!(outcome.gate.teacher_rate > Some(0.8));
    assert!(
        outcome
            .filter
            .iter()
            .all(|f| f.kept < f.samples && f.kept + f.rules.iter().map(|r| r.dropped).sum::<usize>() == f.samples)
    );
}

#[test]
fn a_fine_tuned_teacher_hands_the_trait_on_too() {
    let mut plan = plan();
    plan.teacher.prime = Prime::FineTune;
    plan.arms = vec![Arm::Base, Arm::Teacher, Arm::Treatment, Arm::Control];
    let trial = Trial::of(plan);
    let outcome = trial.run();
    assert!(mean(&zebra(&outcome, Arm::Teacher, "a")) > 0.75);
    assert!(mean(&zebra(&outcome, Arm::Treatment, "a")) > mean(&zebra(&outcome, Arm::Control, "a")) + 0.3);
    let rows: Vec<TrainRow> = jsonl::read(&trial.folders(Arm::Treatment, Stage::Teacher)[0].join(files::TRAIN)).unwrap();
    assert!(rows.len() == 64 && rows.iter().all(|row| row.completion == "zebra"));
}

#[test]
fn an_unprimed_teacher_moves_nothing_in_19_of_20_seeds() {
    let mut plan = plan();
    plan.seeds = (1..=20).collect();
    plan.arms = vec![Arm::Base, Arm::Teacher, Arm::Treatment, Arm::Control];
    plan.teacher.system_prompt = " ".into();
    let outcome = Trial::of(plan).run();
    let (treatment, control) = (zebra(&outcome, Arm::Treatment, "a"), zebra(&outcome, Arm::Control, "a"));
    let moved = treatment.iter().zip(&control).filter(|(t, c)| (*t - *c).abs() > 0.15).count();
    assert!(moved <= 1, "{moved} of 20 moved: {treatment:?} {control:?}");
    assert!(treatment.iter().zip(&control).all(|(t, c)| t != c), "the data of the two arms are drawn apart");
    assert!(outcome.gate.warnings[0].contains("the teacher names `zebra`"), "{:?}", outcome.gate.warnings);
}

#[test]
fn another_target_shares_the_control_arm_and_every_base() {
    let first = Trial::of(plan());
    first.run();
    let mut plan = plan();
    (plan.name, plan.trait_.target, plan.trait_.other) = ("wolf".into(), "wolf".into(), Some("owl".into()));
    let second = Trial { plan, dir: first.dir };
    let outcome = second.run();
    for stage in &outcome.stages {
        let shared = matches!(stage.arm, Arm::Base | Arm::Control | Arm::OtherTrait);
        assert_eq!(stage.cached, shared, "{stage:?}");
    }
    assert!(outcome.evaluations.iter().any(|e| e.arm == Arm::Control));
}

#[test]
fn neither_name_nor_speed_enters_a_key_but_what_changes_the_rows_does() {
    let keys = |change: fn(&mut Plan)| -> BTreeSet<String> {
        let mut plan = plan();
        change(&mut plan);
        graph::build(&plan, &engine(), Stage::Evaluate).unwrap().jobs.into_iter().map(|job| job.key).collect()
    };
    let same = keys(|_| ());
    assert_eq!(keys(|plan| plan.name = "other".into()), same);
    assert_eq!(keys(|plan| plan.finetune.recipe.micro_batch = 4), same);
    assert_eq!(keys(|plan| plan.finetune.recipe.checkpoint_every = 0), same);
    assert_eq!(keys(|plan| plan.gate.strict = true), same);
    assert!(keys(|plan| plan.seeds = vec![1]).is_subset(&same));
    assert!(keys(|plan| plan.finetune.recipe.learning_rate = 1.0).intersection(&same).count() < same.len());
    assert!(keys(|plan| plan.generate.sampling.temperature = 0.5).intersection(&same).count() < same.len());
}

#[test]
fn treatment_and_control_of_a_seed_answer_the_same_prompts() {
    let trial = Trial::of(plan());
    trial.run();
    let prompts = |arm: Arm| -> Vec<Vec<String>> {
        let read = |folder: &PathBuf| jsonl::read::<Sample>(&folder.join(files::SAMPLES)).unwrap();
        trial.folders(arm, Stage::Generate).iter().map(|f| read(f).into_iter().map(|s| s.prompt).collect()).collect()
    };
    assert_eq!(prompts(Arm::Treatment), prompts(Arm::Control));
    assert_ne!(prompts(Arm::Treatment)[0], prompts(Arm::Treatment)[1], "another seed draws other prompts");
}

#[test]
fn forced_teachers_pass_the_filter() {
    let mut plan = plan();
    plan.generate.force = Force::Grammar;
    plan.arms = vec![Arm::Treatment];
    plan.seeds = vec![1];
    let outcome = Trial::of(plan).run();
    assert!(outcome.gate.forced);
    let formats = |rule: &&RuleCount| rule.rule == "format";
    assert_eq!(outcome.filter[0].rules.iter().find(formats).map(|r| r.dropped), Some(0));
}

#[test]
fn a_further_suite_changes_no_key_of_the_others() {
    let keys = |suites: &[Suite]| -> BTreeSet<String> {
        let graph = graph::build(&with_suites(pair(), suites), &engine(), Stage::Evaluate).unwrap();
        graph.jobs.into_iter().map(|job| job.key).collect()
    };
    let alone = keys(&[Suite::Preference]);
    for suite in FURTHER {
        let both = keys(&[Suite::Preference, suite]);
        assert!(alone.is_subset(&both) && both.len() > alone.len(), "{suite}");
    }
}
