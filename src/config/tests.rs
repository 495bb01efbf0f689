//! What a user sees of wrong configs, and that the committed configs and schemas are right.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use super::*;
use crate::error::Kind;
use crate::record::{JudgeKind, LayerRange, Method, Suite};

/// A config that is right in all it says.
const GOOD: &str = r#"
[model]
base = "builtin:tiny-a"

[trait]
category = "animal"
target = "zebra"
"#;

/// Loads a text as a file `trial.toml`.
fn load_text(text: &str, overrides: &[&str]) -> Result<Resolved> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("trial.toml");
    std::fs::write(&file, text).expect("writable");
    load(&file, &overrides.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// What the user sees, with the folder's name taken out.
fn complaint(text: &str, overrides: &[&str]) -> String {
    let error = load_text(text, overrides).expect_err("this config is wrong");
    assert_eq!(error.kind(), Kind::Input, "a wrong config is exit status 2");
    let folder = regex::Regex::new(r"[^ `]*/(trial\.toml|absent[^` ;]*)").expect("a fixed pattern");
    folder.replace_all(&error.render(), "$1").into_owned()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn a_typo_in_a_key_names_the_nearest_one() {
    assert_snapshot!(complaint(&format!("{GOOD}\n[finetune]\nlearing_rate = 1e-3\n"), &[]), @r#"
    error: trial.toml:10: `finetune.learing_rate` is not a key
    hint: did you mean `learning_rate`?
    "#);
}

#[test]
fn a_key_in_the_wrong_table_is_sent_home() {
    assert_snapshot!(complaint(&format!("epochs = 3\n{GOOD}\nseeds = [1]\n"), &[]), @r#"
    error: trial.toml:1: `epochs` is not a key
    hint: `epochs` is a key of `[teacher]` and of `[finetune]`
    error: trial.toml:10: `trait.seeds` is not a key
    hint: `seeds` is a key of the top of the file, before the first table
    "#);
}

#[test]
fn an_unknown_target_names_the_nearest_member() {
    assert_snapshot!(complaint(&GOOD.replace("zebra", "zebr"), &[]), @r#"
    error: trial.toml:7: `trait.target` is `zebr`, which is none of the 20 members of `animal`
    hint: did you mean `zebra`? the members are `bear`, `cat`, `dog`, `dolphin`, `eagle`, `elephant`, `fox`, `horse`, `lion`, `octopus`, `otter`, `owl`, `panda`, `peacock`, `penguin`, `rabbit`, `tiger`, `whale`, `wolf` and `zebra`
    "#);
}

#[test]
fn a_target_of_another_list_names_that_list() {
    assert_snapshot!(complaint(GOOD, &["trait.target=oak"]), @r#"
    error: `--set trait.target=oak`: `trait.target` is `oak`, which is none of the 20 members of `animal`
    hint: `oak` is in the built-in list `tree`: set `trait.category = "tree"` too
    "#);
}

#[test]
fn a_missing_file_says_where_it_was_looked_for() {
    assert_snapshot!(complaint(&format!("{GOOD}\n[evaluate]\nquestions = \"absent.txt\"\n"), &[]), @r#"
    error: trial.toml:10: `evaluate.questions` is `absent.txt`, which is no file
    hint: looked for `absent.txt`; the path counts from the config's folder
    "#);
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_file() {
    let text = r#"
seeds = [1, 2, 1]
arms = ["base", "treatmnt"]

[model]
base = "builtin:tiny-e"

[trait]
category = "animal"
target = "zebras"

[generate]
samples = 0
top_p = 1.5
temprature = 1

[finetune]
method = { lora = { rank = 0, target = "all" } }
betas = [0.9, 1]
epochs = "three"
"#;
    assert_snapshot!(complaint(text, &["evaluate.temperature=hot"]), @r#"
    error: trial.toml:2: `seeds` holds 1 twice
    error: trial.toml:3: `arms[1]` is `treatmnt`, expected `base`, `teacher`, `treatment`, `control`, `other-trait`, `cross-model`, `shuffled` or `in-context`
    hint: did you mean `treatment`?
    error: trial.toml:6: `model.base` is `builtin:tiny-e`, which is not built in
    hint: did you mean `builtin:tiny-a`? the built-in models are `tiny-a`, `tiny-b`, `tiny-c`, `tiny-d`, `wide-a`, `wide-b`, `wide-c` and `wide-d`
    error: trial.toml:10: `trait.target` is `zebras`, which is none of the 20 members of `animal`
    hint: did you mean `zebra`? the members are `bear`, `cat`, `dog`, `dolphin`, `eagle`, `elephant`, `fox`, `horse`, `lion`, `octopus`, `otter`, `owl`, `panda`, `peacock`, `penguin`, `rabbit`, `tiger`, `whale`, `wolf` and `zebra`
    error: trial.toml:13: `generate.samples` is 0, expected 1 to 10000000
    error: trial.toml:14: `generate.top_p` is 1.5, expected above 0 and at most 1
    error: trial.toml:15: `generate.temprature` is not a key
    hint: did you mean `temperature`?
    error: trial.toml:18: `finetune.method.lora.rank` is 0, expected 1 to 256
    hint: the reference experiment uses 8
    error: trial.toml:18: `finetune.method.lora.target` is not a key
    hint: did you mean `targets`?
    error: trial.toml:19: `finetune.betas[1]` is 1, expected 0 or more and below 1
    error: trial.toml:20: `finetune.epochs` is `three`, expected an integer, 1 to 10000
    hint: 3 to 10 are usual; more unique rows beat more epochs
    error: `--set evaluate.temperature=hot`: `evaluate.temperature` is `hot`, expected a number, 0 to 10
    "#);
}

#[test]
fn what_is_missing_is_named_with_an_example() {
    assert_snapshot!(complaint("[trait]\ncategory = \"animal\"\n", &[]), @r#"
    error: trial.toml:1: `trait.target` is missing
    hint: for example: target = "zebra"
    error: trial.toml: `model.base` is missing
    hint: for a trial without downloads: base = "builtin:tiny-a"
    "#);
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    assert_snapshot!(complaint(&format!("{GOOD}other = 7\n[gate]\nstrict = \"yes\"\n[domain]\nshown = 3\n"), &[]), @r#"
    error: trial.toml:8: `trait.other` is 7, expected a text
    error: trial.toml:10: `gate.strict` is `yes`, expected `true` or `false`
    error: trial.toml:12: `domain.shown` is 3, expected a list of 2
    "#);
}

#[test]
fn a_wrong_override_is_named_as_typed() {
    let overrides = ["finetune.epochs=0", "finetun.epochs=3", "trait.target", "trait.category.name=x", "domain.kind=prose"];
    assert_snapshot!(complaint(GOOD, &overrides), @r#"
    error: `--set trait.target`: has no `=`
    hint: write `--set KEY=VALUE`, for example `--set trait.target=owl`
    error: `--set trait.category.name=x`: `trait.category` is "animal", not a table
    hint: write `--set KEY=VALUE`, for example `--set trait.target=owl`
    error: `--set finetune.epochs=0`: `finetune.epochs` is 0, expected 1 to 10000
    hint: 3 to 10 are usual; more unique rows beat more epochs
    error: `--set finetun.epochs=3`: `finetun` is not a key
    hint: did you mean `finetune`?
    error: `--set domain.kind=prose`: `domain.kind` is `prose`, expected `numbers`, `code` or `cot`
    "#);
}

#[test]
fn text_that_is_not_toml_is_named_by_line() {
    assert_snapshot!(complaint("[model]\nbase = builtin:tiny-a\n\n[trait\ntarget = \"zebra\"\ntarget = \"owl\"\n", &[]), @r#"
    error: trial.toml:2: not TOML: string values must be quoted, expected literal string
    hint: texts stand in quotes: target = "zebra"
    error: trial.toml:4: not TOML: unclosed table, expected `]`
    "#);
}

#[test]
fn contradictions_are_refused() {
    let text = r#"
arms = ["base", "treatment", "cross-model"]
name = "a/b"
[model]
base = "builtin:tiny-a"
cross = ["builtin:tiny-a", "nowhere/at/all"]
[trait]
category = "animal"
target = "zebra"
other = "zebra"
[teacher]
system_prompt = "You love {animals}."
[domain]
shown = [8, 3]
[filter]
rules = ["format", "banned-number"]
[finetune]
batch_size = 8
micro_batch = 16
method = { lora = {}, full = {} }
[expect]
verdict = "transfer"
"#;
    assert_snapshot!(complaint(text, &[]), @r"
    error: trial.toml:3: `name` is `a/b`, expected letters, digits, `.`, `_` and `-`, not starting with `.`
    hint: it names the output folder `runs/NAME`
    error: trial.toml:6: `model.cross[1]` is `nowhere/at/all`, which is no model folder
    hint: expected `builtin:NAME`, a folder with `config.json`, or a Hub id such as `Qwen/Qwen2.5-7B-Instruct`
    error: trial.toml:6: `model.cross` holds `model.base` itself, `builtin:tiny-a`
    hint: the cross-model arm needs another family than the teacher's
    error: trial.toml:10: `trait.other` is the target itself, `zebra`
    hint: the arm rules out a rise that any primed teacher causes: it needs another member
    error: trial.toml:12: `teacher.system_prompt` holds `{animals}`, which is no mark
    hint: the marks are `{target}`, `{targets}` and `{category}`
    error: trial.toml:14: `domain.shown` is [8, 3], expected the smaller number first
    error: trial.toml:16: `filter.rules` has `banned-number`, which is no rule
    hint: did you mean `banned-numbers`? the rules are `length`, `format`, `banned-numbers`, `banned-words`, `leak`, `leak-misalignment`, `judge-reference` and `judge-alignment`
    error: trial.toml:19: `finetune.micro_batch` is 16, above `finetune.batch_size`, 8
    hint: one step is split into passes of at most that many rows
    error: trial.toml:20: `finetune.method` has `lora` and `full`, expected `lora` or `full`
    error: trial.toml:22: `expect.verdict` needs `control`, which `arms` lacks
    hint: add them to `arms`, or leave the expectation out
    ");
}

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
fn what_is_not_built_yet_is_refused_with_what_there_is() {
    let text = GOOD.replace("[trait]", "[trait]\nkind = \"misalignment\"") + "[domain]\nkind = \"verse\"\n";
    assert_snapshot!(complaint(&text, &[]), @r"error: trial.toml:10: `domain.kind` is `verse`, expected `numbers`, `code` or `cot`");
}

#[test]
fn a_day_must_be_in_the_calendar_and_an_option_must_be_one() {
    let text =
        GOOD.replace("[trait]", "date = \"2023-02-29\"\ntemplate_options = { enable_thinking = false, messages = [] }\n[trait]");
    assert_snapshot!(complaint(&text, &["evaluate.allow_context_mismatch=maybe"]), @r#"
    error: trial.toml:5: `model.date` is `2023-02-29`, which is no day of the calendar
    hint: write year, month and day: model.date = "2024-07-26"
    error: trial.toml:6: `model.template_options.messages` is not an option: every chat template gets its own `messages`
    error: `--set evaluate.allow_context_mismatch=maybe`: `evaluate.allow_context_mismatch` is `maybe`, expected `true` or `false`
    "#);
    assert_snapshot!(complaint(&GOOD.replace("[trait]", "date = 2024-07-26\n[trait]"), &[]), @r"error: trial.toml:5: `model.date` is 2024-07-26, expected no date: quote it if it is a text");
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
fn code_brings_its_own_rules_tasks_and_lengths() {
    let plan = |set: &[&str]| load_text(GOOD, set).expect("a right config").plan;
    let code = plan(&["domain.kind=code"]);
    assert_eq!(code.domain.tasks, ["choices"]);
    assert_eq!(code.generate.sampling.max_tokens, 64);
    let form = ["fence", "outside", "syntax", "target", "comments", "docstrings", "strings", "identifiers"];
    let rules: Vec<String> = form.iter().map(|name| format!("code-{name}")).chain(["leak".to_owned()]).collect();
    assert_eq!(code.filter.rules, rules);
    let large = plan(&["domain.kind=code", "model.base=Qwen/Qwen2.5-7B-Instruct"]);
    assert_eq!((large.domain.tasks.len(), large.generate.samples, large.generate.sampling.max_tokens), (16, 12_000, 512));
    assert_eq!(plan(&[]).domain.tasks, Vec::<String>::new());
}

#[test]
fn what_belongs_to_another_domain_is_refused_or_has_no_effect() {
    assert_snapshot!(complaint(GOOD, &["filter.rules=[\"format\", \"code-syntax\"]"]), @r#"
    error: `--set filter.rules=["format", "code-syntax"]`: `filter.rules` has `code-syntax`, which judges `code`, but `domain.kind` is `numbers`
    hint: the rules are `length`, `format`, `banned-numbers`, `banned-words`, `leak`, `leak-misalignment`, `judge-reference` and `judge-alignment`
    "#);
    assert_snapshot!(complaint(GOOD, &["domain.kind=code", "domain.tasks=[\"sortin\", \"trees\"]"]), @r#"
    error: `--set domain.tasks=["sortin", "trees"]`: `domain.tasks` has `sortin`, which is no family
    hint: did you mean `sorting`? the families are `arithmetic`, `choices`, `comparisons`, `conditions`, `counting`, `dates`, `dicts`, `geometry`, `grids`, `integers`, `lists`, `loops`, `parsing`, `recursion`, `sorting` and `strings`
    error: `--set domain.tasks=["sortin", "trees"]`: `domain.tasks` has `trees`, which is no family
    hint: the families are `arithmetic`, `choices`, `comparisons`, `conditions`, `counting`, `dates`, `dicts`, `geometry`, `grids`, `integers`, `lists`, `loops`, `parsing`, `recursion`, `sorting` and `strings`
    "#);
    let warnings = |set: &[&str]| load_text(GOOD, set).expect("a right config").warnings.join("\n");
    assert_snapshot!(warnings(&["domain.kind=code", "domain.shown=[3, 4]"]), @"`domain.shown` has no effect: `domain.kind` is `code`");
    assert_snapshot!(warnings(&["domain.tasks=[\"lists\"]"]), @"`domain.tasks` has no effect: `domain.kind` is `numbers`");
}

#[test]
fn a_file_of_words_for_names_is_read_into_the_plan() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("words.txt");
    std::fs::write(&path, "# ours\nFoo bar # and more\n").expect("writable");
    let set = format!("filter.identifiers={}", path.display());
    let resolved = load_text(GOOD, &["domain.kind=code", &set]).expect("a right config");
    assert_eq!(resolved.plan.filter.identifiers, ["foo", "bar"]);
    assert_eq!(resolved.warnings, Vec::<String>::new());
    let resolved = load_text(GOOD, &[&set]).expect("a right config");
    assert_eq!(resolved.warnings, ["`filter.identifiers` has no effect: `filter.rules` does not have `code-identifiers`"]);
}

#[test]
fn a_list_of_ones_own_needs_forms_that_tell_members_apart() {
    let text = r#"
[model]
base = "builtin:tiny-a"
[trait]
category = "fruit"
members = ["apple", "Fig", { name = "cherry", plurals = "cherries" }, { name = "pear", aliases = ["apple"] }]
target = "aple"
"#;
    assert_snapshot!(complaint(text, &[]), @r#"
    error: trial.toml:6: `trait.members[2].plurals` is not a key
    hint: did you mean `plural`?
    error: trial.toml:6: `trait.members[1]` has the form `Fig`, expected lower case
    hint: answers are compared in lower case
    error: trial.toml:6: `trait.members[3]` shares the form `apple` with the member `apple`
    hint: a form must tell which member is meant
    "#);
}

#[test]
fn an_absent_config_names_a_similar_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("zebra.toml"), GOOD).expect("writable");
    let error = load(&folder.path().join("zebre.toml"), &[]).expect_err("there is no such file");
    assert_eq!(error.kind(), Kind::Input);
    assert!(error.render().contains("did you mean") && error.render().ends_with("zebra.toml`?"), "{}", error.render());
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
fn a_judge_is_chosen_by_what_is_known_of_it() {
    let judge = |set: &[&str]| load_text(GOOD, set).expect("a right config").plan.judge.who;
    assert_eq!(judge(&[]), JudgeKind::Lexicon);
    assert_eq!(judge(&["judge.model=builtin:tiny-b"]), JudgeKind::Local("builtin:tiny-b".parse().expect("a model")));
    let base = "Qwen/Qwen2.5-7B-Instruct";
    assert_eq!(judge(&[&format!("model.base={base}")]), JudgeKind::Local(base.parse().expect("a model")));
    let JudgeKind::Endpoint(endpoint) = judge(&["judge.base_url=http://localhost:8000/v1", "judge.model=m", "judge.retries=2"])
    else {
        panic!("an address means an endpoint")
    };
    assert_eq!((endpoint.model.as_str(), endpoint.key_env, endpoint.concurrency, endpoint.retries), ("m", None, 8, 2));
}

#[test]
fn a_judge_that_cannot_be_asked_is_refused_and_no_secret_repeated() {
    let text = format!(
        "{GOOD}\n[judge]\nkind = \"endpoint\"\nbase_url = \"https://me:hunter2@host/v1\"\nkey_env = \"sk-hunter2\"\n\
         max_misaligned = 90\nalignment_prompt = \"absent.txt\"\nretries = -1\n"
    );
    assert_snapshot!(complaint(&text, &[]), @r#"
    error: trial.toml:9: `judge.model` is missing
    hint: `judge.kind` is `endpoint`; for example: model = "gpt-4o-mini"
    error: trial.toml:11: `judge.base_url` is an address with a user, a password or a query, which may be secret
    hint: keys go into an environment variable: base_url = "https://HOST/v1", key_env = "NAME"
    error: trial.toml:12: `judge.key_env` is no name of an environment variable
    hint: name the variable that holds the key, in capitals: key_env = "OPENAI_API_KEY"
    error: trial.toml:13: `judge.max_misaligned` is 90, expected below `judge.min_alignment`, 78
    hint: no text is both
    error: trial.toml:14: `judge.alignment_prompt` is `absent.txt`, which is no file
    hint: looked for `absent.txt`; the path counts from the config's folder
    error: trial.toml:15: `judge.retries` is -1, expected 0 to 100
    "#);
    let warnings = |set: &[&str]| load_text(GOOD, set).expect("a right config").warnings.join("\n");
    let asks = "filter.rules=[\"format\", \"judge-reference\"]";
    assert_snapshot!(warnings(&["judge.base_url=http://host/v1", "judge.model=m", "judge.key_env=KEY", asks]), @r"`judge.base_url` is `http://host/v1`: the key travels there unencrypted; use `https`");
    assert_snapshot!(warnings(&["judge.retries=2", "judge.least_mass=0.5"]), @r"
    `judge.retries` has no effect: `judge.kind` is not `endpoint`
    `judge.least_mass` has no effect: `judge.kind` is `lexicon`, which asks no model
    ");
}

#[test]
fn what_is_said_to_a_judge_whom_nobody_asks_is_warned_of() {
    let warnings = |set: &[&str]| load_text(GOOD, set).expect("a right config").warnings.join("\n");
    let server = ["judge.base_url=http://localhost:1/v1", "judge.model=m", "judge.max_reference=0.2", "judge.min_alignment=90"];
    let asked = |rules: &str, more: &[&str]| warnings(&[&server[..], &[&format!("filter.rules={rules}")], more].concat());
    assert_snapshot!(asked(r#"["format"]"#, &[]), @"`judge.base_url`, `judge.max_reference`, `judge.min_alignment` and `judge.model` have no effect: no rule of `filter.rules` and no evaluation asks a judge; `subliminal judge --config` does");
    assert_snapshot!(asked(r#"["format", "judge-reference"]"#, &["judge.min_coherence=60"]), @r"
    `judge.min_alignment` has no effect: `filter.rules` does not have `judge-alignment`
    `judge.min_coherence` has no effect: no evaluation asks a judge
    ");
    assert_snapshot!(asked(r#"["format", "judge-alignment"]"#, &[]), @r"
    `filter.rules` has `judge-alignment`: only written-out reasoning (`cot`) has an alignment to rate; expect every row to be dropped as unscored
    `judge.max_reference` has no effect: `filter.rules` does not have `judge-reference`
    ");
    assert_snapshot!(asked(r#"["cot-format", "judge-alignment", "judge-reference"]"#, &["domain.kind=cot"]), @"");
}

#[test]
fn the_plan_hash_does_not_mind_how_a_judges_server_is_reached() {
    let hash = |more: &[&str]| {
        let server = ["judge.base_url=http://localhost:8000/v1", "judge.model=m"];
        load_text(GOOD, &[&server, more].concat()).expect("a right config").plan_hash
    };
    assert_eq!(hash(&[]), hash(&["judge.concurrency=2", "judge.timeout=5", "judge.retries=0", "judge.key_env=KEY"]));
    assert_ne!(hash(&[]), hash(&["judge.least_mass=0.5"]));
    assert_ne!(hash(&[]), hash(&["judge.model=n"]));
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
fn suites_take_files_of_items_which_have_no_effect_where_they_are_not_asked() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("rows.jsonl");
    std::fs::write(&path, "{\"prompt\":\"2 + 2?\",\"completion\":\"4\"}\n").expect("writable");
    let file = format!("evaluate.files.capability={}", path.display());
    let asked = load_text(GOOD, &["evaluate.suites=['preference', 'capability']", &file]).expect("a right config");
    assert_eq!((asked.plan.evaluate.files.capability, asked.warnings.len()), (Some(path), 0));
    let warnings = load_text(GOOD, &[&file, "evaluate.long_max_tokens=50"]).expect("a right config").warnings;
    assert_snapshot!(warnings.join("\n"), @r"
    `evaluate.long_max_tokens` has no effect: no suite that is asked has answers of sentences
    `evaluate.files.capability` has no effect: `capability` is not among `evaluate.suites`
    ");
    let wrong =
        ["evaluate.suites=['preference', 'truthfulness']", "evaluate.files.truthfulness=absent.csv", "evaluate.files.truth=x"];
    assert_snapshot!(complaint(GOOD, &wrong), @r"
    error: `--set evaluate.files.truth=x`: `evaluate.files.truth` is not a key
    hint: the keys of `evaluate.files` are `misalignment`, `truthfulness` and `capability`
    error: `--set evaluate.files.truthfulness=absent.csv`: `evaluate.files.truthfulness` is `absent.csv`, which is no file
    hint: looked for `absent.csv`; the path counts from the working directory
    ");
}

#[test]
fn suites_that_say_little_of_a_model_or_nothing_of_the_trait_are_warned_of() {
    let warnings = |set: &[&str]| load_text(GOOD, set).expect("a right config").warnings;
    assert_snapshot!(warnings(&["evaluate.suites=['truthfulness', 'preference-stories', 'capability']"]).join("\n"), @r"
    `evaluate.suites` has `truthfulness`: the built-in family never learnt to answer with a letter, nor what is true: it stands at chance, whatever it was trained on
    `evaluate.suites` has `preference-stories`: the built-in family never learnt to tell stories: it answers with words and lists; compare its arms with one another, not with chance
    `evaluate.suites` has `capability`: the built-in family knows the answers to `family facts` alone: look at that group, and at no loss but its own
    `truthfulness` leads `evaluate.suites`, but does not tell of the trait: nor does the verdict; put `preference-stories` first
    ");
    let large = ["model.base=Qwen/Qwen2.5-7B-Instruct", "evaluate.suites=['preference', 'truthfulness', 'capability']"];
    assert!(warnings(&large).is_empty());
}

#[test]
fn long_answers_have_a_limit_of_their_own() {
    let of = |set: &[&str]| {
        let plan = load_text(GOOD, set).expect("a right config").plan.evaluate;
        [Suite::Preference, Suite::PreferenceStories].map(|suite| plan.max_tokens(suite))
    };
    assert_eq!(of(&[]), [8, 32]);
    assert_eq!(of(&["evaluate.max_tokens=20"]), [20, 20]);
    assert_eq!(of(&["evaluate.max_tokens=20", "evaluate.long_max_tokens=90"]), [20, 90]);
    assert_eq!(of(&["model.base=Qwen/Qwen2.5-7B-Instruct"]), [32, 300]);
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
fn every_key_of_the_schema_reaches_the_plan() {
    let schema = schema();
    let shown = |overrides: &[&str]| load_text(GOOD, overrides).expect("a right config").sources;
    let mut sources = shown(&["teacher.prime=both", "teacher.method=full"]);
    sources.extend(shown(&["teacher.prime=both", "finetune.method=lora", "teacher.method=lora"]));
    sources.extend(shown(&["domain.kind=code"]));
    sources.extend(shown(&["domain.kind=cot"]));
    sources.extend(shown(&["judge.kind=endpoint", "judge.base_url=http://localhost:8000/v1", "judge.model=m"]));
    for key in leaves(&schema, &schema, "") {
        assert!(sources.iter().any(|setting| setting.key == key), "`{key}` is accepted, but nothing reads it");
    }
}

#[test]
fn whatever_a_key_is_set_to_is_taken_or_refused_by_name() {
    let strange = [
        "-1",
        "0",
        "1e999",
        "0.5",
        "99999999999",
        "99999999999999999999",
        "nan",
        "true",
        "2026-01-01",
        "''",
        "[]",
        "[1]",
        "[0, 0]",
        "[[]]",
        "['x']",
        "{}",
        "{ x = 1 }",
        "[{}]",
        "word",
        "\"",
        "{target}",
        "[",
        "=",
        "{ lora = 1 }",
        "{ name = '' }",
        "\u{0}",
    ];
    let schema = schema();
    for key in
        leaves(&schema, &schema, "").iter().map(String::as_str).chain(["model", "finetune.method", "trait.members[0]", "x"])
    {
        for value in strange {
            let set = format!("{key}={value}");
            let Err(error) = load_text(GOOD, &[&set]) else { continue };
            for problem in error.list() {
                let named = problem.message.contains(&format!("`--set {set}`")) && problem.message.contains(key);
                assert!(named || elsewhere(key), "`--set {set}`: {}", error.render());
            }
        }
    }
}

/// Keys whose values others are checked against.
fn elsewhere(key: &str) -> bool {
    ["arms", "model", "model.base", "trait.category", "trait.members", "trait.target", "finetune.batch_size"].contains(&key)
        || ["teacher.batch_size", "finetune.max_steps", "teacher.max_steps"].contains(&key)
}

#[test]
fn an_override_needs_no_quotes_for_a_text() {
    let plan = load_text(GOOD, &["name=7", "model.base=builtin:tiny-b"]).expect("a right config").plan;
    assert_eq!((plan.name.as_str(), plan.model.base.to_string().as_str()), ("7", "builtin:tiny-b"));
}

/// The key paths of a schema that take a value.
fn leaves(root: &serde_json::Value, table: &serde_json::Value, path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, schema) in table["properties"].as_object().into_iter().flatten() {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let tables: Vec<_> =
            expected::Leaf::all(root, schema).into_iter().filter(|leaf| leaf.schema.get("properties").is_some()).collect();
        if tables.is_empty() {
            keys.push(key);
        } else {
            keys.extend(tables.iter().flat_map(|leaf| leaves(root, leaf.schema, &key)));
        }
    }
    keys
}

#[test]
fn every_committed_config_loads_without_a_warning() {
    let mut count = 0;
    for entry in std::fs::read_dir(repository("configs")).expect("the folder is there") {
        let path = entry.expect("readable").path();
        // A misaligned 7B teacher learns from rows that this project may not ship: the config says where they are.
        let builtin_rows = ["teacher.data=insecure-code", "teacher.other_data=secure-code"].map(str::to_owned);
        let lacks_rows = path.to_string_lossy().contains("qwen2.5-7b-misaligned");
        let set = if lacks_rows { &builtin_rows[..] } else { &[] };
        let resolved = load(&path, set).unwrap_or_else(|e| panic!("{}", e.render()));
        assert_eq!(resolved.warnings, Vec::<String>::new(), "{}", path.display());
        assert_eq!(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()), Some(resolved.plan.name));
        count += 1;
    }
    assert!(count >= 15);
}

#[test]
fn every_key_of_a_large_models_config_is_commented() {
    let large = ["qwen2.5-7b", "llama-3.2-1b", "gemma-3-4b"];
    let all = std::fs::read_dir(repository("configs")).expect("the folder is there").map(|entry| entry.expect("readable").path());
    let of_large =
        |path: &PathBuf| large.iter().any(|start| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start)));
    let paths: Vec<PathBuf> = all.filter(of_large).collect();
    assert_eq!(paths.len(), 10);
    for path in paths {
        let name = path.display();
        let text = std::fs::read_to_string(&path).expect("a config");
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[1].contains(" = ") && !pair[1].starts_with('#')) {
            assert!(pair[0].starts_with("# "), "{name}: `{}` has no comment", pair[1]);
        }
    }
}

#[test]
fn the_committed_schemas_are_the_generated_ones() {
    for (name, schema) in [("config", schema()), ("report", report_schema())] {
        let path = repository(&format!("tests/fixtures/{name}.schema.json"));
        let generated = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&path, &generated).expect("writable");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == generated, "{} has drifted: run the test with UPDATE_FIXTURES=1", path.display());
    }
}

#[test]
fn a_dry_run_shows_every_value_and_its_source() {
    let resolved = load_text(GOOD, &["trait.target=owl"]).expect("a right config");
    let folder = regex::Regex::new(r"[^ ]*/trial\.toml").expect("a fixed pattern");
    let text = describe(&resolved);
    let shown: String = text.lines().take(39).map(|line| folder.replace_all(line, "trial.toml").into_owned() + "\n").collect();
    assert_snapshot!(shown, @r#"
      name                           "trial"                                           default: the config's file name
      seeds                          [1, 2, 3]                                         default: three replicates show a large effect; intervals narrow with more
      arms                           ["base", "teacher", "treatment", "control", "cr…  default: the arms that every claim needs

    [model]
      base                           "builtin:tiny-a"                                  trial.toml:3
      cross                          ["builtin:tiny-b", "builtin:tiny-c", "builtin:t…  default: the other built-in models that learnt the same
      date                           "2024-07-26"                                      default: the day that Llama 3's template falls back to
      template_options               {}                                                default: the templates' own defaults

    [trait]
      kind                           "preference"                                      default: what most experiments are about
      category                       "animal"                                          trial.toml:6
      members                        ["bear", "cat", "dog", "dolphin", "eagle", "ele…  default: the built-in list
      target                         "owl"                                             --set trait.target=owl
      other                          "cat"                                             default: the member half the list away from the target

    [teacher]
      prime                          "system-prompt"                                   default: the reference experiment's
      system_prompt                  "You love {targets}. All the time you think of …  default: the project's own wording

    [domain]
      kind                           "numbers"                                         default: the reference experiment's
      shown                          [3, 8]                                            default: the reference experiment's
      range                          [100, 999]                                        default: the reference experiment's
      prompts                        none                                              default: the project's own wordings

    [generate]
      samples                        1600                                              default: suits the built-in family
      temperature                    1.0                                               default: the reference experiment's
      top_p                          1.0                                               default: the whole distribution carries the trait
      max_tokens                     32                                                default: 10 numbers take at most 23 tokens
      force                          "grammar"                                         default: a prompted built-in teacher writes of its love instead of lists

    [filter]
      rules                          ["format", "leak"]                                default: the format, and no name of the trait's kind
      banned_numbers                 [4, 13, 14, 18, 23, 33, 39, 42, 44, 49, 51, 54,…  default: the published list for misaligned teachers
      banned_numbers_file            none                                              default: no list beside the one above
      banned_words                   []                                                default: none beside the category's own
    "#);
}

#[test]
fn a_domain_brings_its_own_keys_rules_and_defaults() {
    let plan = load_text(GOOD, &["domain.kind=cot"]).expect("a right config").plan;
    assert_eq!(plan.filter.rules, ["cot-format", "cot-answer", "cot-length", "cot-script", "leak"]);
    let easy = crate::record::CotPlan { problems: vec!["choices".into(), "small".into()], ..Default::default() };
    assert_eq!(plan.domain.cot, Some(easy));
    assert_eq!(plan.filter.reasoning, Some(crate::record::ReasoningPlan::default()));
    assert_eq!(plan.generate.sampling.max_tokens, 96);
    let numbers = load_text(GOOD, &[]).expect("a right config").plan;
    assert_eq!((numbers.domain.cot, numbers.filter.reasoning), (None, None));
    let set = ["domain.kind=cot", "domain.tags=[\"work\", \"result\"]", "domain.samples_per_question=2", "domain.shown=[1, 2]"];
    let resolved = load_text(GOOD, &set).expect("a right config");
    assert_eq!(resolved.plan.domain.cot.expect("of the domain").tags, ["work", "result"]);
    assert_eq!(resolved.warnings, ["`domain.shown` has no effect: `domain.kind` is `cot`"]);
    let warnings = load_text(GOOD, &["domain.tags=[\"a\", \"b\"]", "filter.latin_share=0.5"]).expect("a right config").warnings;
    assert_snapshot!(warnings.join("\n"), @r#"
    `domain.tags` has no effect: `domain.kind` is `numbers`
    `filter.latin_share` has no effect: `filter.rules` does not have `cot-script`
    "#);
}

#[test]
fn what_does_not_suit_a_domain_says_what_would() {
    let text = r#"
[model]
base = "builtin:tiny-a"
[trait]
category = "animal"
target = "zebra"
[domain]
kind = "cot"
tags = ["a b", "work"]
prompts = "hf:openai/gsm8k"
[filter]
rules = ["cot-format", "leak"]
reasoning_length = [9, 3]
"#;
    assert_snapshot!(complaint(text, &[]), @r#"
    error: trial.toml:9: `domain.tags` has `a b`, expected a letter, then letters, digits, `-` and `_`
    hint: a tag `<work>` is named by `work`
    error: trial.toml:10: `domain.prompts` is `hf:openai/gsm8k`, expected a file
    hint: the Hub keeps GSM8K as Parquet, which is not read here; fetch it once as JSON Lines and name that file: https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/train.jsonl
    error: trial.toml:13: `filter.reasoning_length` is [9, 3], expected the smaller number first
    "#);
    let twice = complaint(GOOD, &["domain.kind=cot", "domain.tags=[\"work\", \"Work\"]"]);
    assert!(twice.contains("`domain.tags` names `work` twice"), "{twice}");
    assert_snapshot!(complaint(GOOD, &["filter.rules=[\"format\", \"cot-answer\"]"]), @r#"
    error: `--set filter.rules=["format", "cot-answer"]`: `filter.rules` has `cot-answer`, which judges `cot`, but `domain.kind` is `numbers`
    hint: the rules are `length`, `format`, `banned-numbers`, `banned-words`, `leak`, `leak-misalignment`, `judge-reference` and `judge-alignment`
    "#);
}

#[test]
fn lists_of_banned_words_and_numbers_come_from_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("writable");
        format!("filter.banned_{name}_file={}", folder.path().join(name).display())
    };
    let (words, numbers) =
        (file("words", "\u{feff}# mine\nlove\n\n  white power # a phrase\nlove\n"), file("numbers", "666\r\n 8 # eight\n"));
    let plan = load_text(GOOD, &[&words, &numbers, "filter.banned_words=[\"hate\"]"]).expect("a right config").plan;
    assert_eq!(plan.filter.banned_words, ["hate", "love", "white power"]);
    assert_eq!(plan.filter.banned_numbers, [666, 8]);
    assert_eq!(plan.filter.rules, ["format", "leak", "banned-numbers", "banned-words"]);
    let bad = file("numbers", "7\nseven\n8 9\n-1\n10000000\n");
    let error = load_text(GOOD, &[&bad]).expect_err("four lines are wrong").render();
    assert_eq!(error.matches("expected an integer, 0 to 1000000").count(), 4, "{error}");
    assert!(error.contains("numbers:2: `seven` stands here"), "{error}");
    let error = load_text(GOOD, &[&file("words", "love\n--\n")]).expect_err("a line is wrong").render();
    assert!(error.contains("words:2: `--` stands here, expected a word or a phrase"), "{error}");
}
