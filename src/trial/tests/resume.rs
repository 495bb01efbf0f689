//! What a stop or a kill leaves, what the store has already, and what a run would do.

use super::*;

#[test]
fn a_run_that_was_stopped_anywhere_goes_on_to_the_same_outcome() {
    let whole = timeless(Trial::of(plan()).run());
    let faults = [
        Fault::Sample(1),
        Fault::Sample(777),
        Fault::InterruptSample(350),
        Fault::InterruptSample(1990),
        Fault::Sample(3000),
        Fault::Step(3),
        Fault::Step(40),
        Fault::InterruptStep(25),
        Fault::Load(7),
    ];
    for fault in faults {
        let trial = Trial::of(plan());
        let error = trial.run_on(&engine().failing(fault)).expect_err("the fault strikes");
        let interrupted = matches!(fault, Fault::InterruptSample(_) | Fault::InterruptStep(_));
        assert_eq!(error.kind() == Kind::Interrupted, interrupted, "{fault:?}: {error}");
        assert_eq!(timeless(trial.run()), whole, "{fault:?}");
    }
}

#[test]
fn the_second_run_samples_only_what_the_first_did_not() {
    let trial = Trial::of(plan());
    let (all, steps, _) = {
        let engine = engine();
        Trial::of(plan()).run_on(&engine).unwrap();
        engine.done()
    };
    trial.run_on(&engine().failing(Fault::Sample(501))).expect_err("the fault strikes");
    let rest = engine();
    trial.run_on(&rest).unwrap();
    assert_eq!(rest.done().0, all - 500);
    let again = engine();
    trial.run_on(&again).unwrap();
    assert_eq!(again.done(), (0, 0, 0));
    assert!(steps > 0);
}

/// Puts an artifact back to where a SIGKILL during its stage leaves it: no manifest, files cut in the middle of a row, nothing later.
fn kill_inside(trial: &Trial, folder: &Path, rows: &str) {
    let part = folder.with_extension("part");
    std::fs::rename(folder, &part).unwrap();
    std::fs::remove_file(part.join(MANIFEST)).unwrap();
    let bytes = std::fs::read(part.join(rows)).unwrap();
    std::fs::write(part.join(rows), &bytes[..bytes.len() / 2]).unwrap();
    let store = Store::open(&trial.options().store).unwrap();
    let (mut gone, mut before) = (vec![folder.file_name().unwrap().to_string_lossy().into_owned()], 0);
    while gone.len() > before {
        before = gone.len();
        for manifest in store.manifests() {
            if manifest.inputs.iter().any(|input| gone.contains(input)) {
                std::fs::remove_dir_all(store.place(&manifest.key)).unwrap();
                gone.push(manifest.key);
            }
        }
    }
}

#[test]
fn a_kill_in_each_stage_leaves_what_the_same_command_finishes() {
    let mut plan = plan();
    plan.teacher.prime = Prime::Both;
    let trial = Trial::of(plan);
    let whole = timeless(trial.run());
    let stages = [
        (Stage::Teacher, files::STEPS),
        (Stage::Generate, files::SAMPLES),
        (Stage::Filter, files::KEPT),
        (Stage::Finetune, files::STEPS),
        (Stage::Evaluate, files::ANSWERS),
    ];
    for (stage, rows) in stages {
        let folder = &trial.folders(Arm::Treatment, stage)[1];
        let bytes = std::fs::read(folder.join(rows)).unwrap();
        kill_inside(&trial, folder, rows);
        assert_eq!(timeless(trial.run()), whole, "{stage}");
        assert_eq!(std::fs::read(folder.join(rows)).unwrap(), bytes, "{stage}: the rows have the same bytes");
    }
}

#[test]
fn threads_change_nothing() {
    let alone = timeless(Trial::of(plan()).run());
    let trial = Trial::of(plan());
    let options = Options { threads: Some(4), ..trial.options() };
    let together = run(&trial.plan, &engine().side_by_side(4), &options, &Silent).unwrap();
    assert_eq!(timeless(together), alone);
}

#[test]
fn two_processes_share_a_store_without_doing_anything_twice() {
    let trial = Trial::of(plan());
    let (one, two) = (engine(), engine());
    let elsewhere = Options { out: trial.dir.path().join("runs/again"), ..trial.options() };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(&trial.plan, &two, &elsewhere, &Silent));
        (trial.run_on(&one).unwrap(), other.join().unwrap().unwrap())
    });
    assert_eq!(timeless(first), timeless(second));
    let alone = engine();
    Trial::of(plan()).run_on(&alone).unwrap();
    assert_eq!(one.done().0 + two.done().0, alone.done().0);
}

#[test]
fn a_stage_command_runs_the_trial_up_to_that_stage() {
    let trial = Trial::of(plan());
    let options = Options { upto: Stage::Filter, ..trial.options() };
    let outcome = run(&trial.plan, &engine(), &options, &Silent).unwrap();
    assert!(outcome.evaluations.is_empty());
    assert_eq!(outcome.filter.len(), 9, "three datasets, three seeds");
    assert!(outcome.stages.iter().all(|s| s.stage == "generate" || s.stage == "filter"));
}

#[test]
fn fresh_makes_everything_again_to_the_same_outcome() {
    let trial = Trial::of(plan());
    let first = timeless(trial.run());
    let engine = engine();
    let options = Options { reuse: Reuse::Nothing, ..trial.options() };
    let second = run(&trial.plan, &engine, &options, &Silent).unwrap();
    assert!(second.stages.iter().all(|s| !s.cached) && engine.done().0 > 0);
    assert_eq!(timeless(second), first);
}

#[test]
fn a_preview_lists_the_jobs_and_knows_what_the_store_has() {
    let trial = Trial::of(plan());
    let look = || preview(&trial.plan, &engine(), &Store::open(&trial.options().store).unwrap(), Stage::Evaluate).unwrap();
    let before = look();
    assert!(before.iter().all(|job| !job.cached && job.estimate.is_none()));
    trial.run();
    let after = look();
    assert_eq!(after.len(), before.len());
    assert!(after.iter().all(|job| job.cached && job.estimate.is_some_and(|e| e.bytes > 0.0)));
}

#[test]
fn users_find_their_rows_through_the_run_s_folder() {
    let trial = Trial::of(plan());
    trial.run();
    let out = trial.options().out;
    let places: Vec<serde_json::Value> = crate::tool::fs::read_json(&out.join("jobs.json")).unwrap();
    let kept = places.iter().find(|p| p["arm"] == "treatment" && p["stage"] == "filter" && p["seed"] == 2).unwrap();
    let path = kept["path"].as_str().unwrap();
    assert!(path.starts_with("../.store/"), "{path}");
    assert!(out.join(path).join(files::KEPT).is_file());
    assert_eq!(crate::tool::fs::read_json::<Plan>(&out.join("plan.json")).unwrap(), trial.plan);
}

#[test]
fn a_failing_job_is_named() {
    let error = Trial::of(plan()).run_on(&engine().failing(Fault::Step(2))).unwrap_err();
    assert!(error.render().contains("finetune treatment seed 1 on builtin:a: scripted fault"), "{}", error.render());
}
