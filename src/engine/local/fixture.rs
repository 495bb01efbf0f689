//! Small random decoders of every family for the tests of this folder.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use rand::Rng;
use serde_json::{Value, json};

use super::arch::{Decoder, DecoderConfig};
use super::layers::{Gain, Kernels};
use super::train::EncodedRow;
use crate::tool::streams;

/// The number of tokens that the small decoders know.
pub(super) const VOCAB: usize = 101;

/// The `config.json` of the small decoder.
pub(super) fn json() -> Value {
    json!({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 101, "hidden_size": 48,
        "intermediate_size": 88, "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 8,
        "max_position_embeddings": 128, "tie_word_embeddings": true, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000.0
    })
}

/// A decoder's description.
pub(super) fn config() -> DecoderConfig {
    config_of(&json())
}

/// The description in a `config.json`.
pub(super) fn config_of(json: &Value) -> DecoderConfig {
    DecoderConfig::from_json(json).expect("supported")
}

/// A `config.json` of every family, with sizes drawn from `seed`; every option that changes the function is on in one of them.
pub(super) fn every_family(seed: u64) -> Vec<(&'static str, Value)> {
    let linear = json!({"rope_type": "linear", "factor": 4.0});
    let llama3 = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16});
    let gemma3 = json!({"model_type": "gemma3_text", "query_pre_attn_scalar": 12, "sliding_window": 5, "sliding_window_pattern": 2,
        "rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": linear});
    let qwen3 = json!({"model_type": "qwen3", "attention_bias": true, "use_sliding_window": true, "sliding_window": 4,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]});
    let llama = json!({"model_type": "llama", "attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true,
        "rope_theta": 5e5, "rope_scaling": llama3});
    let gelu = json!({"model_type": "llama", "hidden_act": "gelu_new", "rope_parameters": linear});
    let gemma2 = json!({"model_type": "gemma2", "query_pre_attn_scalar": 10, "sliding_window": 5, "attention_bias": true,
        "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0});
    let options = [
        ("qwen2", json!({"model_type": "qwen2", "tie_word_embeddings": true})),
        (
            "qwen2, sliding",
            json!({"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 3, "max_window_layers": 1}),
        ),
        ("qwen3", json!({"model_type": "qwen3", "rope_theta": 1e6})),
        ("qwen3, sliding, with biases", qwen3),
        ("llama", json!({"model_type": "llama", "rms_norm_eps": 1e-5})),
        ("llama, slowed as Llama 3, with biases", llama),
        ("llama, slowed evenly, with GELU", gelu),
        ("mistral", json!({"model_type": "mistral", "sliding_window": 6})),
        ("gemma2", gemma2),
        ("gemma3_text", merged(gemma3.clone(), json!({"final_logit_softcapping": 3.0}))),
        ("gemma3", gemma3),
    ];
    let whole = |(i, (label, options)): (usize, (&'static str, Value))| {
        let json = merged(sizes(seed, i), options);
        (label, if label == "gemma3" { json!({"model_type": label, "text_config": json}) } else { json })
    };
    options.into_iter().enumerate().map(whole).collect()
}

fn sizes(seed: u64, index: usize) -> Value {
    let mut random = streams::named(seed, "sizes", index as u64);
    let mut draw = |from: usize, to: usize| random.random_range(from..=to);
    let (kv_heads, group) = (draw(1, 2), draw(1, 3));
    json!({
        "vocab_size": VOCAB, "hidden_size": 8 * draw(3, 6), "intermediate_size": draw(20, 90), "num_hidden_layers": 3,
        "num_attention_heads": kv_heads * group, "num_key_value_heads": kv_heads, "head_dim": 4 * draw(1, 5),
        "max_position_embeddings": 128, "rms_norm_eps": 1e-6
    })
}

/// An object with the entries of another added.
pub(super) fn merged(mut json: Value, options: Value) -> Value {
    let (Value::Object(all), Value::Object(options)) = (&mut json, options) else { unreachable!("both are objects") };
    all.extend(options);
    json
}

/// Random weights, far enough from zero that every part of the decoder matters.
pub(super) fn tensors(seed: u64) -> HashMap<String, Tensor> {
    tensors_of(&config(), seed)
}

/// Random weights for any description.
pub(super) fn tensors_of(config: &DecoderConfig, seed: u64) -> HashMap<String, Tensor> {
    let neutral = if config.norm.gain == Gain::OnePlusWeight { 0.0 } else { 1.0 };
    let draw = |(index, (name, shape)): (usize, (String, Vec<usize>))| {
        let mut random = streams::named(seed, "fixture", index as u64);
        let (centre, width) = match shape.as_slice() {
            _ if name.ends_with("norm.weight") => (neutral, 0.2),
            [_, inner] => (0.0, 2.0 / (*inner as f32).sqrt()),
            _ => (0.0, 0.3),
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| centre + width * random.random_range(-1.0f32..1.0)).collect();
        (name, Tensor::from_vec(values, shape, &Device::Cpu).expect("shapes fit"))
    };
    config.weights().into_iter().enumerate().map(draw).collect()
}

/// A random decoder that runs the given form of the operations.
pub(super) fn decoder(seed: u64, kernels: Kernels) -> Decoder {
    decoder_of(&config(), seed, kernels)
}

/// A random decoder of any description.
pub(super) fn decoder_of(config: &DecoderConfig, seed: u64, kernels: Kernels) -> Decoder {
    Decoder::new(config.clone(), tensors_of(config, seed), &Device::Cpu, DType::F32)
        .expect("whole")
        .with_kernels(kernels)
        .expect("packs")
}

/// Random tokens.
pub(super) fn tokens(seed: u64, len: usize) -> Vec<u32> {
    let mut random = streams::named(seed, "tokens", 0);
    (0..len).map(|_| random.random_range(0..VOCAB as u32)).collect()
}

/// Random rows of different lengths.
pub(super) fn rows(seed: u64, count: usize) -> Vec<EncodedRow> {
    (0..count).map(|i| EncodedRow { tokens: tokens(seed + i as u64, 9 + i * 5 % 13), prompt: 3 + i % 4 }).collect()
}

/// A matrix of numbers between −1 and 1, others for another seed.
pub(crate) fn numbers(seed: usize, shape: (usize, usize)) -> Tensor {
    let values = (0..shape.0 * shape.1).map(|i| ((i + 31 * seed) * 7919 % 1000) as f32 / 500.0 - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("a matrix")
}

/// The values of a tensor.
pub(super) fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("f32 on the CPU")
}

/// Asserts that two tensors differ by no more than `tolerance`, relative to the larger of 1 and the value.
pub(super) fn assert_close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * a.abs().max(1.0), "at {i}: {a} against {b}");
    }
}
