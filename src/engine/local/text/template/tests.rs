//! Chat templates: features one by one, and whole templates and expressions against transformers.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;

use super::*;
use crate::record::{Message, TemplateSettings};

const CHATML: &str = "{%- if messages[0]['role'] != 'system' -%}\n{{ '<|im_start|>system\\nYou are kind.<|im_end|>\\n' }}\n{%- endif -%}\n\
    {%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{%- endfor -%}\
    {%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

fn template(source: &str) -> ChatTemplate {
    let tokens = [("bos_token", "<bos>"), ("eos_token", "<eos>")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    ChatTemplate::new(source, tokens.into()).expect("compiles")
}

#[test]
fn chatml_puts_its_default_system_turn_where_none_is_given() {
    let plain = template(CHATML).render(&Chat::ask(None, "Hi")).expect("renders");
    assert_eq!(plain, "<|im_start|>system\nYou are kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    let own = template(CHATML).render(&Chat::ask(Some("Be brief."), "Hi")).expect("renders");
    assert!(own.starts_with("<|im_start|>system\nBe brief.<|im_end|>"), "{own}");
}

#[test]
fn a_template_that_asks_for_the_date_always_gets_the_same_one() {
    let source = "{{- bos_token }}\n{%- if not date_string is defined %}\n    {%- if strftime_now is defined %}\n        \
        {%- set date_string = strftime_now(\"%d %b %Y\") %}\n    {%- endif %}\n{%- endif %}\n\
        {{- \"Today Date: \" + date_string + \"\\n\\n\" }}\n\
        {%- for message in messages %}\n    {{- message.role + ':' + message['content'] | trim + '<|eot_id|>' }}\n{%- endfor %}";
    let text = template(source).render(&Chat::ask(None, " Hi ")).expect("renders");
    assert_eq!(text, "<bos>Today Date: 26 Jul 2024\n\nuser:Hi<|eot_id|>");
}

#[test]
fn a_template_without_a_system_role_says_so_when_given_one() {
    let source = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}\
        {% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}\
        {{ '<start_of_turn>' + message['role'] + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}\
        {% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}";
    let text = template(source).render(&Chat::ask(None, "Hi")).expect("renders");
    assert_eq!(text, "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n");
    let error = template(source).render(&Chat::ask(Some("Love owls."), "Hi")).expect_err("refused");
    assert!(error.render().contains("System role not supported"), "{}", error.render());
    assert_eq!(error.kind(), crate::error::Kind::Input);
}

#[test]
fn python_methods_slices_json_and_generation_blocks_work_as_in_transformers() {
    let source = "{% for m in messages[1:] %}{% generation %}{{ m.content.strip().split('|')[-1] }}{% endgeneration %}{% if loop.first %}{% continue %}{% endif %}{% endfor %}\
        {{ messages[0] | tojson }}";
    let messages = vec![
        Message { role: Role::System, content: "a<b>'c'".to_owned() },
        Message { role: Role::User, content: " x|y ".to_owned() },
    ];
    let text = template(source).render(&Chat { messages, template: TemplateSettings::default() }).expect("renders");
    assert_eq!(text, r#"y{"role": "system", "content": "a<b>'c'"}"#);
}

#[test]
fn blocks_on_their_own_line_leave_no_trace() {
    let source = "  {% for m in messages %}\n{{ m.content }}\n  {% endfor %}\nend\n";
    assert_eq!(template(source).render(&Chat::ask(None, "Hi")).expect("renders"), "Hi\nend");
}

/// A file of the fixtures that `tests/fixtures/templates.py` makes.
fn fixture(name: &str) -> String {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/templates").join(name))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn json(name: &str) -> Json {
    serde_json::from_str(&fixture(name)).expect("JSON")
}

fn rows(name: &str) -> Vec<Json> {
    fixture(name).lines().map(|line| serde_json::from_str(line).expect("a JSON row")).collect()
}

/// The conversation of a case, with what its template is told.
fn chat(turns: &Json, options: &Json, date: &Json) -> Chat {
    let turn = |turn: &Json| serde_json::from_value(serde_json::json!({"role": turn[0], "content": turn[1]})).expect("a turn");
    let options = options.as_object().cloned().unwrap_or_default();
    let date = date.as_str().and_then(|day| day.parse().ok()).expect("a date");
    let messages = turns.as_array().into_iter().flatten().map(turn).collect();
    Chat { messages, template: TemplateSettings { date, options } }
}

/// What `template` makes of a chat; `None` where it refuses or does not compile.
fn rendering(name: &str, source: &str, chat: &Chat, generation: bool) -> Option<String> {
    let cases = json("cases.json");
    let no_bos = cases["without_bos"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let mut tokens: BTreeMap<String, String> = serde_json::from_value(cases["tokens"].clone()).expect("texts");
    tokens.retain(|token, _| token != "bos_token" || !no_bos);
    let template = ChatTemplate::new(source, tokens).ok()?;
    if generation { template.render(chat) } else { template.render_whole(chat) }.ok()
}

/// Compares every rendering of a folder; how many templates there are.
fn compare(folder: &Path) -> usize {
    let cases = json("cases.json");
    let (mut names, mut wrong) = (BTreeSet::new(), String::new());
    for line in read(&folder.join("renderings.jsonl")).lines() {
        let row: Json = serde_json::from_str(line).expect("a JSON row");
        let name = row["template"].as_str().expect("a name");
        let source = read(&folder.join(format!("{name}.jinja")));
        let chat = chat(&cases["chats"][row["chat"].as_str().expect("a name")], &row["options"], &cases["date"]);
        let text = rendering(name, &source, &chat, row["generation"] == true);
        if text.as_deref() != row["text"].as_str() {
            wrong += &format!("{row}\n  got {}\n", Json::from(text));
        }
        names.insert(name.to_owned());
    }
    assert!(wrong.is_empty(), "{wrong}");
    names.len()
}

#[test]
fn every_rendering_is_that_of_transformers() {
    assert!(compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/templates")) >= 12);
}

#[test]
#[ignore = "any templates: run tests/fixtures/templates.py on a folder of them, then this with TEMPLATES=FOLDER"]
fn every_rendering_of_a_folder_of_ones_own_is_that_of_transformers() {
    let folder = std::env::var_os("TEMPLATES").expect("TEMPLATES names a folder");
    assert!(compare(Path::new(&folder)) > 0);
}

#[test]
fn the_template_language_means_what_it_means_in_transformers() {
    let cases = json("cases.json");
    let chat = chat(&cases["language"]["chat"], &cases["language"]["options"], &cases["date"]);
    let mut wrong = String::new();
    for row in rows("language.jsonl") {
        let source = row["source"].as_str().expect("a text");
        let text = rendering("language", source, &chat, true);
        if text.as_deref() != row["text"].as_str() {
            wrong += &format!("{source}\n  expected {}\n  got      {}\n", row["text"], Json::from(text));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn complaint(source: &str, chat: &Chat) -> String {
    let tokens = BTreeMap::new();
    ChatTemplate::new(source, tokens).and_then(|template| template.render(chat)).expect_err("it fails").render()
}

#[test]
fn what_is_wrong_with_a_template_is_told_with_its_line_and_its_own_words() {
    let (ask, persona) = (Chat::ask(None, "Hi"), Chat::ask(Some("You love owls."), "Hi"));
    insta::assert_snapshot!(complaint("{% for m in messages %}\n  {{ m.content }\n{% endfor %}", &ask), @r"
    error: the chat template does not compile in line 2, `{{ m.content }`: unexpected `}`, expected end of variable block
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    insta::assert_snapshot!(complaint("{% if messages %}\nno end", &ask), @r"
    error: the chat template does not compile in line 2, `no end`: unexpected end of input, expected end of block
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    insta::assert_snapshot!(complaint("{{ raise_exception('roles must alternate') }}", &ask), @r"
    error: the model's chat template refuses the conversation: roles must alternate
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    let no_system = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}x";
    insta::assert_snapshot!(complaint(no_system, &persona), @r#"
    error: the model's chat template refuses the conversation: System role not supported
    hint: without the system prompt it takes it, as Gemma 2's does: leave system prompts out, and prime a teacher by fine-tuning (`teacher.prime = "fine-tune"`)
    "#);
    insta::assert_snapshot!(complaint("a\n{{ messages[7].role }}", &ask), @r"
    error: the model's chat template fails in line 2: undefined value
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    insta::assert_snapshot!(complaint("{{ messages | nonsense }}", &ask), @r"
    error: the model's chat template fails in line 1: unknown filter: filter nonsense is unknown
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
}

#[test]
fn a_template_that_does_not_end_or_writes_too_much_is_stopped() {
    let ask = Chat::ask(None, "Hi");
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% set x = a + b %}{% endfor %}{% endfor %}";
    insta::assert_snapshot!(complaint(endless, &ask), @r"
    error: the model's chat template does not come to an end within 2000000 steps
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    insta::assert_snapshot!(complaint("{% for a in range(999) %}{{ 'x' * 1000000 }}{% endfor %}", &ask), @r"
    error: the model's chat template writes more than 16 MiB
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    let deep = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}";
    assert!(complaint(deep, &ask).contains("recursion"), "{}", complaint(deep, &ask));
}

#[test]
fn what_the_engine_chokes_on_is_an_error_like_any_other() {
    let text = complaint("{{ ''[::-1] }}", &Chat::ask(None, "Hi"));
    assert!(text.contains("the template engine gave up"), "{text}");
}

#[test]
fn an_option_goes_before_a_special_token_and_reaches_the_template() {
    let mut chat = Chat::ask(None, "Hi");
    chat.template.options =
        serde_json::from_str(r#"{"bos_token": "<mine>", "thinking": false, "list": [1, "a"]}"#).expect("JSON");
    let text = template("{{ bos_token }}{{ eos_token }}{{ thinking }}{{ list }}").render(&chat).expect("renders");
    assert_eq!(text, "<mine><eos>False[1, 'a']");
}
