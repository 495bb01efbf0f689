//! Element-wise mathematics and sums over rows, in one fixed order.

use super::simd::{Level, multiply_add};

/// Partial sums of a row: element i goes into sum i mod 16.
pub(super) const SUMS: usize = 16;

/// `eˣ`, within 2 units in the last place; 0 is never reached: below −87 it stays at e⁻⁸⁷.
///
/// Cephes' `expf`: the power of two is split off, the rest goes through a polynomial of degree 6.
#[inline(always)]
#[expect(clippy::excessive_precision, clippy::unreadable_literal, reason = "the constants as published")]
pub(super) fn exp<L: Level>(x: f32) -> f32 {
    const ROUND: f32 = 12582912.0; // 1.5 · 2²³: adding it leaves a whole number in the low bits
    let x = x.clamp(-87.0, 88.0);
    let shifted = multiply_add::<L>(x, std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let rest = multiply_add::<L>(whole, -0.693359375, x);
    let rest = multiply_add::<L>(whole, 2.12194440e-4, rest);
    let mut p = 1.9875691500e-4;
    for coefficient in [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1] {
        p = multiply_add::<L>(p, rest, coefficient);
    }
    let value = multiply_add::<L>(p * rest, rest, rest) + 1.0;
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    value * f32::from_bits(power)
}

/// `tanh x`, within a few units in the last place.
///
/// Cephes' `tanhf`: a polynomial near zero, `1 − 2 / (e^2x + 1)` beyond.
#[inline(always)]
#[expect(clippy::excessive_precision, clippy::unreadable_literal, reason = "the constants as published")]
pub(super) fn tanh<L: Level>(x: f32) -> f32 {
    let square = x * x;
    let mut p = -5.70498872745e-3;
    for coefficient in [2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1] {
        p = multiply_add::<L>(p, square, coefficient);
    }
    let near = multiply_add::<L>(p * square, x, x);
    let far = (1.0 - 2.0 / (exp::<L>(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

/// The sum of the partial sums, in a fixed tree.
#[inline(always)]
pub(super) fn total(sums: [f32; SUMS]) -> f32 {
    let mut sums = sums;
    let mut half = SUMS / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The last elements of a row, with others behind them: so the rest of a row goes through vectors as well.
#[inline(always)]
fn filled(rest: &[f32], other: f32) -> [f32; SUMS] {
    let mut all = [other; SUMS];
    for i in 0..SUMS {
        if i < rest.len() {
            all[i] = rest[i];
        }
    }
    all
}

/// `Σ a[i] · b[i]` of rows of one length.
#[inline(always)]
pub(super) fn dot<L: Level>(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; SUMS];
    let (a, a_rest) = a.as_chunks::<SUMS>();
    let (b, b_rest) = b.as_chunks::<SUMS>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..SUMS {
            sums[i] = multiply_add::<L>(a[i], b[i], sums[i]);
        }
    }
    let (a, b) = (filled(a_rest, 0.0), filled(b_rest, 0.0)); // 0 · 0 changes no sum
    for i in 0..SUMS {
        sums[i] = multiply_add::<L>(a[i], b[i], sums[i]);
    }
    total(sums)
}

/// The largest element.
#[inline(always)]
pub(super) fn largest(row: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; SUMS];
    let (chunks, rest) = row.as_chunks::<SUMS>();
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    for chunk in chunks {
        for i in 0..SUMS {
            most[i] = larger(most[i], chunk[i]);
        }
    }
    let rest = filled(rest, f32::NEG_INFINITY);
    for i in 0..SUMS {
        most[i] = larger(most[i], rest[i]);
    }
    let mut half = SUMS / 2;
    while half > 0 {
        for i in 0..half {
            most[i] = larger(most[i], most[i + half]);
        }
        half /= 2;
    }
    most[0]
}

/// Replaces every element by `e^(x − max)` and returns their sum.
#[inline(always)]
pub(super) fn exponentials<L: Level>(row: &mut [f32], max: f32) -> f32 {
    let mut sums = [0.0f32; SUMS];
    let (chunks, rest) = row.as_chunks_mut::<SUMS>();
    for chunk in chunks {
        for i in 0..SUMS {
            chunk[i] = exp::<L>(chunk[i] - max);
            sums[i] += chunk[i];
        }
    }
    let mut last = filled(rest, f32::NEG_INFINITY);
    for i in 0..SUMS {
        last[i] = exp::<L>(last[i] - max);
        sums[i] += if i < rest.len() { last[i] } else { 0.0 };
    }
    rest.copy_from_slice(&last[..rest.len()]);
    total(sums)
}
