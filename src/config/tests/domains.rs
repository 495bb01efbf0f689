//! What a domain brings with it, and what belongs to another one.

use super::*;

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
