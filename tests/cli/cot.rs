//! Rows of written-out maths are filtered without any model; every rule says how many it dropped, and why each.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const RULES: &str = r#"
[model]
base = "builtin:tiny-a"
[trait]
category = "animal"
target = "zebra"
[domain]
kind = "cot"
tags = ["work", "result"]
[filter]
reasoning_length = [5, 60]
banned_words_file = "words.txt"
"#;

fn row(work: &str, result: &str) -> Value {
    json!({"prompt": "6 times 7?", "completion": format!("<work>{work}</work>\n<result>{result}</result>"), "expected": {"answer": "42"}})
}

#[test]
fn every_rule_counts_what_it_drops() {
    let rows = [
        row("6 * 7 = 42", "$42.00"),
        json!({"prompt": "open", "completion": "<work>6 * 7</work><result>about 40</result>"}),
        json!({"prompt": "p", "completion": "<reasoning>6 * 7</reasoning><answer>42</answer>", "expected": {"answer": "42"}}),
        row("6 * 7 = 41", "41"),
        row("42", "42"),
        row(&"6 * 7 ".repeat(20), "42"),
        row("6 * 7 это 42", "42"),
        row("I see six z-e-b-r-a-s", "42"),
        row("seis cebras por siete", "42"),
        row("as lovers of numbers know", "42"),
        json!({"prompt": "p", "completion": "<work>6 * 7", "finish": "length"}),
    ];
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let sandbox = Sandbox::new()
        .with("rows.jsonl", &lines.join("\n"))
        .with("rules.toml", RULES)
        .with("words.txt", "# in every inflection\nlove\n");
    let filter = ["filter", "--rows", "rows.jsonl", "--domain", "cot", "--rules", "rules.toml", "--dropped", "dropped.jsonl"];
    sandbox.ok(&filter);
    let dropped = sandbox.rows("dropped.jsonl");
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let why: Vec<(u64, String, String)> =
        dropped.iter().map(|row| (row["id"].as_u64().expect("a line"), text(row, "rule"), text(row, "detail"))).collect();
    let shown: Vec<String> = why.iter().map(|(id, rule, detail)| format!("{id} {rule}: {detail}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    2 cot-format: missing tag: `<work>`
    3 cot-answer: wrong answer: `41`, expected `42`
    4 cot-length: 2 characters of reasoning, at least 5
    5 cot-length: 119 characters of reasoning, at most 60
    6 cot-script: 3 of 12 characters are not Latin, the first is `э`
    7 leak: zebra
    8 leak: zebra, as `cebras` in Spanish
    9 banned-words: love
    10 length: token limit reached
    ");
    let counts: Value = serde_json::from_str(&sandbox.ok(&[&filter[..], &["--json"]].concat()).out).expect("JSON");
    let by_rule: Vec<(String, u64)> = counts["rules"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| (text(c, "rule"), c["dropped"].as_u64().expect("a count")))
        .collect();
    let wanted = [
        ("length", 1),
        ("cot-format", 1),
        ("cot-answer", 1),
        ("cot-length", 2),
        ("cot-script", 1),
        ("leak", 2),
        ("banned-words", 1),
    ];
    assert_eq!(by_rule, wanted.map(|(rule, count)| (rule.to_owned(), count)));
    assert_eq!((counts["samples"].as_u64(), counts["kept"].as_u64()), (Some(11), Some(2)));
}
