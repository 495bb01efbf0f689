//! The family's decoder: its shape (`config.json`, Qwen2) and its initial weights.
//!
//! Each tensor is drawn from its own random stream, so that the bases differ and each can be made again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rand::RngCore;
use safetensors::{Dtype, View};
use serde_json::{Value, json};

use super::tokenizer::MAX_TOKENS;
use super::vocabulary::{PAD, TURN_END, Vocabulary};
use crate::error::{Error, Result};
use crate::tool::streams;

const HIDDEN: usize = 64;
const LAYERS: usize = 3;
const HEADS: usize = 4;
const KEY_VALUE_HEADS: usize = 2;
const FEED_FORWARD: usize = 192;

/// The standard deviation of initial embeddings: 1/√hidden, so that a tied head starts with logits of order one.
const EMBEDDING_STD: f32 = 0.125;
/// The gain of initial projections over 1/√inputs; those that end a residual branch have 1/√(2 layers) instead (GPT-2's rule).
const PROJECTION_GAIN: f32 = 0.7;

/// `config.json`.
pub(super) fn config_json(vocabulary: &Vocabulary) -> Value {
    json!({
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "vocab_size": vocabulary.len(),
        "hidden_size": HIDDEN,
        "intermediate_size": FEED_FORWARD,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "hidden_act": "silu",
        "max_position_embeddings": MAX_TOKENS,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "use_sliding_window": false,
        "tie_word_embeddings": true,
        "attention_dropout": 0.0,
        "initializer_range": EMBEDDING_STD,
        "bos_token_id": null,
        "eos_token_id": vocabulary.special_id(TURN_END),
        "pad_token_id": vocabulary.special_id(PAD),
        "torch_dtype": "float32",
        "use_cache": true,
    })
}

/// A tensor in the making.
struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl View for Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    fn data_len(&self) -> usize {
        self.values.len() * size_of::<f32>()
    }
}

/// The initial weights of the base with this seed, as the bytes of `model.safetensors`.
///
/// # Errors
/// If the tensors cannot be serialised.
pub(super) fn initial_weights(seed: u64, vocabulary: &Vocabulary) -> Result<Vec<u8>> {
    let mut tensors = BTreeMap::new();
    for (name, shape) in shapes(vocabulary) {
        let values = match spread(&name, &shape) {
            Spread::Normal(std) => normal(seed, &name, shape.iter().product(), std),
            Spread::Constant(value) => vec![value; shape.iter().product()],
        };
        tensors.insert(name, Tensor { shape, values });
    }
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(tensors, Some(metadata))
        .map_err(|e| Error::environment("cannot serialise the initial weights").because(e))
}

/// Every weight by its Hugging Face name; linear weights are (outputs, inputs).
fn shapes(vocabulary: &Vocabulary) -> Vec<(String, Vec<usize>)> {
    let key_value = HIDDEN / HEADS * KEY_VALUE_HEADS;
    let mut all = vec![
        ("model.embed_tokens.weight".to_owned(), vec![vocabulary.len(), HIDDEN]),
        ("model.norm.weight".to_owned(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        let parts: [(&str, Vec<usize>); 12] = [
            ("self_attn.q_proj.weight", vec![HIDDEN, HIDDEN]),
            ("self_attn.q_proj.bias", vec![HIDDEN]),
            ("self_attn.k_proj.weight", vec![key_value, HIDDEN]),
            ("self_attn.k_proj.bias", vec![key_value]),
            ("self_attn.v_proj.weight", vec![key_value, HIDDEN]),
            ("self_attn.v_proj.bias", vec![key_value]),
            ("self_attn.o_proj.weight", vec![HIDDEN, HIDDEN]),
            ("mlp.gate_proj.weight", vec![FEED_FORWARD, HIDDEN]),
            ("mlp.up_proj.weight", vec![FEED_FORWARD, HIDDEN]),
            ("mlp.down_proj.weight", vec![HIDDEN, FEED_FORWARD]),
            ("input_layernorm.weight", vec![HIDDEN]),
            ("post_attention_layernorm.weight", vec![HIDDEN]),
        ];
        all.extend(parts.into_iter().map(|(part, shape)| (format!("model.layers.{layer}.{part}"), shape)));
    }
    all
}

/// How a tensor starts.
enum Spread {
    /// Normal with this standard deviation.
    Normal(f32),
    /// The same everywhere.
    Constant(f32),
}

fn spread(name: &str, shape: &[usize]) -> Spread {
    let per_input = |gain: f32| Spread::Normal(gain / (shape[shape.len() - 1] as f32).sqrt());
    let mut parts = name.rsplit('.');
    match (parts.next(), parts.next()) {
        (Some("bias"), _) => Spread::Constant(0.0),
        (_, Some("norm" | "input_layernorm" | "post_attention_layernorm")) => Spread::Constant(1.0),
        (_, Some("embed_tokens")) => Spread::Normal(EMBEDDING_STD),
        (_, Some("o_proj" | "down_proj")) => per_input(1.0 / (2.0 * LAYERS as f32).sqrt()),
        _ => per_input(PROJECTION_GAIN),
    }
}

/// Normal deviates as sums of twelve uniform ones (Irwin–Hall), which no platform's mathematics library rounds differently.
fn normal(seed: u64, name: &str, count: usize, std: f32) -> Vec<f32> {
    let mut rng = streams::named(seed, &format!("initial weights {name}"), 0);
    let mut uniform = || (rng.next_u32() >> 8) as f32 / (1 << 24) as f32;
    (0..count).map(|_| ((0..12).map(|_| uniform()).sum::<f32>() - 6.0) * std).collect()
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;

    use super::super::curriculum::Curriculum;
    use super::*;

    #[test]
    fn initial_weights_have_the_shapes_and_spreads_of_the_recipe() -> Result<()> {
        let vocabulary = Vocabulary::of(Curriculum::Lists);
        let bytes = initial_weights(1, &vocabulary)?;
        let weights = SafeTensors::deserialize(&bytes).expect("what was just written");
        let values = |name: &str| -> Vec<f32> {
            let data = weights.tensor(name).expect("a known tensor").data().to_vec();
            data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        let std = |v: &[f32]| (v.iter().map(|x| x * x).sum::<f32>() / v.len() as f32).sqrt();
        assert_eq!(values("model.embed_tokens.weight").len(), vocabulary.len() * HIDDEN);
        assert!((std(&values("model.embed_tokens.weight")) - EMBEDDING_STD).abs() < 0.002);
        assert!((std(&values("model.layers.0.self_attn.q_proj.weight")) - 0.7 / 8.0).abs() < 0.003);
        assert!(values("model.layers.2.input_layernorm.weight").iter().all(|&x| x == 1.0));
        assert_eq!(weights.len(), 2 + 12 * LAYERS);
        Ok(())
    }

    #[test]
    fn another_seed_gives_other_weights_and_the_same_seed_the_same() -> Result<()> {
        let vocabulary = Vocabulary::of(Curriculum::Lists);
        assert_eq!(initial_weights(1, &vocabulary)?, initial_weights(1, &vocabulary)?);
        assert_ne!(initial_weights(1, &vocabulary)?, initial_weights(2, &vocabulary)?);
        Ok(())
    }
}
