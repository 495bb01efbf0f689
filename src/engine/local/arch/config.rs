//! What a decoder is made of. A family fills the description from a Hugging Face `config.json`.

use serde_json::Value;

use super::FAMILIES;
use super::checkpoint::Layout;
use super::fields::{self, Fields};
use crate::engine::local::layers::{Activation, Norm, Rotary};
use crate::error::{Error, Result};

/// The description of a decoder-only transformer.
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// The family's `model_type`.
    pub family: &'static str,
    /// How checkpoints name the tensors.
    pub layout: Layout,
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
    /// The rotary embedding of layers that see everything before them.
    pub rotary: Rotary,
    /// The layers that see only so far back, if there are any.
    pub sliding: Option<Sliding>,
    /// Attention scores are divided by its root: `head_dim` in most families.
    pub query_scalar: f64,
    /// Attention scores are capped softly at ± this.
    pub attention_soft_cap: Option<f64>,
    /// Logits are capped softly at ± this.
    pub logit_soft_cap: Option<f64>,
    /// Every norm's settings.
    pub norm: Norm,
    /// Where a layer's norms stand.
    pub norm_places: NormPlaces,
    /// Whether every head's queries and keys are normed before they are turned.
    pub head_norms: bool,
    /// What the feed-forward layer's gate goes through.
    pub activation: Activation,
    /// Which attention projections have a bias.
    pub attention_bias: AttentionBias,
    /// Whether the projections of the feed-forward layer have a bias.
    pub mlp_bias: bool,
    /// What embeddings are multiplied by, once it is rounded to the storage format.
    pub embedding_scale: Option<f64>,
    /// Whether the output head is the embedding.
    pub tied_embeddings: bool,
}

/// Layers whose queries see only the keys of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Sliding {
    /// How many keys a query sees, its own the last.
    pub window: usize,
    /// For every layer whether it is one of them.
    pub layers: Vec<bool>,
    /// Their rotary embedding.
    pub rotary: Rotary,
}

/// Where a layer's norms stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormPlaces {
    /// Before attention and before the feed-forward layer.
    Before,
    /// Also after each of them, before what it says is added to the residual stream.
    BeforeAndAfter,
}

/// Which attention projections have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttentionBias {
    /// None.
    None,
    /// Query, key and value.
    Qkv,
    /// These and the output.
    All,
}

/// A family: its `model_type`, and how it reads its description.
pub struct Family {
    /// The `model_type` of `config.json`.
    pub model_type: &'static str,
    /// The classes of transformers that it computes.
    pub(super) architectures: &'static [&'static str],
    pub(super) read: fn(&mut Fields<'_>) -> DecoderConfig,
}

impl DecoderConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// If the family is unknown, or keys are missing, unknown, or set to what is not supported; all problems together.
    pub fn from_json(json: &Value) -> Result<Self> {
        let name = json.get("model_type").and_then(Value::as_str).unwrap_or("");
        let Some(family) = FAMILIES.iter().find(|f| f.model_type == name) else {
            let known: Vec<String> = FAMILIES.iter().map(|f| format!("`{}`", f.model_type)).collect();
            return Err(Error::input(format!("`model_type` is `{name}`, supported: {}", known.join(", "))));
        };
        let mut fields = Fields::of_family(json, family);
        let config = (family.read)(&mut fields);
        config.check(&mut fields);
        let problems = fields.finish();
        if problems.is_empty() { Ok(config) } else { Err(Error::problems(problems)) }
    }

    fn check(&self, fields: &mut Fields<'_>) {
        if self.num_kv_heads == 0 || !self.num_heads.is_multiple_of(self.num_kv_heads) {
            fields.refuse(format!(
                "`num_attention_heads` is {}, not a multiple of `num_key_value_heads` {}",
                self.num_heads, self.num_kv_heads
            ));
        }
        let widest = self.num_heads.saturating_mul(self.head_dim);
        if widest > fields::WIDEST {
            fields.refuse(format!("all heads together are {widest} wide, expected at most {}", fields::WIDEST));
        }
        if self.head_dim == 0 || !self.head_dim.is_multiple_of(2) {
            fields.refuse(format!("`head_dim` is {}, expected an even number", self.head_dim));
        }
    }

    /// How many keys a query of layer `layer` sees; `None` for all before it.
    pub fn window(&self, layer: usize) -> Option<usize> {
        self.sliding.as_ref().filter(|sliding| sliding.layers[layer]).map(|sliding| sliding.window)
    }

    /// The name that the checkpoint's own model class gives the module whose children are `layers`, `embed_tokens` and `norm`: what
    /// adapters of such a base are named after.
    pub fn module_prefix(&self) -> &'static str {
        self.layout.module_prefix()
    }

    /// Whether the decoder is the text part of a model that also sees.
    pub fn is_text_part(&self) -> bool {
        self.layout == Layout::Multimodal
    }

    /// The `config.json` of a checkpoint that holds this decoder and nothing else, from that of the checkpoint it came from; `None` where
    /// the two are the same.
    pub fn alone(&self, json: &Value) -> Option<Value> {
        self.is_text_part().then(|| super::gemma3::text_alone(json))
    }

    /// The number of weights.
    pub fn parameters(&self) -> u64 {
        self.weights().iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum()
    }
}
