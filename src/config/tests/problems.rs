//! Wrong configs: each message names the place and the cure.

use super::*;

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
