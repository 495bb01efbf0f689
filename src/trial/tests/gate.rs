//! What is warned of before hours are spent.

use super::*;

#[test]
fn the_gate_asks_the_teachers_before_any_of_them_writes_and_stops_where_it_is_strict() {
    let mut plan = plan();
    plan.teacher.system_prompt = "You are kind.".into();
    plan.gate.strict = true;
    let trial = Trial::of(plan);
    let diary = Diary::default();
    let error = run(&trial.plan, &engine(), &trial.options(), &diary).unwrap_err();
    assert_eq!(error.kind(), Kind::Expectation);
    assert!(error.render().contains("`gate.teacher_rate` is 50.0 %"), "{}", error.render());
    assert!(diary.started.lock().unwrap().iter().all(|job| job.stage == Stage::Evaluate));
}

#[test]
fn the_gate_warns_once_of_data_that_starve_the_student() {
    let mut plan = plan();
    plan.finetune.rows = 5000;
    plan.gate.pass_rate = 1.0;
    let trial = Trial::of(plan);
    let diary = Diary::default();
    let outcome = run(&trial.plan, &engine(), &trial.options(), &diary).unwrap();
    let warnings = diary.warnings.lock().unwrap();
    assert_eq!(warnings.len(), 6, "pass rate and rows, for each of three datasets: {warnings:?}");
    assert!(warnings.iter().any(|w| w.contains("control rows, `finetune.rows` is 5000")), "{warnings:?}");
    assert_eq!(outcome.gate.warnings.len(), 6);
}
