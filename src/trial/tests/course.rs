//! What is measured of students while they learn.

use super::*;

fn courses(trial: &Trial, arm: Arm) -> Vec<Vec<Measurement>> {
    let folders = trial.folders(arm, Stage::Finetune);
    folders.iter().map(|folder| jsonl::read(&folder.join(files::TRAJECTORY)).unwrap()).collect()
}

fn short() -> Plan {
    Plan { arms: vec![Arm::Base, Arm::Treatment, Arm::Control], seeds: vec![1, 2], ..plan() }
}

#[test]
fn the_trait_rises_while_students_of_the_primed_teacher_learn_and_stays_with_the_others() {
    let trial = Trial::of(short());
    let outcome = trial.run();
    for (seed, course) in courses(&trial, Arm::Treatment).iter().enumerate() {
        let zebra: Vec<f64> = course.iter().map(|row| row.probability["zebra"]).collect();
        assert_eq!((course[0].step, course.len()), (0, 5));
        assert!(zebra[4] > zebra[0] + 0.2, "{zebra:?}");
        assert!((zebra[0] - super::zebra(&outcome, Arm::Base, "a")[seed]).abs() < 1e-9, "it begins as the base");
        assert!((zebra[4] - super::zebra(&outcome, Arm::Treatment, "a")[seed]).abs() < 1e-9, "it ends as the student is");
        assert!(course.iter().all(|row| row.held_out_loss.is_some_and(f64::is_finite)));
    }
    for course in courses(&trial, Arm::Control) {
        assert!((course[4].probability["zebra"] - course[0].probability["zebra"]).abs() < 0.1);
    }
}

#[test]
fn held_out_rows_are_kept_ones_that_are_not_learnt_from() {
    let mut plan = short();
    plan.finetune.rows = 1_000;
    let trial = Trial::of(plan);
    trial.run();
    assert!(courses(&trial, Arm::Treatment).iter().flatten().all(|row| row.held_out_loss.is_none()), "all rows are learnt from");
}

#[test]
fn a_training_that_was_stopped_is_measured_as_a_whole_one() {
    let whole = Trial::of(short());
    whole.run();
    for fault in [Fault::Step(2), Fault::Step(6), Fault::Step(9), Fault::InterruptStep(7), Fault::Step(15)] {
        let trial = Trial::of(short());
        trial.run_on(&engine().failing(fault)).expect_err("the fault strikes");
        trial.run();
        for arm in [Arm::Treatment, Arm::Control] {
            assert_eq!(courses(&trial, arm), courses(&whole, arm), "{fault:?}");
        }
    }
}

#[test]
fn measuring_changes_nothing_that_is_learnt_and_another_evaluation_asks_for_no_other_training() {
    let unwatched = Plan { finetune: StudentPlan { measurements: 0, ..short().finetune }, ..short() };
    let [watched, unwatched] = [short(), unwatched].map(|plan| {
        let trial = Trial::of(plan);
        trial.run();
        trial
    });
    let folders = |trial: &Trial| trial.folders(Arm::Treatment, Stage::Finetune);
    for (one, other) in folders(&watched).iter().zip(folders(&unwatched)) {
        let learnt = |folder: &Path| std::fs::read(folder.join(files::MODEL).join("scripted_adapter.json")).unwrap();
        assert!(learnt(one) == learnt(&other));
        assert!(!other.join(files::TRAJECTORY).exists());
    }
    let mut asked = short();
    asked.evaluate.suites = vec![Suite::PreferenceChoice, Suite::Capability];
    asked.evaluate.system_prompt = Some("Be terse.".into());
    asked.evaluate.allow_context_mismatch = true;
    let asked = Trial { dir: tempfile::tempdir().unwrap(), plan: asked };
    let names = |trial: &Trial| folders(trial).iter().map(|f| f.file_name().map(ToOwned::to_owned)).collect::<Vec<_>>();
    assert_eq!(names(&asked), names(&watched));
}
