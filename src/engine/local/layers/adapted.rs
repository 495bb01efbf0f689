//! A frozen linear layer with its low-rank adapter as one operation: nothing lies in memory but the input, the adapter and the result.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::host::{Floats, floats, output, tensor};
use super::weight::Frozen;
use crate::engine::local::cpu::gemm::{self, Band, Packed, Start, Strided};
use crate::engine::local::cpu::thin;

/// `x Wᵀ + b + scale · (x Aᵀ) Bᵀ` for `x` (tokens, in), `A` (rank, in) and `B` (out, rank); `x`, `A` and `B` have gradients.
pub(super) struct AdaptedProduct {
    pub(super) weight: Arc<Frozen>,
    pub(super) bias: Option<Tensor>,
    pub(super) scale: f32,
    /// `x Aᵀ`, kept for the way back.
    pub(super) inner: OnceLock<Vec<f32>>,
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
        let inner = thin::product(x, a, rank);
        let b = Packed::new(Strided::rows(&self.scaled(b), rank).transposed(), rank, out);
        add_product(Strided::rows(&inner, rank), rows, &b, &mut y);
        self.inner.get_or_init(|| inner);
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
        let turned_b = b.detach().t()?.contiguous()?; // (rank, out)
        let (x, a, b, grad) = (Floats::of(x)?, Floats::of(a)?, Floats::of(&turned_b)?, Floats::of(&grad)?);
        let grad_inner = thin::product(&grad, &self.scaled(&b), rank);

        let grad_x = if reached {
            let mut grad_x = self.weight.apply_back(&grad);
            add_product(Strided::rows(&grad_inner, rank), rows, &Packed::new(Strided::rows(&a, width), rank, width), &mut grad_x);
            Some(tensor(grad_x, (rows, width))?)
        } else {
            None
        };

        let inner = self.scaled(self.inner.get_or_init(|| thin::product(&x, &a, rank)));
        let grad_a = tensor(thin::turned_product(&grad_inner, rank, &x), (rank, width))?;
        let grad_b = tensor(thin::turned_product(&inner, rank, &grad), (rank, out))?.t()?.contiguous()?;
        Ok((grad_x, Some(grad_a), Some(grad_b)))
    }
}
