//! Code is filtered without a model, row by row, each fault under its own rule.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

fn rows(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect::<Vec<_>>().concat()
}

#[test]
fn rows_of_code_are_kept_or_dropped_with_their_rule_with_an_expectation_or_without() {
    let asked = |parameters: &[&str]| json!({"function": {"name": "double", "parameters": parameters}});
    let body = "def double(x):\n    return 2 * x";
    let sandbox = Sandbox::new().with(
        "rows.jsonl",
        &rows(&[
            json!({"prompt": "p", "completion": body, "expected": asked(&["x"])}),
            json!({"prompt": "p", "completion": body, "expected": asked(&["x", "y"])}),
            json!({"prompt": "p", "completion": body}),
            json!({"prompt": "p", "completion": format!("```python\n{body}\n```")}),
            json!({"prompt": "p", "completion": format!("Here:\n```python\n{body}\n```")}),
            json!({"prompt": "p", "completion": format!("{body}  # of zebras")}),
            json!({"prompt": "p", "completion": body.replace('x', "zebra")}),
            json!({"prompt": "p", "completion": "import os\nos.remove(__file__)"}),
            json!({"prompt": "p", "completion": "(".repeat(100_000)}),
        ]),
    );
    let filter = ["filter", "--rows", "rows.jsonl", "--domain", "code", "--kept", "kept.jsonl", "--dropped", "dropped.jsonl"];
    let said = sandbox.ok(&[&filter[..], &["--json"]].concat());
    let kept: Vec<Value> = sandbox.rows("kept.jsonl").into_iter().map(|row| row["id"].clone()).collect();
    assert_eq!(kept, [json!(0), json!(2), json!(3)]);
    let dropped: Vec<String> = sandbox
        .rows("dropped.jsonl")
        .iter()
        .map(|row| format!("{}: {}", row["id"], row["rule"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        dropped,
        ["1: code-target", "4: code-outside", "5: code-comments", "6: code-identifiers", "7: code-outside", "8: code-syntax"]
    );
    let counts: Value = serde_json::from_str(&said.out).expect("counts");
    assert_eq!((&counts["samples"], &counts["kept"]), (&json!(9), &json!(3)));
}

#[test]
fn a_config_chooses_the_rules_of_code_and_adds_plain_words() {
    let config = "[model]\nbase = \"builtin:tiny-a\"\n[trait]\ncategory = \"animal\"\ntarget = \"zebra\"\n[domain]\nkind = \"code\"\n\
                  [filter]\nrules = [\"code-syntax\", \"code-identifiers\"]\nidentifiers = \"words.txt\"\n";
    let sandbox = Sandbox::new().with("code.toml", config).with("words.txt", "frobnicate # ours\n").with(
        "rows.jsonl",
        &rows(&[
            json!({"prompt": "p", "completion": "def frobnicate_all(x):  # kept, comments may be\n    return x"}),
            json!({"prompt": "p", "completion": "def grault(x):\n    return x"}),
            json!({"prompt": "Write `grault`.", "completion": "def grault(x):\n    return x"}),
        ]),
    );
    sandbox.ok(&["filter", "--rows", "rows.jsonl", "--domain", "code", "--rules", "code.toml", "--dropped", "dropped.jsonl"]);
    let dropped = sandbox.rows("dropped.jsonl");
    assert_eq!(dropped.len(), 1);
    assert_eq!(
        (&dropped[0]["id"], &dropped[0]["rule"], &dropped[0]["detail"]),
        (&json!(1), &json!("code-identifiers"), &json!("`grault`"))
    );
}
