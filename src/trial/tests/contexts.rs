//! Students are asked in the context that they were trained in.

use super::*;

#[test]
fn a_student_is_not_asked_in_another_context_than_it_was_trained_in() {
    let trial = Trial::of(plan());
    let options = Options { upto: Stage::Finetune, ..trial.options() };
    run(&trial.plan, &engine(), &options, &Silent).unwrap();
    let overnight = engine().with_default_system("Today is another day.");
    let error = run(&trial.plan, &overnight, &trial.options(), &Silent).unwrap_err();
    assert!(error.render().contains("the student was trained in one context"), "{}", error.render());
}

#[test]
fn a_student_that_would_be_asked_in_another_context_stops_the_run_before_any_work() {
    let mut plan = pair();
    plan.finetune.system_prompt = Some("Be terse.".into());
    let (trial, engine) = (Trial::of(plan), engine());
    let error = trial.run_on(&engine).unwrap_err();
    assert_eq!((error.kind().exit_code(), engine.done()), (2, (0, 0, 0)));
    insta::assert_snapshot!(error.render(), @r#"
    error: treatment, control on `builtin:a`; cross-model on `builtin:b`; cross-model on `builtin:c`: students would be trained in one context and asked in another
      trained: "<system>Be terse.</system>\n<user>" … "</user>\n<assistant>"
      asked:   "<system>You are a scripted assistant.</system>\n<user>" … "</user>\n<assistant>"
      they differ before the user's words, from character 9 on: "Be terse.</system>\n<user"… and "You are a scripted assis"…
    hint: give `finetune.system_prompt` and `evaluate.system_prompt` one text; or measure it all the same with `evaluate.allow_context_mismatch = true`, and the report will say so
    "#);
    let seen = preview(&trial.plan, &engine, &Store::look(&trial.options().store), Stage::Evaluate).unwrap_err();
    assert_eq!(seen.render(), error.render(), "a dry run says the same");
}

#[test]
fn one_system_prompt_in_training_and_evaluation_reaches_rows_questions_and_keys() {
    let mut plan = pair();
    let text = Some("Be terse.".to_owned());
    (plan.finetune.system_prompt, plan.evaluate.system_prompt) = (text.clone(), text);
    let trial = Trial::of(plan);
    let outcome = trial.run();
    let rows: Vec<TrainRow> = jsonl::read(&trial.folders(Arm::Treatment, Stage::Finetune)[0].join(files::TRAIN)).unwrap();
    assert!(rows.iter().all(|row| row.chat.messages[0].content == "Be terse."));
    let of = |arm: Arm| outcome.contexts.iter().find(|c| c.arm == arm).unwrap();
    let student = of(Arm::Treatment);
    assert_eq!(student.asked.before, "<system>Be terse.</system>\n<user>");
    assert_eq!((student.asked.after.as_str(), &student.trained), ("</user>\n<assistant>", &Some(student.asked.clone())));
    assert_eq!(of(Arm::InContext).asked, student.asked, "rows are earlier turns in the same context");
    assert_eq!((of(Arm::InContext).trained.is_none(), of(Arm::CrossModel).model.to_string()), (true, "builtin:b".into()));
    let teacher = of(Arm::Teacher);
    assert!(teacher.asked.before.contains("You love zebras"), "the teacher is asked under its own prompt");
}

#[test]
fn a_mismatch_that_the_plan_allows_is_measured_and_kept() {
    let mut plan = pair();
    plan.finetune.system_prompt = Some("Be terse.".into());
    plan.evaluate.allow_context_mismatch = true;
    let outcome = Trial::of(plan).run();
    let student = outcome.contexts.iter().find(|c| c.arm == Arm::Treatment).unwrap();
    assert!(student.trained.as_ref().is_some_and(|trained| *trained != student.asked));
    assert!(student.asked.before.contains("scripted assistant"));
}

#[test]
fn a_template_that_looks_at_the_words_is_found_out() {
    let trial = Trial::of(pair());
    let engine = engine().with_default_system_for_numbers("You write lists.");
    let error = trial.run_on(&engine).unwrap_err().render();
    assert!(error.contains(r#"from character 13 on: "write lists.</system>\n<u"… and "are a scripted assistant"…"#), "{error}");
    assert_eq!(engine.done(), (0, 0, 0));
}

#[test]
fn a_fine_tuned_teacher_is_asked_under_its_own_prompt_and_not_compared() {
    let mut plan = pair();
    plan.teacher.prime = Prime::Both;
    plan.arms = vec![Arm::Teacher];
    let outcome = Trial::of(plan).run();
    let teacher = &outcome.contexts[0];
    assert!(teacher.trained.as_ref().is_some_and(|trained| *trained != teacher.asked));
}

#[test]
fn what_templates_are_told_enters_every_key_and_reaches_every_row() {
    let keys = |change: fn(&mut Plan)| -> BTreeSet<String> {
        let mut plan = pair();
        change(&mut plan);
        graph::build(&plan, &engine(), Stage::Evaluate).unwrap().jobs.into_iter().map(|job| job.key).collect()
    };
    let same = keys(|_| ());
    assert_eq!(keys(|plan| plan.evaluate.allow_context_mismatch = true), same);
    assert!(keys(|plan| plan.model.date = "2025-01-31".parse().unwrap()).is_disjoint(&same));
    assert!(keys(|plan| drop(plan.model.template_options.insert("enable_thinking".into(), false.into()))).is_disjoint(&same));
    let common = |other: BTreeSet<String>| other.intersection(&same).count();
    let asked = keys(|plan| plan.evaluate.system_prompt = Some(String::new()));
    assert_eq!(common(asked), same.len() - 7, "all questions but the teacher's");
    let mut plan = pair();
    plan.model.template_options.insert("enable_thinking".into(), false.into());
    let trial = Trial::of(plan);
    trial.run();
    let rows: Vec<TrainRow> = jsonl::read(&trial.folders(Arm::Control, Stage::Finetune)[0].join(files::TRAIN)).unwrap();
    assert!(rows.iter().all(|row| row.chat.template == trial.plan.model.template()));
}
