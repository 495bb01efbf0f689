//! Mistral (`MistralForCausalLM`): every layer slides, where there is a window at all.

use super::config::{DecoderConfig, Family, Sliding};
use super::fields::{Defaults, Fields};
use super::rotary;
use crate::engine::local::layers::Activation;

pub(super) const FAMILY: Family = Family { model_type: "mistral", architectures: &["MistralForCausalLM"], read };

const DEFAULTS: Defaults =
    Defaults { sizes: &[], kv_heads: Some(8), head_dim: None, max_positions: 131_072, tied_embeddings: false };

/// The window where the key is absent; a null stands for none.
const WINDOW: usize = 4096;

fn read(fields: &mut Fields<'_>) -> DecoderConfig {
    let plain = fields.plain_decoder(&DEFAULTS);
    let rotary = rotary::read(fields, plain.max_positions);
    let layers = vec![true; plain.num_layers];
    let sliding = (!fields.is_null("sliding_window")).then(|| fields.count_or("sliding_window", WINDOW));
    let sliding = sliding.map(|window| Sliding { window, layers, rotary });
    if let Some(types) = fields.layer_types(plain.num_layers)
        && types.iter().any(|slides| *slides != sliding.is_some())
    {
        fields.refuse("`layer_types` differs between layers or from `sliding_window`, which holds for all".to_owned());
    }
    DecoderConfig { rotary, sliding, activation: fields.activation("hidden_act", Activation::Silu), ..plain }
}
