//! Kernels that go over rows once: the norm and the gated activation, forward and backward.

use super::math::{SUMS, dot, exp};
use super::simd::{Kernel, Level, multiply_add};

/// Root-mean-square norm of every row of `x`, times `weight`.
#[derive(Debug)]
pub(crate) struct Norm<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) eps: f32,
    pub(crate) out: &'a mut [f32],
}

#[inline(always)]
fn inverse_rms<L: Level>(row: &[f32], eps: f32) -> f32 {
    1.0 / (dot::<L>(row, row) / row.len() as f32 + eps).sqrt()
}

impl Kernel for Norm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let width = self.weight.len();
        for (x, out) in self.x.chunks_exact(width).zip(self.out.chunks_exact_mut(width)) {
            let inverse = inverse_rms::<L>(x, self.eps);
            for ((out, x), weight) in out.iter_mut().zip(x).zip(self.weight) {
                *out = x * inverse * weight;
            }
        }
    }
}

/// The norm's backward: with `n = x / rms`, `dx = (dy·w − n · mean(dy·w·n)) / rms` and `dw = Σ_rows dy · n`.
pub(crate) struct NormBackward<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) eps: f32,
    pub(crate) grad: &'a [f32],
    pub(crate) grad_x: &'a mut [f32],
    /// Empty where the weight is frozen.
    pub(crate) grad_weight: &'a mut [f32],
}

impl Kernel for NormBackward<'_> {
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

/// `silu(gate) · up`.
pub(crate) struct Swiglu<'a> {
    pub(crate) gate: &'a [f32],
    pub(crate) up: &'a [f32],
    pub(crate) out: &'a mut [f32],
}

impl Kernel for Swiglu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for ((out, gate), up) in self.out.iter_mut().zip(self.gate).zip(self.up) {
            *out = gate * up / (1.0 + exp::<L>(-gate));
        }
    }
}

/// The gated activation's backward.
pub(crate) struct SwigluBackward<'a> {
    pub(crate) gate: &'a [f32],
    pub(crate) up: &'a [f32],
    pub(crate) grad: &'a [f32],
    pub(crate) grad_gate: &'a mut [f32],
    pub(crate) grad_up: &'a mut [f32],
}

impl Kernel for SwigluBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let inputs = self.gate.iter().zip(self.up).zip(self.grad);
        let outputs = self.grad_gate.iter_mut().zip(self.grad_up);
        for (((gate, up), grad), (grad_gate, grad_up)) in inputs.zip(outputs) {
            let sigmoid = 1.0 / (1.0 + exp::<L>(-gate));
            let silu = gate * sigmoid;
            *grad_up = grad * silu;
            *grad_gate = grad * up * multiply_add::<L>(silu, 1.0 - sigmoid, sigmoid);
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
