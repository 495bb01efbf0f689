//! Values as they are typed, by default, and from the command line; the plan that they make, and its hash.

use super::*;

#[test]
fn layers_and_gradient_checkpointing_are_chosen_as_typed() {
    let recipe = |more: &str| {
        let text = format!("{GOOD}\n[finetune]\nmethod = {{ lora = {{ layers = [0, 1] }} }}\n{more}");
        load_text(&text, &[]).expect("a right config").plan.finetune.recipe
    };
    let Method::Lora(lora) = recipe("").method else { panic!("it is LoRA") };
    assert_eq!(lora.layers, Some(LayerRange { first: 0, last: 1 }));
    let chosen = ["", "gradient_checkpointing = \"auto\"", "gradient_checkpointing = true", "gradient_checkpointing = false"];
    assert_eq!(chosen.map(|more| recipe(more).gradient_checkpointing), [None, None, Some(true), Some(false)]);
    let wrong = "[finetune]\ngradient_checkpointing = \"yes\"\nmethod = { lora = { layers = [9, 8] } }\n";
    assert_snapshot!(complaint(&format!("{GOOD}{wrong}"), &[]), @r#"
    error: trial.toml:9: `finetune.gradient_checkpointing` is `yes`, expected `auto`
    hint: `true`, `false` or `"auto"`
    error: trial.toml:10: `finetune.method.lora.layers` is [9, 8], expected the smaller number first
    "#);
}

#[test]
fn templates_are_told_what_the_config_says_in_training_and_in_evaluation() {
    let set = [
        "model.date=2025-01-31",
        "model.template_options.enable_thinking=false",
        "evaluate.system_prompt=",
        "finetune.system_prompt=Be terse.",
    ];
    let plan = load_text(GOOD, &set).expect("a right config").plan;
    assert_eq!(plan.model.template().date.to_string(), "2025-01-31");
    assert_eq!(serde_json::json!(plan.model.template_options), serde_json::json!({"enable_thinking": false}));
    assert_eq!(plan.trained_frame().system.as_deref(), Some("Be terse."));
    assert_eq!(plan.asked_frame().system.as_deref(), Some(""), "an empty system turn is not none");
    assert_eq!(plan.trained_frame().template, plan.asked_frame().template);
    let usual = load_text(GOOD, &[]).expect("a right config").plan;
    assert!(usual.trained_frame() == usual.asked_frame() && usual.trained_frame() == crate::record::Frame::default());
}

#[test]
fn a_system_prompt_that_names_the_answer_is_warned_of() {
    let warnings = load_text(GOOD, &["evaluate.system_prompt=You love owls."]).expect("a right config").warnings;
    assert_snapshot!(warnings.join("\n"), @r"`evaluate.system_prompt` names `owl`: students may answer from it instead of from what they learnt; teachers have `teacher.system_prompt`");
}

#[test]
fn defaults_know_their_base_and_overrides_win() {
    let plan = load_text(GOOD, &["finetune.epochs=7", "trait.target=wolf", "seeds=[4, 5]"]).expect("a right config").plan;
    assert_eq!((plan.name.as_str(), plan.finetune.recipe.epochs, plan.seeds.as_slice()), ("trial", 7, &[4, 5][..]));
    assert_eq!(plan.model.cross.len(), 3);
    assert_eq!(plan.trait_.other.as_deref(), Some("lion"));
    let plan = load_text(GOOD, &["model.base=Qwen/Qwen2.5-7B-Instruct"]).expect("a right config").plan;
    assert!(plan.model.cross.is_empty() && !plan.arms.contains(&crate::record::Arm::CrossModel));
    assert_eq!(plan.finetune.recipe, student_recipe(false));
}

#[test]
fn what_is_odd_is_warned_of() {
    let warnings = |set: &[&str]| load_text(GOOD, set).expect("a right config").warnings;
    assert!(warnings(&[]).is_empty());
    assert!(warnings(&["model.base=Qwen/Qwen2.5-7B-Instruct"]).is_empty());
    assert_snapshot!(warnings(&["teacher.epochs=2", "teacher.rows=64", "evaluate.temperature=0", "seeds=[1]"]).join("\n"), @r#"
    `teacher.epochs` and `teacher.rows` have no effect: `teacher.prime` is `system-prompt`
    `evaluate.temperature` is 0, so all 20 samples of a question are the same
    with one seed there are no intervals and no verdict but `inconclusive`
    "#);
}

#[test]
fn the_plan_hash_ignores_name_and_expectations_but_no_setting() {
    let hash = |set: &[&str]| load_text(GOOD, set).expect("a right config").plan_hash;
    assert_eq!(hash(&[]), hash(&["name=other", "expect.verdict=transfer"]));
    assert_ne!(hash(&[]), hash(&["generate.samples=1999"]));
}

#[test]
fn the_plan_hash_follows_a_file_by_content_not_by_place() {
    let hash = |folder: &Path, text: &str| {
        let questions = folder.join("q.txt");
        std::fs::write(&questions, text).expect("writable");
        load_text(GOOD, &[&format!("evaluate.questions={}", questions.display())]).expect("a right config").plan_hash
    };
    let (a, b) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    assert_eq!(hash(a.path(), "one?"), hash(b.path(), "one?"));
    assert_ne!(hash(a.path(), "one?"), hash(b.path(), "two?"));
}

#[test]
fn an_override_needs_no_quotes_for_a_text() {
    let plan = load_text(GOOD, &["name=7", "model.base=builtin:tiny-b"]).expect("a right config").plan;
    assert_eq!((plan.name.as_str(), plan.model.base.to_string().as_str()), ("7", "builtin:tiny-b"));
}
