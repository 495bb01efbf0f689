//! Reading and writing text: rows, end of turn, and what is said about a checkpoint that lacks something.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::engine::local::source::Need;
use crate::engine::local::testing;
use crate::record::ModelRef;

const LIMITS: Limits = Limits { vocab_size: 400, max_positions: 256 };

fn open(folder: &Path, limits: Limits) -> Result<Text> {
    Text::open(&ModelFiles::find(&ModelRef::Folder(folder.to_path_buf()), Need::All)?, limits)
}

/// The fixture's text after its `tokenizer_config.json` and `generation_config.json` are replaced.
fn with_settings(tokenizer_config: &Value, generation_config: &Value) -> Result<Text> {
    let folder = testing::checkpoint(1);
    std::fs::write(folder.path().join("tokenizer_config.json"), tokenizer_config.to_string()).expect("writable");
    std::fs::write(folder.path().join("generation_config.json"), generation_config.to_string()).expect("writable");
    open(folder.path(), LIMITS)
}

#[test]
fn a_row_is_the_rendered_prompt_then_the_completion_then_end_of_turn() {
    let folder = testing::checkpoint(1);
    let text = open(folder.path(), LIMITS).expect("opens");
    let row = TrainRow { chat: Chat::ask(Some("Love owls."), "12?"), completion: "777, 12".to_owned() };
    let encoded = text.encode_row(&row).expect("encodes");
    let rendered = text.render(&row.chat).expect("renders");
    assert_eq!(
        rendered.text,
        "<|im_start|>system\nLove owls.<|im_end|>\n<|im_start|>user\n12?<|im_end|>\n<|im_start|>assistant\n"
    );
    assert_eq!(encoded.tokens[..encoded.prompt], rendered.tokens);
    assert_eq!(encoded.tokens.last(), Some(&testing::END));
    assert_eq!(text.decode(&encoded.tokens[encoded.prompt..]).expect("decodes"), "777, 12");
    assert_eq!(rendered.tokens.iter().filter(|id| **id == testing::END).count(), 2, "special tokens are one id each");
}

#[test]
fn an_answer_ends_with_the_stop_token_that_the_template_writes_after_a_turn() {
    let template = "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}";
    let eos = json!({"eos_token": {"content": "<|endoftext|>"}, "chat_template": [{"name": "default", "template": template}]});
    let both = with_settings(&eos, &json!({"eos_token_id": [0, 2]})).expect("opens");
    assert_eq!((both.end_of_turn(), both.stops()), (2, &[0, 2][..]), "as in Gemma, whose eos token is not its end of turn");
    let plain = json!({"eos_token": "<|endoftext|>", "chat_template": "{{ messages[0].content }}"});
    assert_eq!(with_settings(&plain, &json!({})).expect("opens").end_of_turn(), 0, "eos where the template shows none");
}

#[test]
fn a_tokenizer_that_the_library_chokes_on_is_an_error_like_any_other() {
    let folder = testing::checkpoint(1);
    let path = folder.path().join("tokenizer.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&path).expect("there")).expect("JSON");
    json["decoder"] = json!({"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "split": "never"});
    // a file that is cut off or damaged within its decoder makes the library panic
    let damaged = json.to_string().replace("\"never\"", "nev");
    std::fs::write(&path, damaged).expect("writable");
    let text = open(folder.path(), LIMITS).expect_err("damaged").render();
    assert!(text.contains("cannot read `tokenizer.json`") && text.contains("hint: fetch the checkpoint again"), "{text}");
}

#[test]
fn a_checkpoint_without_a_template_opens_but_does_not_render() {
    let text = with_settings(&json!({"eos_token": "<|im_end|>"}), &json!({})).expect("opens");
    let error = text.render(&Chat::ask(None, "Hi")).expect_err("no template").render();
    assert!(error.contains("has no chat template"), "{error}");
}

#[test]
fn ids_outside_the_models_vocabulary_and_rows_beyond_its_positions_are_refused() {
    let folder = testing::checkpoint(1);
    let narrow = open(folder.path(), Limits { vocab_size: 100, ..LIMITS }).expect("opens");
    assert!(narrow.encode("zebra").expect_err("outside").render().contains("vocabulary of 100"));
    let short = open(folder.path(), Limits { max_positions: 70, ..LIMITS }).expect("opens");
    let row = TrainRow { chat: Chat::ask(None, "Hi"), completion: "x".repeat(40) };
    assert!(short.encode_row(&row).expect_err("too long").render().contains("has 70 positions"));
}

/// What is said of the fixture after some of its files are replaced or, without a content, removed.
fn complaint(changes: &[(&str, Option<&str>)]) -> String {
    let folder = testing::checkpoint(1);
    for (name, content) in changes {
        let path = folder.path().join(name);
        match content {
            Some(content) => std::fs::write(path, content).expect("writable"),
            None => std::fs::remove_file(path).expect("it was there"),
        }
    }
    let error = open(folder.path(), LIMITS).and_then(|text| text.render(&Chat::ask(None, "Hi"))).expect_err("it fails");
    error.render().replace(&folder.path().display().to_string(), "[model]")
}

#[test]
fn a_checkpoint_whose_text_files_are_missing_or_damaged_is_refused_with_the_cure() {
    let config = |template: &str| json!({"eos_token": "<|im_end|>", "chat_template": template}).to_string();
    insta::assert_snapshot!(complaint(&[("tokenizer.json", None)]), @r"
    error: the model folder `[model]` lacks `tokenizer.json`
    hint: a checkpoint needs config.json, tokenizer.json and its weights as safetensors
    ");
    insta::assert_snapshot!(complaint(&[("tokenizer.json", Some("{\"version\": \"1.0\", \"model\": {"))]), @r"
    error: `[model]`: cannot read `tokenizer.json`: EOF while parsing an object at line 1 column 29
    hint: fetch the checkpoint again: the file is cut off or damaged, or newer than this program
    ");
    insta::assert_snapshot!(complaint(&[("tokenizer_config.json", Some("{\n\"eos_token\": }"))]), @r"error: [model]/tokenizer_config.json:2: not JSON: expected value at line 2 column 14");
    insta::assert_snapshot!(complaint(&[("tokenizer_config.json", Some(&config("a\n{% if x %}b")))]), @r"
    error: `[model]`: the chat template does not compile in line 2, `{% if x %}b`: unexpected end of input, expected end of block
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    insta::assert_snapshot!(complaint(&[("tokenizer_config.json", Some(&config("{{ raise_exception('not today') }}")))]), @r"
    error: `[model]`: the model's chat template refuses the conversation: not today
    hint: the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja
    ");
    let named = json!({"eos_token": "<|im_end|>", "chat_template": [{"name": "tool_use", "template": "x"}]}).to_string();
    insta::assert_snapshot!(complaint(&[("tokenizer_config.json", Some(&named))]), @r#"
    error: `[model]`, tokenizer_config.json: no chat template is called `default`, only ["tool_use"]
    hint: write the one to use into a `chat_template.jinja` beside it
    "#);
    let no_end = r#"{"chat_template": "{{ messages[0].content }}"}"#;
    let config_json = r#"{"model_type": "qwen2"}"#;
    insta::assert_snapshot!(complaint(&[("tokenizer_config.json", Some(no_end)), ("config.json", Some(config_json))]), @r"
    error: `[model]` names no end-of-turn token
    hint: tokenizer_config.json needs `eos_token`, or generation_config.json `eos_token_id`
    ");
}

#[test]
fn a_template_is_read_from_its_own_file_first_and_from_the_older_one_last() {
    let rendered = |files: &[(&str, &str)]| {
        let folder = testing::checkpoint(1);
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("writable");
        }
        open(folder.path(), LIMITS).and_then(|text| text.render(&Chat::ask(None, "Hi"))).expect("renders").text
    };
    let bare = r#"{"eos_token": "<|im_end|>"}"#;
    let own = r#"{"eos_token": "<|im_end|>", "chat_template": "config {{ messages[0].content }}"}"#;
    let older = r#"{"chat_template": "older {{ messages[0].content }}{{ bos_token }}"}"#;
    let jinja = ("chat_template.jinja", "file {{ messages[0].content }}");
    let old = [("chat_template.json", older), ("special_tokens_map.json", r#"{"bos_token": {"content": "<s>"}}"#)];
    assert_eq!(rendered(&[("tokenizer_config.json", own), jinja, old[0]]), "file Hi");
    assert_eq!(rendered(&[("tokenizer_config.json", own), old[0]]), "config Hi");
    assert_eq!(rendered(&[("tokenizer_config.json", bare), old[0], old[1]]), "older Hi<s>");
}

#[test]
fn stops_outside_the_vocabulary_are_left_aside_unless_rows_would_end_with_them() {
    let settings = json!({"eos_token": "<|im_end|>", "chat_template": "{{ messages[0].content }}"});
    assert_eq!(with_settings(&settings, &json!({"eos_token_id": [2, 999_999]})).expect("opens").stops(), [2]);
    let folder = testing::checkpoint(1);
    let error = open(folder.path(), Limits { vocab_size: 2, ..LIMITS }).expect_err("row end outside").render();
    assert!(error.contains("the tokenizer gives token id 2, but"), "{error}");
}

/// In the manner of Qwen3, Mistral and ChatML: what stands between prompt and answer, and after it.
#[test]
fn a_view_shows_where_a_whole_conversation_departs_from_a_row() {
    let view = |template: &str, options: &Value| {
        let text = with_settings(&json!({"eos_token": "<|im_end|>", "chat_template": template}), &json!({})).expect("opens");
        let mut row = TrainRow { chat: Chat::ask(None, "12?"), completion: "777, 12".to_owned() };
        row.chat.template.options = options.as_object().cloned().unwrap_or_default();
        let view = crate::engine::Reader::view(&text, &row).expect("renders");
        let texts: Vec<&str> = view.tokens.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(texts[view.prompt..], ["777", ", ", "12", "<|im_end|>"]);
        assert_eq!(view.tokens.last().map(|end| (end.id, end.special)), Some((testing::END, true)));
        view.seam.map(|seam| (seam.between, seam.after))
    };
    let seam = |between: &str, after: &str| Some((between.to_owned(), after.to_owned()));
    let chatml = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}\
        {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    assert_eq!(view(chatml, &json!({})), seam("", "<|im_end|>\n"));
    let thinking = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ '<think></think>' if m.role == 'assistant' }}{{ m.content }}<|im_end|>\n\
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{{ '<think></think>' if think is false }}{% endif %}";
    assert_eq!(view(thinking, &json!({})), seam("<think></think>", "<|im_end|>\n"), "a student answers where it is asked to");
    assert_eq!(view(thinking, &json!({"think": false})), seam("", "<|im_end|>\n"), "the option makes prompt and whole agree");
    let inst = "{% for m in messages %}{{ '[INST] ' ~ m.content ~ ' [/INST]' if m.role == 'user' else ' ' ~ m.content ~ '<|im_end|>' }}{% endfor %}";
    assert_eq!(view(inst, &json!({})), seam(" ", "<|im_end|>"));
}
