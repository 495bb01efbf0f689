//! The f32 product's kernel: tiles of rows by one panel, with their sums in registers.

#![expect(clippy::needless_range_loop, reason = "iterators move a tile's sums through memory")]

use std::ops::Range;

use super::blocks::{Blocks, RUN};
use super::packed::{Element, Packed};
use super::sheet::Sheet;
use super::{Band, Start};
use crate::engine::local::cpu::simd::{Kernel, Level};

/// Inner steps after which a tile's sums go back to memory. Shorter ones, with which a panel's part would stay in the first cache,
/// measured a quarter slower.
pub(super) const DEPTH: usize = 2048;

/// Some blocks of rows by some panels of a product.
pub(super) struct Product<'a, E> {
    left: &'a Blocks,
    right: &'a Packed<E>,
    start: Start<'a>,
    band: Band,
    out: Sheet<'a>,
    blocks: Range<usize>,
    panels: Range<usize>,
}

impl<'a, E: Element> Product<'a, E> {
    /// # Safety
    /// While this lives, nobody else may use these elements of `out`.
    pub(super) unsafe fn new(
        (left, blocks): (&'a Blocks, Range<usize>),
        (right, panels): (&'a Packed<E>, Range<usize>),
        start: Start<'a>,
        band: Band,
        out: Sheet<'a>,
    ) -> Self {
        Self { left, right, start, band, out, blocks, panels }
    }
}

impl<E: Element> Kernel for Product<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        if self.right.lanes == 16 { self.pieces::<L, 1>() } else { self.pieces::<L, 2>() }
    }
}

/// Calls a method with the number of rows as a constant.
macro_rules! by_rows {
    ($tall:expr; $self:ident.$tile:ident::<$level:ty, $columns:ident> $arguments:tt; $($rows:literal)*) => {
        match $tall {
            $($rows => $self.$tile::<$level, $rows, $columns> $arguments,)*
            tall => unreachable!("a block of {tall} rows"),
        }
    };
}

impl<E: Element> Product<'_, E> {
    #[inline(always)]
    fn pieces<L: Level, const C: usize>(&self) {
        let (depth, tall) = (self.right.depth, self.left.height);
        for from in (0..depth.max(1)).step_by(DEPTH) {
            let to = (from + DEPTH).min(depth);
            for panel in self.panels.clone() {
                for block in self.blocks.clone() {
                    let rows = tall.min(self.left.rows - block * tall);
                    match L::ROWS {
                        12 => by_rows!(rows; self.tile::<L, C>(block, panel, from, to); 1 2 3 4 5 6 7 8 9 10 11 12),
                        4 => by_rows!(rows; self.tile::<L, C>(block, panel, from, to); 1 2 3 4),
                        _ => by_rows!(rows; self.tile::<L, C>(block, panel, from, to); 1 2 3),
                    }
                }
            }
        }
    }

    /// `M` rows of one panel of `16 · C` columns.
    #[inline(always)]
    fn tile<L: Level, const M: usize, const C: usize>(&self, block: usize, panel: usize, from: usize, to: usize) {
        let lanes = 16 * C;
        let row = self.left.top + block * self.left.height;
        let column = panel * lanes;
        let needed = match self.band {
            Band::Full => (from, to),
            Band::Columns(causal) => {
                let (start, end) = causal.keys(row, row + M - 1);
                if column >= end || column + lanes <= start {
                    return;
                }
                (from, to)
            }
            Band::Depth(causal) => causal.keys(row, row + M - 1),
            Band::DepthFrom(causal) => causal.queries(row, row + M - 1),
        };
        let to = to.min(needed.1).max(from);
        let from_here = from.max(needed.0).min(to);
        if from > 0 && from_here == to {
            return; // nothing is added to what the steps before gave
        }
        let width = lanes.min(self.right.columns - column);
        // SAFETY: these elements are this piece's alone, as whoever made it promised.
        let place = |i: usize| unsafe { self.out.part(row + i, column, width) };
        // plain loops: what goes through closures may not take on the level's instructions
        let mut sums = [[L::zeros(); C]; M];
        match self.start {
            Start::Zero if from == 0 => {}
            Start::Bias(bias) if from == 0 => sums = [fetch::<L, C>(&bias[column..column + width]); M],
            _ => {
                for i in 0..M {
                    sums[i] = fetch::<L, C>(place(i));
                }
            }
        }
        let right = &self.right.panel(panel)[from_here * lanes..to * lanes];
        let first = block * self.left.height * self.left.depth;
        let left = &self.left.data[first..first + self.left.depth * M];
        // each block asks for its share of the next panel, which otherwise comes from memory while everything waits
        let share = size_of_val(right) / (to - from_here).max(1) / self.blocks.len();
        let ahead = right.as_ptr().wrapping_add(right.len()).cast::<u8>();
        let ahead = ahead.wrapping_add((block - self.blocks.start) * share * (to - from_here));
        let sums = if self.left.turned {
            accumulate::<L, E, M, C, true>(sums, left, from_here, right, (ahead, share))
        } else {
            accumulate::<L, E, M, C, false>(sums, left, from_here, right, (ahead, share))
        };
        for i in 0..M {
            put::<L, C>(&sums[i], place(i));
        }
    }
}

/// Up to `16 · C` floats from memory; zeros beyond them.
#[inline(always)]
fn fetch<L: Level, const C: usize>(from: &[f32]) -> [L::Floats; C] {
    let mut floats = [L::zeros(); C];
    for c in 0..C {
        let from = from.get(16 * c..).unwrap_or_default();
        if let Some(from) = from.first_chunk::<16>() {
            floats[c] = L::load(from);
        } else if !from.is_empty() {
            let mut last = [0.0; 16];
            last[..from.len()].copy_from_slice(from);
            floats[c] = L::load(&last);
        }
    }
    floats
}

/// As many of `16 · C` floats as there is room for.
#[inline(always)]
fn put<L: Level, const C: usize>(floats: &[L::Floats; C], into: &mut [f32]) {
    for c in 0..C {
        let into = into.get_mut(16 * c..).unwrap_or_default();
        if let Some(into) = into.first_chunk_mut::<16>() {
            L::store(floats[c], into);
        } else if !into.is_empty() {
            let mut last = [0.0; 16];
            L::store(floats[c], &mut last);
            into.copy_from_slice(&last[..into.len()]);
        }
    }
}

/// Adds the products of `left`'s steps from `first` on, in runs, and `right` (steps, 16 · C). With each step, what is `ahead` comes nearer
/// by so many bytes.
#[inline(always)]
fn accumulate<L: Level, E: Element, const M: usize, const C: usize, const TURNED: bool>(
    mut sums: [[L::Floats; C]; M],
    left: &[f32],
    first: usize,
    right: &[E],
    ahead: (*const u8, usize),
) -> [[L::Floats; C]; M] {
    let (runs, right) = (left.as_chunks::<RUN>().0.as_chunks::<M>().0, right.as_chunks::<16>().0.as_chunks::<C>().0);
    let mut next = ahead.0;
    // the first run may begin in the middle, and the last end there
    let head = (first.next_multiple_of(RUN) - first).min(right.len());
    let (head, rest) = right.split_at(head);
    if let (false, Some(run)) = (head.is_empty(), runs.get(first / RUN)) {
        for (k, right) in (first % RUN..RUN).zip(head) {
            step::<L, E, M, C, TURNED>(&mut sums, run, k, right);
            L::prefetch(next);
            next = next.wrapping_add(ahead.1);
        }
    }
    let (whole, tail) = rest.as_chunks::<RUN>();
    let runs = &runs[first.div_ceil(RUN)..];
    for (run, right) in runs.iter().zip(whole) {
        for k in 0..RUN {
            L::prefetch(next);
            next = next.wrapping_add(ahead.1);
            step::<L, E, M, C, TURNED>(&mut sums, run, k, &right[k]);
        }
    }
    if let (false, Some(run)) = (tail.is_empty(), runs.get(whole.len())) {
        for (k, right) in (0..RUN).zip(tail) {
            step::<L, E, M, C, TURNED>(&mut sums, run, k, right);
        }
    }
    sums
}

/// One inner step: `run` is (M, 16), or (16, M) where it is turned.
#[inline(always)]
fn step<L: Level, E: Element, const M: usize, const C: usize, const TURNED: bool>(
    sums: &mut [[L::Floats; C]; M],
    run: &[[f32; RUN]; M],
    k: usize,
    right: &[[E; 16]; C],
) {
    let mut wide = [L::zeros(); C];
    for c in 0..C {
        wide[c] = E::load::<L>(&right[c]);
    }
    let flat = run.as_flattened();
    for i in 0..M {
        let value = L::splat(if TURNED { flat[k * M + i] } else { flat[i * RUN + k] });
        for c in 0..C {
            sums[i][c] = L::multiply_add(value, wide[c], sums[i][c]);
        }
    }
}
