//! A piece on levels without bf16 instructions: both sides are widened on the way into the registers.

use super::super::sheet::Sheet;
use super::{AHEAD, LANES, Piece, TALL};
use crate::engine::local::cpu::simd::{Kernel, Level, multiply_add};

/// A piece of a product; adds its products to `sums`.
pub(super) struct Add<'a> {
    pub(super) piece: Piece<'a>,
    pub(super) sums: Sheet<'a>,
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for line in 0..self.piece.left[0].len() / TALL * AHEAD {
            L::prefetch(self.piece.ahead.wrapping_add(line).cast());
        }
        for row in (0..self.piece.tall()).step_by(4) {
            rows::<L>(self.piece, self.sums, row);
        }
    }
}

#[inline(always)]
fn rows<L: Level>(piece: Piece<'_>, sums: Sheet<'_>, row: usize) {
    // SAFETY: the sums are this task's alone.
    let place = |i: usize| unsafe { sums.part(row + i, 0, LANES) };
    let mut held = [[0.0f32; LANES]; 4];
    if piece.goes_on {
        (0..4).for_each(|i| held[i].copy_from_slice(place(i)));
    }
    for (left, right) in piece.left[row / TALL].chunks_exact(TALL).zip(piece.right.chunks_exact(TALL * 2)) {
        for (p, right) in right.as_chunks::<2>().0.iter().enumerate() {
            for i in 0..4 {
                let pair = left[row % TALL + i].0[p];
                let (a, b) = (f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000));
                for j in 0..LANES {
                    let pair = right[j / 16].0[j % 16];
                    held[i][j] = multiply_add::<L>(a, f32::from_bits(pair << 16), held[i][j]);
                    held[i][j] = multiply_add::<L>(b, f32::from_bits(pair & 0xffff_0000), held[i][j]);
                }
            }
        }
    }
    (0..4).for_each(|i| place(i).copy_from_slice(&held[i]));
}
