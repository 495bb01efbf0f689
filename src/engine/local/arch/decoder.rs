//! The one decoder: embedding, layers of attention and feed-forward, final norm, output head. Frozen unless training makes variables of its weights.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};

use super::config::DecoderConfig;
use crate::engine::local::layers::{
    Adapter, AttentionShape, Batch, Dropout, Kernels, KvCache, LayerCache, Linear, PackCache, Ragged, Rope, attention,
    cross_entropy, product, rms_norm, swiglu,
};
use crate::error::{Error, Problem, Result};

/// A decoder with its weights on a device.
pub struct Decoder {
    config: DecoderConfig,
    embeddings: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    /// `None` where the output head is the embedding.
    head: Option<Tensor>,
    head_packed: PackCache,
    rope: Rope,
    device: Device,
    dtype: DType,
    kernels: Kernels,
}

struct Layer {
    input_norm: Tensor,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    mlp_norm: Tensor,
    gate: Linear,
    up: Linear,
    down: Linear,
}

/// A linear layer's place: `model.layers.N.` and a path below it, e.g. `self_attn.q_proj`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The decoder layer.
    pub layer: usize,
    /// The path below the layer.
    pub path: &'static str,
}

impl Site {
    /// The module's full name, e.g. `model.layers.0.self_attn.q_proj`.
    pub fn name(&self) -> String {
        format!("model.layers.{}.{}", self.layer, self.path)
    }

    /// The last part of the name, by which PEFT's `target_modules` select, e.g. `q_proj`.
    pub fn module(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }
}

/// The linear layers of every decoder layer.
const SITES: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

impl Layer {
    fn linears(&self) -> [&Linear; 7] {
        [&self.q, &self.k, &self.v, &self.o, &self.gate, &self.up, &self.down]
    }

    fn linears_mut(&mut self) -> [&mut Linear; 7] {
        [&mut self.q, &mut self.k, &mut self.v, &mut self.o, &mut self.gate, &mut self.up, &mut self.down]
    }
}

impl Decoder {
    /// Builds a decoder from tensors under their Hugging Face names, moved to `device` and cast to `dtype`.
    ///
    /// # Errors
    /// If tensors are missing, unexpected or of another shape; all of them in one error.
    pub fn new(config: DecoderConfig, mut tensors: HashMap<String, Tensor>, device: &Device, dtype: DType) -> Result<Self> {
        check_tensors(&config, &mut tensors)?;
        let mut take = |name: String| -> Result<Tensor> {
            let tensor = tensors.remove(&name).ok_or_else(|| Error::input(format!("the checkpoint has no tensor `{name}`")))?;
            Ok(tensor.to_device(device)?.to_dtype(dtype)?.contiguous()?)
        };
        let mut layers = Vec::with_capacity(config.num_layers);
        for index in 0..config.num_layers {
            let mut get = |name: &str| take(format!("model.layers.{index}.{name}"));
            let mut linear = |path: &str, bias: bool| -> Result<Linear> {
                let weight = get(&format!("{path}.weight"))?;
                let bias = if bias { Some(get(&format!("{path}.bias"))?) } else { None };
                Ok(Linear { weight, bias, adapter: None, packed: PackCache::default() })
            };
            let biased = config.attention_bias == super::config::AttentionBias::Qkv;
            let (q, k, v) = (linear(SITES[0], biased)?, linear(SITES[1], biased)?, linear(SITES[2], biased)?);
            let (o, gate, up, down) =
                (linear(SITES[3], false)?, linear(SITES[4], false)?, linear(SITES[5], false)?, linear(SITES[6], false)?);
            let (input_norm, mlp_norm) = (get("input_layernorm.weight")?, get("post_attention_layernorm.weight")?);
            layers.push(Layer { input_norm, q, k, v, o, mlp_norm, gate, up, down });
        }
        Ok(Self {
            embeddings: take("model.embed_tokens.weight".to_owned())?,
            layers,
            norm: take("model.norm.weight".to_owned())?,
            head: if config.tied_embeddings { None } else { Some(take("lm_head.weight".to_owned())?) },
            head_packed: PackCache::default(),
            rope: Rope::new(config.rope_theta, config.head_dim),
            device: device.clone(),
            dtype,
            kernels: Kernels::best(device, dtype),
            config,
        })
    }

    /// Runs the given form of the operations instead of the best one: for tests, which compare the forms.
    #[must_use]
    pub fn with_kernels(mut self, kernels: Kernels) -> Self {
        self.kernels = kernels;
        self
    }

    /// The description.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The last hidden states after the final norm, (total tokens, hidden). Positions go on from each row's cached length, and the
    /// cache takes the rows' keys and values in.
    ///
    /// # Errors
    /// If the lengths do not fit the tokens or the cache, a token is not in the vocabulary, or a row is longer than the model bears.
    pub fn hidden(&self, rows: &Ragged<'_>, cache: Option<&mut KvCache>) -> Result<Tensor> {
        self.forward(rows, cache, None)
    }

    /// [`Decoder::hidden`] with dropout on the adapters' inputs.
    pub(in crate::engine::local) fn forward(
        &self,
        rows: &Ragged<'_>,
        mut cache: Option<&mut KvCache>,
        mut dropout: Option<&mut dyn Dropout>,
    ) -> Result<Tensor> {
        let (batch, mut x) = self.begin(rows, cache.as_deref())?;
        for index in 0..self.layers.len() {
            x = self.layer(index, &x, &batch, cache.as_mut().map(|c| c.layer(index)), &mut dropout)?;
        }
        if let Some(cache) = cache {
            cache.advance(rows.lengths);
        }
        self.finish(&x)
    }

    /// Lays the rows out and looks their tokens up: what every layer needs to know, and the first layer's input (tokens, hidden).
    pub(in crate::engine::local) fn begin(&self, rows: &Ragged<'_>, cache: Option<&KvCache>) -> Result<(Batch, Tensor)> {
        let batch = Batch::new(rows, cache, &self.rope, self.kernels, &self.device)?;
        self.check_rows(rows, &batch)?;
        let ids = Tensor::from_slice(rows.tokens, rows.tokens.len(), &self.device)?;
        let x = self.embeddings.index_select(&ids, 0)?.to_dtype(self.dtype)?; // (tokens, hidden)
        Ok((batch, x))
    }

    /// The final norm of the last layer's output (tokens, hidden).
    pub(in crate::engine::local) fn finish(&self, x: &Tensor) -> Result<Tensor> {
        Ok(rms_norm(x, &self.norm, self.config.rms_norm_eps, self.kernels)?)
    }

    /// Layer `index`, counted from 0, on the output of the one before it: (tokens, hidden) → (tokens, hidden).
    pub(in crate::engine::local) fn layer(
        &self,
        index: usize,
        x: &Tensor,
        batch: &Batch,
        cache: Option<&mut LayerCache>,
        dropout: &mut Option<&mut dyn Dropout>,
    ) -> Result<Tensor> {
        Ok(self.apply(&self.layers[index], x, batch, cache, dropout)?)
    }

    fn apply(
        &self,
        layer: &Layer,
        x: &Tensor,
        batch: &Batch,
        cache: Option<&mut LayerCache>,
        dropout: &mut Option<&mut dyn Dropout>,
    ) -> candle_core::Result<Tensor> {
        let (eps, kernels) = (self.config.rms_norm_eps, self.kernels);
        let normed = rms_norm(x, &layer.input_norm, eps, kernels)?;
        let q = layer.q.forward(&normed, kernels, dropout)?;
        let k = layer.k.forward(&normed, kernels, dropout)?;
        let v = layer.v.forward(&normed, kernels, dropout)?;
        let mixed = attention(&q, &k, &v, self.attention_shape(), batch, cache)?;
        let x = (x + layer.o.forward(&mixed, kernels, dropout)?)?;
        let normed = rms_norm(&x, &layer.mlp_norm, eps, kernels)?;
        let inner =
            swiglu(&layer.gate.forward(&normed, kernels, dropout)?, &layer.up.forward(&normed, kernels, dropout)?, kernels)?;
        x + layer.down.forward(&inner, kernels, dropout)?
    }

    /// The logits of given hidden states: (n, hidden) → (n, vocabulary), in f32.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        let logits = product(&hidden.contiguous()?, self.head(), None, &self.head_packed, self.kernels)?;
        Ok(logits.to_dtype(DType::F32)?)
    }

    /// `−ln p(targets[i] | hidden[i])` for every i, in f32, differentiable: (n, hidden) → (n).
    ///
    /// # Errors
    /// If the device refuses.
    pub fn losses(&self, hidden: &Tensor, targets: &[u32]) -> Result<Tensor> {
        Ok(cross_entropy(hidden, self.head(), targets, &self.head_packed, self.kernels)?)
    }

    fn head(&self) -> &Tensor {
        self.head.as_ref().unwrap_or(&self.embeddings)
    }

    fn attention_shape(&self) -> AttentionShape {
        let DecoderConfig { num_heads, num_kv_heads, head_dim, .. } = self.config;
        AttentionShape { heads: num_heads, kv_heads: num_kv_heads, head_dim }
    }

    fn check_rows(&self, rows: &Ragged<'_>, batch: &Batch) -> Result<()> {
        if let Some(token) = rows.tokens.iter().find(|t| **t as usize >= self.config.vocab_size) {
            return Err(Error::input(format!("token {token} is not in the model's vocabulary of {}", self.config.vocab_size)));
        }
        let longest = batch.longest_context();
        if longest > self.config.max_positions {
            return Err(Error::input(format!("a row has {longest} tokens, the model bears {}", self.config.max_positions))
                .hint("shorten the prompt or ask for fewer tokens"));
        }
        Ok(())
    }

    /// Every weight under its Hugging Face name, in the checkpoint's order; adapters are not among them.
    pub(in crate::engine::local) fn weights_mut(&mut self) -> Vec<(String, &mut Tensor)> {
        let mut all = vec![("model.embed_tokens.weight".to_owned(), &mut self.embeddings)];
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let Layer { input_norm, q, k, v, o, mlp_norm, gate, up, down } = layer;
            all.push((format!("model.layers.{index}.input_layernorm.weight"), input_norm));
            all.push((format!("model.layers.{index}.post_attention_layernorm.weight"), mlp_norm));
            for (path, linear) in SITES.iter().zip([q, k, v, o, gate, up, down]) {
                all.push((format!("model.layers.{index}.{path}.weight"), &mut linear.weight));
                if let Some(bias) = &mut linear.bias {
                    all.push((format!("model.layers.{index}.{path}.bias"), bias));
                }
            }
        }
        all.push(("model.norm.weight".to_owned(), &mut self.norm));
        if let Some(head) = &mut self.head {
            all.push(("lm_head.weight".to_owned(), head));
        }
        all
    }

    /// [`Decoder::weights_mut`], to read.
    pub(in crate::engine::local) fn weights(&self) -> Vec<(String, Tensor)> {
        let mut all = vec![("model.embed_tokens.weight".to_owned(), self.embeddings.clone())];
        for (index, layer) in self.layers.iter().enumerate() {
            let mut push = |name: &str, tensor: &Tensor| all.push((format!("model.layers.{index}.{name}"), tensor.clone()));
            push("input_layernorm.weight", &layer.input_norm);
            push("post_attention_layernorm.weight", &layer.mlp_norm);
            for (path, linear) in SITES.iter().zip(layer.linears()) {
                push(&format!("{path}.weight"), &linear.weight);
                if let Some(bias) = &linear.bias {
                    push(&format!("{path}.bias"), bias);
                }
            }
        }
        all.push(("model.norm.weight".to_owned(), self.norm.clone()));
        if let Some(head) = &self.head {
            all.push(("lm_head.weight".to_owned(), head.clone()));
        }
        all
    }

    /// Every adapter with its place.
    pub(in crate::engine::local) fn adapters_mut(&mut self) -> Vec<(Site, &mut Adapter)> {
        let mut all = Vec::new();
        for (layer, linears) in self.layers.iter_mut().enumerate() {
            for (path, linear) in SITES.iter().zip(linears.linears_mut()) {
                if let Some(adapter) = &mut linear.adapter {
                    all.push((Site { layer, path }, adapter));
                }
            }
        }
        all
    }

    /// Every linear layer that may carry an adapter.
    pub fn sites(&self) -> Vec<Site> {
        (0..self.layers.len()).flat_map(|layer| SITES.iter().map(move |path| Site { layer, path })).collect()
    }

    /// The (out, in) of the linear layer at `site`.
    pub(in crate::engine::local) fn linear(&self, site: &Site) -> &Linear {
        self.layers[site.layer].linears()[site_index(site)]
    }

    /// Puts an adapter on the linear layer at `site`, in place of one that may be there.
    pub(in crate::engine::local) fn attach(&mut self, site: &Site, adapter: Adapter) {
        self.layers[site.layer].linears_mut()[site_index(site)].adapter = Some(adapter);
    }

    /// Adds every adapter into its weight: the same function, without the adapter's cost at every step.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn merge_adapters(&mut self) -> Result<()> {
        for linear in self.layers.iter_mut().flat_map(Layer::linears_mut) {
            linear.weight = linear.merged()?;
            linear.adapter = None;
        }
        Ok(())
    }
}

fn site_index(site: &Site) -> usize {
    SITES.iter().position(|path| *path == site.path).unwrap_or(0)
}

/// Compares names and shapes with what the description asks for. Tensors that hold nothing of their own are dropped first: a copy of
/// the tied head, and the frequency tables of old checkpoints.
fn check_tensors(config: &DecoderConfig, tensors: &mut HashMap<String, Tensor>) -> Result<()> {
    tensors.retain(|name, _| !(name.ends_with("rotary_emb.inv_freq") || config.tied_embeddings && name == "lm_head.weight"));
    let expected = config.weights();
    let mut problems = Vec::new();
    let mut problem = |message: String| problems.push(Problem { file: None, line: None, message, hint: None });
    for (name, shape) in &expected {
        match tensors.get(name) {
            None => problem(format!("the checkpoint has no tensor `{name}`")),
            Some(t) if t.dims() != shape.as_slice() => {
                problem(format!("the tensor `{name}` has shape {:?}, `config.json` asks for {shape:?}", t.dims()));
            }
            Some(_) => {}
        }
    }
    let known: std::collections::HashSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let mut unexpected: Vec<&String> = tensors.keys().filter(|name| !known.contains(name.as_str())).collect();
    unexpected.sort();
    for name in unexpected {
        problem(format!("the checkpoint has a tensor `{name}` that a {} model does not know", config.family));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::problems(problems)) }
}
