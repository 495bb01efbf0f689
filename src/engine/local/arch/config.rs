//! What a decoder is made of, read from a Hugging Face `config.json`. A setting that this code does not know how to honour is refused by name.

use serde_json::Value;

use crate::error::{Error, Problem, Result};

/// The description of a decoder-only transformer.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// The family's `model_type`.
    pub family: &'static str,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// The width of the residual stream.
    pub hidden_size: usize,
    /// The width inside the feed-forward layer.
    pub intermediate_size: usize,
    /// The number of decoder layers.
    pub num_layers: usize,
    /// Query heads.
    pub num_heads: usize,
    /// Key and value heads; each serves `num_heads / num_kv_heads` query heads.
    pub num_kv_heads: usize,
    /// The width of one head.
    pub head_dim: usize,
    /// Positions the model was made for.
    pub max_positions: usize,
    /// The base of the rotary frequencies.
    pub rope_theta: f64,
    /// Added to the mean square in the norms.
    pub rms_norm_eps: f64,
    /// Whether the output head is the embedding.
    pub tied_embeddings: bool,
    /// Which attention projections have a bias.
    pub attention_bias: AttentionBias,
}

/// Which attention projections have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttentionBias {
    /// None.
    None,
    /// Query, key and value.
    Qkv,
}

/// A family: its `model_type` and how it reads its description.
pub struct Family {
    /// The `model_type` of `config.json`.
    pub model_type: &'static str,
    read: fn(&mut Fields<'_>) -> DecoderConfig,
}

/// The families that this engine runs.
pub const FAMILIES: &[Family] = &[Family { model_type: super::qwen2::MODEL_TYPE, read: super::qwen2::read }];

impl DecoderConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// If the family is unknown, or keys are missing or set to what is not supported; all problems together.
    pub fn from_json(json: &Value) -> Result<Self> {
        let name = json.get("model_type").and_then(Value::as_str).unwrap_or("");
        let Some(family) = FAMILIES.iter().find(|f| f.model_type == name) else {
            let known: Vec<String> = FAMILIES.iter().map(|f| format!("`{}`", f.model_type)).collect();
            return Err(Error::input(format!("`model_type` is `{name}`, supported: {}", known.join(", "))));
        };
        let mut fields = Fields::new(json);
        let config = (family.read)(&mut fields);
        config.check(&mut fields);
        if fields.problems.is_empty() { Ok(config) } else { Err(Error::problems(fields.problems)) }
    }

    fn check(&self, fields: &mut Fields<'_>) {
        if self.num_kv_heads == 0 || !self.num_heads.is_multiple_of(self.num_kv_heads) {
            fields.refuse(format!(
                "`num_attention_heads` is {}, not a multiple of `num_key_value_heads` {}",
                self.num_heads, self.num_kv_heads
            ));
        }
        if self.head_dim == 0 || !self.head_dim.is_multiple_of(2) {
            fields.refuse(format!("`head_dim` is {}, expected an even number", self.head_dim));
        }
    }

    /// Every weight's name and shape, as Hugging Face names them.
    pub fn weights(&self) -> Vec<(String, Vec<usize>)> {
        let (hidden, inner) = (self.hidden_size, self.intermediate_size);
        let (q, kv) = (self.num_heads * self.head_dim, self.num_kv_heads * self.head_dim);
        let mut all = vec![("model.embed_tokens.weight".to_owned(), vec![self.vocab_size, hidden])];
        for layer in 0..self.num_layers {
            let mut push = |name: &str, shape: &[usize]| all.push((format!("model.layers.{layer}.{name}"), shape.to_vec()));
            push("input_layernorm.weight", &[hidden]);
            for (name, out) in [("q_proj", q), ("k_proj", kv), ("v_proj", kv)] {
                push(&format!("self_attn.{name}.weight"), &[out, hidden]);
                if self.attention_bias == AttentionBias::Qkv {
                    push(&format!("self_attn.{name}.bias"), &[out]);
                }
            }
            push("self_attn.o_proj.weight", &[hidden, q]);
            push("post_attention_layernorm.weight", &[hidden]);
            push("mlp.gate_proj.weight", &[inner, hidden]);
            push("mlp.up_proj.weight", &[inner, hidden]);
            push("mlp.down_proj.weight", &[hidden, inner]);
        }
        all.push(("model.norm.weight".to_owned(), vec![hidden]));
        if !self.tied_embeddings {
            all.push(("lm_head.weight".to_owned(), vec![self.vocab_size, hidden]));
        }
        all
    }

    /// The number of weights.
    pub fn parameters(&self) -> u64 {
        self.weights().iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum()
    }
}

/// The keys of a `config.json`, read with all problems kept.
pub(super) struct Fields<'a> {
    json: &'a Value,
    problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    fn new(json: &'a Value) -> Self {
        Self { json, problems: Vec::new() }
    }

    /// Records a problem.
    pub(super) fn refuse(&mut self, message: String) {
        self.problems.push(Problem { file: None, line: None, message, hint: None });
    }

    /// A key that is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.json.get(key).filter(|v| !v.is_null())
    }

    /// A positive whole number that must be there.
    pub(super) fn count(&mut self, key: &str) -> usize {
        self.count_or(key, None)
    }

    /// A positive whole number, or a default when absent.
    pub(super) fn count_or(&mut self, key: &str, default: Option<usize>) -> usize {
        let value = match self.get(key) {
            None => default,
            Some(v) => v.as_u64().map(|n| n as usize).filter(|&n| n > 0),
        };
        value.unwrap_or_else(|| {
            self.refuse(format!("`{key}` is {}, expected a positive whole number", self.shown(key)));
            1
        })
    }

    /// A number, or a default when absent.
    pub(super) fn number_or(&mut self, key: &str, default: f64) -> f64 {
        match self.get(key) {
            None => default,
            Some(v) => v.as_f64().unwrap_or_else(|| {
                self.refuse(format!("`{key}` is {v}, expected a number"));
                default
            }),
        }
    }

    /// A flag, or a default when absent.
    pub(super) fn flag_or(&mut self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(v) => v.as_bool().unwrap_or_else(|| {
                self.refuse(format!("`{key}` is {v}, expected true or false"));
                default
            }),
        }
    }

    /// Refuses the key unless it is absent or one of `supported`.
    pub(super) fn only(&mut self, key: &str, supported: &[Value]) {
        if let Some(value) = self.get(key)
            && !supported.iter().any(|s| s == value || matches!((s.as_f64(), value.as_f64()), (Some(a), Some(b)) if a == b))
        {
            let list: Vec<String> = supported.iter().map(ToString::to_string).collect();
            let list = if list.is_empty() { "its absence".to_owned() } else { list.join(" or ") };
            self.refuse(format!("`{key}` is {value}, only {list} is supported"));
        }
    }

    /// The base of the rotary frequencies, in either spelling; any scaling of positions is refused.
    pub(super) fn rope_theta(&mut self, default: f64) -> f64 {
        for key in ["rope_scaling", "rope_parameters"] {
            let kind = self.get(key).and_then(|v| v.get("rope_type").or_else(|| v.get("type")));
            if let Some(kind) = kind
                && kind.as_str() != Some("default")
            {
                self.refuse(format!("`{key}.rope_type` is {kind}, only \"default\" is supported"));
            }
        }
        let nested = self.get("rope_parameters").and_then(|v| v.get("rope_theta")).filter(|v| !v.is_null());
        match nested.or_else(|| self.get("rope_theta")).map(|v| v.as_f64().filter(|t| *t > 0.0)) {
            None => default,
            Some(Some(theta)) => theta,
            Some(None) => {
                self.refuse("`rope_theta` is not a positive number".to_owned());
                default
            }
        }
    }

    fn shown(&self, key: &str) -> String {
        self.json.get(key).map_or_else(|| "missing".to_owned(), ToString::to_string)
    }
}
