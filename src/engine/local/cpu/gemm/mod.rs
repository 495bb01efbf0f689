//! Products of matrices in one fixed order: every element is a single chain of multiply-adds along the inner dimension, first to last,
//! whatever rows, columns or threads stand beside it. In f32 here; with a bf16 right-hand side in [`narrow`].
//!
//! The right-hand side is packed into panels, once where it stays; the left-hand side into tiles of rows, a MiB at a time.

mod blocks;
pub(crate) mod narrow;
mod packed;
mod panels;
mod sheet;
mod tile;

use std::ops::Range;

use rayon::prelude::*;

use self::blocks::Blocks;
pub(crate) use self::packed::{Element, Packed};
use self::sheet::Sheet;
use self::tile::{DEPTH, Product};
use super::computed;
use super::simd::dispatch;

/// Elements of the left-hand side that are packed and worked through together, so that they stay in the second cache: a MiB.
const NEAR: usize = 1 << 18;

/// Products with fewer multiply-adds than this run on one thread.
const WORTH_SHARING: usize = 1 << 20;

/// A matrix that lies in `data` with any strides: element (i, j) at `i · row + j · column`.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl<'a> Strided<'a> {
    /// A row-major matrix of the given width.
    pub(crate) fn rows(data: &'a [f32], width: usize) -> Self {
        Self { data, row: width, column: 1 }
    }

    /// Its transpose.
    pub(crate) fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }
}

/// What a tile's sums start from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Zero.
    Zero,
    /// A row that is added to every row.
    Bias(&'a [f32]),
    /// What the output holds.
    Output,
}

/// Which part of a product is needed.
#[derive(Clone, Copy)]
pub(crate) enum Band {
    /// All.
    Full,
    /// Row r needs the columns of the keys that it sees; tiles beside them hold anything.
    Columns(Causal),
    /// The left-hand side is zero in row r but for the keys that it sees.
    Depth(Causal),
    /// The left-hand side is the transpose of that: zero in row r but for the queries that see this key.
    DepthFrom(Causal),
}

impl Band {
    /// The inner steps that rows before `bottom` need at most.
    fn depth(self, bottom: usize) -> usize {
        match self {
            Self::Depth(causal) => causal.keys(0, bottom.saturating_sub(1)).1,
            Self::Full | Self::Columns(_) | Self::DepthFrom(_) => usize::MAX,
        }
    }
}

/// Who sees whom in causal attention.
#[derive(Clone, Copy)]
pub(crate) struct Causal {
    /// Keys before the first query.
    pub(crate) offset: usize,
    /// Rows of a query.
    pub(crate) per: usize,
    /// How many keys a query sees, its own the last; `usize::MAX` for all before it.
    pub(crate) window: usize,
}

impl Causal {
    /// The keys that some of the query rows `first..=last` see.
    #[inline(always)]
    fn keys(self, first: usize, last: usize) -> (usize, usize) {
        let end = |row: usize| self.offset + row / self.per + 1;
        (end(first).saturating_sub(self.window), end(last))
    }

    /// The query rows that see some of the keys `first..=last`.
    #[inline(always)]
    fn queries(self, first: usize, last: usize) -> (usize, usize) {
        let start = |key: usize| key.saturating_sub(self.offset).saturating_mul(self.per);
        (start(first), start(last.saturating_add(self.window)))
    }
}

/// `out[i, j] = start + Σ_k left[i, k] · right[k, j]` for `rows` rows; `out` is row-major with `stride` floats a row.
pub(crate) fn product<E: Element>(
    left: Strided<'_>,
    rows: usize,
    right: &Packed<E>,
    start: Start<'_>,
    band: Band,
    out: &mut [f32],
    stride: usize,
) {
    onto(Sheet::new(out, stride, rows, right.columns), left, right, start, band);
}

/// [`product`] in memory of its own, which nobody has to fill first: (rows, columns), started from zero or a bias.
pub(crate) fn fresh<E: Element>(left: Strided<'_>, rows: usize, right: &Packed<E>, bias: Option<&[f32]>) -> Vec<f32> {
    let start = bias.map_or(Start::Zero, Start::Bias);
    let fill = |room: &mut [_]| onto(Sheet::unwritten(room, right.columns, rows, right.columns), left, right, start, Band::Full);
    // SAFETY: a whole product writes every element of its sheet, and reads none that it has not written.
    unsafe { computed(rows * right.columns, fill) }
}

fn onto<E: Element>(sheet: Sheet<'_>, left: Strided<'_>, right: &Packed<E>, start: Start<'_>, band: Band) {
    let rows = sheet.rows();
    if rows == 0 || right.columns == 0 {
        return;
    }
    let threads = rayon::current_num_threads();
    let alone = threads == 1 || rows * right.columns * right.depth < WORTH_SHARING;
    let height = (NEAR / right.depth.clamp(1, DEPTH)).clamp(48, 480) / 12 * 12;
    for top in (0..rows).step_by(height) {
        let bottom = (top + height).min(rows);
        let left = Blocks::pack(left, top..bottom, band.depth(bottom).min(right.depth));
        let (blocks, panels) = (left.count(), right.panels());
        // SAFETY: no two pieces have an element in common.
        let run = |blocks, panels| unsafe { dispatch(Product::new((&left, blocks), (right, panels), start, band, sheet)) };
        // by panels where there are enough, so that each thread reads its own part of the right-hand side once; else by rows
        if alone {
            run(0..blocks, 0..panels);
        } else if panels >= 2 * threads {
            parts(panels, panels.div_ceil(threads * 4)).for_each(|panels| run(0..blocks, panels));
        } else {
            parts(blocks, blocks.div_ceil(threads * 4)).for_each(|blocks| run(blocks, 0..panels));
        }
    }
}

/// Cuts `0..all` into parts of `share`.
fn parts(all: usize, share: usize) -> impl ParallelIterator<Item = Range<usize>> {
    (0..all.div_ceil(share)).into_par_iter().map(move |i| i * share..((i + 1) * share).min(all))
}
