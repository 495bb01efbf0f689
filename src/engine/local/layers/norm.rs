//! Root-mean-square norm (Zhang & Sennrich, arXiv 1910.07467), computed in f32 whatever the format.

use candle_core::{DType, Result, Tensor};

use super::Kernels;

/// `x / sqrt(mean(x²) + eps) · weight` over the last dimension; `x` (tokens, width), `weight` (width).
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64, kernels: Kernels) -> Result<Tensor> {
    let _ = kernels;
    let wide = x.to_dtype(DType::F32)?;
    let mean_square = wide.sqr()?.mean_keepdim(1)?;
    let normed = wide.broadcast_div(&(mean_square + eps)?.sqrt()?)?;
    normed.to_dtype(x.dtype())?.broadcast_mul(&weight.to_dtype(x.dtype())?)
}
