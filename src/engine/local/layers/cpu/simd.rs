//! Compiles a kernel for several instruction sets and runs it on the chosen one, see [`super::level`].
//!
//! The kernels are plain loops over arrays, written so that the compiler turns them into vector instructions. Multiply-adds are fused
//! on every level but the portable one, so that AVX2 and AVX-512 give the same bits.

use super::level::{Simd, level};

/// A loop to be compiled for every level.
pub(in super::super) trait Kernel {
    /// What it returns.
    type Output;

    /// The loop. Implementations are `#[inline(always)]`, so that they take on the instruction set of their caller.
    fn run<L: Level>(self) -> Self::Output;
}

/// An instruction set.
pub(in super::super) trait Level {
    /// Whether multiply-adds are one instruction.
    const FUSED: bool;
    /// Rows of a product's tile that fit into the registers beside 32 columns.
    const ROWS: usize;
}

/// AVX-512: 32 registers of 16 floats.
#[cfg(target_arch = "x86_64")]
struct Wide;
/// AVX2 and FMA: 16 registers of 8 floats.
#[cfg(target_arch = "x86_64")]
struct Middle;
/// Whatever the target has at least.
struct Portable;

#[cfg(target_arch = "x86_64")]
impl Level for Wide {
    const FUSED: bool = true;
    const ROWS: usize = 12;
}

#[cfg(target_arch = "x86_64")]
impl Level for Middle {
    const FUSED: bool = true;
    const ROWS: usize = 3;
}

impl Level for Portable {
    const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
    const ROWS: usize = 4;
}

/// `a · b + c`, rounded once where the level can do so fast.
#[inline(always)]
pub(super) fn multiply_add<L: Level>(a: f32, b: f32, c: f32) -> f32 {
    if L::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Runs a kernel on the chosen level.
pub(super) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    run_on(level(), kernel)
}

/// Runs a kernel on a level that this processor has.
fn run_on<K: Kernel>(level: Simd, kernel: K) -> K::Output {
    match level {
        // SAFETY: `level` is one of those that the processor was found to have, for this and the next arm.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512 | Simd::Avx512Bf16 | Simd::Amx => unsafe { wide(kernel) },
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2 => unsafe { middle(kernel) },
        _ => kernel.run::<Portable>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,fma,avx2")]
fn wide<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Wide>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn middle<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Middle>()
}

/// Runs a kernel on every level that this processor has, for tests.
#[cfg(test)]
pub(super) fn on_every_level<K: Kernel + Clone>(kernel: &K) -> Vec<K::Output> {
    Simd::there().into_iter().map(|level| run_on(level, kernel.clone())).collect()
}
