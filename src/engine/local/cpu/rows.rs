//! Kernels that go over rows once: the norm, the gated activation and the soft cap, forward and backward.

use std::mem::MaybeUninit;

use super::math::{SUMS, dot, exp, tanh};
use super::simd::{Kernel, Level, dispatch, multiply_add};
use super::{computed, over_both, over_rows};

/// Root-mean-square norm of every row of `x`, times `weight`.
pub(crate) fn normed(x: &[f32], weight: &[f32], eps: f32) -> Vec<f32> {
    assert!(x.len().is_multiple_of(weight.len()), "not whole rows");
    let fill = |room: &mut [_]| {
        over_rows(room, weight.len(), |first, out| dispatch(Normed { x: &x[first..first + out.len()], weight, eps, out }));
    };
    // SAFETY: the kernel writes every element of whole rows.
    unsafe { computed(x.len(), fill) }
}

struct Normed<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    out: &'a mut [MaybeUninit<f32>],
}

#[inline(always)]
fn inverse_rms<L: Level>(row: &[f32], eps: f32) -> f32 {
    1.0 / (dot::<L>(row, row) / row.len() as f32 + eps).sqrt()
}

impl Kernel for Normed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let width = self.weight.len();
        for (x, out) in self.x.chunks_exact(width).zip(self.out.chunks_exact_mut(width)) {
            let inverse = inverse_rms::<L>(x, self.eps);
            for ((out, x), weight) in out.iter_mut().zip(x).zip(self.weight) {
                out.write(x * inverse * weight);
            }
        }
    }
}

/// The norm's backward: with `n = x / rms`, `dx = (dy·w − n · mean(dy·w·n)) / rms` and `dw = Σ_rows dy · n`.
pub(crate) struct NormedBackward<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) eps: f32,
    pub(crate) grad: &'a [f32],
    pub(crate) grad_x: &'a mut [f32],
    /// Empty where the weight is frozen.
    pub(crate) grad_weight: &'a mut [f32],
}

impl Kernel for NormedBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let width = self.weight.len();
        let rows = self.x.chunks_exact(width).zip(self.grad.chunks_exact(width)).zip(self.grad_x.chunks_exact_mut(width));
        for ((x, grad), grad_x) in rows {
            let inverse = inverse_rms::<L>(x, self.eps);
            for ((out, g), w) in grad_x.iter_mut().zip(grad).zip(self.weight) {
                *out = g * w;
            }
            let pull = dot::<L>(grad_x, x) * inverse * inverse / width as f32;
            for (out, x) in grad_x.iter_mut().zip(x) {
                *out = multiply_add::<L>(-pull, *x, *out) * inverse;
            }
            for ((sum, g), x) in self.grad_weight.iter_mut().zip(grad).zip(x) {
                *sum = multiply_add::<L>(g * inverse, *x, *sum);
            }
        }
    }
}

/// What a gate goes through.
pub(crate) trait Activation {
    /// `activation(gate) · up`.
    fn gate<L: Level>(&self, gate: f32, up: f32) -> f32;

    /// The activation's value and its slope.
    fn value_and_slope<L: Level>(&self, gate: f32) -> (f32, f32);
}

/// `x · σ(x)`, with `σ(x) = 1 / (1 + e^(−x))`.
#[derive(Clone, Copy)]
pub(crate) struct Silu;

impl Activation for Silu {
    #[inline(always)]
    fn gate<L: Level>(&self, gate: f32, up: f32) -> f32 {
        gate * up / (1.0 + exp::<L>(-gate))
    }

    #[inline(always)]
    fn value_and_slope<L: Level>(&self, gate: f32) -> (f32, f32) {
        let sigmoid = 1.0 / (1.0 + exp::<L>(-gate));
        let silu = gate * sigmoid;
        (silu, multiply_add::<L>(silu, 1.0 - sigmoid, sigmoid))
    }
}

/// GELU in its tanh form: `x/2 · (1 + tanh u)` with `u = √(2/π) (x + 0.044715 x³)`, which is `x · σ(2u)`.
#[derive(Clone, Copy)]
pub(crate) struct Gelu;

/// `2u = x (LINEAR + CUBIC x²)`.
const LINEAR: f32 = 1.595_769_2;
const CUBIC: f32 = 0.071_354_814;

impl Activation for Gelu {
    #[inline(always)]
    fn gate<L: Level>(&self, gate: f32, up: f32) -> f32 {
        let inner = gate * multiply_add::<L>(gate * gate, CUBIC, LINEAR);
        gate * up / (1.0 + exp::<L>(-inner))
    }

    #[inline(always)]
    fn value_and_slope<L: Level>(&self, gate: f32) -> (f32, f32) {
        let square = gate * gate;
        let sigmoid = 1.0 / (1.0 + exp::<L>(-(gate * multiply_add::<L>(square, CUBIC, LINEAR))));
        let gelu = gate * sigmoid;
        let steepness = multiply_add::<L>(square, 3.0 * CUBIC, LINEAR);
        (gelu, multiply_add::<L>(gelu * (1.0 - sigmoid), steepness, sigmoid))
    }
}

/// `activation(gate) · up`, element by element.
pub(crate) fn gated_unit<A: Activation + Copy + Sync>(activation: A, gate: &[f32], up: &[f32]) -> Vec<f32> {
    assert_eq!(gate.len(), up.len(), "gate and up differ in size");
    let fill = |room: &mut [_]| {
        over_rows(room, 16, |first, out| {
            let part = first..first + out.len();
            dispatch(GatedUnit { activation, gate: &gate[part.clone()], up: &up[part], out });
        });
    };
    // SAFETY: the kernel writes every element.
    unsafe { computed(gate.len(), fill) }
}

struct GatedUnit<'a, A> {
    activation: A,
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
}

impl<A: Activation> Kernel for GatedUnit<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for ((out, gate), up) in self.out.iter_mut().zip(self.gate).zip(self.up) {
            out.write(self.activation.gate::<L>(*gate, *up));
        }
    }
}

/// The gradients of `gate` and of `up`, given that of [`gated_unit`].
pub(crate) fn gated_unit_backward<A: Activation + Copy + Sync>(
    activation: A,
    gate: &[f32],
    up: &[f32],
    grad: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    assert!(gate.len() == up.len() && up.len() == grad.len(), "gate, up and their gradient differ in size");
    let len = gate.len();
    let mut of_up = Vec::new();
    let fill = |of_gate: &mut [MaybeUninit<f32>]| {
        let fill = |of_up: &mut [MaybeUninit<f32>]| {
            over_both(of_gate, of_up, |first, of_gate, of_up| {
                let part = first..first + of_gate.len();
                let (gate, up, grad) = (&gate[part.clone()], &up[part.clone()], &grad[part]);
                dispatch(GatedUnitBackward { activation, gate, up, grad, into: (of_gate, of_up) });
            });
        };
        // SAFETY: the kernel writes every element.
        of_up = unsafe { computed(len, fill) };
    };
    // SAFETY: as above.
    let of_gate = unsafe { computed(len, fill) };
    (of_gate, of_up)
}

struct GatedUnitBackward<'a, A> {
    activation: A,
    gate: &'a [f32],
    up: &'a [f32],
    grad: &'a [f32],
    /// The gradients of `gate` and of `up`.
    into: (&'a mut [MaybeUninit<f32>], &'a mut [MaybeUninit<f32>]),
}

impl<A: Activation> Kernel for GatedUnitBackward<'_, A> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let inputs = self.gate.iter().zip(self.up).zip(self.grad);
        let (into_gate, into_up) = self.into;
        for (((gate, up), grad), (grad_gate, grad_up)) in inputs.zip(into_gate.iter_mut().zip(into_up)) {
            let (value, slope) = self.activation.value_and_slope::<L>(*gate);
            grad_up.write(grad * value);
            grad_gate.write(grad * up * slope);
        }
    }
}

/// `cap · tanh(x / cap)`, in place.
pub(crate) struct SoftCap<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) cap: f32,
    /// Takes the slope at every value; empty where nobody asks.
    pub(crate) slopes: &'a mut [f32],
}

impl Kernel for SoftCap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        soften::<L>(self.values, self.cap, self.slopes);
    }
}

/// [`SoftCap`] as a part of other kernels.
#[inline(always)]
pub(super) fn soften<L: Level>(values: &mut [f32], cap: f32, slopes: &mut [f32]) {
    for (slope, x) in slopes.iter_mut().zip(&*values) {
        let t = tanh::<L>(x / cap);
        *slope = multiply_add::<L>(-t, t, 1.0);
    }
    for x in values {
        *x = cap * tanh::<L>(*x / cap);
    }
}

/// `x + y`, element by element.
pub(crate) fn sums(x: &[f32], y: &[f32]) -> Vec<f32> {
    assert_eq!(x.len(), y.len(), "the summands differ in size");
    let fill = |room: &mut [_]| {
        over_rows(room, 16, |first, out| {
            let part = first..first + out.len();
            dispatch(Sums { x: &x[part.clone()], y: &y[part], out });
        });
    };
    // SAFETY: the kernel writes every element.
    unsafe { computed(x.len(), fill) }
}

struct Sums<'a> {
    x: &'a [f32],
    y: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for ((out, x), y) in self.out.iter_mut().zip(self.x).zip(self.y) {
            out.write(x + y);
        }
    }
}

/// Adds every row of `rows` to `sums`.
pub(crate) struct ColumnSums<'a> {
    pub(crate) rows: &'a [f32],
    pub(crate) sums: &'a mut [f32],
}

impl Kernel for ColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let width = self.sums.len();
        for row in self.rows.chunks_exact(width) {
            for (sum, x) in self.sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

/// For every row of logits the log of the sum of exponentials; the row is left holding `e^(logit − max)`, to be divided by the sum.
pub(crate) struct LogSums<'a> {
    pub(crate) logits: &'a mut [f32],
    pub(crate) width: usize,
    /// For every row: the log-sum, and one over the sum of the exponentials.
    pub(crate) out: &'a mut [(f32, f32)],
}

impl Kernel for LogSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for (row, out) in self.logits.chunks_exact_mut(self.width).zip(self.out) {
            let max = super::math::largest(row);
            let sum = super::math::exponentials::<L>(row, max);
            *out = (max + sum.ln(), 1.0 / sum);
        }
    }
}

const _: () = assert!(SUMS.is_power_of_two());
