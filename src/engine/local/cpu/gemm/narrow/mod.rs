//! Products of f32 rows with a bf16 matrix: the rows are rounded to bf16, products and sums are f32, in one fixed order along the inner
//! dimension whatever rows, columns or threads stand beside.
//!
//! Both sides are cut into tiles of 1 KiB, as Intel's matrix unit (AMX) takes them; the other levels read the same tiles.

use std::mem::MaybeUninit;
use std::ops::Range;

use half::bf16;
use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod dot;
mod plain;

use super::packed::rounded;
use super::panels::{filled, panels};
use super::sheet::Sheet;
#[cfg(target_arch = "x86_64")]
use crate::engine::local::cpu::level::{Simd, level};
use crate::engine::local::cpu::simd::{Kernel, Level, dispatch};

/// Whether this processor has a matrix unit for bf16 and the system lets programs use it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_matrix_unit() -> bool {
    amx::is_there()
}

/// Columns of a panel.
const LANES: usize = 32;
/// Rows and inner steps of a tile.
const TALL: usize = 16;
const DEEP: usize = 32;
/// Inner steps after which sums go back to memory, so that a panel's part stays near.
const DEPTH: usize = 2048;

/// Lines of the right-hand side that stay in the second cache while all rows go over them: a MiB.
const NEAR: usize = 1 << 14;

/// Lines of the next panel that a piece asks for with each tile.
const AHEAD: usize = 8;

/// One line of a tile: 16 pairs of neighbouring inner steps, the first in the low half of each word.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub(crate) struct Line([u32; 16]);

/// A right-hand side (depth, columns) in bf16: panel after panel of 32 columns, each a pair of lines for every two inner steps.
#[derive(Default, Clone)]
pub(crate) struct Narrow {
    depth: usize,
    columns: usize,
    data: Vec<Line>,
}

/// The left-hand side in bf16: for every 16 rows one tile after the other along the inner dimension, a line a row.
#[derive(Default)]
pub(crate) struct Left {
    rows: usize,
    tiles: usize,
    data: Vec<Line>,
}

fn tiles(depth: usize) -> usize {
    depth.div_ceil(DEEP)
}

impl Narrow {
    /// Packs the transpose of a row-major matrix (columns, depth).
    pub(crate) fn of_rows(rows: &[bf16], depth: usize, columns: usize) -> Self {
        assert_eq!(rows.len(), depth * columns, "not the matrix that was announced");
        Self::read(depth, columns, |first, into| into.copy_from_slice(&rows[first * depth..][..into.len()]))
    }

    /// Packs the transpose of a matrix (columns, depth), of which `read` writes whole rows from a given one on.
    pub(crate) fn read(depth: usize, columns: usize, read: impl Fn(usize, &mut [bf16]) + Sync) -> Self {
        let data = panels(columns.div_ceil(LANES), tiles(depth) * TALL * 2, |panel, lines| {
            let mut rows = vec![bf16::ZERO; TALL * depth];
            for half in 0..LANES / TALL {
                let first = panel * LANES + half * TALL;
                let rows = &mut rows[..TALL.min(columns.saturating_sub(first)) * depth];
                if !rows.is_empty() {
                    read(first, rows);
                }
                dispatch(Woven { rows, depth, lines, half });
            }
            // SAFETY: both lines of every pair are written.
            unsafe { lines.assume_init_mut() }
        });
        Self { depth, columns, data }
    }

    /// The transpose, (columns, depth).
    pub(crate) fn transposed(&self) -> Self {
        let (depth, columns) = (self.columns, self.depth);
        let data = panels(columns.div_ceil(LANES), tiles(depth) * TALL * 2, |panel, lines| {
            let lines = filled(lines, Line::default());
            for (p, pair) in lines.chunks_exact_mut(2).enumerate().take(depth.div_ceil(2)) {
                // two neighbouring columns, in one line of the old panel
                let from = &self.panel(2 * p / LANES)[panel * TALL * 2..];
                let (half, lane) = (2 * p % LANES / 16, 2 * p % 16);
                for q in 0..TALL.min(from.len() / 2) {
                    let (low, high) = (from[2 * q + half].0[lane], from[2 * q + half].0[lane + 1]);
                    pair[q / 8].0[2 * q % 16] = low & 0xffff | high << 16;
                    pair[q / 8].0[2 * q % 16 + 1] = low >> 16 | high & 0xffff_0000;
                }
            }
            lines
        });
        Self { depth, columns, data }
    }

    /// Column `column`, as f32.
    pub(crate) fn column(&self, column: usize, into: &mut [f32]) {
        let panel = self.panel(column / LANES);
        let (half, lane) = (column % LANES / 16, column % 16);
        for (pair, into) in panel.chunks_exact(2).zip(into[..self.depth].chunks_mut(2)) {
            let word = pair[half].0[lane];
            into[0] = f32::from_bits(word << 16);
            if let Some(second) = into.get_mut(1) {
                *second = f32::from_bits(word & 0xffff_0000);
            }
        }
    }

    /// How many columns there are.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// How many inner steps there are.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    fn panel(&self, panel: usize) -> &[Line] {
        let lines = tiles(self.depth) * TALL * 2;
        &self.data[panel * lines..(panel + 1) * lines]
    }
}

/// Packs up to 16 rows of the transpose of a right-hand side, zeros for those that there are fewer, a tile at a time, so that both sides stay
/// in the first cache.
struct Woven<'a> {
    rows: &'a [bf16],
    depth: usize,
    /// The panel's pairs of lines.
    lines: &'a mut [MaybeUninit<Line>],
    /// Which line of each pair.
    half: usize,
}

impl Kernel for Woven<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { rows, depth, lines, half } = self;
        for (tile, lines) in lines.chunks_exact_mut(2 * TALL).enumerate() {
            let mut words = [[0u32; TALL]; TALL]; // (rows, pairs)
            for (row, words) in rows.chunks_exact(depth).zip(&mut words) {
                let part = &row[tile * DEEP..depth.min((tile + 1) * DEEP)];
                let mut whole = [bf16::ZERO; DEEP];
                let part = part.first_chunk::<DEEP>().unwrap_or_else(|| {
                    whole[..part.len()].copy_from_slice(part);
                    &whole
                });
                for (word, [low, high]) in words.iter_mut().zip(part.as_chunks::<2>().0) {
                    *word = u32::from(low.to_bits()) | u32::from(high.to_bits()) << 16;
                }
            }
            for (p, line) in lines.iter_mut().skip(half).step_by(2).enumerate() {
                let line = line.write(Line::default());
                line.0.iter_mut().zip(&words).for_each(|(word, row)| *word = row[p]);
            }
        }
    }
}

/// Rounds up to 16 rows into their tiles.
fn narrow(from: &[f32], depth: usize, into: &mut [Line]) {
    #[cfg(target_arch = "x86_64")]
    if level() >= Simd::Avx512Bf16 {
        // SAFETY: the processor has the instructions, or this level would not have been chosen.
        return unsafe { dot::narrow(from, depth, into) };
    }
    dispatch(Narrowed { from, depth, into });
}

struct Narrowed<'a> {
    from: &'a [f32],
    depth: usize,
    into: &'a mut [Line],
}

impl Kernel for Narrowed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for (i, row) in self.from.chunks_exact(self.depth).enumerate() {
            let (whole, rest) = row.as_chunks::<DEEP>();
            for (tile, part) in whole.iter().enumerate() {
                let line = &mut self.into[tile * TALL + i].0;
                for p in 0..16 {
                    line[p] = rounded(part[2 * p]) >> 16 | rounded(part[2 * p + 1]);
                }
            }
            if !rest.is_empty() {
                let mut part = [0.0f32; DEEP];
                part[..rest.len()].copy_from_slice(rest);
                let line = &mut self.into[whole.len() * TALL + i].0;
                for p in 0..16 {
                    line[p] = rounded(part[2 * p]) >> 16 | rounded(part[2 * p + 1]);
                }
            }
        }
    }
}

impl Left {
    /// Rounds rows of `depth` floats.
    pub(crate) fn of(rows: &[f32], depth: usize) -> Self {
        let mut left = Self::default();
        left.refill(rows, depth);
        left
    }

    /// Rounds rows of `depth` floats.
    pub(crate) fn refill(&mut self, rows: &[f32], depth: usize) {
        self.tiles = tiles(depth);
        self.rows = rows.len() / depth;
        let lines = self.tiles * TALL;
        self.data.resize(self.rows.div_ceil(TALL) * lines, Line::default());
        let blocks = rows.chunks(TALL * depth).zip(self.data.chunks_exact_mut(lines));
        let narrow = |(from, into): (&[f32], &mut [Line])| narrow(from, depth, into);
        if rows.len() < 1 << 16 {
            blocks.for_each(narrow);
        } else {
            rows.par_chunks(TALL * depth).zip(self.data.par_chunks_exact_mut(lines)).for_each(narrow);
        }
    }
}

/// `out[i, j] = bias[j] + Σ_k left[i, k] · right[k, j]`; without a bias from zero.
pub(crate) fn product(left: &Left, right: &Narrow, bias: Option<&[f32]>, out: &mut [f32], stride: usize) {
    run(&[Wanted { left, right, bias, sheet: Sheet::new(out, stride, left.rows, right.columns) }]);
}

/// The products of one left-hand side with several right-hand sides and their biases, each (rows, columns) in memory of its own.
pub(crate) fn fresh(left: &Left, rights: &[(&Narrow, Option<&[f32]>)]) -> Vec<Vec<f32>> {
    let mut all: Vec<_> = rights.iter().map(|(right, _)| Vec::with_capacity(left.rows * right.columns)).collect();
    let mut wanted = Vec::with_capacity(rights.len());
    for (out, &(right, bias)) in all.iter_mut().zip(rights) {
        assert!(right.depth > 0, "an empty sum would write nothing");
        let room = &mut out.spare_capacity_mut()[..left.rows * right.columns];
        wanted.push(Wanted { left, right, bias, sheet: Sheet::unwritten(room, right.columns, left.rows, right.columns) });
    }
    run(&wanted);
    for (out, (right, _)) in all.iter_mut().zip(rights) {
        // SAFETY: there is room for them, and a product writes every element of its sheet.
        unsafe { out.set_len(left.rows * right.columns) };
    }
    all
}

/// A product and where it belongs.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    left: &'a Left,
    right: &'a Narrow,
    bias: Option<&'a [f32]>,
    sheet: Sheet<'a>,
}

/// Computes products, on all threads if that pays.
fn run(wanted: &[Wanted<'_>]) {
    let threads = rayon::current_num_threads();
    let size: usize = wanted.iter().map(|w| w.left.rows * w.right.columns * w.right.depth).sum();
    let alone = threads == 1 || size < 1 << 21;
    let tasks = wanted.iter().flat_map(|&wanted| {
        let Wanted { left, right, .. } = wanted;
        assert_eq!(left.tiles, tiles(right.depth), "the inner dimensions differ");
        let panels = if left.rows == 0 { 0 } else { right.columns.div_ceil(LANES) };
        let near = (NEAR / (2 * TALL * left.tiles.clamp(1, DEPTH / DEEP))).max(1);
        let share = if alone { near } else { near.min(panels.div_ceil(threads * 2)).max(1) };
        (0..panels.div_ceil(share)).map(move |i| Task { wanted, panels: i * share..((i + 1) * share).min(panels) })
    });
    if alone { tasks.for_each(Task::run) } else { tasks.collect::<Vec<_>>().into_par_iter().for_each(Task::run) }
}

/// Some panels of a product: nobody else writes their columns.
struct Task<'a> {
    wanted: Wanted<'a>,
    panels: Range<usize>,
}

/// A piece of a panel's product: 16 or 32 rows, 32 columns, some tiles along the inner dimension.
#[derive(Clone, Copy)]
struct Piece<'a> {
    /// The tiles of the first 16 rows, and of the next 16, if there are any.
    left: [&'a [Line]; 2],
    /// As many pairs of lines as the left side's tiles have lines.
    right: &'a [Line],
    /// Whether the sums go on from what they hold instead of from zero.
    goes_on: bool,
    /// What will be read soon, eight lines for each of its tiles; may be null.
    ahead: *const Line,
}

impl Piece<'_> {
    fn tall(&self) -> usize {
        if self.left[1].is_empty() { TALL } else { 2 * TALL }
    }
}

/// The sums of a piece.
type Sums = [[f32; LANES]; 2 * TALL];

#[repr(C, align(64))]
struct Aligned(Sums);

impl Task<'_> {
    fn run(self) {
        #[cfg(target_arch = "x86_64")]
        if level() == Simd::Amx {
            // SAFETY: this level was only chosen because the unit is there.
            let unit = unsafe { amx::Tiles::configure() };
            return self.pieces(|piece, sums| unit.add(piece, sums));
        }
        #[cfg(target_arch = "x86_64")]
        if level() == Simd::Avx512Bf16 {
            // SAFETY: the processor has the instructions, or this level would not have been chosen.
            return self.pieces(|piece, sums| unsafe { dot::add(piece, sums) });
        }
        self.pieces(|piece, sums| dispatch(plain::Add { piece, sums }));
    }

    fn pieces(&self, add: impl Fn(Piece<'_>, Sheet<'_>)) {
        let mut spare = Aligned([[0.0; LANES]; 2 * TALL]);
        let (all, tiles) = (self.wanted.sheet.rows().div_ceil(2 * TALL), self.wanted.left.tiles);
        if self.wanted.left.data.len() <= NEAR {
            // the left-hand side stays near: each panel is read once, while its rows' products ask for the next
            for panel in self.panels.clone() {
                for from in (0..tiles).step_by(DEPTH / DEEP) {
                    (0..all).for_each(|row| self.piece(row, panel, from, &mut spare.0, &add));
                }
            }
        } else {
            for from in (0..tiles).step_by(DEPTH / DEEP) {
                for row in 0..all {
                    self.panels.clone().for_each(|panel| self.piece(row, panel, from, &mut spare.0, &add));
                }
            }
        }
    }

    /// Computes piece `row` of a panel from tile `from` on where it belongs; one that does not fit there beside the output, and then
    /// moves it.
    #[inline(always)]
    fn piece(&self, row: usize, panel: usize, from: usize, spare: &mut Sums, add: &impl Fn(Piece<'_>, Sheet<'_>)) {
        let (rows, tiles) = (self.wanted.sheet.rows(), self.wanted.left.tiles);
        let to = (from + DEPTH / DEEP).min(tiles);
        let lines = |block: usize| {
            let there = if block * TALL < rows { (block * tiles + from) * TALL..(block * tiles + to) * TALL } else { 0..0 };
            &self.wanted.left.data[there]
        };
        let right = &self.wanted.right.panel(panel)[from * TALL * 2..to * TALL * 2];
        let next = right.as_ptr().wrapping_add(right.len() + row * (to - from) * AHEAD);
        let piece = Piece {
            left: [lines(2 * row), lines(2 * row + 1)],
            right,
            goes_on: from > 0 || self.wanted.bias.is_some(),
            ahead: if row < 2 * TALL / AHEAD { next } else { std::ptr::null() },
        };
        let (row, column) = (row * 2 * TALL, panel * LANES);
        let (tall, wide) = (piece.tall().min(rows - row), LANES.min(self.wanted.right.columns - column));
        // SAFETY: these columns are this task's alone.
        let place = |i: usize| unsafe { self.wanted.sheet.part(row + i, column, wide) };
        if let Some(bias) = self.wanted.bias.filter(|_| from == 0) {
            (0..tall).for_each(|i| place(i).copy_from_slice(&bias[column..column + wide]));
        }
        if tall == piece.tall() && wide == LANES {
            // SAFETY: as above.
            return add(piece, unsafe { self.wanted.sheet.cut(row, column, tall, wide) });
        }
        if piece.goes_on {
            (0..tall).for_each(|i| spare[i][..wide].copy_from_slice(place(i)));
        }
        add(piece, Sheet::new(spare.as_flattened_mut(), LANES, 2 * TALL, LANES));
        (0..tall).for_each(|i| place(i).copy_from_slice(&spare[i][..wide]));
    }
}
