//! Gemma 3: as a text model (`Gemma3ForCausalLM`), and the text part of one that also sees (`Gemma3ForConditionalGeneration`), whose
//! other parts are left aside. As Gemma 2, with queries and keys normed head by head, and two rotary embeddings.

use serde_json::{Value, json};

use super::checkpoint::Layout;
use super::config::{DecoderConfig, Family};
use super::fields::{Defaults, Fields};
use super::{gemma2, rotary};

pub(super) const TEXT: Family = Family { model_type: "gemma3_text", architectures: &["Gemma3ForCausalLM"], read: read_text };

pub(super) const MULTIMODAL: Family =
    Family { model_type: "gemma3", architectures: &["Gemma3ForConditionalGeneration"], read: read_multimodal };

const DEFAULTS: Defaults =
    Defaults { sizes: SIZES, kv_heads: Some(4), head_dim: Some(256), max_positions: 131_072, tied_embeddings: true };

/// A multimodal checkpoint's `text_config` leaves out what is as in the class of transformers.
const SIZES: &[(&str, usize)] = &[
    ("vocab_size", 262_208),
    ("hidden_size", 2304),
    ("intermediate_size", 9216),
    ("num_hidden_layers", 26),
    ("num_attention_heads", 8),
];

/// The bases of the rotary frequencies of layers that see everything, and of those that slide.
const THETAS: [f64; 2] = [1_000_000.0, 10_000.0];

/// The text part's settings as a text model's own: what stands around them in a multimodal `config.json` and is meant for it too comes in.
pub(super) fn text_alone(json: &Value) -> Value {
    let mut alone = json["text_config"].clone();
    for key in ["bos_token_id", "eos_token_id", "pad_token_id", "tie_word_embeddings", "torch_dtype", "dtype"] {
        if let Some(value) = json.get(key) {
            alone[key] = value.clone();
        }
    }
    alone["model_type"] = json!(TEXT.model_type);
    alone["architectures"] = json!(TEXT.architectures);
    alone
}
/// Keys of the parts that are left aside.
const SIGHT: &[&str] = &[
    "vision_config",
    "mm_tokens_per_image",
    "boi_token_id",
    "boi_token_index",
    "eoi_token_id",
    "eoi_token_index",
    "image_token_id",
    "image_token_index",
];

fn read_text(fields: &mut Fields<'_>) -> DecoderConfig {
    let logit_soft_cap = fields.positive("final_logit_softcapping");
    DecoderConfig { logit_soft_cap, ..read(fields) }
}

fn read(fields: &mut Fields<'_>) -> DecoderConfig {
    let plain = fields.plain_decoder(&DEFAULTS);
    let [full, local] = rotary::read_by_layer_type(fields, THETAS, plain.max_positions);
    let pattern = fields.count_or("sliding_window_pattern", 6);
    DecoderConfig {
        rotary: full,
        sliding: gemma2::sliding(fields, &plain, local, pattern),
        head_norms: true,
        ..gemma2::as_gemma(fields, plain)
    }
}

fn read_multimodal(fields: &mut Fields<'_>) -> DecoderConfig {
    fields.ignore(SIGHT);
    let tied = fields.flag_or("tie_word_embeddings", true);
    let Some(mut text) = fields.open_config("text_config") else {
        fields.refuse_value("text_config", None, "the settings of the text part");
        return read(fields);
    };
    text.only("model_type", &[json!("gemma3_text")]);
    let config = read(&mut text);
    fields.close(text);
    DecoderConfig { layout: Layout::Multimodal, tied_embeddings: tied, ..config }
}
