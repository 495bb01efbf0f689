//! A frozen linear layer with its low-rank adapter as one operation: nothing lies in memory but the input, the adapter and the result.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::cpu::gemm::{self, Band, Packed, Start, Strided};
use super::host::{Floats, floats, output, tensor};
use super::weight::Frozen;

/// `x Wᵀ + b + scale · (x Aᵀ) Bᵀ` for `x` (tokens, in), `A` (rank, in) and `B` (out, rank); `x`, `A` and `B` have gradients.
pub(super) struct AdaptedProduct {
    pub(super) weight: Arc<Frozen>,
    pub(super) bias: Option<Tensor>,
    pub(super) scale: f32,
}

/// `out += left · right`, with `left` (rows, depth) and `right` (depth, columns).
fn add_product(left: Strided<'_>, rows: usize, right: &Packed, out: &mut [f32]) {
    gemm::product(left, rows, right, Start::Output, Band::Full, out, right.columns);
}

impl AdaptedProduct {
    fn scaled(&self, values: &[f32]) -> Vec<f32> {
        values.iter().map(|x| x * self.scale).collect()
    }
}

/// `x Aᵀ`, (tokens, rank).
fn inner(x: &[f32], a: &[f32], rank: usize) -> Vec<f32> {
    let width = a.len() / rank;
    let rows = x.len() / width;
    gemm::fresh(Strided::rows(x, width), rows, &Packed::new(Strided::rows(a, width).transposed(), width, rank), None)
}

impl CustomOp3 for AdaptedProduct {
    fn name(&self) -> &'static str {
        "linear-adapted"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        a: &CpuStorage,
        la: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, width), (rank, width_too), (out, _)) = (lx.shape().dims2()?, la.shape().dims2()?, lb.shape().dims2()?);
        if width != width_too || self.weight.dims() != (out, width) {
            bail!("an adapter of {width_too} by {out} on a layer of {:?} was given a width of {width}", self.weight.dims());
        }
        let (x, a, b) = (floats(x, lx)?, floats(a, la)?, floats(b, lb)?);
        let bias = self.bias.as_ref().map(Floats::of).transpose()?;
        let mut y = self.weight.apply(x, bias.as_deref());
        let inner = inner(x, a, rank);
        let b = Packed::new(Strided::rows(&self.scaled(b), rank).transposed(), rank, out);
        add_product(Strided::rows(&inner, rank), rows, &b, &mut y);
        Ok(output(y, (rows, out)))
    }

    /// With `h = x Aᵀ` and `g` the result's gradient: `dB = scale · gᵀ h`, `dh = g (scale · B)`, `dA = dhᵀ x`, `dx = g W + dh A`.
    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, width), (out, rank)) = (x.dims2()?, b.dims2()?);
        let grad = grad.contiguous()?;
        let reached = x.track_op();
        let (x, a, b, grad) = (Floats::of(x)?, Floats::of(a)?, Floats::of(b)?, Floats::of(&grad)?);
        let packed = Packed::new(Strided::rows(&self.scaled(&b), rank), out, rank);
        let grad_inner = gemm::fresh(Strided::rows(&grad, out), rows, &packed, None);

        let grad_x = if reached {
            let mut grad_x = self.weight.apply_back(&grad);
            add_product(Strided::rows(&grad_inner, rank), rows, &Packed::new(Strided::rows(&a, width), rank, width), &mut grad_x);
            Some(tensor(grad_x, (rows, width))?)
        } else {
            None
        };

        // the adapter's gradients with the few rows on the left, so that the wide matrices are read once
        let inner = self.scaled(&inner(&x, &a, rank));
        let mut packed = Packed::new(Strided::rows(&grad, out), rows, out);
        let grad_b = gemm::fresh(Strided::rows(&inner, rank).transposed(), rank, &packed, None);
        packed.refill(Strided::rows(&x, width), rows, width);
        let grad_a = gemm::fresh(Strided::rows(&grad_inner, rank).transposed(), rank, &packed, None);
        let grad_b = tensor(grad_b, (rank, out))?.t()?.contiguous()?;
        Ok((grad_x, Some(tensor(grad_a, (rank, width))?), Some(grad_b)))
    }
}
