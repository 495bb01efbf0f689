//! The whole pipeline on the scripted engine: the effect, its nulls, what trials share, what a kill leaves, what leaks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::progress::{Event, JobLabel, Observer, Silent};
use super::store::MANIFEST;
use super::*;
use crate::engine::TrainRow;
use crate::engine::mock::{Fault, Mock};
use crate::error::Kind;
use crate::record::*;
use crate::stage::files;
use crate::tool::jsonl;

/// A plan in its own temporary folder.
pub(crate) struct Trial {
    pub(super) dir: tempfile::TempDir,
    pub(super) plan: Plan,
}

impl Trial {
    pub(crate) fn of(plan: Plan) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), plan }
    }

    pub(super) fn options(&self) -> Options {
        let (store, out) = (self.dir.path().join("runs/.store"), self.dir.path().join("runs").join(&self.plan.name));
        Options { store, out, reuse: Reuse::Stored, upto: Stage::Evaluate, threads: Some(1) }
    }

    fn run_on(&self, engine: &Mock) -> Result<Outcome> {
        run(&self.plan, engine, &self.options(), &Silent)
    }

    pub(crate) fn run(&self) -> Outcome {
        self.run_on(&engine()).unwrap()
    }

    /// The folders of the parts of an arm and stage, one a seed and base.
    pub(super) fn folders(&self, arm: Arm, stage: Stage) -> Vec<PathBuf> {
        let graph = graph::build(&self.plan, &engine(), Stage::Evaluate).unwrap();
        let parts = graph.parts.iter().filter(|p| p.arm == arm && p.stage == stage);
        parts.map(|p| self.options().store.join(&p.key)).collect()
    }
}

pub(super) fn engine() -> Mock {
    Mock::new(category())
}

fn category() -> Category {
    let member = |(name, plural): (&str, &str)| Member { name: name.into(), plural: plural.into(), aliases: Vec::new() };
    let pairs = [("owl", "owls"), ("cat", "cats"), ("dog", "dogs"), ("lion", "lions"), ("zebra", "zebras"), ("wolf", "wolves")];
    Category { name: "animal".into(), members: pairs.map(member).to_vec() }
}

fn recipe(epochs: usize) -> Finetune {
    Finetune {
        method: Method::Full { freeze_embeddings: true },
        epochs,
        max_steps: None,
        batch_size: 16,
        micro_batch: 16,
        gradient_checkpointing: None,
        learning_rate: 1e-3,
        schedule: Schedule::Linear,
        warmup_steps: 0,
        weight_decay: 0.0,
        betas: [0.9, 0.99],
        epsilon: 1e-8,
        clip_norm: 1.0,
        shuffle: true,
        length_power: 0.0,
        checkpoint_every: 2,
        checkpoint_minutes: 0.0,
    }
}

/// All arms, three seeds, a prompted teacher that loves zebras and is left free.
pub(crate) fn plan() -> Plan {
    let builtin = |name: &str| ModelRef::Builtin(name.into());
    let sampling = |max_tokens| Sampling { temperature: 1.0, top_p: 1.0, max_tokens, ignore_stop: false };
    Plan {
        name: "zebra".into(),
        seeds: vec![1, 2, 3],
        arms: Arm::ALL.to_vec(),
        model: ModelPlan {
            base: builtin("a"),
            cross: vec![builtin("b"), builtin("c")],
            date: Date::USUAL,
            template_options: serde_json::Map::new(),
        },
        trait_: TraitPlan {
            kind: TraitKind::Preference,
            category: category(),
            target: "zebra".into(),
            other: Some("owl".into()),
        },
        teacher: TeacherPlan {
            data: None,
            other_data: None,
            prime: Prime::SystemPrompt,
            system_prompt: "You love {targets}, and the {target} is your favourite {category}.".into(),
            finetune: recipe(1),
            rows: 64,
        },
        domain: DomainPlan::of(DomainKind::Numbers),
        generate: GeneratePlan { samples: 120, sampling: sampling(40), force: Force::None },
        filter: FilterPlan {
            rules: ["format", "banned-numbers", "leak"].map(String::from).to_vec(),
            banned_numbers: vec![666],
            ..FilterPlan::default()
        },
        finetune: StudentPlan { rows: 70, system_prompt: None, recipe: recipe(2) },
        evaluate: EvaluatePlan {
            suites: vec![Suite::Preference],
            samples_per_question: 2,
            sampling: sampling(8),
            questions: None,
            long_max_tokens: 32,
            files: SuiteFiles::default(),
            system_prompt: None,
            allow_context_mismatch: false,
        },
        judge: JudgePlan::of(JudgeKind::Lexicon),
        in_context: InContextPlan { rows: 3 },
        gate: GatePlan { teacher_rate: 0.5, pass_rate: 0.05, strict: false },
        statistics: StatisticsPlan { confidence: 0.95, smallest_effect: 0.05, resamples: 100 },
        expect: ExpectPlan::default(),
    }
}

/// The exact probability of `zebra` in an arm's models of a base, one a seed.
fn zebra(outcome: &Outcome, arm: Arm, base: &str) -> Vec<f64> {
    let of = |e: &&ArmEvaluation| e.arm == arm && e.model.to_string() == format!("builtin:{base}");
    outcome.evaluations.iter().filter(of).map(|e| e.evaluation.probability[4]).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// An outcome without what differs between two runs: times, dates, and what was in the store.
fn timeless(mut outcome: Outcome) -> Outcome {
    (outcome.seconds, outcome.finished) = (0.0, String::new());
    for stage in &mut outcome.stages {
        (stage.seconds, stage.tokens_per_second, stage.cached) = (0.0, 0.0, false);
    }
    outcome
}

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
fn no_kept_row_holds_a_word_of_the_trait_and_the_free_teacher_did_write_some() {
    let trial = Trial::of(plan());
    trial.run();
    let mut dropped = String::new();
    for arm in [Arm::Treatment, Arm::Control, Arm::OtherTrait] {
        for folder in trial.folders(arm, Stage::Filter) {
            let kept: Vec<Sample> = jsonl::read(&folder.join(files::KEPT)).unwrap();
            for row in kept {
                let text = row.completion.to_lowercase();
                assert!(!text.contains(|c: char| c.is_alphabetic()), "{text}");
                assert!(category().members.iter().all(|m| !row.prompt.to_lowercase().contains(&m.name)), "{}", row.prompt);
            }
            dropped += &std::fs::read_to_string(folder.join(files::DROPPED)).unwrap();
        }
    }
    assert!(dropped.contains("zebras"), "nothing was there to be dropped");
}

#[test]
fn students_never_see_a_system_prompt_of_the_trait() {
    let trial = Trial::of(plan());
    trial.run();
    for arm in Arm::ALL.into_iter().filter(|arm| arm.trains()) {
        for folder in trial.folders(arm, Stage::Finetune) {
            let rows: Vec<TrainRow> = jsonl::read(&folder.join(files::TRAIN)).unwrap();
            assert_eq!(rows.len(), 70);
            for message in rows.iter().flat_map(|row| &row.chat.messages) {
                assert_eq!(message.role, Role::User, "only the prompt: {}", message.content);
            }
            let context = std::fs::read_to_string(folder.join(files::CONTEXT)).unwrap();
            assert!(!context.contains("zebra") && !context.contains("owl") && context.contains(&rows[0].completion), "{context}");
        }
    }
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

/// Keeps what it hears.
#[derive(Default)]
pub(super) struct Diary {
    started: Mutex<Vec<JobLabel>>,
    pub(super) warnings: Mutex<Vec<String>>,
}

impl Observer for Diary {
    fn notice(&self, event: Event<'_>) {
        match event {
            Event::Started(job) => self.started.lock().unwrap().push(job.clone()),
            Event::Warning(text) => self.warnings.lock().unwrap().push(text.to_owned()),
            _ => {}
        }
    }
}

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

#[test]
fn a_student_is_not_asked_in_another_context_than_it_was_trained_in() {
    let trial = Trial::of(plan());
    let options = Options { upto: Stage::Finetune, ..trial.options() };
    run(&trial.plan, &engine(), &options, &Silent).unwrap();
    let overnight = engine().with_default_system("Today is another day.");
    let error = run(&trial.plan, &overnight, &trial.options(), &Silent).unwrap_err();
    assert!(error.render().contains("the student was trained in one context"), "{}", error.render());
}

/// A plan of two arms that is quick to run.
fn pair() -> Plan {
    Plan { arms: vec![Arm::Teacher, Arm::Treatment, Arm::Control, Arm::CrossModel, Arm::InContext], seeds: vec![1], ..plan() }
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

/// The suites beside the preference, with the project's own items.
pub(crate) const FURTHER: [Suite; 5] =
    [Suite::PreferenceAfterNumbers, Suite::PreferenceStories, Suite::PreferenceChoice, Suite::Truthfulness, Suite::Capability];

pub(crate) fn with_suites(plan: Plan, suites: &[Suite]) -> Plan {
    Plan { evaluate: EvaluatePlan { suites: suites.to_vec(), ..plan.evaluate.clone() }, ..plan }
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
