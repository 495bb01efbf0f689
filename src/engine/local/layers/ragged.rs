//! Rows of different lengths laid end to end, and where each token stands.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::attention::{Padding, mask};
use super::rope::{Angles, Rope};
use super::{Kernels, KvCache};
use crate::error::{Error, Result};

/// Rows of token ids laid end to end: `tokens` holds `lengths[0]` tokens of the first row, then `lengths[1]` of the second, ….
#[derive(Debug, Clone, Copy)]
pub struct Ragged<'a> {
    /// All rows' tokens.
    pub tokens: &'a [u32],
    /// Each row's number of tokens.
    pub lengths: &'a [usize],
}

/// One row of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its first token among all tokens of the batch.
    pub(crate) start: usize,
    /// Its tokens in this batch.
    pub(crate) len: usize,
    /// Its tokens that came before and lie in the cache.
    pub(crate) past: usize,
}

impl Segment {
    /// The most tokens that a row has in this batch.
    pub(super) fn longest(all: &[Self]) -> usize {
        all.iter().map(|s| s.len).max().unwrap_or(0)
    }

    /// The most tokens that a row has in all.
    pub(super) fn longest_context(all: &[Self]) -> usize {
        all.iter().map(|s| s.past + s.len).max().unwrap_or(0)
    }
}

/// How one kind of layer looks back.
pub(crate) struct View {
    /// How it turns queries and keys.
    pub(crate) rope: Rope,
    /// How many keys a query sees, its own the last; `None` for all before it.
    pub(crate) window: Option<usize>,
}

/// A [`View`] of the rows of a batch.
pub(crate) struct BatchView {
    pub(crate) window: Option<usize>,
    /// Cosine and sine of every token's rotary angles.
    pub(crate) angles: Arc<Angles>,
    /// The same as tensors, each (tokens, head_dim / 2), and the mask of scores; where the composite form runs.
    pub(crate) tensors: Option<((Tensor, Tensor), Tensor)>,
}

/// What a forward pass knows of its rows.
pub(crate) struct Batch {
    pub(crate) segments: Arc<[Segment]>,
    pub(crate) kernels: Kernels,
    /// One for each of the model's views.
    pub(crate) views: Vec<BatchView>,
    /// How rows are padded, where the composite form runs.
    pub(super) padding: Option<Padding>,
}

impl Batch {
    /// Lays out `rows`; positions go on from the cached lengths.
    ///
    /// # Errors
    /// If the lengths do not add up to the tokens, or the cache has another number of rows.
    pub(crate) fn new(
        rows: &Ragged<'_>,
        cache: Option<&KvCache>,
        views: &[View],
        kernels: Kernels,
        device: &Device,
    ) -> Result<Self> {
        let segments = segments(rows, cache)?;
        let positions: Vec<usize> = segments.iter().flat_map(|s| s.past..s.past + s.len).collect();
        let view = |view: &View| {
            let angles = Arc::new(view.rope.angles(&positions));
            let tensors = match kernels {
                Kernels::Fused => None,
                Kernels::Composite => Some((angles.tensors(device)?, mask(&segments, view.window, device)?)),
            };
            Ok(BatchView { window: view.window, angles, tensors })
        };
        let views = views.iter().map(view).collect::<Result<_>>()?;
        let padding = match kernels {
            Kernels::Fused => None,
            Kernels::Composite => Some(Padding::new(&segments, device)?),
        };
        Ok(Self { segments: segments.into(), kernels, views, padding })
    }

    /// The most tokens that a row has in this batch.
    pub(crate) fn longest(&self) -> usize {
        Segment::longest(&self.segments)
    }

    /// The most tokens that a row has in all.
    pub(crate) fn longest_context(&self) -> usize {
        Segment::longest_context(&self.segments)
    }
}

/// Where each row's tokens lie.
fn segments(rows: &Ragged<'_>, cache: Option<&KvCache>) -> Result<Vec<Segment>> {
    let total: usize = rows.lengths.iter().sum();
    if total != rows.tokens.len() || total == 0 {
        return Err(Error::input(format!(
            "a batch of {} tokens was given row lengths that add up to {total}",
            rows.tokens.len()
        )));
    }
    let past = cache.map(KvCache::lengths);
    if let Some(past) = past
        && past.len() != rows.lengths.len()
    {
        return Err(Error::input(format!("a batch of {} rows was given a cache of {}", rows.lengths.len(), past.len())));
    }
    let mut start = 0;
    let mut segments = Vec::with_capacity(rows.lengths.len());
    for (row, &len) in rows.lengths.iter().enumerate() {
        segments.push(Segment { start, len, past: past.map_or(0, |p| p[row]) });
        start += len;
    }
    Ok(segments)
}
