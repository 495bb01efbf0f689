//! Products of matrices in f32 in one fixed order: every element is a single chain of multiply-adds along the inner dimension, first to
//! last, whatever rows, columns or threads stand beside it.
//!
//! The right-hand side is packed into panels of 32 columns (16 where that wastes less), the left-hand side is read where it lies.

use rayon::prelude::*;

use super::simd::{Kernel, Level, dispatch, multiply_add};

/// Inner steps after which a tile's sums go back to memory, so that a panel's part stays in the first cache.
const DEPTH: usize = 256;

/// Rows that are worked through before the next panel, so that their part of the left-hand side stays in the second cache.
const HEIGHT: usize = 240;

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

/// A right-hand side (depth, columns), packed into panels.
#[derive(Default, Clone)]
pub(crate) struct Packed {
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    /// Columns of a panel: 16 or 32.
    pub(crate) lanes: usize,
    /// Inner steps that a panel has room for.
    room: usize,
    /// Panel after panel, each (room, lanes); columns beyond the last are zeros.
    pub(crate) data: Vec<f32>,
}

/// The panel width that suits a number of columns.
pub(crate) fn lanes(columns: usize) -> usize {
    if columns <= 16 { 16 } else { 32 }
}

impl Packed {
    /// Packs a matrix of `depth` rows and `columns` columns.
    pub(crate) fn new(matrix: Strided<'_>, depth: usize, columns: usize) -> Self {
        let mut packed = Self::default();
        packed.refill(matrix, depth, columns);
        packed
    }

    /// Packs another matrix into the same memory.
    pub(crate) fn refill(&mut self, matrix: Strided<'_>, depth: usize, columns: usize) {
        (self.depth, self.columns, self.lanes, self.room) = (depth, columns, lanes(columns), depth);
        let size = columns.div_ceil(self.lanes) * depth * self.lanes;
        self.data.clear();
        self.data.resize(size, 0.0);
        dispatch(Pack { into: &mut self.data, matrix, depth, columns, lanes: self.lanes });
    }

    /// An empty right-hand side of fixed depth to which columns are added.
    pub(crate) fn of_depth(depth: usize) -> Self {
        Self { depth, room: depth, lanes: 32, ..Self::default() }
    }

    /// Adds a column.
    pub(crate) fn push_column(&mut self, column: &[f32]) {
        let (panel, lane) = (self.columns / self.lanes, self.columns % self.lanes);
        if lane == 0 {
            self.data.resize((panel + 1) * self.room * self.lanes, 0.0);
        }
        let panel = &mut self.data[panel * self.room * self.lanes..];
        for (k, value) in column.iter().enumerate() {
            panel[k * self.lanes + lane] = *value;
        }
        self.columns += 1;
    }

    /// An empty right-hand side of fixed columns to which inner steps are added.
    pub(crate) fn of_columns(columns: usize) -> Self {
        Self { columns, lanes: lanes(columns), ..Self::default() }
    }

    /// Adds an inner step.
    pub(crate) fn push_row(&mut self, row: &[f32]) {
        if self.depth == self.room {
            self.grow();
        }
        for (panel, part) in row.chunks(self.lanes).enumerate() {
            let at = (panel * self.room + self.depth) * self.lanes;
            self.data[at..at + part.len()].copy_from_slice(part);
        }
        self.depth += 1;
    }

    fn grow(&mut self) {
        let (old, new) = (self.room * self.lanes, (self.room * 2).max(16) * self.lanes);
        let mut data = vec![0.0; self.columns.div_ceil(self.lanes) * new];
        if old > 0 {
            for (from, into) in self.data.chunks_exact(old).zip(data.chunks_exact_mut(new)) {
                into[..old].copy_from_slice(from);
            }
        }
        (self.data, self.room) = (data, new / self.lanes);
    }
}

struct Pack<'a> {
    into: &'a mut [f32],
    matrix: Strided<'a>,
    depth: usize,
    columns: usize,
    lanes: usize,
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Pack { into, matrix, depth, columns, lanes } = self;
        for (index, panel) in into.chunks_exact_mut(depth * lanes).enumerate() {
            let first = index * lanes;
            let width = lanes.min(columns - first);
            if matrix.column == 1 {
                for (k, row) in panel.chunks_exact_mut(lanes).enumerate() {
                    let from = k * matrix.row + first;
                    row[..width].copy_from_slice(&matrix.data[from..from + width]);
                }
            } else {
                // 16 rows of the panel at a time, so that both sides stay in the first cache
                for k in (0..depth).step_by(16) {
                    let deep = 16.min(depth - k);
                    for j in 0..width {
                        let from = (first + j) * matrix.column + k * matrix.row;
                        for i in 0..deep {
                            panel[(k + i) * lanes + j] = matrix.data[from + i * matrix.row];
                        }
                    }
                }
            }
        }
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
pub(crate) fn product(
    left: Strided<'_>,
    rows: usize,
    right: &Packed,
    start: Start<'_>,
    band: Band,
    out: &mut [f32],
    stride: usize,
) {
    if rows == 0 || right.columns == 0 {
        return;
    }
    let run = |first: usize, out: &mut [f32], rows: usize| {
        dispatch(Product { left, right, start, band, out, stride, first, rows });
    };
    let threads = rayon::current_num_threads();
    if threads == 1 || rows * right.columns * right.depth < WORTH_SHARING || rows < 2 * threads {
        return run(0, out, rows);
    }
    let share = rows.div_ceil(threads * 4).next_multiple_of(12);
    out[..(rows - 1) * stride + right.columns].par_chunks_mut(share * stride).enumerate().for_each(|(i, out)| {
        let first = i * share;
        run(first, out, share.min(rows - first));
    });
}

struct Product<'a> {
    left: Strided<'a>,
    right: &'a Packed,
    start: Start<'a>,
    band: Band,
    out: &'a mut [f32],
    stride: usize,
    /// The row of the left-hand side that the output starts with.
    first: usize,
    rows: usize,
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self) {
        if self.right.lanes == 16 { self.blocks::<L, 16>() } else { self.blocks::<L, 32>() }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn blocks<L: Level, const N: usize>(&mut self) {
        let depth = self.right.depth;
        for from in (0..depth.max(1)).step_by(DEPTH) {
            for top in (0..self.rows).step_by(HEIGHT) {
                self.panels::<L, N>(top, (top + HEIGHT).min(self.rows), from, (from + DEPTH).min(depth));
            }
        }
    }

    /// Rows `top..bottom` of all panels, for the inner steps `from..to`.
    #[inline(always)]
    fn panels<L: Level, const N: usize>(&mut self, top: usize, bottom: usize, from: usize, to: usize) {
        for panel in 0..self.right.columns.div_ceil(N) {
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
    fn tile<L: Level, const M: usize, const N: usize>(&mut self, panel: usize, row: usize, from: usize, to: usize) -> usize {
        let (column, top) = (panel * N, self.first + row);
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
                    let at = (row + i) * self.stride + column;
                    sums[..width].copy_from_slice(&self.out[at..at + width]);
                }
            }
        }
        let first = panel * self.right.room;
        let right = &self.right.data[(first + from_here) * N..(first + to) * N];
        let sums = accumulate::<L, M, N>(sums, self.left, top, from_here, right);
        for (i, sums) in sums.iter().enumerate() {
            let at = (row + i) * self.stride + column;
            self.out[at..at + width].copy_from_slice(&sums[..width]);
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
