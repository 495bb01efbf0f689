//! The one decoder: embedding, layers of attention and feed-forward, final norm, output head. Frozen unless training makes variables of its weights.

use candle_core::{DType, Device, Tensor};

use super::checkpoint::{Checked, EMBEDDINGS, FINAL_NORM, HEAD, KEY_NORM, QUERY_NORM, Tensors, in_layer};
use super::config::DecoderConfig;
use super::weights::SITES;
use crate::engine::local::layers::{
    AttentionShape, Batch, Dropout, Head, Kernels, KvCache, LayerCache, Linear, Ragged, Rope, View, Weight, attention, gated,
    head_norm, pick, rms_norm, sum,
};
use crate::error::{Error, Result};

/// A decoder with its weights on a device.
pub struct Decoder {
    pub(super) config: DecoderConfig,
    pub(super) embeddings: Weight,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Tensor,
    /// `None` where the output head is the embedding.
    pub(super) head: Option<Weight>,
    /// What embeddings are multiplied by, rounded to the storage format.
    embedding_scale: Option<f64>,
    /// How layers that see everything look back, then how those that slide do.
    views: Vec<View>,
    device: Device,
    dtype: DType,
    kernels: Kernels,
}

/// The weights of one layer.
pub(super) struct Layer {
    pub(super) input_norm: Tensor,
    pub(super) q: Linear,
    pub(super) k: Linear,
    pub(super) v: Linear,
    pub(super) o: Linear,
    /// The norms of queries and of keys, (head_dim) each.
    pub(super) head_norms: Option<[Tensor; 2]>,
    pub(super) attention_out_norm: Option<Tensor>,
    pub(super) mlp_norm: Tensor,
    pub(super) gate: Linear,
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) mlp_out_norm: Option<Tensor>,
}

impl Layer {
    /// A layer of matrices, as many and in the order of [`SITES`], and of vectors that are still among the tensors.
    fn new<T: Tensors>(index: usize, config: &DecoderConfig, matrices: &[Weight], tensors: &mut Checked<'_, T>) -> Result<Self> {
        let linear = |(path, weight): (&&str, &Weight)| -> Result<Linear> {
            let bias = config.has_bias(path).then(|| tensors.vector(&in_layer(index, &format!("{path}.bias")))).transpose()?;
            Ok(Linear { weight: weight.clone(), bias, adapter: None })
        };
        let linears = SITES.iter().zip(matrices).map(linear).collect::<Result<Vec<_>>>()?;
        let Ok([q, k, v, o, gate, up, down]) = <[Linear; SITES.len()]>::try_from(linears) else {
            return Err(Error::input("a layer lacks a matrix"));
        };
        let mut get = |path: &str| tensors.vector(&in_layer(index, path));
        let (input_norm, attention_out_norm, mlp_norm, mlp_out_norm) = config.norm_places.names();
        Ok(Self {
            input_norm: get(input_norm)?,
            q,
            k,
            v,
            o,
            head_norms: if config.head_norms { Some([get(QUERY_NORM)?, get(KEY_NORM)?]) } else { None },
            attention_out_norm: attention_out_norm.map(&mut get).transpose()?,
            mlp_norm: get(mlp_norm)?,
            gate,
            up,
            down,
            mlp_out_norm: mlp_out_norm.map(&mut get).transpose()?,
        })
    }
}

impl Decoder {
    /// Builds a decoder from tensors under their Hugging Face names, moved to `device` and cast to `dtype` one by one.
    ///
    /// # Errors
    /// If tensors are missing, unexpected or of another shape: all of them in one error, before any is read. If one cannot be read.
    pub fn new(config: DecoderConfig, tensors: impl Tensors, device: &Device, dtype: DType) -> Result<Self> {
        let kernels = Kernels::best(device, dtype);
        let mut tensors = Checked::new(&config, tensors, device, dtype, kernels)?;
        let (embeddings, head) = if config.tied_embeddings {
            (tensors.tied()?, None)
        } else {
            (Weight::Tensor(tensors.take(EMBEDDINGS)?), Some(tensors.matrix(HEAD)?))
        };
        let of_layer = |index| SITES.iter().map(move |path| in_layer(index, &format!("{path}.weight")));
        let matrices = tensors.matrices(&(0..config.num_layers).flat_map(of_layer).collect::<Vec<_>>())?;
        let layers = matrices.chunks(SITES.len()).enumerate();
        let layers = layers.map(|(index, all)| Layer::new(index, &config, all, &mut tensors)).collect::<Result<_>>()?;
        let mut views = vec![View { rope: Rope::new(config.rotary, config.head_dim), window: None }];
        views.extend(
            config
                .sliding
                .as_ref()
                .map(|sliding| View { rope: Rope::new(sliding.rotary, config.head_dim), window: Some(sliding.window) }),
        );
        Ok(Self {
            embeddings,
            layers,
            norm: tensors.vector(FINAL_NORM)?,
            head,
            embedding_scale: embedding_scale(&config, dtype)?,
            views,
            device: device.clone(),
            dtype,
            kernels,
            config,
        })
    }

    /// Runs the given form of the operations instead of the best one: for tests, which compare the forms.
    ///
    /// # Errors
    /// If a weight cannot be cast or packed.
    pub fn with_kernels(mut self, kernels: Kernels) -> Result<Self> {
        let dtype = self.dtype;
        for (_, weight) in self.weights_mut()? {
            *weight = if kernels == Kernels::Fused && weight.rank() == 1 {
                weight.to_dtype(DType::F32)?
            } else {
                weight.to_dtype(dtype)?
            };
        }
        self.kernels = kernels;
        self.pack()?;
        Ok(self)
    }

    /// The description.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The format of frozen matrices.
    pub(in crate::engine::local) fn dtype(&self) -> DType {
        self.dtype
    }

    /// The format of activations: f32 in the fused form.
    fn activations(&self) -> DType {
        if self.kernels == Kernels::Fused { DType::F32 } else { self.dtype }
    }

    /// The form of the operations that run.
    pub(in crate::engine::local) fn kernels(&self) -> Kernels {
        self.kernels
    }

    /// The last hidden states after the final norm, (total tokens, hidden). Positions go on from each row's cached length, and the
    /// cache takes the rows' keys and values in.
    ///
    /// # Errors
    /// If the lengths do not fit the tokens or the cache, a token is not in the vocabulary, or a row is longer than the model bears.
    pub fn hidden(&self, rows: &Ragged<'_>, cache: Option<&mut KvCache>) -> Result<Tensor> {
        self.forward(rows, None, cache, |x| x)
    }

    /// [`Decoder::hidden`] of a decoder whose weights may be in training: of no layer's activations more is kept than its output.
    ///
    /// # Errors
    /// As [`Decoder::hidden`].
    pub(in crate::engine::local) fn read(&self, rows: &Ragged<'_>, cache: Option<&mut KvCache>) -> Result<Tensor> {
        Ok(self.forward(rows, None, cache, |x| x.detach())?.detach())
    }

    /// [`Decoder::read`] where only the last `ends` tokens of each row are wanted, at least one: (their number, hidden). What the last layer
    /// would compute for the others is left out; the cache takes all tokens in.
    ///
    /// # Errors
    /// As [`Decoder::hidden`], and if an end is longer than its row.
    pub(in crate::engine::local) fn read_ends(
        &self,
        rows: &Ragged<'_>,
        ends: &[usize],
        cache: Option<&mut KvCache>,
    ) -> Result<Tensor> {
        Ok(self.forward(rows, Some(ends), cache, |x| x.detach())?.detach())
    }

    fn forward(
        &self,
        rows: &Ragged<'_>,
        ends: Option<&[usize]>,
        mut cache: Option<&mut KvCache>,
        between: fn(Tensor) -> Tensor,
    ) -> Result<Tensor> {
        let (batch, mut x) = self.begin(rows, ends, cache.as_deref())?;
        for index in 0..self.layers.len() {
            x = between(self.layer(index, &x, &batch, cache.as_mut().map(|c| c.layer(index)), &mut None)?);
        }
        if let Some(cache) = cache {
            cache.advance(rows.lengths);
        }
        self.finish(&x)
    }

    /// Lays the rows out and looks their tokens up: what every layer needs to know, and the first layer's input (tokens, hidden). The last
    /// layer is to give the last `ends` tokens of each row, or all.
    pub(in crate::engine::local) fn begin(
        &self,
        rows: &Ragged<'_>,
        ends: Option<&[usize]>,
        cache: Option<&KvCache>,
    ) -> Result<(Batch, Tensor)> {
        let batch = Batch::new(rows, ends, cache, &self.views, self.kernels, &self.device)?;
        self.check_rows(rows, &batch)?;
        let x = self.embeddings.rows(rows.tokens)?.to_dtype(self.activations())?; // (tokens, hidden)
        Ok((batch, if let Some(scale) = self.embedding_scale { (x * scale)? } else { x }))
    }

    /// The final norm of the last layer's output (tokens, hidden).
    pub(in crate::engine::local) fn finish(&self, x: &Tensor) -> Result<Tensor> {
        Ok(rms_norm(x, &self.norm, self.config.norm, self.kernels)?)
    }

    /// Layer `index`, counted from 0, on the output of the one before it: (tokens, hidden) → (tokens, hidden); the last layer gives the
    /// tokens that are wanted.
    pub(in crate::engine::local) fn layer(
        &self,
        index: usize,
        x: &Tensor,
        batch: &Batch,
        cache: Option<&mut LayerCache>,
        dropout: &mut Option<&mut dyn Dropout>,
    ) -> Result<Tensor> {
        Ok(self.apply(index, x, batch, cache, dropout)?)
    }

    fn apply(
        &self,
        index: usize,
        x: &Tensor,
        batch: &Batch,
        cache: Option<&mut LayerCache>,
        dropout: &mut Option<&mut dyn Dropout>,
    ) -> candle_core::Result<Tensor> {
        let (layer, kernels) = (&self.layers[index], self.kernels);
        let norm = |x: &Tensor, weight: &Tensor| rms_norm(x, weight, self.config.norm, kernels);
        let norm_if =
            |x: Tensor, weight: &Option<Tensor>| weight.as_ref().map_or_else(|| Ok(x.clone()), |weight| norm(&x, weight));
        // the fused form computes for these tokens alone what nothing but their own output needs
        let ends = batch.ends.as_ref().filter(|_| index + 1 == self.layers.len());
        let asked = |x: &Tensor| match ends {
            Some(ends) if kernels == Kernels::Fused => pick(x, &ends.tokens, kernels),
            _ => Ok(x.clone()),
        };
        let normed = norm(x, &layer.input_norm)?;
        let [mut q, mut k, v] = if ends.is_some() {
            let q = layer.q.forward(&asked(&normed)?, kernels, dropout)?;
            let [k, v] = Linear::forward_all([&layer.k, &layer.v], &normed, kernels, dropout)?;
            [q, k, v]
        } else {
            Linear::forward_all([&layer.q, &layer.k, &layer.v], &normed, kernels, dropout)?
        };
        if let Some([query_norm, key_norm]) = &layer.head_norms {
            q = head_norm(&q, query_norm, self.config.norm, kernels)?;
            k = head_norm(&k, key_norm, self.config.norm, kernels)?;
        }
        let mixed = attention(&q, &k, &v, self.attention_shape(index), batch, cache)?;
        let said = layer.o.forward(&mixed, kernels, dropout)?;
        let x = sum(&asked(x)?, &norm_if(said, &layer.attention_out_norm)?, kernels)?;
        let normed = norm(&x, &layer.mlp_norm)?;
        let [gate, up] = Linear::forward_all([&layer.gate, &layer.up], &normed, kernels, dropout)?;
        let said = layer.down.forward(&gated(&gate, &up, self.config.activation, kernels)?, kernels, dropout)?;
        let x = sum(&x, &norm_if(said, &layer.mlp_out_norm)?, kernels)?;
        match ends {
            Some(ends) if kernels == Kernels::Composite => pick(&x, &ends.tokens, kernels),
            _ => Ok(x),
        }
    }

    /// The logits of given hidden states: (n, hidden) → (n, vocabulary), in f32.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        Ok(self.head().logits(&hidden.contiguous()?, self.kernels)?)
    }

    /// `−ln p(targets[i] | hidden[i])` for every i, in f32, differentiable: (n, hidden) → (n).
    ///
    /// # Errors
    /// If the device refuses.
    pub fn losses(&self, hidden: &Tensor, targets: &[u32]) -> Result<Tensor> {
        Ok(self.head().cross_entropy(hidden, targets, self.kernels)?)
    }

    /// [`Decoder::losses`], and the gradient of the hidden states for the sum of the losses weighted by `weights`, in one go. `None` where
    /// the head is trained, or the form is the composite one.
    ///
    /// # Errors
    /// If the device refuses.
    pub(in crate::engine::local) fn weighted_losses(
        &self,
        hidden: &Tensor,
        targets: &[u32],
        weights: &[f32],
    ) -> Result<Option<(Vec<f32>, Tensor)>> {
        Ok(self.head().weighted_losses(hidden, targets, weights)?)
    }

    fn head(&self) -> Head<'_> {
        Head { weight: self.head.as_ref().unwrap_or(&self.embeddings), soft_cap: self.config.logit_soft_cap }
    }

    fn attention_shape(&self, layer: usize) -> AttentionShape {
        let config = &self.config;
        AttentionShape {
            heads: config.num_heads,
            kv_heads: config.num_kv_heads,
            head_dim: config.head_dim,
            query_scalar: config.query_scalar,
            soft_cap: config.attention_soft_cap,
            kv_dtype: self.dtype,
            view: usize::from(config.window(layer).is_some()),
            ends: layer + 1 == config.num_layers,
        }
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
}

/// The factor of embeddings, rounded to f32 and to the storage format as transformers does.
fn embedding_scale(config: &DecoderConfig, dtype: DType) -> Result<Option<f64>> {
    let Some(scale) = config.embedding_scale else { return Ok(None) };
    let rounded = Tensor::new(scale as f32, &Device::Cpu)?.to_dtype(dtype)?.to_dtype(DType::F32)?;
    Ok(Some(f64::from(rounded.to_scalar::<f32>()?)))
}
