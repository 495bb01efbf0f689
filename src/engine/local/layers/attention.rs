//! Causal grouped-query attention with rotary positions, over rows of different lengths; with a sliding window and a soft cap where a
//! model has them.

mod composite;
mod fused;

use candle_core::{DType, Result, Tensor};

use super::Kernels;
use super::cache::LayerCache;
use super::ragged::Batch;

pub(super) use composite::{Padding, mask};

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
    /// What keys and values are rounded to and kept in.
    pub(crate) kv_dtype: DType,
    /// Which of the batch's views the layer has.
    pub(crate) view: usize,
    /// Whether only the ends of the batch's rows ask; the fused form alone knows how.
    pub(crate) ends: bool,
}

/// `q` (tokens that ask, heads · head_dim), `k` and `v` (tokens, kv_heads · head_dim), all before rotation → (tokens that ask,
/// heads · head_dim).
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
    match batch.kernels {
        Kernels::Fused => fused::attention(q, k, v, shape, batch, cache),
        Kernels::Composite => composite::attention(q, k, v, shape, batch, cache),
    }
}
