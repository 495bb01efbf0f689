//! The CPU's kernels: plain slices in, plain slices out, nothing of candle. Each element is computed in one fixed order.

#![expect(clippy::inline_always, reason = "a kernel's parts must take on the instruction set that it is compiled for")]

pub(super) mod attention;
pub(super) mod gemm;
pub(super) mod level;
mod math;
pub(super) mod rows;
mod simd;
#[cfg(test)]
mod tests;
pub(super) mod thin;

use std::mem::MaybeUninit;

use rayon::prelude::*;

pub(super) use self::simd::{Kernel, Level};

use self::simd::dispatch;

/// The instruction set that the CPU's kernels use: the best there is, or the one that `SUBLIMINAL_SIMD` names.
///
/// # Errors
/// If that is none of this processor's.
pub fn simd_level() -> crate::error::Result<&'static str> {
    level::checked().map(level::Simd::name)
}

/// The names of the instruction sets that this processor has, the best last.
pub fn simd_levels() -> Vec<&'static str> {
    level::Simd::there().into_iter().map(level::Simd::name).collect()
}

/// Runs a kernel on the best instruction set of this processor.
pub(super) fn run<K: Kernel>(kernel: K) -> K::Output {
    dispatch(kernel)
}

/// Whether a piece of work over so many elements is worth more than one thread.
fn shared(elements: usize) -> bool {
    elements >= 1 << 16 && rayon::current_num_threads() > 1
}

/// Floats that are computed where they lie, without zeros being written there first.
///
/// # Safety
/// `fill` writes every element.
unsafe fn computed(len: usize, fill: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut floats = Vec::with_capacity(len);
    fill(&mut floats.spare_capacity_mut()[..len]);
    // SAFETY: there is room for them, and all are written, by the caller's promise.
    unsafe { floats.set_len(len) };
    floats
}

/// Zeros, written by all threads if that pays: whoever writes memory first has it given by the system.
pub(super) fn zeros(len: usize) -> Vec<f32> {
    let fill = |room: &mut [MaybeUninit<f32>]| {
        over_rows(room, 16, |_, part| {
            part.fill(MaybeUninit::new(0.0));
        });
    };
    // SAFETY: every element is written.
    unsafe { computed(len, fill) }
}

/// [`over_rows`] of two outputs of one size, element by element.
fn over_both<T: Send>(a: &mut [T], b: &mut [T], work: impl Fn(usize, &mut [T], &mut [T]) + Sync) {
    if !shared(a.len()) {
        return work(0, a, b);
    }
    let piece = a.len().div_ceil(rayon::current_num_threads() * 2).next_multiple_of(16);
    a.par_chunks_mut(piece).zip(b.par_chunks_mut(piece)).enumerate().for_each(|(i, (a, b))| work(i * piece, a, b));
}

/// Cuts rows of `width` into pieces and calls `work` with each piece's first element and its output, on all threads if that pays.
pub(super) fn over_rows<T: Send>(out: &mut [T], width: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    over_rows_from(out.len(), out, width, work);
}

/// [`over_rows`] of work that reads so many elements, more than it writes.
fn over_rows_from<T: Send>(elements: usize, out: &mut [T], width: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if !shared(elements) {
        return work(0, out);
    }
    let piece = (out.len() / width).div_ceil(rayon::current_num_threads() * 2) * width;
    out.par_chunks_mut(piece).enumerate().for_each(|(i, out)| work(i * piece, out));
}
