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
    /// How many of its tokens ask, the last ones: all of them, but where only the ends of rows are wanted.
    pub(crate) asked: usize,
    /// The first of these among all tokens that ask.
    pub(crate) asked_start: usize,
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

/// The ends of a batch's rows, where nobody wants the hidden states of their other tokens: the last layer gives those of the ends alone.
pub(crate) struct Ends {
    /// The ends' tokens among all tokens of the batch, in order.
    pub(crate) tokens: Arc<[u32]>,
    /// The rows, of which only the ends ask.
    pub(crate) segments: Arc<[Segment]>,
}

impl Ends {
    /// The last `wanted` tokens of every row; `None` where these are all tokens.
    fn of(segments: &[Segment], wanted: &[usize]) -> Result<Option<Self>> {
        if wanted.len() != segments.len() || segments.iter().zip(wanted).any(|(s, n)| !(1..=s.len).contains(n)) {
            return Err(Error::input("the ends of other rows were asked for, or more tokens than a row has"));
        }
        let mut tokens = Vec::with_capacity(wanted.iter().sum());
        let mut ends = Vec::with_capacity(segments.len());
        for (segment, &asked) in segments.iter().zip(wanted) {
            ends.push(Segment { asked, asked_start: tokens.len(), ..*segment });
            let end = (segment.start + segment.len) as u32;
            tokens.extend(end - asked as u32..end);
        }
        let all = ends.iter().all(|s| s.asked == s.len);
        Ok((!all).then(|| Self { tokens: tokens.into(), segments: ends.into() }))
    }
}

/// What a forward pass knows of its rows.
pub(crate) struct Batch {
    pub(crate) segments: Arc<[Segment]>,
    /// What the last layer gives, where that is not all.
    pub(crate) ends: Option<Ends>,
    pub(crate) kernels: Kernels,
    /// One for each of the model's views.
    pub(crate) views: Vec<BatchView>,
    /// How rows are padded, where the composite form runs.
    pub(super) padding: Option<Padding>,
}

impl Batch {
    /// Lays out `rows`; positions go on from the cached lengths. The last layer is to give the last `ends` tokens of each row, or all.
    ///
    /// # Errors
    /// If the lengths do not add up to the tokens, the cache has another number of rows, or an end is longer than its row.
    pub(crate) fn new(
        rows: &Ragged<'_>,
        ends: Option<&[usize]>,
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
        let ends = match ends {
            Some(wanted) => Ends::of(&segments, wanted)?,
            None => None,
        };
        Ok(Self { segments: segments.into(), ends, kernels, views, padding })
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
        segments.push(Segment { start, len, past: past.map_or(0, |p| p[row]), asked: len, asked_start: start });
        start += len;
    }
    Ok(segments)
}
