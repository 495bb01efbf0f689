//! `e^x` over a vocabulary, in arithmetic of its own: the same bits on every machine and every instruction set.

#![expect(clippy::inline_always, reason = "a kernel's parts must take on the instruction set that it is compiled for")]

use crate::engine::local::cpu::{self, Kernel, Level};

/// `e^x` for `x ≤ 0`, to 2 units in the last place, by range reduction and Cephes' polynomial (Moshier, `expf`). No multiply-add is fused,
/// so that every level gives the same bits.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2^23: adding it leaves the nearest whole number in the low bits
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4_f32;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    (p * r * r + r + 1.0) * power
}

/// Makes `e^((x − top) · scale)` of every value; `top` is the largest of them.
pub(super) fn weigh(values: &mut [f32], top: f32, scale: f32) {
    cpu::run(Weigh { values, top, scale });
}

/// [`weigh`] as a loop for every level.
struct Weigh<'a> {
    values: &'a mut [f32],
    top: f32,
    scale: f32,
}

impl Kernel for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for value in self.values {
            *value = exp((*value - self.top) * self.scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_exponential_agrees_with_the_library() {
        for i in 0..=86_000 {
            let x = -i as f32 / 1000.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2.5e-7, "exp({x})");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn the_best_level_gives_the_same_bits_as_one_value_at_a_time() {
        let values: Vec<f32> = (0..1_003).map(|i| ((i * 7_919) % 1_000) as f32 / -31.0).collect();
        let mut weights = values.clone();
        weigh(&mut weights, 0.0, 1.25);
        for (value, weight) in values.iter().zip(weights) {
            assert_eq!(exp(value * 1.25).to_bits(), weight.to_bits(), "{value}");
        }
    }
}
