//! Compiles a kernel for several instruction sets and runs it on the chosen one, see [`super::level`].
//!
//! Most kernels are plain loops over arrays, written so that the compiler turns them into vector instructions; products name theirs.
//! Multiply-adds are fused on every level but the portable one, so that AVX2 and AVX-512 give the same bits.

use half::bf16;

use super::level::{Simd, level};

/// A loop to be compiled for every level.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;

    /// The loop. Implementations are `#[inline(always)]`, so that they take on the instruction set of their caller.
    fn run<L: Level>(self) -> Self::Output;
}

/// An instruction set.
pub(crate) trait Level {
    /// Whether multiply-adds are one instruction.
    const FUSED: bool;
    /// Rows of a product's tile that fit into the registers beside 32 columns.
    const ROWS: usize;
    /// Sixteen floats in registers.
    type Floats: Copy;

    /// Sixteen zeros.
    fn zeros() -> Self::Floats;
    /// The same float sixteen times.
    fn splat(x: f32) -> Self::Floats;
    /// Sixteen floats from memory.
    fn load(from: &[f32; 16]) -> Self::Floats;
    /// Sixteen bf16 from memory.
    fn widen(from: &[bf16; 16]) -> Self::Floats;
    /// Sixteen floats to memory.
    fn store(x: Self::Floats, into: &mut [f32; 16]);
    /// `a · b + c`, as [`multiply_add`].
    fn multiply_add(a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;

    /// Tells the processor that this place in memory will soon be read; any address will do.
    #[inline(always)]
    fn prefetch(place: *const u8) {
        let _ = place;
    }
}

/// AVX-512: 32 registers of 16 floats.
#[cfg(target_arch = "x86_64")]
struct Wide;
/// AVX2 and FMA: 16 registers of 8 floats.
#[cfg(target_arch = "x86_64")]
struct Middle;
/// NEON: 32 registers of 4 floats.
#[cfg(target_arch = "aarch64")]
struct Neon;
/// Whatever the target has at least.
struct Portable;

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{
    float32x4_t, vdupq_n_f32, vfmaq_f32, vld1_u16, vld1q_f32, vmovl_u16, vreinterpretq_f32_u32, vshlq_n_u32, vst1q_f32,
};

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, __m512, _MM_HINT_T1, _mm_loadu_si128, _mm_prefetch, _mm256_castsi256_ps, _mm256_cvtepu16_epi32, _mm256_fmadd_ps,
    _mm256_loadu_ps, _mm256_loadu_si256, _mm256_set1_ps, _mm256_slli_epi32, _mm256_storeu_ps, _mm512_castsi512_ps,
    _mm512_cvtepu16_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_slli_epi32, _mm512_storeu_ps,
};

// SAFETY of the levels' instructions: kernels run on a level only inside the functions below that are compiled for it, after the
// processor was asked (NEON is part of its target); memory is reached through references to as many elements as are read or written.
#[cfg(target_arch = "x86_64")]
impl Level for Wide {
    const FUSED: bool = true;
    const ROWS: usize = 12;
    type Floats = __m512;

    #[inline(always)]
    fn zeros() -> __m512 {
        Self::splat(0.0)
    }

    #[inline(always)]
    fn splat(x: f32) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(from: &[f32; 16]) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn widen(from: &[bf16; 16]) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(from.as_ptr().cast())))) }
    }

    #[inline(always)]
    fn store(x: __m512, into: &mut [f32; 16]) {
        // SAFETY: see above.
        unsafe { _mm512_storeu_ps(into.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn multiply_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn prefetch(place: *const u8) {
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Level for Middle {
    const FUSED: bool = true;
    const ROWS: usize = 3;
    type Floats = [__m256; 2];

    #[inline(always)]
    fn zeros() -> [__m256; 2] {
        Self::splat(0.0)
    }

    #[inline(always)]
    fn splat(x: f32) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_set1_ps(x); 2] }
    }

    #[inline(always)]
    fn load(from: &[f32; 16]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
    }

    #[inline(always)]
    fn widen(from: &[bf16; 16]) -> [__m256; 2] {
        // SAFETY: see above.
        [0, 8].map(|at| unsafe {
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(from.as_ptr().add(at).cast()))))
        })
    }

    #[inline(always)]
    fn store(x: [__m256; 2], into: &mut [f32; 16]) {
        // SAFETY: see above.
        unsafe {
            _mm256_storeu_ps(into.as_mut_ptr(), x[0]);
            _mm256_storeu_ps(into.as_mut_ptr().add(8), x[1]);
        }
    }

    #[inline(always)]
    fn multiply_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: see above.
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }

    #[inline(always)]
    fn prefetch(place: *const u8) {
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) }
    }
}

#[cfg(target_arch = "aarch64")]
impl Level for Neon {
    const FUSED: bool = true;
    const ROWS: usize = 3;
    type Floats = [float32x4_t; 4];

    #[inline(always)]
    fn zeros() -> [float32x4_t; 4] {
        Self::splat(0.0)
    }

    #[inline(always)]
    fn splat(x: f32) -> [float32x4_t; 4] {
        // SAFETY: see above.
        unsafe { [vdupq_n_f32(x); 4] }
    }

    #[inline(always)]
    fn load(from: &[f32; 16]) -> [float32x4_t; 4] {
        // SAFETY: see above.
        [0, 4, 8, 12].map(|at| unsafe { vld1q_f32(from.as_ptr().add(at)) })
    }

    #[inline(always)]
    fn widen(from: &[bf16; 16]) -> [float32x4_t; 4] {
        // SAFETY: see above.
        [0, 4, 8, 12]
            .map(|at| unsafe { vreinterpretq_f32_u32(vshlq_n_u32::<16>(vmovl_u16(vld1_u16(from.as_ptr().add(at).cast())))) })
    }

    #[inline(always)]
    fn store(x: [float32x4_t; 4], into: &mut [f32; 16]) {
        for (x, into) in x.into_iter().zip(into.as_chunks_mut::<4>().0) {
            // SAFETY: see above.
            unsafe { vst1q_f32(into.as_mut_ptr(), x) }
        }
    }

    #[inline(always)]
    fn multiply_add(a: [float32x4_t; 4], b: [float32x4_t; 4], c: [float32x4_t; 4]) -> [float32x4_t; 4] {
        // SAFETY: see above.
        [0, 1, 2, 3].map(|i| unsafe { vfmaq_f32(c[i], a[i], b[i]) })
    }
}

impl Level for Portable {
    const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
    const ROWS: usize = 4;
    type Floats = [f32; 16];

    #[inline(always)]
    fn zeros() -> [f32; 16] {
        [0.0; 16]
    }

    #[inline(always)]
    fn splat(x: f32) -> [f32; 16] {
        [x; 16]
    }

    #[inline(always)]
    fn load(from: &[f32; 16]) -> [f32; 16] {
        *from
    }

    #[inline(always)]
    fn widen(from: &[bf16; 16]) -> [f32; 16] {
        from.map(|x| f32::from_bits(u32::from(x.to_bits()) << 16))
    }

    #[inline(always)]
    fn store(x: [f32; 16], into: &mut [f32; 16]) {
        *into = x;
    }

    #[inline(always)]
    fn multiply_add(a: [f32; 16], b: [f32; 16], mut c: [f32; 16]) -> [f32; 16] {
        for i in 0..16 {
            c[i] = multiply_add::<Self>(a[i], b[i], c[i]);
        }
        c
    }
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
        #[cfg(target_arch = "aarch64")]
        Simd::Neon => kernel.run::<Neon>(),
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
