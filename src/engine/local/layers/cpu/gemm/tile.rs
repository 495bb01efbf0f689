//! The f32 product's kernel: tiles of rows by one panel, with their sums in registers.

use std::ops::Range;

use rayon::prelude::*;

use super::packed::{Element, Packed};
use super::sheet::Sheet;
use super::{Band, Start, Strided};
use crate::engine::local::layers::cpu::simd::{Kernel, Level, dispatch};

/// Inner steps after which a tile's sums go back to memory. Shorter ones, with which a panel's part would stay in the first cache,
/// measured a quarter slower.
pub(super) const DEPTH: usize = 2048;

/// A left-hand side's rows by tiles: block after block of as many rows as a tile has, each (depth, rows of the block).
pub(super) struct Blocks {
    /// The first row.
    top: usize,
    rows: usize,
    depth: usize,
    /// Rows of every block but the last.
    height: usize,
    data: Vec<f32>,
}

impl Blocks {
    /// Rows `rows` of a matrix of `depth` columns.
    pub(super) fn pack(left: Strided<'_>, rows: Range<usize>, depth: usize) -> Self {
        let height = dispatch(Height);
        let mut data = vec![0.0; rows.len() * depth];
        let pack = |(i, into): (usize, &mut [f32])| dispatch(Pack { left, top: rows.start + i * height, depth, into });
        if data.len() < 1 << 16 {
            data.chunks_mut((height * depth).max(1)).enumerate().for_each(pack);
        } else {
            data.par_chunks_mut(height * depth).enumerate().for_each(pack);
        }
        Self { top: rows.start, rows: rows.len(), depth, height, data }
    }

    /// How many blocks there are.
    pub(super) fn count(&self) -> usize {
        self.rows.div_ceil(self.height)
    }
}

/// Rows of a tile on this level.
struct Height;

impl Kernel for Height {
    type Output = usize;

    #[inline(always)]
    fn run<L: Level>(self) -> usize {
        L::ROWS
    }
}

/// Turns a block of rows: (depth, rows).
struct Pack<'a> {
    left: Strided<'a>,
    top: usize,
    depth: usize,
    into: &'a mut [f32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { left, top, depth, into } = self;
        let tall = into.len() / depth;
        if left.column != 1 {
            // the other way round, neighbouring rows lie side by side
            for (k, into) in into.chunks_exact_mut(tall).enumerate() {
                let from = &left.data[top * left.row + k * left.column..];
                if left.row == 1 {
                    into.copy_from_slice(&from[..tall]);
                } else {
                    into.iter_mut().zip(from.iter().step_by(left.row)).for_each(|(into, x)| *into = *x);
                }
            }
            return;
        }
        // sixteen steps at a time, so that what is written stays in the first cache
        for first in (0..depth).step_by(16) {
            let into = &mut into[first * tall..(first + 16).min(depth) * tall];
            for i in 0..tall {
                let at = (top + i) * left.row + first;
                let from = &left.data[at..at + into.len() / tall];
                into[i..].iter_mut().step_by(tall).zip(from).for_each(|(into, x)| *into = *x);
            }
        }
    }
}

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
        let width = lanes.min(self.right.columns - column);
        // SAFETY: these elements are this piece's alone, as whoever made it promised.
        let place = |i: usize| unsafe { self.out.part(row + i, column, width) };
        // plain loops: what goes through closures may not take on the level's instructions
        let mut sums = [[L::zeros(); C]; M];
        match self.start {
            Start::Zero if from == 0 => {}
            Start::Bias(bias) if from == 0 => sums = [fetch::<L, C>(&bias[column..column + width]); M],
            _ => {
                for (i, sums) in sums.iter_mut().enumerate() {
                    *sums = fetch::<L, C>(place(i));
                }
            }
        }
        let right = &self.right.panel(panel)[from_here * lanes..to * lanes];
        let first = block * self.left.height * self.left.depth;
        let left = &self.left.data[first + from_here * M..first + to * M];
        // each block asks for its share of the next panel, which otherwise comes from memory while everything waits
        let share = size_of_val(right) / (to - from_here).max(1) / self.blocks.len();
        let ahead = right.as_ptr().wrapping_add(right.len()).cast::<u8>();
        let ahead = ahead.wrapping_add((block - self.blocks.start) * share * (to - from_here));
        let sums = accumulate::<L, E, M, C>(sums, left, right, (ahead, share));
        for (i, sums) in sums.into_iter().enumerate() {
            put::<L, C>(sums, place(i));
        }
    }
}

/// Up to `16 · C` floats from memory; zeros beyond them.
#[inline(always)]
fn fetch<L: Level, const C: usize>(from: &[f32]) -> [L::Floats; C] {
    let mut floats = [L::zeros(); C];
    let (chunks, rest) = from.as_chunks::<16>();
    for c in 0..C.min(chunks.len()) {
        floats[c] = L::load(&chunks[c]);
    }
    if !rest.is_empty() {
        let mut last = [0.0; 16];
        last[..rest.len()].copy_from_slice(rest);
        floats[chunks.len()] = L::load(&last);
    }
    floats
}

/// As many of `16 · C` floats as there is room for.
#[inline(always)]
fn put<L: Level, const C: usize>(floats: [L::Floats; C], into: &mut [f32]) {
    let (chunks, rest) = into.as_chunks_mut::<16>();
    for (floats, into) in floats.iter().zip(&mut *chunks) {
        L::store(*floats, into);
    }
    if !rest.is_empty() {
        let mut last = [0.0; 16];
        L::store(floats[chunks.len()], &mut last);
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// Adds the products of `left` (steps, M) and `right` (steps, 16 · C). With each step, what is `ahead` comes nearer by so many bytes.
#[inline(always)]
fn accumulate<L: Level, E: Element, const M: usize, const C: usize>(
    mut sums: [[L::Floats; C]; M],
    left: &[f32],
    right: &[E],
    ahead: (*const u8, usize),
) -> [[L::Floats; C]; M] {
    let mut next = ahead.0;
    for (left, right) in left.as_chunks::<M>().0.iter().zip(right.as_chunks::<16>().0.as_chunks::<C>().0) {
        L::prefetch(next);
        next = next.wrapping_add(ahead.1);
        let mut wide = [L::zeros(); C];
        for c in 0..C {
            wide[c] = E::load::<L>(&right[c]);
        }
        for i in 0..M {
            let value = L::splat(left[i]);
            for c in 0..C {
                sums[i][c] = L::multiply_add(value, wide[c], sums[i][c]);
            }
        }
    }
    sums
}
