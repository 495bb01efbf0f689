//! The left-hand side of an f32 product, packed as its kernel reads it: blocks of as many rows as a tile has.

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

use super::{NEAR, Strided};
use crate::engine::local::cpu::simd::{Kernel, Level, dispatch};

/// Inner steps that lie together in a block, row by row or step by step.
pub(super) const RUN: usize = 16;

/// A left-hand side's rows by tiles: block after block of as many rows as a tile has, each in runs of 16 inner steps. A run is
/// (rows, 16), or (16, rows) where rows are neighbours in memory; what is beyond the last step holds anything.
pub(super) struct Blocks {
    /// The first row.
    pub(super) top: usize,
    pub(super) rows: usize,
    /// Inner steps, a whole number of runs.
    pub(super) depth: usize,
    /// Rows of every block but the last.
    pub(super) height: usize,
    /// Whether runs are (16, rows).
    pub(super) turned: bool,
    pub(super) data: Vec<f32>,
}

thread_local! {
    /// The memory of the blocks that this thread dropped last: products follow each other closely.
    static SPARE: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

impl Drop for Blocks {
    fn drop(&mut self) {
        if self.data.capacity() <= 4 * NEAR {
            SPARE.set(std::mem::take(&mut self.data)); // what a whole vocabulary took goes back to the system
        }
    }
}

impl Blocks {
    /// Rows `rows` of a matrix of `depth` columns.
    pub(super) fn pack(left: Strided<'_>, rows: Range<usize>, depth: usize) -> Self {
        let height = dispatch(Height);
        let (turned, whole) = (left.column != 1, depth.next_multiple_of(RUN));
        let mut data = SPARE.take();
        data.resize(rows.len() * whole, 0.0);
        let pack = |(i, into): (usize, &mut [f32])| {
            let part = Part { left, top: rows.start + i * height, depth, into };
            if turned { dispatch(Turn(part)) } else { dispatch(Copy(part)) }
        };
        let size = (height * whole).max(1);
        if data.len() < 1 << 16 {
            data.chunks_mut(size).enumerate().for_each(pack);
        } else {
            data.par_chunks_mut(size).enumerate().for_each(pack);
        }
        Self { top: rows.start, rows: rows.len(), depth: whole, height, turned, data }
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

/// A block of rows to be packed.
struct Part<'a> {
    left: Strided<'a>,
    top: usize,
    depth: usize,
    into: &'a mut [f32],
}

/// Copies rows by runs.
struct Copy<'a>(Part<'a>);

impl Kernel for Copy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Part { left, top, depth, into } = self.0;
        let tall = into.len() / depth.next_multiple_of(RUN);
        let into = into.as_chunks_mut::<RUN>().0;
        for i in 0..tall {
            let at = (top + i) * left.row;
            let (runs, rest) = left.data[at..at + depth].as_chunks::<RUN>();
            for (run, from) in runs.iter().enumerate() {
                L::store(L::load(from), &mut into[run * tall + i]);
            }
            if !rest.is_empty() {
                into[runs.len() * tall + i][..rest.len()].copy_from_slice(rest);
            }
        }
    }
}

/// Copies steps of neighbouring rows.
struct Turn<'a>(Part<'a>);

impl Kernel for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Part { left, top, depth, into } = self.0;
        let tall = into.len() / depth.next_multiple_of(RUN);
        for (k, into) in into.chunks_exact_mut(tall).enumerate().take(depth) {
            let from = &left.data[top * left.row + k * left.column..];
            if left.row == 1 {
                into.copy_from_slice(&from[..tall]);
            } else {
                into.iter_mut().zip(from.iter().step_by(left.row)).for_each(|(into, x)| *into = *x);
            }
        }
    }
}
