//! A linear layer `x Wᵀ + b`, with an optional low-rank adapter beside it.

use candle_core::{Result, Tensor};

use super::Kernels;

/// A named linear layer; `weight` is (out, in), as checkpoints store it.
pub(crate) struct Linear {
    pub(crate) weight: Tensor,
    pub(crate) bias: Option<Tensor>,
    pub(crate) adapter: Option<Adapter>,
}

/// A low-rank adapter (Hu et al., arXiv 2106.09685): adds `scale · (x Aᵀ) Bᵀ`.
pub(crate) struct Adapter {
    /// (rank, in)
    pub(crate) a: Tensor,
    /// (out, rank)
    pub(crate) b: Tensor,
    pub(crate) scale: f64,
}

/// Drops elements of the adapters' inputs while training, and scales the rest up; draws from its own stream.
pub(crate) trait Dropout {
    /// A mask for `x`, already scaled; `None` drops nothing.
    fn mask(&mut self, x: &Tensor) -> Result<Option<Tensor>>;
}

impl Linear {
    /// `x` (tokens, in) → (tokens, out).
    pub(crate) fn forward(&self, x: &Tensor, kernels: Kernels, dropout: &mut Option<&mut dyn Dropout>) -> Result<Tensor> {
        let plain = product(x, &self.weight, self.bias.as_ref(), kernels)?;
        let Some(adapter) = &self.adapter else { return Ok(plain) };
        let mask = match dropout {
            Some(dropout) => dropout.mask(x)?,
            None => None,
        };
        let x = match mask {
            Some(mask) => (x * mask)?,
            None => x.clone(),
        };
        let inner = product(&x.to_dtype(adapter.a.dtype())?, &adapter.a, None, kernels)?;
        let change = (product(&inner, &adapter.b, None, kernels)? * adapter.scale)?;
        plain + change.to_dtype(x.dtype())?
    }

    /// The weight with the adapter added in, `W + scale · B A`, in f32 arithmetic.
    pub(crate) fn merged(&self) -> Result<Tensor> {
        let Some(adapter) = &self.adapter else { return Ok(self.weight.clone()) };
        let wide = candle_core::DType::F32;
        let change = (adapter.b.to_dtype(wide)?.matmul(&adapter.a.to_dtype(wide)?)? * adapter.scale)?;
        (self.weight.to_dtype(wide)? + change)?.to_dtype(self.weight.dtype())
    }
}

/// `x Wᵀ + b` for `x` (tokens, in) and `weight` (out, in).
pub(crate) fn product(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, kernels: Kernels) -> Result<Tensor> {
    let _ = kernels;
    let y = x.matmul(&weight.to_dtype(x.dtype())?.t()?)?; // what is trained is kept in f32
    match bias {
        Some(bias) => y.broadcast_add(&bias.to_dtype(x.dtype())?),
        None => Ok(y),
    }
}
