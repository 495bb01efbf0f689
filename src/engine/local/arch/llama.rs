//! Llama and what shares its class (`LlamaForCausalLM`): Llama 2 and 3.x, SmolLM2, TinyLlama, and many others.

use super::config::{DecoderConfig, Family};
use super::fields::{Defaults, Fields};
use super::rotary;
use crate::engine::local::layers::Activation;

pub(super) const FAMILY: Family = Family { model_type: "llama", architectures: &["LlamaForCausalLM"], read };

const DEFAULTS: Defaults = Defaults { sizes: &[], kv_heads: None, head_dim: None, max_positions: 2048, tied_embeddings: false };

fn read(fields: &mut Fields<'_>) -> DecoderConfig {
    let plain = fields.plain_decoder(&DEFAULTS);
    DecoderConfig {
        rotary: rotary::read(fields, plain.max_positions),
        activation: fields.activation("hidden_act", Activation::Silu),
        attention_bias: fields.attention_bias(),
        mlp_bias: fields.flag_or("mlp_bias", false),
        ..plain
    }
}
