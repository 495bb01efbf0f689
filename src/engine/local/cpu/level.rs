//! Which of the processor's instruction sets the kernels use: the best there is, or the one that `SUBLIMINAL_SIMD` names.

use std::sync::OnceLock;

use crate::error::{Error, Result};

/// The variable that forces a level.
const VARIABLE: &str = "SUBLIMINAL_SIMD";

/// Instruction sets, from the least to the best of each kind of processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Simd {
    /// Whatever the compiler makes of plain loops with what the target has at least.
    Portable,
    /// NEON, which every AArch64 has.
    Neon,
    /// AVX2 with fused multiply-adds.
    Avx2,
    /// AVX-512 (F, VL, DQ).
    Avx512,
    /// AVX-512 with products of bf16 pairs.
    Avx512Bf16,
    /// The same, and Intel's matrix unit for bf16.
    Amx,
}

impl Simd {
    const ALL: [Self; 6] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512, Self::Avx512Bf16, Self::Amx];

    /// Its name in the environment and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512-bf16",
            Self::Amx => "amx",
        }
    }

    /// Its name where it rounds otherwise than others do: in f32 without fused multiply-adds, in bf16 by the order in which pairs are
    /// added.
    pub(crate) fn rounding(self, narrow: bool) -> Option<&'static str> {
        let fused = self != Self::Portable || cfg!(any(target_arch = "aarch64", target_feature = "fma"));
        let pairs = narrow && matches!(self, Self::Avx512Bf16 | Self::Amx);
        (pairs || !fused).then(|| self.name())
    }

    /// The levels that this processor has, the best last.
    pub(crate) fn there() -> Vec<Self> {
        Self::ALL.into_iter().filter(|level| level.is_there()).collect()
    }

    #[cfg(target_arch = "x86_64")]
    fn is_there(self) -> bool {
        match self {
            Self::Portable => true,
            Self::Neon => false,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Avx512 => {
                Self::Avx2.is_there()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
            }
            Self::Avx512Bf16 => {
                Self::Avx512.is_there() && is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw")
            }
            Self::Amx => Self::Avx512Bf16.is_there() && super::gemm::narrow::has_matrix_unit(),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_there(self) -> bool {
        self == Self::Portable || self == Self::Neon && cfg!(target_arch = "aarch64")
    }
}

/// The level in use.
///
/// # Panics
/// If the environment asks for one that is not there: [`chosen`] tells before any kernel runs.
pub(crate) fn level() -> Simd {
    *chosen().as_ref().expect("asked about when the device was chosen")
}

/// The level in use, or why there is none.
///
/// # Errors
/// If the environment names a level that is unknown or that this processor does not have.
pub(crate) fn checked() -> Result<Simd> {
    chosen().as_ref().copied().map_err(|(message, hint)| Error::environment(message.clone()).hint(hint.clone()))
}

fn chosen() -> &'static std::result::Result<Simd, (String, String)> {
    static CHOSEN: OnceLock<std::result::Result<Simd, (String, String)>> = OnceLock::new();
    CHOSEN.get_or_init(|| choose(std::env::var(VARIABLE).ok().as_deref(), &Simd::there()))
}

fn choose(asked: Option<&str>, there: &[Simd]) -> std::result::Result<Simd, (String, String)> {
    let best = there.last().copied().unwrap_or(Simd::Portable);
    let Some(asked) = asked else { return Ok(best) };
    let names: Vec<String> = there.iter().map(|level| format!("`{}`", level.name())).collect();
    let found = there.iter().copied().find(|level| level.name() == asked);
    found.ok_or_else(|| {
        let hint = format!("unset it to use `{}`; this processor has {}", best.name(), names.join(", "));
        (format!("`{VARIABLE}` asks for `{asked}`, which is no instruction set of this processor"), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_level_is_taken_unless_another_is_named() {
        let there = [Simd::Portable, Simd::Avx2];
        assert_eq!(choose(None, &there), Ok(Simd::Avx2));
        assert_eq!(choose(Some("portable"), &there), Ok(Simd::Portable));
        let (message, hint) = choose(Some("amx"), &there).expect_err("it has none");
        assert!(message.contains("`SUBLIMINAL_SIMD` asks for `amx`"), "{message}");
        assert!(hint.contains("use `avx2`; this processor has `portable`, `avx2`"), "{hint}");
        assert!(choose(Some("mmx"), &there).is_err());
    }

    #[test]
    fn every_processor_has_the_portable_level() {
        assert_eq!(Simd::there().first(), Some(&Simd::Portable));
    }
}
