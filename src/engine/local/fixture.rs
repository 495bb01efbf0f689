//! Small random decoders for the tests of this folder.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use rand::Rng;
use serde_json::{Value, json};

use super::arch::{Decoder, DecoderConfig};
use super::layers::Kernels;
use super::train::EncodedRow;
use crate::tool::streams;

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
    DecoderConfig::from_json(&json()).expect("supported")
}

/// Random weights, far enough from zero that every part of the decoder matters.
pub(super) fn tensors(seed: u64) -> HashMap<String, Tensor> {
    let draw = |(index, (name, shape)): (usize, (String, Vec<usize>))| {
        let mut random = streams::named(seed, "fixture", index as u64);
        let (centre, width) = match shape.as_slice() {
            _ if name.ends_with("norm.weight") => (1.0, 0.2),
            [_, inner] => (0.0, 2.0 / (*inner as f32).sqrt()),
            _ => (0.0, 0.3),
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| centre + width * random.random_range(-1.0f32..1.0)).collect();
        (name, Tensor::from_vec(values, shape, &Device::Cpu).expect("shapes fit"))
    };
    config().weights().into_iter().enumerate().map(draw).collect()
}

/// A random decoder that runs the given form of the operations.
pub(super) fn decoder(seed: u64, kernels: Kernels) -> Decoder {
    Decoder::new(config(), tensors(seed), &Device::Cpu, DType::F32).expect("whole").with_kernels(kernels)
}

/// Random tokens.
pub(super) fn tokens(seed: u64, len: usize) -> Vec<u32> {
    let mut random = streams::named(seed, "tokens", 0);
    (0..len).map(|_| random.random_range(0..101)).collect()
}

/// Random rows of different lengths.
pub(super) fn rows(seed: u64, count: usize) -> Vec<EncodedRow> {
    (0..count).map(|i| EncodedRow { tokens: tokens(seed + i as u64, 9 + i * 5 % 13), prompt: 3 + i % 4 }).collect()
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
