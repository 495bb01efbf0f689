//! Qwen2 and Qwen2.5 (`Qwen2ForCausalLM`): biases on query, key and value, none elsewhere.

use super::config::{AttentionBias, DecoderConfig, Family, Sliding};
use super::fields::{Defaults, Fields};
use super::rotary;
use crate::engine::local::layers::{Activation, Rotary};

pub(super) const FAMILY: Family = Family { model_type: "qwen2", architectures: &["Qwen2ForCausalLM"], read };

const DEFAULTS: Defaults =
    Defaults { sizes: &[], kv_heads: Some(32), head_dim: None, max_positions: 32_768, tied_embeddings: false };

fn read(fields: &mut Fields<'_>) -> DecoderConfig {
    let plain = fields.plain_decoder(&DEFAULTS);
    let rotary = rotary::read(fields, plain.max_positions);
    DecoderConfig {
        rotary,
        sliding: sliding(fields, plain.num_layers, rotary),
        activation: fields.activation("hidden_act", Activation::Silu),
        attention_bias: AttentionBias::Qkv,
        ..plain
    }
}

/// The layers that slide where `use_sliding_window` says so: those that `layer_types` names, else all from `max_window_layers` on.
pub(super) fn sliding(fields: &mut Fields<'_>, layers: usize, rotary: Rotary) -> Option<Sliding> {
    let window = fields.count_or("sliding_window", 4096);
    let used = fields.flag_or("use_sliding_window", false) && !fields.is_null("sliding_window");
    let first = fields.whole_or("max_window_layers", 28);
    let layers = fields.layer_types(layers).unwrap_or_else(|| (0..layers).map(|layer| used && layer >= first).collect());
    if !layers.contains(&true) {
        return None;
    }
    if !used {
        fields.refuse("`layer_types` has layers that slide, but `use_sliding_window` is false".to_owned());
    }
    Some(Sliding { window, layers, rotary })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config() -> serde_json::Value {
        json!({
            "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 1024, "hidden_size": 64,
            "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 1024, "tie_word_embeddings": true, "hidden_act": "silu", "attention_dropout": 0.0,
            "use_sliding_window": false, "sliding_window": null, "rms_norm_eps": 1e-6, "rope_theta": 1e6
        })
    }

    #[test]
    fn both_spellings_of_rope_are_read() {
        let old = DecoderConfig::from_json(&config()).expect("supported");
        let mut new = config();
        new["rope_theta"] = json!(null);
        new["rope_parameters"] = json!({"rope_theta": 1e6, "rope_type": "default"});
        assert_eq!(old, DecoderConfig::from_json(&new).expect("supported"));
        assert_eq!((old.head_dim, old.rotary), (16, Rotary::plain(1e6)));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name_all_at_once() {
        let mut json = config();
        json["hidden_act"] = json!("gelu");
        json["use_sliding_window"] = json!("true");
        json["rope_scaling"] = json!({"rope_type": "yarn", "factor": 4.0});
        let text = DecoderConfig::from_json(&json).expect_err("three problems").render();
        for key in ["hidden_act", "use_sliding_window", "rope_scaling.rope_type"] {
            assert!(text.contains(key), "{text}");
        }
    }

    #[test]
    fn an_unknown_family_names_the_known_ones() {
        let text = DecoderConfig::from_json(&json!({"model_type": "mamba"})).expect_err("unknown").render();
        assert!(text.contains("`mamba`") && text.contains("`qwen2`"), "{text}");
    }
}
