//! The fused form of attention: row by row and head by head, with the products' kernel.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor};
use half::bf16;
use rayon::prelude::*;

use super::AttentionShape;
use crate::engine::local::cpu::attention::{Backward, Rotate, RotateBack, Scratch, Span, forward};
use crate::engine::local::cpu::gemm::{Element, Packed, Strided};
use crate::engine::local::cpu::{self};
use crate::engine::local::layers::cache::{Cached, HostHead, LayerCache};
use crate::engine::local::layers::host::{Floats, floats, output, tensor};
use crate::engine::local::layers::ragged::{Batch, Segment};
use crate::engine::local::layers::rope::Angles;
use crate::engine::local::layers::tape;

pub(super) fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    shape: AttentionShape,
    batch: &Batch,
    cache: Option<&mut LayerCache>,
) -> Result<Tensor> {
    let view = &batch.views[shape.view];
    let segments = batch.ends.as_ref().filter(|_| shape.ends).map_or(&batch.segments, |ends| &ends.segments);
    let op = Fused { shape, window: view.window, segments: Arc::clone(segments), angles: Arc::clone(&view.angles) };
    match cache {
        None => tape::apply3(op, q, k, v),
        Some(cache) if op.narrow() => op.with_cache::<bf16>([q, k, v], cache),
        Some(cache) => op.with_cache::<f32>([q, k, v], cache),
    }
}

struct Fused {
    shape: AttentionShape,
    window: Option<usize>,
    segments: Arc<[Segment]>,
    angles: Arc<Angles>,
}

/// One row's part of the tensors.
#[derive(Clone, Copy)]
struct Part<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    /// Cosine and sine of all its tokens; those that ask are the last.
    angles: (&'a [f32], &'a [f32]),
}

/// Rows are shared among threads where there are several of both.
fn each<T: Send>(parts: Vec<T>, work: impl Fn(&mut Scratches, T) + Sync + Send) {
    if rayon::current_num_threads() > 1 && parts.len() > 1 {
        parts.into_par_iter().for_each_init(Scratches::default, work);
    } else {
        let mut scratches = Scratches::default();
        for part in parts {
            work(&mut scratches, part);
        }
    }
}

/// Room for one row's heads.
#[derive(Default)]
struct Scratches {
    inner: Scratch,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    out: Vec<f32>,
    grad_q: Vec<f32>,
    grad_k: Vec<f32>,
    grad_v: Vec<f32>,
    keys: Packed,
    values: Packed,
}

impl Fused {
    fn group(&self) -> usize {
        self.shape.heads / self.shape.kv_heads
    }

    fn widths(&self) -> (usize, usize) {
        (self.shape.heads * self.shape.head_dim, self.shape.kv_heads * self.shape.head_dim)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.shape.query_scalar as f32).sqrt()
    }

    fn span(&self, segment: &Segment) -> Span {
        Span {
            queries: segment.asked,
            past: segment.past + segment.len - segment.asked,
            group: self.group(),
            width: self.shape.head_dim,
            window: self.window.unwrap_or(usize::MAX),
            soft_cap: self.shape.soft_cap.map(|cap| cap as f32),
        }
    }

    fn part<'a>(&'a self, segment: &Segment, q: &'a [f32], k: &'a [f32], v: &'a [f32]) -> Part<'a> {
        let (wide, narrow) = self.widths();
        let half = self.angles.half;
        let cut = |data: &'a [f32], width: usize| &data[segment.start * width..(segment.start + segment.len) * width];
        Part {
            q: asked(segment, q, wide),
            k: cut(k, narrow),
            v: cut(v, narrow),
            angles: (cut(&self.angles.cos, half), cut(&self.angles.sin, half)),
        }
    }

    /// Cuts a tensor of token rows into the rows of the batch, each of so many tokens.
    fn cut<'a>(&self, mut data: &'a mut [f32], width: usize, tokens: fn(&Segment) -> usize) -> Vec<&'a mut [f32]> {
        let mut parts = Vec::with_capacity(self.segments.len());
        for segment in self.segments.iter() {
            let (part, rest) = data.split_at_mut(tokens(segment) * width);
            parts.push(part);
            data = rest;
        }
        parts
    }

    /// The heads of group `head`'s queries, turned and scaled, into `into` (queries · group, head_dim).
    fn queries(&self, part: Part<'_>, head: usize, into: &mut Vec<f32>) {
        let group = self.group();
        self.turn(part, part.q, (self.widths().0, head * group * self.shape.head_dim, group), self.scale(), into);
    }

    /// The keys of one head, turned and rounded as the cache would, into `into` (queries, head_dim).
    fn keys(&self, part: Part<'_>, head: usize, into: &mut Vec<f32>) {
        self.turn(part, part.k, (self.widths().1, head * self.shape.head_dim, 1), 1.0, into);
        self.round(into);
    }

    /// The values of one head, rounded as the cache would, into `into` (queries, head_dim).
    fn values(&self, part: Part<'_>, head: usize, into: &mut Vec<f32>) {
        take(part.v, self.widths().1, self.shape.head_dim, head, into);
        self.round(into);
    }

    fn round(&self, values: &mut [f32]) {
        if self.narrow() {
            for x in values {
                *x = <bf16 as Element>::of(*x).wide();
            }
        }
    }

    /// Whether keys and values are kept in bf16.
    fn narrow(&self) -> bool {
        self.shape.kv_dtype == DType::BF16
    }

    fn turn(&self, part: Part<'_>, from: &[f32], place: (usize, usize, usize), scale: f32, into: &mut Vec<f32>) {
        let (stride, first, heads) = place;
        let width = self.shape.head_dim;
        let (cos, sin) = self.angles_of(part, from.len() / stride);
        into.resize(cos.len() / self.angles.half * heads * width, 0.0);
        cpu::run(Rotate { from, stride, first, heads, width, cos, sin, scale, into });
    }

    /// The angles of a row's last tokens.
    fn angles_of<'a>(&self, part: Part<'a>, tokens: usize) -> (&'a [f32], &'a [f32]) {
        let last = |angles: &'a [f32]| &angles[angles.len() - tokens * self.angles.half..];
        (last(part.angles.0), last(part.angles.1))
    }

    fn row(&self, segment: &Segment, part: Part<'_>, scratches: &mut Scratches, out: &mut [f32]) {
        let wide = self.widths().0;
        let width = self.shape.head_dim;
        for head in 0..self.shape.kv_heads {
            let Scratches { inner, q, k, v, out: mixed, keys, values, .. } = &mut *scratches;
            self.queries(part, head, q);
            self.keys(part, head, k);
            self.values(part, head, v);
            keys.refill(Strided::rows(k, width).transposed(), width, segment.len);
            values.refill(Strided::rows(v, width), segment.len, width);
            mixed.resize(q.len(), 0.0);
            forward(self.span(segment), q, keys, values, inner, mixed);
            put(mixed, self.group() * width, out, wide, head);
        }
    }

    fn with_cache<E: Cached>(&self, inputs: [&Tensor; 3], cache: &mut LayerCache) -> Result<Tensor> {
        let rows = E::rows(cache, self.segments.len(), self.shape.kv_heads, self.shape.head_dim)?;
        let [q, k, v] = inputs.map(Floats::of);
        let (q, k, v) = (&*q?, &*k?, &*v?);
        let (wide, narrow) = self.widths();
        let width = self.shape.head_dim;
        let mut out = cpu::zeros(q.len());
        let take_in = |scratches: &mut Scratches, part: Part<'_>, (head, cached): (usize, &mut HostHead<E>)| {
            self.keys(part, head, &mut scratches.k);
            scratches.k.chunks_exact(width).for_each(|key| cached.keys.push_column(key));
            part.v.chunks_exact(narrow).for_each(|v| cached.values.push_row(&v[head * width..(head + 1) * width]));
        };
        let look = |scratches: &mut Scratches, segment: &Segment, (head, cached): (usize, &HostHead<E>), out: &mut [f32]| {
            let Scratches { inner, q: queries, out: mixed, .. } = scratches;
            self.queries(self.part(segment, q, k, v), head, queries);
            mixed.resize(queries.len(), 0.0);
            forward(self.span(segment), queries, &cached.keys, &cached.values, inner, mixed);
            put(mixed, self.group() * width, out, wide, head);
        };
        let outs = self.segments.iter().zip(self.cut(&mut out, wide, |segment| segment.asked));
        if self.segments.iter().all(|segment| segment.asked <= self.span(segment).block()) {
            each(outs.zip(rows).collect(), |scratches, ((segment, out), row)| {
                for (head, cached) in row.heads.iter_mut().enumerate() {
                    take_in(scratches, self.part(segment, q, k, v), (head, cached));
                    look(scratches, segment, (head, cached), out);
                }
            });
        } else {
            // long rows are cut into blocks of queries, which all look at the keys of the whole row
            let heads = self.segments.iter().zip(&mut *rows).flat_map(|(segment, row)| {
                let part = self.part(segment, q, k, v);
                row.heads.iter_mut().enumerate().map(move |head| (part, head))
            });
            each(heads.collect(), |scratches, (part, head)| take_in(scratches, part, head));
            let blocks =
                outs.zip(&*rows).flat_map(|((segment, out), row)| self.blocks(segment, out).map(move |block| (block, row)));
            each(blocks.collect(), |scratches, ((segment, out), row)| {
                row.heads.iter().enumerate().for_each(|head| look(scratches, &segment, head, out));
            });
        }
        tensor(out, (q.len() / wide, wide))
    }

    /// Cuts a row and its output into blocks of queries.
    fn blocks<'a>(&self, segment: &Segment, out: &'a mut [f32]) -> impl Iterator<Item = (Segment, &'a mut [f32])> {
        let (whole, block, wide) = (*segment, self.span(segment).block(), self.widths().0);
        out.chunks_mut(block * wide).enumerate().map(move |(i, out)| {
            let (before, asked) = (i * block, out.len() / wide);
            let len = whole.len - whole.asked + before + asked;
            (Segment { len, asked, asked_start: whole.asked_start + before, ..whole }, out)
        })
    }

    fn backward_row(&self, segment: &Segment, part: Part<'_>, grad: &[f32], scratches: &mut Scratches, into: [&mut [f32]; 3]) {
        let (wide, narrow) = self.widths();
        let (width, group) = (self.shape.head_dim, self.group());
        let [into_q, into_k, into_v] = into;
        let Scratches { inner, q, k, v, out: grads, grad_q, grad_k, grad_v, .. } = scratches;
        for head in 0..self.shape.kv_heads {
            self.queries(part, head, q);
            self.keys(part, head, k);
            self.values(part, head, v);
            take(grad, wide, group * width, head, grads);
            grad_q.resize(q.len(), 0.0);
            grad_k.resize(k.len(), 0.0);
            grad_v.resize(v.len(), 0.0);
            Backward { span: self.span(segment), q, k, v, grad: grads, grad_q, grad_k, grad_v }.run(inner);
            let (cos, sin) = self.angles_of(part, segment.asked);
            let first = head * group * width;
            let scale = self.scale();
            cpu::run(RotateBack { from: grad_q, heads: group, width, cos, sin, scale, into: &mut *into_q, stride: wide, first });
            let (cos, sin) = part.angles;
            let first = head * width;
            cpu::run(RotateBack {
                from: grad_k,
                heads: 1,
                width,
                cos,
                sin,
                scale: 1.0,
                into: &mut *into_k,
                stride: narrow,
                first,
            });
            put(grad_v, width, &mut *into_v, narrow, head);
        }
    }
}

/// The tokens of a row that ask.
fn asked<'a>(segment: &Segment, data: &'a [f32], width: usize) -> &'a [f32] {
    &data[segment.asked_start * width..(segment.asked_start + segment.asked) * width]
}

/// Copies token rows of `width` into column block `block` of wider rows.
fn put(from: &[f32], width: usize, into: &mut [f32], stride: usize, block: usize) {
    for (from, into) in from.chunks_exact(width).zip(into.chunks_exact_mut(stride)) {
        into[block * width..(block + 1) * width].copy_from_slice(from);
    }
}

/// Copies column block `block` out of wider rows.
fn take(from: &[f32], stride: usize, width: usize, block: usize, into: &mut Vec<f32>) {
    into.clear();
    from.chunks_exact(stride).for_each(|row| into.extend_from_slice(&row[block * width..(block + 1) * width]));
}

impl CustomOp3 for Fused {
    fn name(&self) -> &'static str {
        "ragged-attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        lq: &Layout,
        k: &CpuStorage,
        lk: &Layout,
        v: &CpuStorage,
        lv: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (q, k, v) = (floats(q, lq)?, floats(k, lk)?, floats(v, lv)?);
        let mut out = cpu::zeros(q.len());
        let parts: Vec<_> = self.segments.iter().zip(self.cut(&mut out, self.widths().0, |segment| segment.asked)).collect();
        each(parts, |scratches, (segment, out)| self.row(segment, self.part(segment, q, k, v), scratches, out));
        Ok(output(out, lq.shape().clone()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (wide, narrow) = self.widths();
        let grad = grad.contiguous()?;
        let mut grads = [q, k, v].map(|input| cpu::zeros(input.elem_count()));
        {
            let (q, k, v, grad) = (Floats::of(q)?, Floats::of(k)?, Floats::of(v)?, Floats::of(&grad)?);
            let [grad_q, grad_k, grad_v] = &mut grads;
            let all = |grad| self.cut(grad, narrow, |segment| segment.len);
            let into = self.cut(grad_q, wide, |segment| segment.asked).into_iter().zip(all(grad_k)).zip(all(grad_v));
            let parts: Vec<_> = self.segments.iter().zip(into).collect();
            let (q, k, v, grad) = (&*q, &*k, &*v, &*grad);
            each(parts, |scratches, (segment, ((into_q, into_k), into_v))| {
                let grad = asked(segment, grad, wide);
                self.backward_row(segment, self.part(segment, q, k, v), grad, scratches, [into_q, into_k, into_v]);
            });
        }
        let [grad_q, grad_k, grad_v] = grads;
        let wanted = |values, like: &Tensor| if like.track_op() { tensor(values, like.shape()).map(Some) } else { Ok(None) };
        Ok((wanted(grad_q, q)?, wanted(grad_k, k)?, wanted(grad_v, v)?))
    }
}
