//! Qwen3 (`Qwen3ForCausalLM`): queries and keys are normed head by head; no bias unless asked for.

use super::config::{DecoderConfig, Family};
use super::fields::{Defaults, Fields};
use super::{qwen2, rotary};
use crate::engine::local::layers::Activation;

pub(super) const FAMILY: Family = Family { model_type: "qwen3", architectures: &["Qwen3ForCausalLM"], read };

const DEFAULTS: Defaults =
    Defaults { sizes: &[], kv_heads: Some(32), head_dim: Some(128), max_positions: 32_768, tied_embeddings: false };

fn read(fields: &mut Fields<'_>) -> DecoderConfig {
    let plain = fields.plain_decoder(&DEFAULTS);
    let rotary = rotary::read(fields, plain.max_positions);
    DecoderConfig {
        rotary,
        sliding: qwen2::sliding(fields, plain.num_layers, rotary),
        activation: fields.activation("hidden_act", Activation::Silu),
        attention_bias: fields.attention_bias(),
        head_norms: true,
        ..plain
    }
}
