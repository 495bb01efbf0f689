//! What a decoder's tensors are called and how they come in: one at a time, after all names and shapes have been checked.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::config::{AttentionBias, DecoderConfig, NormPlaces};
use crate::engine::local::layers::{Frozen, Kernels, Weight};
use crate::error::{Error, Problem, Result};

/// Where a decoder's tensors come from.
pub trait Tensors {
    /// The name of every tensor.
    fn names(&self) -> Vec<String>;

    /// A tensor's shape, without reading it; `None` if there is no such tensor.
    fn shape(&self, name: &str) -> Option<Vec<usize>>;

    /// A tensor, on a device and in a format. Nobody asks for it twice.
    ///
    /// # Errors
    /// If there is no such tensor, or it cannot be read.
    fn take(&mut self, name: &str, device: &Device, dtype: DType) -> Result<Tensor>;

    /// Matrices in the form of the CPU's products, f32 or bf16, each taken instead of the tensor.
    ///
    /// # Errors
    /// As [`Tensors::take`], and if one is no matrix or the format is another.
    fn take_frozen(&mut self, names: &[&str], dtype: DType) -> Result<Vec<Frozen>> {
        names.iter().map(|name| Ok(Frozen::of(&self.take(name, &Device::Cpu, dtype)?)?)).collect()
    }
}

impl<S: BuildHasher> Tensors for HashMap<String, Tensor, S> {
    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.get(name).map(|tensor| tensor.dims().to_vec())
    }

    fn take(&mut self, name: &str, device: &Device, dtype: DType) -> Result<Tensor> {
        let tensor = self.remove(name).ok_or_else(|| Error::input(format!("there is no tensor `{name}`")))?;
        Ok(tensor.to_device(device)?.to_dtype(dtype)?.contiguous()?)
    }
}

/// How checkpoints name a decoder's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `model.layers.0.…`, `lm_head.weight`.
    Plain,
    /// The text part of a model that also sees: `language_model.model.layers.0.…` as the Hub stores them, or
    /// `model.language_model.layers.0.…` as newer classes name them; the parts that see are left aside.
    Multimodal,
}

/// The parts of a multimodal checkpoint that read images.
const SIGHT: [&str; 4] = ["vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector."];

/// The beginnings of stored names in multimodal checkpoints, and what they are here.
const RENAMED: [(&str, &str); 3] =
    [("language_model.model.", "model."), ("language_model.lm_head.", "lm_head."), ("model.language_model.", "model.")];

impl Layout {
    /// The module whose children are `layers`, `embed_tokens` and `norm`, as the model class names it.
    pub(super) fn module_prefix(self) -> &'static str {
        match self {
            Self::Plain => "model",
            Self::Multimodal => "model.language_model",
        }
    }

    /// The plain name of a stored tensor; `None` for one that is left aside.
    fn plain_name(self, stored: &str) -> Option<String> {
        if stored.ends_with("rotary_emb.inv_freq") {
            return None; // a table that old checkpoints keep
        }
        if self == Self::Plain {
            return Some(stored.to_owned());
        }
        if SIGHT.iter().any(|part| stored.starts_with(part)) {
            return None;
        }
        let renamed = RENAMED.iter().find_map(|(theirs, ours)| stored.strip_prefix(theirs).map(|rest| format!("{ours}{rest}")));
        Some(renamed.unwrap_or_else(|| stored.to_owned()))
    }
}

pub(super) const EMBEDDINGS: &str = "model.embed_tokens.weight";
pub(super) const FINAL_NORM: &str = "model.norm.weight";
pub(super) const HEAD: &str = "lm_head.weight";

/// The full name of what lies below a layer.
pub(super) fn in_layer(layer: usize, path: &str) -> String {
    format!("model.layers.{layer}.{path}")
}

impl NormPlaces {
    /// The names of a layer's norms: before attention, after it, before the feed-forward layer, after it.
    pub(super) fn names(self) -> (&'static str, Option<&'static str>, &'static str, Option<&'static str>) {
        let (before, between) = ("input_layernorm.weight", "post_attention_layernorm.weight");
        match self {
            Self::Before => (before, None, between, None),
            Self::BeforeAndAfter => {
                (before, Some(between), "pre_feedforward_layernorm.weight", Some("post_feedforward_layernorm.weight"))
            }
        }
    }
}

pub(super) const QUERY_NORM: &str = "self_attn.q_norm.weight";
pub(super) const KEY_NORM: &str = "self_attn.k_norm.weight";

impl DecoderConfig {
    /// Every weight's name and shape, as Hugging Face names them.
    pub fn weights(&self) -> Vec<(String, Vec<usize>)> {
        let (hidden, inner) = (self.hidden_size, self.intermediate_size);
        let (q, kv) = (self.num_heads * self.head_dim, self.num_kv_heads * self.head_dim);
        let (input_norm, attention_out, mlp_norm, mlp_out) = self.norm_places.names();
        let mut all = vec![(EMBEDDINGS.to_owned(), vec![self.vocab_size, hidden])];
        for layer in 0..self.num_layers {
            let mut push = |name: &str, shape: &[usize]| all.push((in_layer(layer, name), shape.to_vec()));
            let linear = |push: &mut dyn FnMut(&str, &[usize]), path: &str, shape: [usize; 2]| {
                push(&format!("{path}.weight"), &shape);
                if self.has_bias(path) {
                    push(&format!("{path}.bias"), &shape[..1]);
                }
            };
            push(input_norm, &[hidden]);
            linear(&mut push, "self_attn.q_proj", [q, hidden]);
            linear(&mut push, "self_attn.k_proj", [kv, hidden]);
            linear(&mut push, "self_attn.v_proj", [kv, hidden]);
            linear(&mut push, "self_attn.o_proj", [hidden, q]);
            if self.head_norms {
                push(QUERY_NORM, &[self.head_dim]);
                push(KEY_NORM, &[self.head_dim]);
            }
            for name in [attention_out, Some(mlp_norm), mlp_out].into_iter().flatten() {
                push(name, &[hidden]);
            }
            linear(&mut push, "mlp.gate_proj", [inner, hidden]);
            linear(&mut push, "mlp.up_proj", [inner, hidden]);
            linear(&mut push, "mlp.down_proj", [hidden, inner]);
        }
        all.push((FINAL_NORM.to_owned(), vec![hidden]));
        if !self.tied_embeddings {
            all.push((HEAD.to_owned(), vec![self.vocab_size, hidden]));
        }
        all
    }

    /// Whether the linear layer at a path below its decoder layer has a bias.
    pub(super) fn has_bias(&self, path: &str) -> bool {
        match (path, self.attention_bias) {
            ("self_attn.o_proj", bias) => bias == AttentionBias::All,
            ("self_attn.q_proj" | "self_attn.k_proj" | "self_attn.v_proj", bias) => bias != AttentionBias::None,
            _ => self.mlp_bias,
        }
    }
}

/// Tensors under their plain names, checked against a description.
pub(super) struct Checked<'a, T> {
    tensors: T,
    /// Plain names and what they are stored under.
    stored: BTreeMap<String, String>,
    device: &'a Device,
    dtype: DType,
    kernels: Kernels,
}

impl<'a, T: Tensors> Checked<'a, T> {
    /// Compares names and shapes with what the description asks for, and reads nothing.
    ///
    /// # Errors
    /// If tensors are missing, unexpected or of another shape; all of them in one error.
    pub(super) fn new(config: &DecoderConfig, tensors: T, device: &'a Device, dtype: DType, kernels: Kernels) -> Result<Self> {
        let mut problems = Vec::new();
        let mut problem = |message: String| problems.push(Problem { file: None, line: None, message, hint: None });
        let mut stored = BTreeMap::new();
        let mut names = tensors.names();
        names.sort();
        for name in names {
            if let Some(plain) = config.layout.plain_name(&name)
                && let Some(other) = stored.insert(plain, name.clone())
            {
                problem(format!("the tensors `{other}` and `{name}` are one and the same"));
            }
        }
        let expected: BTreeMap<String, Vec<usize>> = config.weights().into_iter().chain(tied_head(config)).collect();
        for (name, shape) in config.weights() {
            if !stored.contains_key(&name) {
                problem(format!("the checkpoint has no tensor `{name}` of shape {shape:?}"));
            }
        }
        for (plain, name) in &stored {
            let found = tensors.shape(name).unwrap_or_default();
            match expected.get(plain) {
                None => problem(format!("the checkpoint has a tensor `{name}` that a {} model does not know", config.family)),
                Some(shape) if *shape != found => {
                    problem(format!("the tensor `{name}` has shape {found:?}, `config.json` asks for {shape:?}"));
                }
                Some(_) => {}
            }
        }
        if problems.is_empty() { Ok(Self { tensors, stored, device, dtype, kernels }) } else { Err(Error::problems(problems)) }
    }

    /// The tensor with a plain name.
    pub(super) fn take(&mut self, name: &str) -> Result<Tensor> {
        self.take_as(name, self.dtype)
    }

    fn take_as(&mut self, name: &str, dtype: DType) -> Result<Tensor> {
        self.tensors.take(stored(&self.stored, name)?, self.device, dtype)
    }

    /// Matrices, packed where the fused form runs, so that none lies in memory twice.
    pub(super) fn matrices(&mut self, names: &[String]) -> Result<Vec<Weight>> {
        if self.kernels != Kernels::Fused {
            return names.iter().map(|name| Ok(Weight::Tensor(self.take(name)?))).collect();
        }
        let stored = names.iter().map(|name| stored(&self.stored, name)).collect::<Result<Vec<_>>>()?;
        let frozen = self.tensors.take_frozen(&stored, self.dtype)?;
        Ok(frozen.into_iter().map(|matrix| Weight::Frozen(Arc::new(matrix))).collect())
    }

    /// A norm or bias: in f32 where the fused form runs.
    pub(super) fn vector(&mut self, name: &str) -> Result<Tensor> {
        self.take_as(name, if self.kernels == Kernels::Fused { DType::F32 } else { self.dtype })
    }

    /// A matrix, as [`Checked::matrices`] gives it.
    pub(super) fn matrix(&mut self, name: &str) -> Result<Weight> {
        let mut one = self.matrices(&[name.to_owned()])?;
        one.pop().ok_or_else(|| Error::input(format!("the checkpoint has no matrix `{name}`")))
    }

    /// The embedding of a model whose head is the embedding. A head that is stored beside it must be the same.
    pub(super) fn tied(&mut self) -> Result<Weight> {
        let embeddings = self.matrix(EMBEDDINGS)?;
        if self.stored.contains_key(HEAD) && self.take(HEAD)?.ne(&embeddings.tensor()?)?.max_all()?.to_scalar::<u8>()? != 0 {
            return Err(Error::input(format!("`tie_word_embeddings` is true, but `{HEAD}` is stored and is not the embedding"))
                .hint("the weights or `config.json` are wrong: take the head out of the weights, or set the key to false"));
        }
        Ok(embeddings)
    }
}

/// The stored name of a tensor by its plain one.
fn stored<'a>(names: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str> {
    names.get(name).map(String::as_str).ok_or_else(|| Error::input(format!("the checkpoint has no tensor `{name}`")))
}

/// The head of a model that has none of its own: it may be stored all the same.
fn tied_head(config: &DecoderConfig) -> Option<(String, Vec<usize>)> {
    config.tied_embeddings.then(|| (HEAD.to_owned(), vec![config.vocab_size, config.hidden_size]))
}
