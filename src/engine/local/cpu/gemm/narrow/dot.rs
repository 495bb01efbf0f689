//! A piece with AVX-512's bf16 instructions.

use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps, _mm512_load_si512, _mm512_loadu_ps, _mm512_set1_epi32,
    _mm512_setzero_ps, _mm512_store_si512, _mm512_storeu_ps,
};

use super::super::sheet::Sheet;
use super::{DEEP, LANES, Line, Piece, TALL};

/// Adds a piece's products to `sums`.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn add(piece: Piece<'_>, sums: Sheet<'_>) {
    for row in (0..piece.tall()).step_by(8) {
        rows(piece, sums, row);
    }
}

/// Eight rows.
#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
fn rows(piece: Piece<'_>, sums: Sheet<'_>, row: usize) {
    // SAFETY: the sums are this task's alone.
    let place = |i: usize| unsafe { sums.part(row + i, 0, LANES) }.as_mut_ptr();
    let mut held = [[_mm512_setzero_ps(); 2]; 8];
    if piece.goes_on {
        for (i, held) in held.iter_mut().enumerate() {
            // SAFETY: a row of sums holds 32 floats.
            *held = unsafe { [_mm512_loadu_ps(place(i)), _mm512_loadu_ps(place(i).add(16))] };
        }
    }
    for (left, right) in piece.left[row / TALL].chunks_exact(TALL).zip(piece.right.chunks_exact(2 * TALL)) {
        let left: &[Line; 8] = left[row % TALL..].first_chunk().expect("eight of sixteen rows");
        let right: &[[Line; 2]; TALL] = right.as_chunks::<2>().0.try_into().expect("a tile");
        for (p, right) in right.iter().enumerate() {
            // SAFETY: a line is 64 bytes, aligned to as many.
            let pair = unsafe { [_mm512_load_si512(right[0].0.as_ptr().cast()), _mm512_load_si512(right[1].0.as_ptr().cast())] };
            for i in 0..8 {
                let value = bits(_mm512_set1_epi32(left[i].0[p] as i32));
                held[i][0] = _mm512_dpbf16_ps(held[i][0], value, bits(pair[0]));
                held[i][1] = _mm512_dpbf16_ps(held[i][1], value, bits(pair[1]));
            }
        }
    }
    for (i, held) in held.into_iter().enumerate() {
        // SAFETY: as above.
        unsafe {
            _mm512_storeu_ps(place(i), held[0]);
            _mm512_storeu_ps(place(i).add(16), held[1]);
        }
    }
}

/// Rounds up to 16 rows of `depth` floats into their tiles.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn narrow(from: &[f32], depth: usize, into: &mut [Line]) {
    for (i, row) in from.chunks_exact(depth).enumerate() {
        let (whole, rest) = row.as_chunks::<DEEP>();
        let mut last = [0.0; DEEP];
        last[..rest.len()].copy_from_slice(rest);
        let parts = whole.iter().chain((!rest.is_empty()).then_some(&last));
        for (part, lines) in parts.zip(into.chunks_exact_mut(TALL)) {
            // SAFETY: a part is 32 floats, a line 64 bytes that are aligned to as many.
            unsafe {
                let (low, high) = (_mm512_loadu_ps(part.as_ptr()), _mm512_loadu_ps(part.as_ptr().add(16)));
                _mm512_store_si512(
                    lines[i].0.as_mut_ptr().cast(),
                    std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)),
                );
            }
        }
    }
}

fn bits(x: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits without further meaning.
    unsafe { std::mem::transmute(x) }
}
