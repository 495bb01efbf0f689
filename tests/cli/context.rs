//! The context guard and the rendered row, as users meet them: on the scripted engine, and on a checkpoint folder with a template of its own.

use insta::assert_snapshot;

use crate::sandbox::{Said, Sandbox};
use crate::trial::SMALL;

fn shown(said: &Said) -> String {
    format!("exit status {}\n{}", said.status, said.err)
}

/// A sandbox with the small trial and, in `model/`, a checkpoint that has this chat template.
fn with_template(template: &str) -> Sandbox {
    let sandbox = Sandbox::new().with("small.toml", &SMALL.replace("builtin:tiny-a", "./model"));
    let folder = sandbox.ok(&["models", "path", "builtin:tiny-a"]).out;
    for entry in std::fs::read_dir(folder.trim().replace("[dir]", &sandbox.path("").display().to_string())).expect("a folder") {
        let file = entry.expect("readable").path();
        let to = sandbox.path("model").join(file.file_name().expect("a name"));
        std::fs::create_dir_all(sandbox.path("model")).expect("a folder");
        std::fs::copy(&file, to).expect("a copy");
    }
    sandbox.with("model/chat_template.jinja", template)
}

const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}\
    {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

#[test]
fn a_system_prompt_in_training_alone_stops_the_run() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let said = sandbox.run(&["run", "small.toml", "--engine", "scripted", "--set", "finetune.system_prompt=Be terse."]);
    assert_snapshot!(shown(&said), @r#"
    exit status 2
    error: treatment, control, other-trait, shuffled on `builtin:tiny-a`; cross-model on `builtin:tiny-b`: students would be trained in one context and asked in another
      trained: "<system>Be terse.</system>\n<user>" … "</user>\n<assistant>"
      asked:   "<system>You are a scripted assistant.</system>\n<user>" … "</user>\n<assistant>"
      they differ before the user's words, from character 9 on: "Be terse.</system>\n<user"… and "You are a scripted assis"…
    hint: give `finetune.system_prompt` and `evaluate.system_prompt` one text; or measure it all the same with `evaluate.allow_context_mismatch = true`, and the report will say so
    "#);
    assert!(!sandbox.path("runs").exists(), "nothing was begun");
}

#[test]
fn a_template_that_puts_a_system_turn_before_some_questions_only_stops_the_run() {
    let template = format!(
        "{{% if messages[-1].content is string and 'favo' in messages[-1].content %}}<|im_start|>system\nBe kind.<|im_end|>\n{{% endif %}}{CHATML}"
    );
    let sandbox = with_template(&template);
    assert_snapshot!(shown(&sandbox.run(&["run", "small.toml", "--dry-run"])), @r#"
    exit status 2
    error: treatment, control, other-trait, shuffled on `./model`: students would be trained in one context and asked in another
      trained: "<|im_start|>user\n" … "<|im_end|>\n<|im_start|>assistant\n"
      asked:   "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n" … "<|im_end|>\n<|im_start|>assistant\n"
      they differ before the user's words, from character 13 on: "user\n" and "system\nBe kind.<|im_end|"…
    hint: give `finetune.system_prompt` and `evaluate.system_prompt` one text; or measure it all the same with `evaluate.allow_context_mismatch = true`, and the report will say so
    "#);
}

#[test]
fn a_mismatch_that_is_allowed_is_in_every_form_of_the_report() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let said = sandbox.ok(&[
        "run",
        "small.toml",
        "--engine",
        "scripted",
        "--set",
        "finetune.system_prompt=Be terse.",
        "--set",
        "evaluate.allow_context_mismatch=true",
    ]);
    let warned = "treatment: trained in another context (";
    assert!(said.err.contains(warned), "{}", said.err);
    assert!(sandbox.read("runs/small/report.html").contains(warned));
    let report = sandbox.json("runs/small/report.json");
    let arm = |name: &str| {
        report["arms"].as_array().expect("arms").iter().find(|a| a["arm"] == name).expect("it ran")["context"][0].clone()
    };
    assert_ne!(arm("treatment")["asked"], arm("treatment")["trained"]);
    assert_eq!(arm("treatment")["asked"], arm("base")["asked"]);
    let texts = report["contexts"].as_array().expect("contexts");
    assert!(
        texts
            .iter()
            .any(|c| c["hash"] == arm("treatment")["trained"] && c["before"].as_str().is_some_and(|t| t.contains("Be terse.")))
    );
}

#[test]
fn a_template_without_a_system_role_refuses_the_prompted_teacher_before_any_work() {
    let template = format!(
        "{{% if messages[0].role == 'system' %}}{{{{ raise_exception('System role not supported') }}}}{{% endif %}}{CHATML}"
    );
    let sandbox = with_template(&template);
    assert_snapshot!(shown(&sandbox.run(&["run", "small.toml", "--dry-run"])), @r#"
    exit status 2
    error: teacher: `./model`: the model's chat template refuses the conversation: System role not supported
    hint: without the system prompt it takes it, as Gemma 2's does: leave system prompts out, and prime a teacher by fine-tuning (`teacher.prime = "fine-tune"`)
    "#);
    sandbox.ok(&["run", "small.toml", "--dry-run", "--set", "teacher.prime=fine-tune"]);
}

#[test]
fn a_template_that_does_not_compile_is_shown_with_its_line() {
    let sandbox = with_template("{% for m in messages %}\n{{ m.content }\n{% endfor %}");
    assert_snapshot!(shown(&sandbox.run(&["ask", "--model", "./model", "Hi"])), @r"
    exit status 3
    error: `./model`: the chat template does not compile in line 2, `{{ m.content }`: unexpected `}`, expected end of variable block
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
}

#[test]
fn a_dry_run_shows_a_row_of_student_and_teacher_with_its_trained_tokens_marked() {
    let sandbox = Sandbox::new().with("small.toml", SMALL);
    let said = sandbox.ok(&["run", "small.toml", "--dry-run", "-v"]);
    let start = said.out.find("a row of the fine-tuned teacher").expect("it is shown");
    assert_snapshot!(&said.out[start..], @r#"
    a row of the fine-tuned teacher: 32 tokens, of which the 2 between ⟦ and ⟧ are trained (│ parts tokens, ⏎ is a line end)

    <|im_start|>│system│⏎
    │You│ are│ a│ helpful│ assistant│.│<|im_end|>│⏎
    │<|im_start|>│user│⏎
    │What│ is│ your│ favourite│ animal│?│ Answer│ with│ one│ word│.│<|im_end|>│⏎
    │<|im_start|>│assistant│⏎
    ⟦zebra│<|im_end|>⟧

    ids:
    1658 1637 10 1564 1306 1294 1383 1310 46 1659 10 1658 1642 10 1559 1390 1518 1363 1302 63 1249 1508
    1427 1511 46 1659 10 1658 1566 10 ⟦ 1655 1659 ⟧

    after the answer the chat template writes "<|im_end|>\n": of this the row has the end of the turn

    a row of the student, with an answer made up for this page: 76 tokens, of which the 6 between ⟦ and ⟧ are trained (│ parts tokens, ⏎ is a line end)

    <|im_start|>│system│⏎
    │You│ are│ a│ helpful│ assistant│.│<|im_end|>│⏎
    │<|im_start|>│user│⏎
    │The│ list│ opens│ with│ │923│ │758│ │392│ │880│ │819│ │690│.│ What│ follows│?│ At│ most│ │10│ numbers│ with│ no│ more│ than│ │3│ digits│ each│.│ Use│ square│ brackets│ around│ them│ and│ commas│ between│ them│.│ Answer│ with│ numbers│ and│ nothing│ else│.│<|im_end|>│⏎
    │<|im_start|>│assistant│⏎
    ⟦482│, │731│, │196│<|im_end|>⟧

    ids:
    1658 1637 10 1564 1306 1294 1383 1310 46 1659 10 1658 1642 10 1551 1398 1429 1508 32 1169 32 1004 32
    638 32 1126 32 1065 32 936 46 1288 1369 63 1250 1409 32 256 1420 1508 1416 1408 1482 32 51 1343 1352
    46 1287 1475 1325 1307 1485 1301 1338 1322 1485 46 1249 1508 1420 1301 1418 1359 46 1659 10 1658
    1566 10 ⟦ 728 1521 977 1521 442 1659 ⟧

    after the answer the chat template writes "<|im_end|>\n": of this the row has the end of the turn
    "#);
}

#[test]
fn the_day_and_the_options_reach_the_template_of_every_command() {
    let template = "{{ strftime_now('%d %b %Y') }}{{ ' think' if think else '' }} {{ messages[0].content }}<|im_end|>";
    let sandbox = with_template(template).with("rows.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\n");
    let score = |name: &str, more: &[&str]| {
        sandbox.ok(&[&["score", "--model", "./model", "--rows", "rows.jsonl", "--out", name], more].concat());
        sandbox.read(name)
    };
    let usual = score("usual", &[]);
    assert_eq!(score("same", &["--date", "2024-07-26", "--template-option", "think=false"]), usual);
    assert_ne!(score("day", &["--date", "2024-07-27"]), usual);
    assert_ne!(score("option", &["--template-option", "think=true"]), usual);
    let refused = sandbox.run(&["ask", "--model", "./model", "--date", "yesterday", "Hi"]);
    assert!(refused.status == 2 && refused.err.contains("`yesterday` is no date"), "{}", refused.err);
}
