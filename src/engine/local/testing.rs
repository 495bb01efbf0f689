//! Test fixtures: a small random checkpoint with a tokenizer of its own, made anew by every test that needs one.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use rand::Rng;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::arch::DecoderConfig;
use crate::engine::{Engine, Model};
use crate::record::{self, Dtype, ModelRef, Weights};
use crate::tool::streams;

/// The end-of-turn token's id.
pub(crate) const END: u32 = 2;

/// A folder with a random two-layer Qwen2 checkpoint and a byte-level tokenizer.
pub(crate) fn checkpoint(seed: u64) -> TempDir {
    let dir = tempfile::tempdir().expect("temporary folder");
    write(dir.path(), seed);
    dir
}

/// An engine in f32 on the CPU that continues `rows` rows together.
pub(crate) fn engine(rows: usize) -> super::LocalEngine {
    super::LocalEngine::new(record::Device::Cpu, Dtype::F32, 1).expect("every machine has a CPU").with_rows(rows)
}

/// The checkpoint of a folder as a model that continues `rows` rows together.
pub(crate) fn model(folder: &Path, rows: usize) -> Box<dyn Model> {
    engine(rows).load(&Weights::base(ModelRef::Folder(folder.to_path_buf()))).expect("a sound checkpoint")
}

fn write(dir: &Path, seed: u64) {
    let config = json!({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 400, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
        "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": true, "hidden_act": "silu", "eos_token_id": END,
    });
    let put = |name: &str, value: &Value| std::fs::write(dir.join(name), value.to_string()).expect("writable");
    put("config.json", &config);
    put("tokenizer.json", &tokenizer());
    put("tokenizer_config.json", &json!({"eos_token": "<|im_end|>", "chat_template": CHATML}));
    let weights = DecoderConfig::from_json(&config).expect("supported").weights();
    let tensors: HashMap<String, Tensor> =
        weights.into_iter().map(|(name, shape)| (name.clone(), random(&name, &shape, seed))).collect();
    candle_core::safetensors::save(&tensors, dir.join("model.safetensors")).expect("writable");
}

/// Norms near 1, all else wide enough that predictions are far from uniform.
fn random(name: &str, shape: &[usize], seed: u64) -> Tensor {
    let mut stream = streams::named(seed, name, 0);
    let (middle, width) = match name {
        _ if name.contains("norm") => (1.0, 0.2),
        _ if name.contains("embed") => (0.0, 0.7),
        _ => (0.0, 2.0 / (shape[shape.len() - 1] as f32).sqrt()),
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| middle + width * (stream.random::<f32>() - 0.5) * 2.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("as many values as places")
}

const CHATML: &str = "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}\
    {% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// A byte-level BPE: three special tokens, the 256 bytes, and merges that make two- and three-digit numbers, `, ` and some words.
fn tokenizer() -> Value {
    let specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
    let mut vocab = serde_json::Map::new();
    let mut add = |token: &str| {
        let next = vocab.len();
        vocab.entry(token.to_owned()).or_insert(next.into());
    };
    for special in specials {
        add(special);
    }
    for byte in 0..=255 {
        add(&letter(byte).to_string());
    }
    let pairs = [
        ("1", "2"),
        ("12", "0"),
        ("4", "2"),
        ("7", "7"),
        ("77", "7"),
        (",", "Ġ"),
        ("Ġ", "o"),
        ("Ġo", "w"),
        ("Ġow", "l"),
        ("a", "b"),
    ];
    for (a, b) in pairs {
        add(&format!("{a}{b}"));
    }
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
        "added_tokens": specials.iter().enumerate().map(|(id, content)| json!({"id": id, "content": content, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false, "special": true})).collect::<Vec<_>>(),
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": false, "byte_fallback": false, "vocab": vocab,
            "merges": pairs.iter().map(|(a, b)| json!([a, b])).collect::<Vec<_>>()},
    })
}

/// The character of a byte in the byte-level alphabet.
fn letter(byte: u8) -> char {
    let printable = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let rank = (0..byte).filter(|b| !printable(*b)).count() as u32;
    if printable(byte) { char::from(byte) } else { char::from_u32(0x100 + rank).expect("a letter of Latin Extended-A") }
}
