//! The keys of a `config.json`, read with all problems kept. What a family does not read must say nothing: a setting that this code
//! does not know how to honour is refused by name.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::checkpoint::Layout;
use super::config::{AttentionBias, DecoderConfig, Family, NormPlaces};
use super::rotary;
use crate::engine::local::layers::{Activation, Gain, Norm};
use crate::error::Problem;

/// Keys that say nothing about what the model computes: bookkeeping, token ids, initial values, and the generation settings that old
/// checkpoints keep here. Those that begin with `_` belong to them.
const HARMLESS: &[&str] = &[
    "architectures",
    "auto_map",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "cache_implementation",
    "chunk_size_feed_forward",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "initializer_range",
    "is_llama_config",
    "label2id",
    "length_penalty",
    "max_length",
    "max_new_tokens",
    "max_sequence_length",
    "min_length",
    "model_max_length",
    "model_type",
    "name_or_path",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "pad_token_id",
    "pretraining_tp", // another order of the same sums
    "problem_type",
    "processor_class",
    "repetition_penalty",
    "return_dict",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_cache",
];

/// The widest that anything in a layer may be. The widest known, the feed-forward layer of Llama 3.1 405B, has 53,248.
pub(super) const WIDEST: usize = 1 << 20;
/// The most entries of a vocabulary, far above the 262,208 of Gemma 3. Below it and [`WIDEST`], no product of sizes overflows.
pub(in crate::engine::local) const LARGEST_VOCABULARY: usize = 1 << 24;
/// The most decoder layers, thirty times those of Llama 3.1 405B.
const DEEPEST: usize = 1 << 12;
/// The most positions: a hundred times the ten million of the longest contexts that are spoken of.
const MOST_POSITIONS: usize = 1 << 30;

/// The largest that a size may be, by its key.
fn largest(key: &str) -> usize {
    match key {
        "vocab_size" => LARGEST_VOCABULARY,
        "num_hidden_layers" => DEEPEST,
        "max_position_embeddings" | "original_max_position_embeddings" | "sliding_window" => MOST_POSITIONS,
        _ => WIDEST,
    }
}

/// A value as messages show it: its start where it is long.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The keys of one object.
pub(super) struct Fields<'a> {
    json: &'a Value,
    model_type: &'static str,
    /// How messages name the object: empty, or `rope_scaling.` and the like.
    path: String,
    /// Whether it is a model's configuration, with all that says nothing of the function.
    is_config: bool,
    read: BTreeSet<String>,
    problems: Vec<Problem>,
}

/// What a family takes for keys that are absent.
pub(super) struct Defaults {
    /// Sizes that need not be there.
    pub(super) sizes: &'static [(&'static str, usize)],
    /// `num_key_value_heads`; `None` for as many as there are query heads. A null means the latter in every family.
    pub(super) kv_heads: Option<usize>,
    /// `head_dim`; `None` for the hidden width over the heads.
    pub(super) head_dim: Option<usize>,
    /// `max_position_embeddings`.
    pub(super) max_positions: usize,
    /// `tie_word_embeddings`.
    pub(super) tied_embeddings: bool,
}

impl<'a> Fields<'a> {
    /// The keys of a family's `config.json`.
    pub(super) fn of_family(json: &'a Value, family: &Family) -> Self {
        let mut fields = Self {
            json,
            model_type: family.model_type,
            path: String::new(),
            is_config: true,
            read: BTreeSet::new(),
            problems: Vec::new(),
        };
        fields.only("architectures", &family.architectures.iter().map(|name| json!([name])).collect::<Vec<_>>());
        fields
    }

    /// All problems, those of keys included that nobody has read.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        for (key, value) in self.json.as_object().into_iter().flatten() {
            let harmless = self.is_config && (HARMLESS.contains(&key.as_str()) || key.starts_with('_'));
            if !harmless && !self.read.contains(key) && !says_nothing(value) {
                self.problems.push(Problem {
                    file: None,
                    line: None,
                    message: format!(
                        "`{}{key}` is {}, which a `{}` model is not known to have",
                        self.path,
                        shown(value),
                        self.model_type
                    ),
                    hint: Some(
                        "if it does not change what the model computes, take it out of a copy of `config.json`".to_owned(),
                    ),
                });
            }
        }
        self.problems
    }

    /// The keys of the object under `key`, if there is one; to be given back through [`Fields::close`].
    pub(super) fn open(&mut self, key: &str) -> Option<Fields<'a>> {
        let json = self.get(key)?;
        if !json.is_object() {
            self.refuse_value(key, Some(json), "an object");
            return None;
        }
        let path = format!("{}{key}.", self.path);
        Some(Fields { json, path, is_config: false, read: BTreeSet::new(), problems: Vec::new(), ..*self })
    }

    /// The same for a configuration inside another.
    pub(super) fn open_config(&mut self, key: &str) -> Option<Fields<'a>> {
        self.open(key).map(|inner| Fields { is_config: true, ..inner })
    }

    /// Takes over the problems of an inner object.
    pub(super) fn close(&mut self, inner: Fields<'a>) {
        self.problems.extend(inner.finish());
    }

    /// Records a problem.
    pub(super) fn refuse(&mut self, message: String) {
        self.problems.push(Problem { file: None, line: None, message, hint: None });
    }

    /// Records a key that has not the value that was expected.
    pub(super) fn refuse_value(&mut self, key: &str, value: Option<&Value>, expected: &str) {
        let shown = value.map_or_else(|| "missing".to_owned(), shown);
        self.refuse(format!("`{}{key}` is {shown}, expected {expected}", self.path));
    }

    /// A key that is there and not null.
    pub(super) fn get(&mut self, key: &str) -> Option<&'a Value> {
        self.read.insert(key.to_owned());
        self.json.get(key).filter(|v| !v.is_null())
    }

    /// Whether the key is there and null, where that means another thing than its absence.
    pub(super) fn is_null(&self, key: &str) -> bool {
        self.json.get(key).is_some_and(Value::is_null)
    }

    /// Passes over keys, whatever they say.
    pub(super) fn ignore(&mut self, keys: &[&str]) {
        self.read.extend(keys.iter().map(|key| (*key).to_owned()));
    }

    /// Passes over all keys that are left, where a refusal has already said enough.
    pub(super) fn ignore_rest(&mut self) {
        self.read.extend(self.json.as_object().into_iter().flat_map(|object| object.keys().cloned()));
    }

    /// A positive whole number, or a default when absent; without a default it must be there.
    pub(super) fn count_or(&mut self, key: &str, default: impl Into<Option<usize>>) -> usize {
        let (value, default) = (self.get(key), default.into());
        let largest = largest(key);
        let read = value.map_or(default, |v| usize::try_from(v.as_u64()?).ok().filter(|n| (1..=largest).contains(n)));
        read.unwrap_or_else(|| {
            self.refuse_value(key, value, &format!("a positive whole number of at most {largest}"));
            1
        })
    }

    /// A whole number, or a default when absent.
    pub(super) fn whole_or(&mut self, key: &str, default: usize) -> usize {
        let Some(value) = self.get(key) else { return default };
        value.as_u64().filter(|n| *n <= MOST_POSITIONS as u64).map_or_else(
            || {
                self.refuse_value(key, Some(value), "a whole number");
                default
            },
            |n| n as usize,
        )
    }

    /// A positive number, if the key is there.
    pub(super) fn positive(&mut self, key: &str) -> Option<f64> {
        let value = self.get(key)?;
        let number = value.as_f64().filter(|n| *n > 0.0 && n.is_finite());
        if number.is_none() {
            self.refuse_value(key, Some(value), "a positive number");
        }
        number
    }

    /// A positive number that must be there.
    pub(super) fn number(&mut self, key: &str) -> f64 {
        if self.get(key).is_none() {
            self.refuse_value(key, None, "a positive number");
        }
        self.positive(key).unwrap_or(1.0)
    }

    /// A flag, or a default when absent.
    pub(super) fn flag_or(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.get(key) else { return default };
        value.as_bool().unwrap_or_else(|| {
            self.refuse_value(key, Some(value), "true or false");
            default
        })
    }

    /// Refuses the key unless it is absent, null or one of `supported`.
    pub(super) fn only(&mut self, key: &str, supported: &[Value]) {
        let Some(value) = self.get(key) else { return };
        let equal = |s: &Value| s == value || matches!((s.as_f64(), value.as_f64()), (Some(a), Some(b)) if a == b);
        if !supported.iter().any(equal) {
            let list: Vec<String> = supported.iter().map(ToString::to_string).collect();
            let list = if list.is_empty() { "its absence".to_owned() } else { list.join(" or ") };
            self.refuse(format!("`{}{key}` is {}, only {list} is supported", self.path, shown(value)));
        }
    }

    /// The sizes and settings that all families spell alike; every option is off.
    pub(super) fn plain_decoder(&mut self, defaults: &Defaults) -> DecoderConfig {
        self.only("attention_dropout", &[json!(0.0)]);
        let mut size = |key: &str| {
            let default = defaults.sizes.iter().find(|(name, _)| *name == key).map(|(_, size)| *size);
            self.count_or(key, default)
        };
        let (hidden_size, num_heads) = (size("hidden_size"), size("num_attention_heads"));
        let (vocab_size, intermediate_size) = (size("vocab_size"), size("intermediate_size"));
        let num_layers = size("num_hidden_layers");
        let kv_heads = if self.json.get("num_key_value_heads").is_some() { None } else { defaults.kv_heads };
        let head_dim = self.count_or("head_dim", defaults.head_dim.unwrap_or(hidden_size / num_heads));
        DecoderConfig {
            family: self.model_type,
            layout: Layout::Plain,
            vocab_size,
            hidden_size,
            intermediate_size,
            num_layers,
            num_heads,
            num_kv_heads: self.count_or("num_key_value_heads", kv_heads.unwrap_or(num_heads)),
            head_dim,
            max_positions: self.count_or("max_position_embeddings", defaults.max_positions),
            rotary: rotary::PLAIN,
            sliding: None,
            query_scalar: head_dim as f64,
            attention_soft_cap: None,
            logit_soft_cap: None,
            norm: Norm { eps: self.positive("rms_norm_eps").unwrap_or(1e-6), gain: Gain::Weight },
            norm_places: NormPlaces::Before,
            head_norms: false,
            activation: Activation::Silu,
            attention_bias: AttentionBias::None,
            mlp_bias: false,
            embedding_scale: None,
            tied_embeddings: self.flag_or("tie_word_embeddings", defaults.tied_embeddings),
        }
    }

    /// The function that the gate of the feed-forward layer goes through.
    pub(super) fn activation(&mut self, key: &str, default: Activation) -> Activation {
        match self.get(key).map(|v| (v, v.as_str())) {
            None => default,
            Some((_, Some("silu" | "swish"))) => Activation::Silu,
            Some((_, Some("gelu_pytorch_tanh" | "gelu_new"))) => Activation::GeluTanh,
            Some((value, _)) => {
                self.refuse(format!(
                    "`{}{key}` is {}, only \"silu\" or \"gelu_pytorch_tanh\" is supported",
                    self.path,
                    shown(value)
                ));
                default
            }
        }
    }

    /// `attention_bias`, which puts a bias on all four projections.
    pub(super) fn attention_bias(&mut self) -> AttentionBias {
        if self.flag_or("attention_bias", false) { AttentionBias::All } else { AttentionBias::None }
    }

    /// `layer_types`: for every layer whether it slides.
    pub(super) fn layer_types(&mut self, layers: usize) -> Option<Vec<bool>> {
        let value = self.get("layer_types")?;
        let slides = |kind: &Value| match kind.as_str() {
            Some("sliding_attention") => Some(true),
            Some("full_attention") => Some(false),
            _ => None,
        };
        let types: Option<Vec<bool>> = value.as_array().and_then(|types| types.iter().map(slides).collect());
        let expected = "a list of \"full_attention\" and \"sliding_attention\", one for each layer";
        if types.as_ref().is_none_or(|types| types.len() != layers) {
            self.refuse_value("layer_types", Some(value), expected);
            return None;
        }
        types
    }
}

/// Whether a value is as good as absent.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
    }
}
