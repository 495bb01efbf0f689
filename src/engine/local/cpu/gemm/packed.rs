//! The right-hand side of an f32 product, in panels of 32 columns (16 where that wastes less).

use half::bf16;
use rayon::prelude::*;

use super::Strided;
use super::panels::{filled, panels};
use crate::engine::local::cpu::simd::{Kernel, Level, dispatch};

/// Matrices of at least so many elements are packed on all threads.
const WORTH_SHARING: usize = 1 << 16;

/// A number as it lies in memory; kernels compute in f32.
pub(crate) trait Element: Copy + Default + Send + Sync {
    /// The nearest such number.
    fn of(x: f32) -> Self;

    /// Exactly.
    fn wide(self) -> f32;

    /// Sixteen of them, exactly.
    fn load<L: Level>(from: &[Self; 16]) -> L::Floats;
}

impl Element for f32 {
    #[inline(always)]
    fn of(x: f32) -> Self {
        x
    }

    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }

    #[inline(always)]
    fn load<L: Level>(from: &[Self; 16]) -> L::Floats {
        L::load(from)
    }
}

impl Element for bf16 {
    #[inline(always)]
    fn of(x: f32) -> Self {
        Self::from_bits((rounded(x) >> 16) as u16)
    }

    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    #[inline(always)]
    fn load<L: Level>(from: &[Self; 16]) -> L::Floats {
        L::widen(from)
    }
}

/// The nearest bf16, ties to even, as the high half of a word; NaN stays NaN.
#[inline(always)]
pub(super) fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    let nan = (bits & 0x7fff_ffff) > 0x7f80_0000;
    let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    (if nan { bits | 0x0040_0000 } else { rounded }) & 0xffff_0000
}

/// A right-hand side (depth, columns), packed into panels.
#[derive(Default, Clone)]
pub(crate) struct Packed<E = f32> {
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    /// Columns of a panel: 16 or 32.
    pub(super) lanes: usize,
    /// Inner steps that a panel has room for.
    room: usize,
    /// Panel after panel, each (room, lanes); columns beyond the last are zeros.
    data: Vec<E>,
}

/// The panel width that suits a number of columns.
fn lanes(columns: usize) -> usize {
    if columns <= 16 { 16 } else { 32 }
}

impl Packed {
    /// Packs a matrix of `depth` rows and `columns` columns.
    pub(crate) fn new(matrix: Strided<'_>, depth: usize, columns: usize) -> Self {
        let mut packed = Self::default();
        packed.refill(matrix, depth, columns);
        packed
    }

    /// Packs the transpose of a row-major matrix (columns, depth).
    pub(crate) fn of_rows(rows: &[f32], depth: usize, columns: usize) -> Self {
        assert_eq!(rows.len(), depth * columns, "not the matrix that was announced");
        Self::read(depth, columns, |first, into| into.copy_from_slice(&rows[first * depth..][..into.len()]))
    }

    /// Packs the transpose of a matrix (columns, depth), of which `read` writes whole rows from a given one on.
    pub(crate) fn read(depth: usize, columns: usize, read: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let lanes = lanes(columns);
        let data = panels(columns.div_ceil(lanes), depth * lanes, |panel, into| {
            let first = panel * lanes;
            let mut rows = vec![0.0; lanes.min(columns - first) * depth];
            read(first, &mut rows);
            let into = filled(into, 0.0);
            let matrix = Strided::rows(&rows, depth).transposed();
            dispatch(Pack { into, matrix, depth, columns: columns - first, lanes, first: 0 });
            into
        });
        Self { depth, columns, lanes, room: depth, data }
    }

    /// Packs another matrix into the same memory.
    pub(crate) fn refill(&mut self, matrix: Strided<'_>, depth: usize, columns: usize) {
        (self.depth, self.columns, self.lanes, self.room) = (depth, columns, lanes(columns), depth);
        let size = columns.div_ceil(self.lanes) * depth * self.lanes;
        self.data.resize(size, 0.0);
        let lanes = self.lanes;
        let pack = |first, into| dispatch(Pack { into, matrix, depth, columns, lanes, first });
        if size < WORTH_SHARING || depth == 0 {
            return pack(0, &mut self.data);
        }
        self.data.par_chunks_mut(depth * lanes).enumerate().for_each(|(panel, into)| pack(panel * lanes, into));
    }

    /// The transpose, (columns, depth).
    pub(crate) fn transposed(&self) -> Self {
        let (depth, columns) = (self.columns, self.depth);
        let lanes = lanes(columns);
        let data = panels(columns.div_ceil(lanes), depth * lanes, |panel, into| {
            let into = filled(into, 0.0);
            let steps = panel * lanes..((panel + 1) * lanes).min(columns);
            for (k, into) in into.chunks_exact_mut(lanes).enumerate() {
                let from = &self.panel(k / self.lanes)[k % self.lanes..];
                steps.clone().zip(into).for_each(|(step, into)| *into = from[step * self.lanes]);
            }
            into
        });
        Self { depth, columns, lanes, room: depth, data }
    }

    /// Column `column`.
    pub(crate) fn column(&self, column: usize, into: &mut [f32]) {
        let from = &self.panel(column / self.lanes)[column % self.lanes..];
        into[..self.depth].iter_mut().enumerate().for_each(|(k, into)| *into = from[k * self.lanes]);
    }
}

impl<E: Element> Packed<E> {
    /// An empty right-hand side of fixed depth to which columns are added.
    pub(crate) fn of_depth(depth: usize) -> Self {
        Self { depth, room: depth, lanes: 32, ..Self::default() }
    }

    /// How many panels there are.
    pub(super) fn panels(&self) -> usize {
        self.columns.div_ceil(self.lanes.max(1))
    }

    /// A panel: (room, lanes), of which `depth` inner steps are filled.
    #[inline(always)]
    pub(super) fn panel(&self, panel: usize) -> &[E] {
        let size = self.room * self.lanes;
        &self.data[panel * size..(panel + 1) * size]
    }

    /// Adds a column.
    pub(crate) fn push_column(&mut self, column: &[f32]) {
        let (panel, lane) = (self.columns / self.lanes, self.columns % self.lanes);
        if lane == 0 {
            self.data.reserve_exact(self.room * self.lanes); // not twice what is there: many caches grow at one time
            self.data.resize((panel + 1) * self.room * self.lanes, E::default());
        }
        let panel = &mut self.data[panel * self.room * self.lanes..];
        for (k, value) in column.iter().enumerate() {
            panel[k * self.lanes + lane] = E::of(*value);
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
            self.data[at..at + part.len()].iter_mut().zip(part).for_each(|(into, value)| *into = E::of(*value));
        }
        self.depth += 1;
    }

    fn grow(&mut self) {
        let (old, new) = (self.room * self.lanes, (self.room + (self.room / 4).next_multiple_of(16).max(16)) * self.lanes);
        let mut data = vec![E::default(); self.columns.div_ceil(self.lanes) * new];
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
    /// The column that `into` begins with.
    first: usize,
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Pack { into, matrix, depth, columns, lanes, first } = self;
        for (index, panel) in into.chunks_exact_mut(depth * lanes).enumerate() {
            let first = first + index * lanes;
            let width = lanes.min(columns - first);
            if matrix.column == 1 {
                for (k, row) in panel.as_chunks_mut::<16>().0.chunks_exact_mut(lanes / 16).enumerate() {
                    let from = k * matrix.row + first;
                    let (whole, rest) = matrix.data[from..from + width].as_chunks::<16>();
                    for (into, from) in row.iter_mut().zip(whole) {
                        L::store(L::load(from), into);
                    }
                    if let Some(into) = row.get_mut(whole.len()) {
                        into.fill(0.0);
                        into[..rest.len()].copy_from_slice(rest);
                    }
                    row.iter_mut().skip(whole.len() + 1).for_each(|into| into.fill(0.0));
                }
            } else {
                if width < lanes {
                    panel.fill(0.0);
                }
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
