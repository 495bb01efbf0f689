//! Who judges, and which suites are asked.

use super::*;

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
