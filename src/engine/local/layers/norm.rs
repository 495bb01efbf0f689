//! Root-mean-square norm (Zhang & Sennrich, arXiv 1910.07467), computed in f32 whatever the format.

use std::borrow::Cow;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};

use super::host::{Floats, floats, output, tensor};
use super::{Kernels, tape};
use crate::engine::local::cpu;
use crate::engine::local::cpu::rows::{NormedBackward, normed};

/// A norm's settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm {
    /// Added to the mean square.
    pub eps: f64,
    /// What the stored weight says.
    pub gain: Gain,
}

/// What the stored weight of a norm says of the factor that a normed value is multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    /// The weight is the factor; it is applied in the storage format.
    Weight,
    /// The factor is `1 + weight`; it is applied in f32.
    OnePlusWeight,
}

/// `x / sqrt(mean(x²) + eps) · gain` over the last dimension; `x` (rows, width), `weight` (width).
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, norm: Norm, kernels: Kernels) -> Result<Tensor> {
    if kernels == Kernels::Fused {
        return tape::apply2(RmsNorm { eps: norm.eps as f32, gain: norm.gain }, &x.contiguous()?, weight);
    }
    let wide = x.to_dtype(DType::F32)?;
    let mean_square = wide.sqr()?.mean_keepdim(1)?;
    let normed = wide.broadcast_div(&(mean_square + norm.eps)?.sqrt()?)?;
    match norm.gain {
        Gain::Weight => normed.to_dtype(x.dtype())?.broadcast_mul(&weight.to_dtype(x.dtype())?),
        Gain::OnePlusWeight => normed.broadcast_mul(&(weight.to_dtype(DType::F32)? + 1.0)?)?.to_dtype(x.dtype()),
    }
}

/// [`rms_norm`] of every head by itself: `x` (tokens, heads · head_dim), `weight` (head_dim).
pub(crate) fn head_norm(x: &Tensor, weight: &Tensor, norm: Norm, kernels: Kernels) -> Result<Tensor> {
    if kernels == Kernels::Fused {
        return rms_norm(x, weight, norm, kernels); // which goes by the width of its weight
    }
    let (tokens, width) = x.dims2()?;
    let head_dim = weight.dim(0)?;
    rms_norm(&x.reshape((tokens * width / head_dim, head_dim))?, weight, norm, kernels)?.reshape((tokens, width))
}

struct RmsNorm {
    eps: f32,
    gain: Gain,
}

impl RmsNorm {
    /// What a normed value is multiplied by.
    fn factor<'a>(&self, weight: &'a [f32]) -> Cow<'a, [f32]> {
        match self.gain {
            Gain::Weight => weight.into(),
            Gain::OnePlusWeight => weight.iter().map(|w| w + 1.0).collect(),
        }
    }
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout, weight: &CpuStorage, lw: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (floats(x, lx)?, floats(weight, lw)?);
        Ok(output(normed(x, &self.factor(weight), self.eps), lx.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (wide, narrow) = (x.shape(), weight.shape());
        let (trained, reached) = (weight.track_op(), x.track_op());
        let (x, weight, grad) = (Floats::of(x)?, Floats::of(weight)?, Floats::of(&grad)?);
        let weight = self.factor(&weight);
        let mut grad_x = cpu::zeros(x.len());
        let mut grad_weight = vec![0.0; if trained { weight.len() } else { 0 }];
        let kernel = |x: &[f32], grad: &[f32], grad_x: &mut [f32], grad_weight: &mut [f32]| {
            cpu::run(NormedBackward { x, weight: &weight, eps: self.eps, grad, grad_x, grad_weight });
        };
        if trained {
            kernel(&x, &grad, &mut grad_x, &mut grad_weight); // one thread, as the weight's sum goes over all rows
        } else {
            cpu::over_rows(&mut grad_x, weight.len(), |first, out| {
                let rows = first..first + out.len();
                kernel(&x[rows.clone()], &grad[rows], out, &mut []);
            });
        }
        let grad_x = if reached { Some(tensor(grad_x, wide)?) } else { None };
        Ok((grad_x, if trained { Some(tensor(grad_weight, narrow)?) } else { None }))
    }
}
