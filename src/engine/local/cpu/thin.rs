//! Products with a thin matrix, as low-rank adapters have them: the wide side is read once, where it lies. Every element is the same chain
//! of multiply-adds as in [`super::gemm`].

use super::over_rows_from;
use super::simd::{Kernel, Level, dispatch};

/// Columns that a kernel holds in one register.
const LANES: usize = 16;

/// Columns of the wide side that one step of [`turned_product`] goes over.
const WIDE: usize = 2 * LANES;

/// Calls a function with a number of rows as a constant.
macro_rules! with_rows {
    ($rows:expr; $function:ident::<$level:ty> $arguments:tt; $($number:literal)*) => {
        match $rows {
            $($number => $function::<$level, $number> $arguments,)*
            rows => unreachable!("a block of {rows} rows"),
        }
    };
}

/// Calls a function with at most as many rows as a level's registers hold.
macro_rules! by_rows {
    ($rows:expr; $function:ident::<$level:ty> $arguments:tt) => {
        match <$level>::ROWS {
            12 => with_rows!($rows; $function::<$level> $arguments; 1 2 3 4 5 6 7 8 9 10 11 12),
            4 => with_rows!($rows; $function::<$level> $arguments; 1 2 3 4),
            _ => with_rows!($rows; $function::<$level> $arguments; 1 2 3),
        }
    };
}

/// `wide · thinᵀ` for `wide` (rows, width) and `thin` (rank, width): (rows, rank).
pub(crate) fn product(wide: &[f32], thin: &[f32], rank: usize) -> Vec<f32> {
    let width = thin.len() / rank;
    assert!(width > 0 && thin.len() == width * rank && wide.len().is_multiple_of(width), "not whole rows");
    let panels: Vec<Vec<[f32; LANES]>> = (0..rank)
        .step_by(LANES)
        .map(|first| {
            let mut panel = vec![[0.0; LANES]; width];
            for (lane, row) in thin.chunks_exact(width).skip(first).take(LANES).enumerate() {
                panel.iter_mut().zip(row).for_each(|(step, value)| step[lane] = *value);
            }
            panel
        })
        .collect();
    let mut out = vec![0.0; wide.len() / width * rank];
    over_rows_from(wide.len(), &mut out, rank, |first, out| {
        let wide = &wide[first / rank * width..][..out.len() / rank * width];
        dispatch(Rows { wide, width, panels: &panels, rank, out });
    });
    out
}

struct Rows<'a> {
    wide: &'a [f32],
    width: usize,
    /// The thin side by sixteen rows, each (width, 16).
    panels: &'a [Vec<[f32; LANES]>],
    rank: usize,
    out: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { wide, width, panels, rank, out } = self;
        for (wide, out) in wide.chunks(L::ROWS * width).zip(out.chunks_mut(L::ROWS * rank)) {
            for (index, panel) in panels.iter().enumerate() {
                by_rows!(out.len() / rank; rows::<L>(wide, panel, index * LANES, rank, out));
            }
        }
    }
}

/// `M` rows by up to sixteen columns from `first` on.
#[inline(always)]
fn rows<L: Level, const M: usize>(wide: &[f32], panel: &[[f32; LANES]], first: usize, rank: usize, out: &mut [f32]) {
    let width = panel.len();
    let mut lines = [&wide[..0]; M];
    for i in 0..M {
        lines[i] = &wide[i * width..(i + 1) * width];
    }
    let mut sums = [L::zeros(); M];
    for (k, step) in panel.iter().enumerate() {
        let step = L::load(step);
        for i in 0..M {
            sums[i] = L::multiply_add(L::splat(lines[i][k]), step, sums[i]);
        }
    }
    let columns = LANES.min(rank - first);
    for i in 0..M {
        let mut values = [0.0; LANES];
        L::store(sums[i], &mut values);
        out[i * rank + first..][..columns].copy_from_slice(&values[..columns]);
    }
}

/// `thinᵀ · wide` for `thin` (rows, rank) and `wide` (rows, width): (rank, width).
pub(crate) fn turned_product(thin: &[f32], rank: usize, wide: &[f32]) -> Vec<f32> {
    let rows = thin.len() / rank;
    assert!(rows > 0 && thin.len() == rows * rank && wide.len().is_multiple_of(rows), "not whole rows");
    let width = wide.len() / rows;
    // by columns, so that a thread's share of the result lies together; turned into rows in the end, which are few
    let mut columns = vec![0.0; width.next_multiple_of(WIDE) * rank];
    over_rows_from(wide.len(), &mut columns, WIDE * rank, |first, out| {
        dispatch(Columns { thin, rank, wide, width, first: first / rank, out });
    });
    let mut out = vec![0.0; rank * width];
    for (i, row) in out.chunks_exact_mut(width).enumerate() {
        for (row, block) in row.chunks_mut(WIDE).zip(columns.chunks_exact(WIDE * rank)) {
            row.copy_from_slice(&block[i * WIDE..][..row.len()]);
        }
    }
    out
}

struct Columns<'a> {
    thin: &'a [f32],
    rank: usize,
    wide: &'a [f32],
    width: usize,
    /// The first column.
    first: usize,
    /// Block after block of columns, each (rank, WIDE).
    out: &'a mut [f32],
}

impl Kernel for Columns<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Self { thin, rank, wide, width, first, out } = self;
        for (block, out) in out.chunks_exact_mut(WIDE * rank).enumerate() {
            let first = first + block * WIDE;
            for (row, out) in out.chunks_mut(WIDE * L::ROWS).enumerate() {
                let row = row * L::ROWS;
                by_rows!(out.len() / WIDE; columns::<L>((thin, rank, row), (wide, width, first), out));
            }
        }
    }
}

/// `M` rows of the result from row `row` on, by the columns from `first` on.
#[inline(always)]
fn columns<L: Level, const M: usize>(
    (thin, rank, row): (&[f32], usize, usize),
    (wide, width, first): (&[f32], usize, usize),
    out: &mut [f32],
) {
    let mut sums = [[L::zeros(); 2]; M];
    let there = WIDE.min(width - first);
    for (thin, wide) in thin.chunks_exact(rank).zip(wide.chunks_exact(width)) {
        let mut last = [0.0; WIDE];
        let wide = if let Some(whole) = wide[first..].first_chunk::<WIDE>() {
            whole
        } else {
            last[..there].copy_from_slice(&wide[first..]);
            &last
        };
        let halves = wide.as_chunks::<LANES>().0;
        let (low, high) = (L::load(&halves[0]), L::load(&halves[1]));
        let thin = &thin[row..row + M];
        for i in 0..M {
            let value = L::splat(thin[i]);
            sums[i][0] = L::multiply_add(value, low, sums[i][0]);
            sums[i][1] = L::multiply_add(value, high, sums[i][1]);
        }
    }
    for (sums, out) in sums.iter().zip(out.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0) {
        L::store(sums[0], &mut out[0]);
        L::store(sums[1], &mut out[1]);
    }
}
