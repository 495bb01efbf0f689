//! What a `config.json` may say, and how it may be spelt.

use serde_json::{Value, json};

use super::DecoderConfig;
use crate::engine::local::arch::FAMILIES;
use crate::engine::local::fixture::{config_of, every_family, merged};
use crate::engine::local::layers::{Activation, Rotary, RotaryScaling};

/// The `config.json` of the family with this label.
fn family(label: &str) -> Value {
    every_family(1).into_iter().find(|(l, _)| *l == label).expect("a label of the fixture").1
}

fn with(label: &str, options: Value) -> Value {
    merged(family(label), options)
}

fn refusal(json: &Value) -> String {
    DecoderConfig::from_json(json).expect_err("to be refused").render()
}

#[test]
fn every_family_of_the_registry_is_among_the_tests() {
    for known in FAMILIES {
        assert!(every_family(1).iter().any(|(_, json)| json["model_type"] == known.model_type), "{}", known.model_type);
    }
}

#[test]
fn a_setting_that_changes_the_function_is_refused_by_name_in_every_family() {
    let settings = [
        ("quantization_config", json!({"quant_method": "bitsandbytes"})),
        ("attention_dropout", json!(0.1)),
        ("use_bidirectional_attention", json!(true)),
        ("attn_output_gate", json!(true)),
        ("num_experts", json!(8)),
        ("residual_multiplier", json!(0.22)),
        ("a_setting_of_next_year", json!("on")),
    ];
    for (label, json) in every_family(1) {
        let inside = |mut json: Value| {
            let place = if label == "gemma3" { &mut json["text_config"] } else { &mut json };
            for (key, value) in &settings {
                place[*key] = value.clone();
            }
            json
        };
        let error = DecoderConfig::from_json(&inside(json)).expect_err("to be refused");
        for (key, _) in &settings {
            assert!(error.render().contains(&format!("{key}` is")), "{label}: {}", error.render());
        }
        assert_eq!(error.list().len(), settings.len(), "{label}: {}", error.render());
    }
}

#[test]
fn sizes_that_no_model_has_are_refused_in_every_family() {
    let sizes = [
        ("num_hidden_layers", json!(1_000_000_000), "1000000000, expected a positive whole number of at most 4096"),
        ("hidden_size", json!(u64::MAX), "18446744073709551615, expected a positive whole number of at most 1048576"),
        ("vocab_size", json!(1_u64 << 40), "1099511627776, expected a positive whole number of at most 16777216"),
        ("intermediate_size", json!(1e12), "1000000000000.0, expected a positive whole number"),
        ("num_attention_heads", json!(0), "0, expected a positive whole number"),
        ("max_position_embeddings", json!(-1), "-1, expected a positive whole number"),
        ("rms_norm_eps", json!(-1.0), "-1.0, expected a positive number"),
    ];
    for (label, json) in every_family(1) {
        let mut json = json;
        for (key, value, _) in &sizes {
            let place = if label == "gemma3" { &mut json["text_config"] } else { &mut json };
            place[*key] = value.clone();
        }
        let text = refusal(&json);
        for (key, _, expected) in &sizes {
            assert!(text.contains(&format!("{key}` is {expected}")), "{label}, {key}: {text}");
        }
    }
    let wide = refusal(&with("llama", json!({"num_attention_heads": 65536, "head_dim": 65536})));
    assert!(wide.contains("all heads together are 4294967296 wide, expected at most 1048576"), "{wide}");
    let long = refusal(&with("llama", json!({"hidden_size": "x".repeat(1 << 20)})));
    assert!(long.len() < 1000, "a long value is shown by its start");
}

#[test]
fn what_one_family_honours_another_refuses() {
    for (label, options) in [
        ("qwen2", json!({"mlp_bias": true})),
        ("qwen3", json!({"attn_logit_softcapping": 50.0})),
        ("llama", json!({"sliding_window": 4096})),
        ("mistral", json!({"attention_bias": true})),
        ("gemma2", json!({"rope_local_base_freq": 1e4})),
        ("gemma3_text", json!({"attn_logit_softcapping": 50.0})), // the class has the key and passes it over
        ("mistral", json!({"layer_types": ["full_attention", "sliding_attention", "full_attention"]})),
        ("qwen2", json!({"layer_types": ["full_attention", "sliding_attention", "full_attention"]})),
        ("gemma2", json!({"sliding_window": null})),
        ("gemma2", json!({"sliding_window_size": 4096})),
        ("gemma2", json!({"hidden_act": "silu"})),
        ("llama", json!({"hidden_act": "relu"})),
        ("llama", json!({"architectures": ["LlamaForSequenceClassification"]})),
        ("qwen3", json!({"layer_types": ["full_attention"]})),
        ("gemma3", json!({"text_config": null})),
    ] {
        let key = options.as_object().and_then(|o| o.keys().next()).expect("one key").clone();
        let error = refusal(&with(label, options));
        assert!(error.contains(&format!("`{key}`")), "{label}: {error}");
    }
    let mut capped = family("gemma3");
    capped["text_config"]["final_logit_softcapping"] = json!(30.0);
    assert!(refusal(&capped).contains("`text_config.final_logit_softcapping` is 30.0"), "{}", refusal(&capped));
}

#[test]
fn a_rope_that_is_not_known_is_refused_by_its_type() {
    for key in ["rope_scaling", "rope_parameters"] {
        for kind in ["yarn", "longrope", "dynamic", "mrope"] {
            let error = refusal(&with("llama", json!({key: {"rope_type": kind, "factor": 2.0, "attention_factor": 1.1}})));
            assert!(error.contains(&format!("`{key}.rope_type` is \"{kind}\"")), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        let error = refusal(&with("llama", json!({key: {"rope_type": "linear", "factor": 2.0, "mrope_section": [1, 2]}})));
        assert!(error.contains(&format!("`{key}.mrope_section` is [1,2]")), "{error}");
        let error = refusal(&with("llama", json!({key: {"type": "linear", "partial_rotary_factor": 0.5}})));
        assert!(error.contains("partial_rotary_factor` is 0.5") && error.contains("factor` is missing"), "{error}");
    }
    assert!(refusal(&with("qwen2", json!({"partial_rotary_factor": 0.5}))).contains("`partial_rotary_factor` is 0.5"));
    let twice = json!({"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": {"rope_type": "default"}});
    assert!(refusal(&with("mistral", twice)).contains("different things"));
}

#[test]
fn what_says_nothing_is_passed_over() {
    let plain = config_of(&family("llama"));
    let said = json!({
        "torch_dtype": "bfloat16", "dtype": "bfloat16", "transformers_version": "5.1.0", "_name_or_path": "a/b", "use_cache": true,
        "bos_token_id": 1, "eos_token_id": [1, 2], "pad_token_id": null, "initializer_range": 0.02, "pretraining_tp": 2,
        "rope_scaling": null, "attention_bias": false, "attention_dropout": 0, "partial_rotary_factor": 1.0, "use_mrope": false,
        "is_llama_config": true, "rope_interleaved": false, "transformers.js_config": {"dtype": "q4"}, "head_dim_override": null,
        "architectures": ["LlamaForCausalLM"], "temperature": 0.6, "unsloth_fixed": true, "id2label": {"0": "a"}
    });
    assert_eq!(plain, config_of(&with("llama", said)));
}

#[test]
fn both_spellings_read_equal() {
    let llama3 = json!({"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192});
    let theta = |rope: &Value| merged(rope.clone(), json!({"rope_theta": 5e5}));
    let linear = json!({"type": "linear", "factor": 8.0});
    for label in ["qwen2", "qwen3", "llama", "mistral", "gemma2"] {
        for rope in [&llama3, &linear, &json!({"rope_type": "default"})] {
            let older = config_of(&with(label, json!({"rope_theta": 5e5, "rope_scaling": rope})));
            assert_eq!(older, config_of(&with(label, json!({"rope_parameters": theta(rope)}))));
            assert_eq!(older, config_of(&with(label, json!({"rope_theta": 5e5, "rope_parameters": rope}))));
        }
        let plain = config_of(&with(label, json!({"rope_theta": 1e6})));
        assert_eq!(plain, config_of(&with(label, json!({"rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}}))));
        assert_eq!(plain.rotary, Rotary::plain(1e6));
    }
    let older = config_of(&family("gemma3_text"));
    let mut json = family("gemma3_text");
    for key in ["rope_theta", "rope_local_base_freq", "rope_scaling", "sliding_window_pattern"] {
        json.as_object_mut().expect("an object").remove(key);
    }
    let newer = json!({
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "_sliding_window_pattern": 6,
        "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}
        }
    });
    assert_eq!(older, config_of(&merged(json, newer)));
    assert!(
        refusal(&with("gemma3_text", json!({"rope_parameters": {"rope_type": "default"}}))).contains("rope_parameters.rope_type")
    );
}

/// The settings of some well-known checkpoints, as they are stored.
#[test]
#[expect(clippy::unreadable_literal, reason = "as they are stored")]
fn well_known_checkpoints_are_read_as_they_are() {
    let llama = config_of(&json!({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128000,
        "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048,
        "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false,
        "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1,
        "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0, "tie_word_embeddings": true,
        "torch_dtype": "bfloat16", "transformers_version": "4.45.0.dev0", "use_cache": true, "vocab_size": 128256
    }));
    assert!(matches!(llama.rotary.scaling, RotaryScaling::Llama3 { original_positions: 8192, .. }));
    assert_eq!(llama.parameters(), 1_235_814_400);

    let gemma = config_of(&json!({
        "architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255999, "eoi_token_index": 256000,
        "eos_token_id": [1, 106], "image_token_index": 262144, "initializer_range": 0.02, "mm_tokens_per_image": 256,
        "model_type": "gemma3", "torch_dtype": "bfloat16", "transformers_version": "4.50.0.dev0",
        "text_config": {"hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024},
        "vision_config": {"hidden_size": 1152, "model_type": "siglip_vision_model", "num_hidden_layers": 27, "vision_use_head": false}
    }));
    assert_eq!((gemma.num_heads, gemma.num_kv_heads, gemma.head_dim, gemma.vocab_size), (8, 4, 256, 262_208));
    assert_eq!((gemma.window(4), gemma.window(5), gemma.window(33)), (Some(1024), None, Some(1024)));
    assert_eq!(gemma.rotary, Rotary { theta: 1e6, scaling: RotaryScaling::Linear { factor: 8.0 } });
    assert_eq!(gemma.sliding.as_ref().map(|sliding| sliding.rotary), Some(Rotary::plain(1e4)));
    assert_eq!(gemma.module_prefix(), "model.language_model");
    assert_eq!(gemma.parameters(), 3_880_263_168);

    let gemma2 = config_of(&json!({
        "architectures": ["Gemma2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "attn_logit_softcapping": 50.0,
        "bos_token_id": 2, "cache_implementation": "hybrid", "eos_token_id": [1, 107], "final_logit_softcapping": 30.0,
        "head_dim": 256, "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 3584,
        "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 8192, "model_type": "gemma2",
        "num_attention_heads": 16, "num_hidden_layers": 42, "num_key_value_heads": 8, "pad_token_id": 0,
        "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "sliding_window": 4096,
        "sliding_window_size": 4096, "torch_dtype": "bfloat16", "transformers_version": "4.42.0.dev0", "use_cache": true,
        "vocab_size": 256000
    }));
    assert_eq!((gemma2.activation, gemma2.tied_embeddings, gemma2.window(0)), (Activation::GeluTanh, true, Some(4096)));
    assert_eq!(gemma2.parameters(), 9_241_705_984);

    let qwen = config_of(&json!({
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643, "eos_token_id": 151645,
        "hidden_act": "silu", "hidden_size": 3584, "initializer_range": 0.02, "intermediate_size": 18944,
        "max_position_embeddings": 32768, "max_window_layers": 28, "model_type": "qwen2", "num_attention_heads": 28,
        "num_hidden_layers": 28, "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
        "sliding_window": 131072, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.43.1",
        "use_cache": true, "use_sliding_window": false, "vocab_size": 152064
    }));
    assert_eq!((qwen.sliding.is_none(), qwen.parameters()), (true, 7_615_616_512));
}
