//! The composite form of attention: rows padded to one length, candle's own operations.

use candle_core::{DType, Device, Result, Tensor};

use super::AttentionShape;
use crate::engine::local::layers::Kernels;
use crate::engine::local::layers::cache::LayerCache;
use crate::engine::local::layers::cap::soft_cap;
use crate::engine::local::layers::ragged::{Batch, Segment};
use crate::engine::local::layers::rope::rotate;

pub(super) fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    shape: AttentionShape,
    batch: &Batch,
    cache: Option<&mut LayerCache>,
) -> Result<Tensor> {
    let (Some(padded), Some((angles, mask))) = (&batch.padding, &batch.views[shape.view].tensors) else {
        candle_core::bail!("the batch was laid out for the fused form")
    };
    let AttentionShape { heads, kv_heads, head_dim, .. } = shape;
    let (tokens, rows, group) = (q.dim(0)?, batch.segments.len(), heads / kv_heads);
    let q = rotate(&q.reshape((tokens, heads, head_dim))?, angles)?;
    let k = rotate(&k.reshape((tokens, kv_heads, head_dim))?, angles)?.reshape((tokens, kv_heads * head_dim))?;
    let (queries, context) = (batch.longest(), batch.longest_context());
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
    let scores = scores.broadcast_add(mask)?;
    let weights = candle_nn::ops::softmax(&scores, 4)?.to_dtype(v.dtype())?; // not `softmax_last_dim`: it has no backward
    let mixed = weights.reshape((rows, kv_heads, group * queries, context))?.matmul(&v)?;
    let mixed = mixed.reshape((rows, heads, queries, head_dim))?.transpose(1, 2)?.contiguous()?;
    padded.gather(&mixed.reshape((rows * queries, heads * head_dim))?)
}

/// −∞ where a query may not look, else 0: (rows, 1, 1, queries, context). Padded queries look at the first key, to stay finite.
pub(in super::super) fn mask(segments: &[Segment], window: Option<usize>, device: &Device) -> Result<Tensor> {
    let (queries, context) = (Segment::longest(segments), Segment::longest_context(segments));
    let mut mask = vec![f32::NEG_INFINITY; segments.len() * queries * context];
    for (segment, mask) in segments.iter().zip(mask.chunks_exact_mut(queries * context)) {
        for (i, mask) in mask.chunks_exact_mut(context).enumerate() {
            let end = if i < segment.len { segment.past + i + 1 } else { 1 };
            let start = window.map_or(0, |window| end.saturating_sub(window));
            mask[start..end].fill(0.0);
        }
    }
    Tensor::from_vec(mask, (segments.len(), 1, 1, queries, context), device)
}

/// Goes between rows end to end and rows padded to one length.
pub(in super::super) struct Padding {
    /// For each padded place, the token that fills it (token 0 where there is none).
    spread: Tensor,
    /// For each token, its padded place.
    gather: Tensor,
    queries: usize,
}

impl Padding {
    pub(in super::super) fn new(segments: &[Segment], device: &Device) -> Result<Self> {
        let queries = Segment::longest(segments);
        let (mut spread, mut gather) = (Vec::new(), Vec::new());
        for (row, segment) in segments.iter().enumerate() {
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
