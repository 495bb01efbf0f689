//! Causal grouped-query attention with rotary positions, over rows of different lengths; with a sliding window and a soft cap where a
//! model has them.

mod fused;

use candle_core::{DType, Device, Result, Tensor};

use super::Kernels;
use super::cache::LayerCache;
use super::cap::soft_cap;
use super::ragged::Batch;
use super::rope::rotate;

/// The heads of an attention layer, and what they do with their scores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionShape {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    /// Scores are divided by its root: `head_dim` in most models.
    pub(crate) query_scalar: f64,
    /// Scores are capped softly at ± this, before the mask.
    pub(crate) soft_cap: Option<f64>,
    /// How many keys a query sees, its own the last; `None` for all before it.
    pub(crate) window: Option<usize>,
    /// Which of the batch's ropes turns the heads.
    pub(crate) rope: usize,
}

/// `q` (tokens, heads · head_dim), `k` and `v` (tokens, kv_heads · head_dim), all before rotation → (tokens, heads · head_dim).
///
/// With a cache, its keys and values come before the batch's, which are added to it; nothing flows back through it.
pub(crate) fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    shape: AttentionShape,
    batch: &Batch,
    cache: Option<&mut LayerCache>,
) -> Result<Tensor> {
    match (batch.kernels, batch.angle_tensors.get(shape.rope)) {
        (Kernels::Fused, _) => fused::attention(q, k, v, shape, batch, cache),
        (Kernels::Composite, Some(angles)) => composite(q, k, v, shape, batch, angles, cache),
        (Kernels::Composite, None) => candle_core::bail!("the batch was laid out for the fused form"),
    }
}

fn composite(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    shape: AttentionShape,
    batch: &Batch,
    angles: &(Tensor, Tensor),
    cache: Option<&mut LayerCache>,
) -> Result<Tensor> {
    let AttentionShape { heads, kv_heads, head_dim, .. } = shape;
    let (tokens, rows, group) = (q.dim(0)?, batch.segments.len(), heads / kv_heads);
    let q = rotate(&q.reshape((tokens, heads, head_dim))?, angles)?;
    let k = rotate(&k.reshape((tokens, kv_heads, head_dim))?, angles)?.reshape((tokens, kv_heads * head_dim))?;
    let (queries, context) = (batch.longest(), batch.longest_context());
    let padded = Padding::new(batch, queries, q.device())?;
    let (k, v) = match cache {
        Some(cache) => cache.extend(&k, v, batch)?,
        None => (padded.spread(&k, rows)?, padded.spread(v, rows)?),
    };
    let by_head = |t: &Tensor| t.reshape((rows, context, kv_heads, head_dim))?.transpose(1, 2)?.contiguous();
    let (k, v) = (by_head(&k)?, by_head(&v)?); // (rows, kv heads, context, head dim)
    let q = padded.spread(&q.reshape((tokens, heads * head_dim))?, rows)?;
    let q = q.reshape((rows, queries, heads, head_dim))?.transpose(1, 2)?.contiguous()?;
    let q = (q.reshape((rows, kv_heads, group * queries, head_dim))? / shape.query_scalar.sqrt())?;
    let scores = q.matmul(&k.t()?)?.to_dtype(DType::F32)?.reshape((rows, kv_heads, group, queries, context))?;
    let scores = match shape.soft_cap {
        Some(cap) => soft_cap(&scores, cap, Kernels::Composite)?,
        None => scores,
    };
    let scores = scores.broadcast_add(&mask(batch, (queries, context), shape.window, q.device())?)?;
    let weights = candle_nn::ops::softmax(&scores, 4)?.to_dtype(v.dtype())?; // not `softmax_last_dim`: it has no backward
    let mixed = weights.reshape((rows, kv_heads, group * queries, context))?.matmul(&v)?;
    let mixed = mixed.reshape((rows, heads, queries, head_dim))?.transpose(1, 2)?.contiguous()?;
    padded.gather(&mixed.reshape((rows * queries, heads * head_dim))?)
}

/// −∞ where a query may not look, else 0: (rows, 1, 1, queries, context). Padded queries look at the first key, to stay finite.
fn mask(batch: &Batch, (queries, context): (usize, usize), window: Option<usize>, device: &Device) -> Result<Tensor> {
    let mut mask = vec![f32::NEG_INFINITY; batch.segments.len() * queries * context];
    for (segment, mask) in batch.segments.iter().zip(mask.chunks_exact_mut(queries * context)) {
        for (i, mask) in mask.chunks_exact_mut(context).enumerate() {
            let end = if i < segment.len { segment.past + i + 1 } else { 1 };
            let start = window.map_or(0, |window| end.saturating_sub(window));
            mask[start..end].fill(0.0);
        }
    }
    Tensor::from_vec(mask, (batch.segments.len(), 1, 1, queries, context), device)
}

/// Goes between rows end to end and rows padded to one length.
struct Padding {
    /// For each padded place, the token that fills it (token 0 where there is none).
    spread: Tensor,
    /// For each token, its padded place.
    gather: Tensor,
    queries: usize,
}

impl Padding {
    fn new(batch: &Batch, queries: usize, device: &Device) -> Result<Self> {
        let (mut spread, mut gather) = (Vec::new(), Vec::new());
        for (row, segment) in batch.segments.iter().enumerate() {
            spread.extend((0..queries).map(|i| if i < segment.len { (segment.start + i) as u32 } else { 0 }));
            gather.extend((0..segment.len).map(|i| (row * queries + i) as u32));
        }
        let (places, tokens) = (spread.len(), gather.len());
        Ok(Self { spread: Tensor::from_vec(spread, places, device)?, gather: Tensor::from_vec(gather, tokens, device)?, queries })
    }

    /// (tokens, width) → (rows, queries, width)
    fn spread(&self, x: &Tensor, rows: usize) -> Result<Tensor> {
        x.index_select(&self.spread, 0)?.reshape((rows, self.queries, x.dim(1)?))
    }

    /// (rows · queries, width) → (tokens, width)
    fn gather(&self, x: &Tensor) -> Result<Tensor> {
        x.index_select(&self.gather, 0)
    }
}
