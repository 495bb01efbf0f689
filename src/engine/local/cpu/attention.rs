//! Causal attention of one key/value head over one row, forward and backward.
//!
//! The queries of the head's group come as rows (query, head of the group), already rotated and scaled; keys are already rotated.

use super::gemm::{Band, Causal, Element, Packed, Start, Strided, product};
use super::math::{dot, exponentials, largest};
use super::rows::soften;
use super::simd::{Kernel, Level, dispatch, multiply_add};

/// Scores that are worked through together, so that they stay in the second cache: half a MiB.
const NEAR: usize = 1 << 17;

/// One row's sizes.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    /// Queries.
    pub(crate) queries: usize,
    /// Keys before the first query.
    pub(crate) past: usize,
    /// Query heads of the group.
    pub(crate) group: usize,
    /// The width of a head.
    pub(crate) width: usize,
    /// How many keys a query sees, its own the last; `usize::MAX` for all before it.
    pub(crate) window: usize,
    /// Scores are capped softly at ± this.
    pub(crate) soft_cap: Option<f32>,
}

impl Span {
    fn rows(self) -> usize {
        self.queries * self.group
    }

    fn context(self) -> usize {
        self.past + self.queries
    }

    /// The keys that row `row` of the scores sees.
    #[inline(always)]
    fn seen(self, row: usize) -> std::ops::Range<usize> {
        let end = self.past + row / self.group + 1;
        end.saturating_sub(self.window)..end
    }

    /// Queries that are worked through together.
    pub(crate) fn block(self) -> usize {
        (NEAR / (self.context() * self.group)).max(16)
    }

    /// `queries` of the queries, the first `before` left out.
    fn part(self, before: usize, queries: usize) -> Self {
        Self { queries, past: self.past + before, ..self }
    }

    fn causal(self) -> Causal {
        Causal { offset: self.past, per: self.group, window: self.window }
    }
}

/// Room that is used again from head to head.
#[derive(Default)]
pub(crate) struct Scratch {
    scores: Vec<f32>,
    slopes: Vec<f32>,
    /// The slopes of the soft cap, where there is one.
    caps: Vec<f32>,
    packed: Packed,
}

/// `softmax(q kᵀ) v` for `q` (queries · group, width), `keys` the packed transpose of (keys, width), `values` packed (keys, width); keys
/// after the last query's are not looked at.
pub(crate) fn forward<E: Element>(
    span: Span,
    q: &[f32],
    keys: &Packed<E>,
    values: &Packed<E>,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let (block, wide) = (span.block(), span.group * span.width);
    for (i, (q, out)) in q.chunks(block * wide).zip(out.chunks_mut(block * wide)).enumerate() {
        let span = span.part(i * block, q.len() / wide);
        weights(span, q, keys, &mut scratch.scores, &mut []);
        let left = Strided::rows(&scratch.scores, keys.columns);
        product(left, span.rows(), values, Start::Zero, Band::Depth(span.causal()), out, span.width);
    }
}

/// The attention weights (queries · group, keys), zero where a query may not look; beyond the last query's key they hold anything. `caps`,
/// unless empty, takes the slopes of the soft cap.
fn weights<E: Element>(span: Span, q: &[f32], keys: &Packed<E>, scores: &mut Vec<f32>, caps: &mut [f32]) {
    let (stride, rows) = (keys.columns, span.rows());
    scores.resize(rows * stride, 0.0);
    product(Strided::rows(q, span.width), rows, keys, Start::Zero, Band::Columns(span.causal()), scores, stride);
    dispatch(Softmax { scores, stride, caps, span });
}

struct Softmax<'a> {
    scores: &'a mut [f32],
    /// Floats of a row, of which the first `context` are used.
    stride: usize,
    caps: &'a mut [f32],
    span: Span,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let context = self.span.context();
        for (r, row) in self.scores.chunks_exact_mut(self.stride).enumerate() {
            let range = self.span.seen(r);
            let (before, rest) = row[..context].split_at_mut(range.start);
            let (seen, after) = rest.split_at_mut(range.len());
            if let Some(cap) = self.span.soft_cap {
                let caps = if self.caps.is_empty() { &mut [][..] } else { &mut self.caps[r * self.stride..][range] };
                soften::<L>(seen, cap, caps);
            }
            let max = largest(seen);
            let inverse = 1.0 / exponentials::<L>(seen, max);
            for x in seen {
                *x *= inverse;
            }
            before.fill(0.0);
            after.fill(0.0);
        }
    }
}

/// The gradients of one head's inputs. `q`, `out` and `grad` are (queries · group, width), `k` and `v` (past + queries, width).
pub(crate) struct Backward<'a> {
    pub(crate) span: Span,
    pub(crate) q: &'a [f32],
    pub(crate) k: &'a [f32],
    pub(crate) v: &'a [f32],
    pub(crate) grad: &'a [f32],
    pub(crate) grad_q: &'a mut [f32],
    pub(crate) grad_k: &'a mut [f32],
    pub(crate) grad_v: &'a mut [f32],
}

impl Backward<'_> {
    /// Computes the weights again, so that the forward pass need not keep them.
    pub(crate) fn run(self, scratch: &mut Scratch) {
        let Backward { span, q, k, v, grad, grad_q, grad_k, grad_v } = self;
        let (rows, context, width) = (span.rows(), span.context(), span.width);
        let Scratch { scores, slopes, caps, packed } = scratch;
        let (k, v) = (Strided::rows(k, width), Strided::rows(v, width));
        packed.refill(k.transposed(), width, context);
        caps.resize(if span.soft_cap.is_some() { rows * context } else { 0 }, 0.0);
        weights(span, q, packed, scores, caps);
        packed.refill(Strided::rows(grad, width), rows, width);
        let by_key = |data| Strided::rows(data, context).transposed(); // (context, rows)
        let later = Band::DepthFrom(span.causal());
        product(by_key(scores), context, packed, Start::Zero, later, grad_v, width);
        slopes.resize(rows * context, 0.0);
        packed.refill(v.transposed(), width, context);
        product(Strided::rows(grad, width), rows, packed, Start::Zero, Band::Columns(span.causal()), slopes, context);
        dispatch(Slopes { weights: scores, caps, into: slopes, span });
        packed.refill(Strided::rows(q, width), rows, width);
        product(by_key(slopes), context, packed, Start::Zero, later, grad_k, width);
        packed.refill(k, context, width);
        product(Strided::rows(slopes, context), rows, packed, Start::Zero, Band::Depth(span.causal()), grad_q, width);
    }
}

/// The softmax's backward: `ds = p · (dp − Σ p·dp)`, written over `dp`; then that of the soft cap.
struct Slopes<'a> {
    weights: &'a [f32],
    caps: &'a [f32],
    into: &'a mut [f32],
    span: Span,
}

impl Kernel for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let context = self.span.context();
        let rows = self.weights.chunks_exact(context).zip(self.into.chunks_exact_mut(context));
        for (r, (weights, slopes)) in rows.enumerate() {
            let range = self.span.seen(r);
            let (before, rest) = slopes.split_at_mut(range.start);
            let (slopes, after) = rest.split_at_mut(range.len());
            let weights = &weights[range.clone()];
            let mean = dot::<L>(weights, slopes);
            for (slope, weight) in slopes.iter_mut().zip(weights) {
                *slope = weight * (*slope - mean);
            }
            if !self.caps.is_empty() {
                for (slope, cap) in slopes.iter_mut().zip(&self.caps[r * context..][range]) {
                    *slope *= cap;
                }
            }
            before.fill(0.0);
            after.fill(0.0);
        }
    }
}

/// Copies heads out of token rows, turning them by the angles of their tokens and scaling them.
pub(crate) struct Rotate<'a> {
    /// Token rows of `stride` floats; the heads start at `first`.
    pub(crate) from: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) first: usize,
    /// Heads that lie side by side.
    pub(crate) heads: usize,
    pub(crate) width: usize,
    /// (tokens, width / 2)
    pub(crate) cos: &'a [f32],
    pub(crate) sin: &'a [f32],
    pub(crate) scale: f32,
    /// (tokens · heads, width)
    pub(crate) into: &'a mut [f32],
}

impl Kernel for Rotate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let half = self.width / 2;
        let angles = self.cos.chunks_exact(half).zip(self.sin.chunks_exact(half));
        let tokens = self.into.chunks_exact_mut(self.heads * self.width).zip(angles).enumerate();
        for (token, (into, (cos, sin))) in tokens {
            let at = token * self.stride + self.first;
            let from = &self.from[at..at + self.heads * self.width];
            for (into, from) in into.chunks_exact_mut(self.width).zip(from.chunks_exact(self.width)) {
                turn::<L>(from, into, (cos, sin), self.scale, 1.0);
            }
        }
    }
}

/// Turns a head by its angles, or back, where `way` is −1, and scales it.
#[inline(always)]
fn turn<L: Level>(from: &[f32], into: &mut [f32], (cos, sin): (&[f32], &[f32]), scale: f32, way: f32) {
    let half = cos.len();
    let (a, b) = from.split_at(half);
    let (x, y) = into.split_at_mut(half);
    let (b, y, sin) = (&b[..half], &mut y[..half], &sin[..half]); // of one length, so that the loop runs in vectors
    for i in 0..half {
        let (cos, sin) = (cos[i] * scale, sin[i] * scale * way);
        x[i] = multiply_add::<L>(a[i], cos, -(b[i] * sin));
        y[i] = multiply_add::<L>(b[i], cos, a[i] * sin);
    }
}

/// [`Rotate`] the other way, for gradients: heads come side by side and go into token rows, turned back and scaled.
pub(crate) struct RotateBack<'a> {
    /// (tokens · heads, width)
    pub(crate) from: &'a [f32],
    pub(crate) heads: usize,
    pub(crate) width: usize,
    pub(crate) cos: &'a [f32],
    pub(crate) sin: &'a [f32],
    pub(crate) scale: f32,
    /// Token rows of `stride` floats; the heads start at `first`.
    pub(crate) into: &'a mut [f32],
    pub(crate) stride: usize,
    pub(crate) first: usize,
}

impl Kernel for RotateBack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let half = self.width / 2;
        let angles = self.cos.chunks_exact(half).zip(self.sin.chunks_exact(half));
        let tokens = self.from.chunks_exact(self.heads * self.width).zip(angles).enumerate();
        for (token, (from, (cos, sin))) in tokens {
            let at = token * self.stride + self.first;
            let into = &mut self.into[at..at + self.heads * self.width];
            for (into, from) in into.chunks_exact_mut(self.width).zip(from.chunks_exact(self.width)) {
                turn::<L>(from, into, (cos, sin), self.scale, -1.0);
            }
        }
    }
}
