//! The CPU's kernels: plain slices in, plain slices out, nothing of candle. Each element is computed in one fixed order.

#![expect(clippy::inline_always, reason = "a kernel's parts must take on the instruction set that it is compiled for")]

pub(super) mod attention;
pub(super) mod gemm;
pub(in crate::engine::local) mod level;
mod math;
pub(super) mod rows;
mod simd;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use self::simd::{Kernel, dispatch};

/// Runs a kernel on the best instruction set of this processor.
pub(super) fn run<K: Kernel>(kernel: K) -> K::Output {
    dispatch(kernel)
}

/// Whether a piece of work over so many elements is worth more than one thread.
fn shared(elements: usize) -> bool {
    elements >= 1 << 16 && rayon::current_num_threads() > 1
}

/// Cuts rows of `width` into pieces and calls `work` with each piece's first element and its output, on all threads if that pays.
pub(super) fn over_rows(out: &mut [f32], width: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    if !shared(out.len()) {
        return work(0, out);
    }
    let piece = (out.len() / width).div_ceil(rayon::current_num_threads() * 2) * width;
    out.par_chunks_mut(piece).enumerate().for_each(|(i, out)| work(i * piece, out));
}
