//! A second implementation of every family: the stock models of candle-transformers, which run single rows without padding.
//!
//! A stock model's window is one key wider than it is called, and scores are always divided by the root of the head's width: where it
//! computes another function than transformers, it is given the settings on which both agree.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{gemma2, gemma3, llama, mistral, qwen2, qwen3};
use serde_json::{Value, json};

use super::{BOTH, lines, logits};
use crate::engine::local::fixture::{assert_close, config_of, decoder_of, json, merged, tensors_of, tokens, values};

const LENGTH: usize = 17;

/// Compares the last line of logits of a row with what `witness` makes of the same weights and tokens (1, length).
fn assert_agrees(options: Value, witness: impl Fn(&Value, VarBuilder<'static>, &Tensor) -> Result<Tensor>) {
    let sizes = json!({"hidden_size": 48, "intermediate_size": 88, "num_attention_heads": 6, "num_key_value_heads": 2,
        "num_hidden_layers": 2, "vocab_size": 101, "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "rope_theta": 10000.0});
    let json = merged(sizes, options);
    let config = config_of(&json);
    let vars = VarBuilder::from_tensors(tensors_of(&config, 1), DType::F32, &Device::Cpu);
    let tokens = tokens(5, LENGTH);
    let row = Tensor::new(tokens.as_slice(), &Device::Cpu).and_then(|t| t.unsqueeze(0)).expect("a row");
    let theirs = values(&witness(&json, vars, &row).expect("runs"));
    for kernels in BOTH {
        let ours = logits(&decoder_of(&config, 1, kernels), &tokens, &[LENGTH], None);
        assert_close(&theirs, lines(&ours, LENGTH - 1, LENGTH), 1e-4);
    }
}

fn read<T: serde::de::DeserializeOwned>(json: &Value, more: Value) -> T {
    serde_json::from_value(merged(json.clone(), more)).expect("the config that it knows")
}

#[test]
fn qwen2_agrees() {
    let more = json!({"sliding_window": 4096, "max_window_layers": 2, "use_sliding_window": false});
    assert_agrees(json(), |json, vars, row| qwen2::ModelForCausalLM::new(&read(json, more.clone()), vars)?.forward(row, 0));
}

#[test]
fn qwen3_agrees() {
    let options = json!({"model_type": "qwen3", "head_dim": 12, "hidden_act": "silu"});
    let more = json!({"sliding_window": null, "max_window_layers": 2, "use_sliding_window": false, "tie_word_embeddings": false,
        "attention_bias": false});
    assert_agrees(options, |json, vars, row| qwen3::ModelForCausalLM::new(&read(json, more.clone()), vars)?.forward(row, 0));
}

#[test]
fn llama_agrees_with_its_scaling() {
    let scaled = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16});
    for (scaling, tied) in [(json!(null), false), (scaled, true)] {
        let options = json!({"model_type": "llama", "rope_scaling": scaling, "tie_word_embeddings": tied});
        assert_agrees(options, |json, vars, row| {
            let config: llama::LlamaConfig = read(json, json!({}));
            let config = config.into_config(false);
            let mut cache = llama::Cache::new(false, DType::F32, &config, &Device::Cpu)?;
            llama::Llama::load(vars, &config)?.forward(row, 0, &mut cache)
        });
    }
}

#[test]
fn mistral_agrees() {
    let options = json!({"model_type": "mistral", "sliding_window": 6, "head_dim": 12});
    let more = json!({"sliding_window": 5});
    assert_agrees(options, |json, vars, row| mistral::Model::new(&read(json, more.clone()), vars)?.forward(row, 0));
}

#[test]
fn gemma2_agrees() {
    let options = json!({"model_type": "gemma2", "head_dim": 12, "query_pre_attn_scalar": 12, "sliding_window": 6,
        "layer_types": ["sliding_attention", "sliding_attention"], "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0,
        "attention_bias": false, "hidden_activation": "gelu_pytorch_tanh"});
    let more = json!({"sliding_window": 5});
    assert_agrees(options, |json, vars, row| gemma2::Model::new(false, &read(json, more.clone()), vars)?.forward(row, 0));
}

#[test]
fn gemma3_agrees() {
    // one key head: with more, the stock model gives its cache tensors with gaps, which that refuses
    let options = json!({"model_type": "gemma3_text", "num_key_value_heads": 1, "head_dim": 12, "query_pre_attn_scalar": 12, "sliding_window": 64,
        "sliding_window_pattern": 2, "rope_theta": 1e6, "rope_local_base_freq": 1e4, "final_logit_softcapping": 3.0,
        "attention_bias": false, "hidden_activation": "gelu_pytorch_tanh"});
    assert_agrees(options, |json, vars, row| gemma3::Model::new(false, &read(json, json!({})), vars)?.forward(row, 0));
}
