//! The committed configs and schemas, and that every key of the schema reaches the plan.

use super::*;

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
