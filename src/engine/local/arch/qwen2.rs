//! Qwen2 and Qwen2.5 (`Qwen2ForCausalLM`): biases on query, key and value, none elsewhere.

use serde_json::json;

use super::config::{AttentionBias, DecoderConfig, Fields};

pub(super) const MODEL_TYPE: &str = "qwen2";

pub(super) fn read(fields: &mut Fields<'_>) -> DecoderConfig {
    fields.only("architectures", &[json!(["Qwen2ForCausalLM"])]);
    fields.only("hidden_act", &[json!("silu")]);
    fields.only("use_sliding_window", &[json!(false)]);
    fields.only("attention_dropout", &[json!(0.0)]);
    fields.only("quantization_config", &[]);
    if let Some(types) = fields.get("layer_types")
        && types.as_array().is_none_or(|t| t.iter().any(|t| t != "full_attention"))
    {
        fields.refuse(format!("`layer_types` is {types}, only \"full_attention\" is supported"));
    }
    let hidden_size = fields.count("hidden_size");
    let num_heads = fields.count("num_attention_heads");
    DecoderConfig {
        family: MODEL_TYPE,
        vocab_size: fields.count("vocab_size"),
        hidden_size,
        intermediate_size: fields.count("intermediate_size"),
        num_layers: fields.count("num_hidden_layers"),
        num_heads,
        num_kv_heads: fields.count_or("num_key_value_heads", Some(num_heads)),
        head_dim: fields.count_or("head_dim", Some(hidden_size / num_heads)),
        max_positions: fields.count_or("max_position_embeddings", Some(32_768)),
        rope_theta: fields.rope_theta(10_000.0),
        rms_norm_eps: fields.number_or("rms_norm_eps", 1e-6),
        tied_embeddings: fields.flag_or("tie_word_embeddings", false),
        attention_bias: AttentionBias::Qkv,
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!((old.head_dim, old.rope_theta), (16, 1e6));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name_all_at_once() {
        let mut json = config();
        json["hidden_act"] = json!("gelu");
        json["use_sliding_window"] = json!(true);
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
