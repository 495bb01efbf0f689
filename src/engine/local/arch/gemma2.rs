//! Gemma 2 (`Gemma2ForCausalLM`): four norms a layer, soft caps on scores and logits, every other layer slides.

use super::config::{DecoderConfig, Family, NormPlaces, Sliding};
use super::fields::{Defaults, Fields};
use super::rotary;
use crate::engine::local::layers::{Activation, Gain, Norm, Rotary};

pub(super) const FAMILY: Family = Family { model_type: "gemma2", architectures: &["Gemma2ForCausalLM"], read };

const DEFAULTS: Defaults =
    Defaults { sizes: &[], kv_heads: Some(4), head_dim: Some(256), max_positions: 8192, tied_embeddings: true };

fn read(fields: &mut Fields<'_>) -> DecoderConfig {
    let plain = fields.plain_decoder(&DEFAULTS);
    let rotary = rotary::read(fields, plain.max_positions);
    let sliding = sliding(fields, &plain, rotary, 2);
    if let Some(sliding) = &sliding {
        fields.only("sliding_window_size", &[sliding.window.into()]); // the window's name in some checkpoints
    }
    DecoderConfig {
        rotary,
        sliding,
        attention_soft_cap: soft_cap(fields, "attn_logit_softcapping", 50.0),
        logit_soft_cap: soft_cap(fields, "final_logit_softcapping", 30.0),
        ..as_gemma(fields, plain)
    }
}

/// What Gemma 2 and 3 share.
pub(super) fn as_gemma(fields: &mut Fields<'_>, plain: DecoderConfig) -> DecoderConfig {
    // only an older name: what counts is `hidden_activation`
    fields.only("hidden_act", &["gelu_pytorch_tanh".into()]);
    DecoderConfig {
        norm: Norm { gain: Gain::OnePlusWeight, ..plain.norm },
        norm_places: NormPlaces::BeforeAndAfter,
        activation: fields.activation("hidden_activation", Activation::GeluTanh),
        query_scalar: fields.positive("query_pre_attn_scalar").unwrap_or(256.0),
        attention_bias: fields.attention_bias(),
        embedding_scale: Some((plain.hidden_size as f64).sqrt()),
        ..plain
    }
}

/// The layers that slide: those that `layer_types` names, else all but every `pattern`-th.
pub(super) fn sliding(fields: &mut Fields<'_>, plain: &DecoderConfig, rotary: Rotary, pattern: usize) -> Option<Sliding> {
    let layers = fields.layer_types(plain.num_layers);
    let layers = layers.unwrap_or_else(|| (1..=plain.num_layers).map(|n| !n.is_multiple_of(pattern)).collect());
    let window = fields.count_or("sliding_window", 4096);
    if !layers.contains(&true) {
        return None;
    }
    if fields.is_null("sliding_window") {
        fields.refuse("`sliding_window` is null, but there are layers that slide".to_owned());
    }
    Some(Sliding { window, layers, rotary })
}

/// A soft cap: absent means the family's own, null means none.
fn soft_cap(fields: &mut Fields<'_>, key: &str, default: f64) -> Option<f64> {
    if fields.is_null(key) { None } else { fields.positive(key).or(Some(default)) }
}
