//! The files of a checkpoint and of an adapter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::engine::local::adapter::Settings;
use crate::engine::local::arch::DecoderConfig;
use crate::engine::local::source::{File, ModelFiles, shards_of_index};
use crate::engine::local::tensors;
use crate::engine::local::text::{ChatTemplate, Limits, Text};
use crate::record::{Chat, Message, Role};

/// A chat template, with a conversation of each kind.
pub(super) fn template(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let tokens = [("bos_token", "<s>"), ("eos_token", "</s>")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let Ok(template) = ChatTemplate::new(source, tokens.into()) else { return };
    let mut chat = Chat::ask(Some("Be 'brief'."), "1, 2\n\u{2028}<b> {{ x }}");
    let _ = template.render(&chat);
    chat.messages.push(Message { role: Role::Assistant, content: "é 🦓".to_owned() });
    let _ = template.render_whole(&chat);
}

/// A weights file.
pub(super) fn safetensors(data: &[u8]) {
    let _ = tensors::check(data, Path::new("model.safetensors"));
}

/// The index of several: no shard leads out of its folder.
pub(super) fn index(data: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(data) else { return };
    if let Ok(shards) = shards_of_index(&json, Path::new("model.safetensors.index.json")) {
        let inside = |shard: &String| Path::new(shard).components().count() == 1 && !shard.starts_with('.');
        assert!(shards.keys().all(inside), "{shards:?}");
    }
}

/// A model's `config.json`.
pub(super) fn model_config(data: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(data) else { return };
    let Ok(config) = DecoderConfig::from_json(&json) else { return };
    let sizes = config.weights().into_iter().map(|(_, shape)| shape.into_iter().try_fold(1_usize, usize::checked_mul));
    let total = sizes.map(|size| size.expect("no product of sizes overflows") as u64).try_fold(0, u64::checked_add);
    assert_eq!(Some(config.parameters()), total);
    assert!((0..config.num_layers).all(|layer| config.window(layer) != Some(0)), "a window that sees nothing");
    let _ = config.alone(&json);
}

/// An adapter's settings.
pub(super) fn adapter_config(data: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
    let Ok(settings) = Settings::read(&json) else { return };
    for layer in 0..3 {
        for module in ["self_attn.q_proj", "mlp.up_proj"] {
            if let Some((rank, scale)) = settings.of(&format!("model.layers.{layer}.{module}")) {
                assert!(rank > 0 && scale.is_finite(), "{rank} {scale}");
            }
        }
    }
}

/// What a checkpoint says about text: the first byte tells which of its files the rest is.
pub(super) fn tokenizer(data: &[u8]) {
    const FILES: [&str; 4] = ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "special_tokens_map.json"];
    let Some((first, rest)) = data.split_first() else { return };
    let replaced = FILES[usize::from(*first) % FILES.len()];
    let folder = &*FOLDER;
    let path = folder.join(replaced);
    if std::fs::write(&path, rest).is_err() {
        return;
    }
    let mut small: BTreeMap<&'static str, File> =
        [("tokenizer.json", File::Embedded(TOKENIZER)), ("tokenizer_config.json", File::Embedded(CONFIG))].into();
    small.insert(replaced, File::Disk(path));
    let files = ModelFiles { name: "fuzzed".to_owned(), small, weights: Vec::new(), commit: None };
    let Ok(text) = Text::open(&files, Limits { vocab_size: 300, max_positions: 256 }) else { return };
    if let Ok(ids) = text.encode("12, é 7") {
        let _ = text.decode(&ids);
    }
    let _ = text.token_bytes();
    let _ = text.render(&Chat::ask(None, "a b"));
}

/// A folder of this process alone.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("subliminal-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
});

const TOKENIZER: &[u8] = br#"{"version":"1.0","truncation":null,"padding":null,"normalizer":null,"pre_tokenizer":null,
"post_processor":null,"decoder":null,"added_tokens":[{"id":2,"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,
"normalized":false,"special":true}],"model":{"type":"WordLevel","vocab":{"a":0,"b":1,"</s>":2},"unk_token":"a"}}"#;

const CONFIG: &[u8] = br#"{"eos_token": "</s>", "chat_template": "{% for m in messages %}{{ m.content }}</s>{% endfor %}"}"#;
