//! The f32 product's kernel: tiles of rows by one panel, with their sums in registers.

use std::ops::Range;

use super::packed::Packed;
use super::sheet::Sheet;
use super::{Band, Start, Strided};
use crate::engine::local::layers::cpu::simd::{Kernel, Level, multiply_add};

/// Inner steps after which a tile's sums go back to memory, so that a panel's part stays in the first cache.
const DEPTH: usize = 256;

/// Rows that are worked through before the next panel, so that their part of the left-hand side stays in the second cache.
const HEIGHT: usize = 240;

/// Some rows of some panels of a product.
pub(super) struct Product<'a> {
    left: Strided<'a>,
    right: &'a Packed,
    start: Start<'a>,
    band: Band,
    out: Sheet<'a>,
    rows: Range<usize>,
    panels: Range<usize>,
}

impl<'a> Product<'a> {
    /// # Safety
    /// While this lives, nobody else may use these elements of `out`.
    pub(super) unsafe fn new(
        left: Strided<'a>,
        right: &'a Packed,
        start: Start<'a>,
        band: Band,
        out: Sheet<'a>,
        rows: Range<usize>,
        panels: Range<usize>,
    ) -> Self {
        Self { left, right, start, band, out, rows, panels }
    }
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        if self.right.lanes == 16 { self.blocks::<L, 16>() } else { self.blocks::<L, 32>() }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn blocks<L: Level, const N: usize>(&self) {
        let depth = self.right.depth;
        for from in (0..depth.max(1)).step_by(DEPTH) {
            for top in self.rows.clone().step_by(HEIGHT) {
                self.panels::<L, N>(top, (top + HEIGHT).min(self.rows.end), from, (from + DEPTH).min(depth));
            }
        }
    }

    /// Rows `top..bottom` of all panels, for the inner steps `from..to`.
    #[inline(always)]
    fn panels<L: Level, const N: usize>(&self, top: usize, bottom: usize, from: usize, to: usize) {
        for panel in self.panels.clone() {
            let mut row = top;
            while row < bottom {
                let left = bottom - row;
                let tall = match L::ROWS {
                    12 if left >= 12 => self.tile::<L, 12, N>(panel, row, from, to),
                    12 if left >= 6 => self.tile::<L, 6, N>(panel, row, from, to),
                    4.. if left >= 4 => self.tile::<L, 4, N>(panel, row, from, to),
                    3 if left >= 3 => self.tile::<L, 3, N>(panel, row, from, to),
                    _ if left >= 2 => self.tile::<L, 2, N>(panel, row, from, to),
                    _ => self.tile::<L, 1, N>(panel, row, from, to),
                };
                row += tall;
            }
        }
    }

    /// `M` rows of one panel.
    #[inline(always)]
    fn tile<L: Level, const M: usize, const N: usize>(&self, panel: usize, row: usize, from: usize, to: usize) -> usize {
        let (column, top) = (panel * N, row);
        let needed = match self.band {
            Band::Full => (from, to),
            Band::Columns(causal) => {
                let (start, end) = causal.keys(top, top + M - 1);
                if column >= end || column + N <= start {
                    return M;
                }
                (from, to)
            }
            Band::Depth(causal) => causal.keys(top, top + M - 1),
            Band::DepthFrom(causal) => causal.queries(top, top + M - 1),
        };
        let to = to.min(needed.1).max(from);
        let from_here = from.max(needed.0).min(to);
        let width = N.min(self.right.columns - column);
        // SAFETY: these elements are this piece's alone, as whoever made it promised.
        let place = |i: usize| unsafe { self.out.part(row + i, column, width) };
        let mut sums = [[0.0f32; N]; M];
        match self.start {
            Start::Zero if from == 0 => {}
            Start::Bias(bias) if from == 0 => {
                for sums in &mut sums {
                    sums[..width].copy_from_slice(&bias[column..column + width]);
                }
            }
            _ => {
                for (i, sums) in sums.iter_mut().enumerate() {
                    sums[..width].copy_from_slice(place(i));
                }
            }
        }
        let right = &self.right.panel(panel)[from_here * N..to * N];
        let sums = accumulate::<L, M, N>(sums, self.left, top, from_here, right);
        for (i, sums) in sums.iter().enumerate() {
            place(i).copy_from_slice(&sums[..width]);
        }
        M
    }
}

/// Adds the products of the inner steps that `right` holds, the first of which is `from`.
#[inline(always)]
fn accumulate<L: Level, const M: usize, const N: usize>(
    mut sums: [[f32; N]; M],
    left: Strided<'_>,
    top: usize,
    from: usize,
    right: &[f32],
) -> [[f32; N]; M] {
    let steps = right.len() / N;
    if steps == 0 {
        return sums;
    }
    let base: [usize; M] = std::array::from_fn(|i| (top + i) * left.row + from * left.column);
    assert!(base[M - 1] + (steps - 1) * left.column < left.data.len(), "the left-hand side is too small");
    for (k, right) in right.chunks_exact(N).enumerate() {
        let right: &[f32; N] = right.try_into().expect("a chunk of N");
        for i in 0..M {
            // SAFETY: rows ascend, so every index is at most the one asserted above.
            let value = unsafe { *left.data.get_unchecked(base[i] + k * left.column) };
            for j in 0..N {
                sums[i][j] = multiply_add::<L>(value, right[j], sums[i][j]);
            }
        }
    }
    sums
}
