//! A linear layer `x Wᵀ + b`, with an optional low-rank adapter beside it.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, TensorId};

use super::cpu::gemm::{self, Band, Packed, Start, Strided};
use super::cpu::rows::ColumnSums;
use super::host::{Floats, floats, output, tensor};
use super::{Kernels, cpu};

/// A named linear layer; `weight` is (out, in), as checkpoints store it.
pub(crate) struct Linear {
    pub(crate) weight: Tensor,
    pub(crate) bias: Option<Tensor>,
    pub(crate) adapter: Option<Adapter>,
    pub(crate) packed: PackCache,
}

/// A frozen weight as the product kernel reads it, made when first needed.
#[derive(Default)]
pub(crate) struct PackCache(Mutex<Option<(TensorId, Arc<Packed>)>>);

impl PackCache {
    /// The packed form of a weight (out, in); `None` for a weight that training changes.
    fn get(&self, weight: &Tensor) -> Result<Option<Arc<Packed>>> {
        if weight.track_op() {
            return Ok(None);
        }
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((id, packed)) = &*cached
            && *id == weight.id()
        {
            return Ok(Some(Arc::clone(packed)));
        }
        let packed = Arc::new(pack(&Floats::of(weight)?, weight.dims2()?));
        *cached = Some((weight.id(), Arc::clone(&packed)));
        Ok(Some(packed))
    }
}

impl PackCache {
    /// The packed transpose of a weight (out, in): kept if the weight is frozen, made afresh if not.
    pub(super) fn transposed(&self, weight: &Tensor) -> Result<Arc<Packed>> {
        match self.get(weight)? {
            Some(packed) => Ok(packed),
            None => Ok(Arc::new(pack(&Floats::of(weight)?, weight.dims2()?))),
        }
    }
}

/// Packs the transpose of a weight (out, in).
fn pack(weight: &[f32], (out, inner): (usize, usize)) -> Packed {
    Packed::new(Strided::rows(weight, inner).transposed(), inner, out)
}

/// A low-rank adapter (Hu et al., arXiv 2106.09685): adds `scale · (x Aᵀ) Bᵀ`.
pub(crate) struct Adapter {
    /// (rank, in)
    pub(crate) a: Tensor,
    /// (out, rank)
    pub(crate) b: Tensor,
    pub(crate) scale: f64,
    packed: [PackCache; 2],
}

impl Adapter {
    /// An adapter with `a` (rank, in) and `b` (out, rank).
    pub(crate) fn new(a: Tensor, b: Tensor, scale: f64) -> Self {
        Self { a, b, scale, packed: Default::default() }
    }
}

/// Drops elements of the adapters' inputs while training, and scales the rest up; draws from its own stream.
pub(crate) trait Dropout {
    /// A mask for `x`, already scaled; `None` drops nothing.
    fn mask(&mut self, x: &Tensor) -> Result<Option<Tensor>>;
}

impl Linear {
    /// `x` (tokens, in) → (tokens, out).
    pub(crate) fn forward(&self, x: &Tensor, kernels: Kernels, dropout: &mut Option<&mut dyn Dropout>) -> Result<Tensor> {
        let plain = product(x, &self.weight, self.bias.as_ref(), &self.packed, kernels)?;
        let Some(adapter) = &self.adapter else { return Ok(plain) };
        let mask = match dropout {
            Some(dropout) => dropout.mask(x)?,
            None => None,
        };
        let x = match mask {
            Some(mask) => (x * mask)?,
            None => x.clone(),
        };
        let inner = product(&x.to_dtype(adapter.a.dtype())?, &adapter.a, None, &adapter.packed[0], kernels)?;
        let change = (product(&inner, &adapter.b, None, &adapter.packed[1], kernels)? * adapter.scale)?;
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
pub(crate) fn product(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, cache: &PackCache, kernels: Kernels) -> Result<Tensor> {
    if kernels == Kernels::Fused {
        let op = Product { packed: cache.get(weight)? };
        return match bias {
            Some(bias) => x.apply_op3(weight, bias, op),
            None => x.apply_op2(weight, op),
        };
    }
    let y = x.matmul(&weight.to_dtype(x.dtype())?.t()?)?; // what is trained is kept in f32
    match bias {
        Some(bias) => y.broadcast_add(&bias.to_dtype(x.dtype())?),
        None => Ok(y),
    }
}

/// The fused product; computes only those gradients that somebody waits for.
struct Product {
    packed: Option<Arc<Packed>>,
}

impl Product {
    fn forward(&self, x: &[f32], lx: &Layout, weight: &[f32], lw: &Layout, start: Start<'_>) -> Result<(CpuStorage, Shape)> {
        let (rows, inner) = lx.shape().dims2()?;
        let (out, inner_too) = lw.shape().dims2()?;
        if inner != inner_too {
            candle_core::bail!("a product of width {inner} was given a weight of width {inner_too}");
        }
        let mut y = vec![0.0; rows * out];
        let fresh;
        let packed = if let Some(packed) = &self.packed {
            packed.as_ref()
        } else {
            fresh = pack(weight, (out, inner));
            &fresh
        };
        gemm::product(Strided::rows(x, inner), rows, packed, start, Band::Full, &mut y, out);
        Ok(output(y, (rows, out)))
    }

    /// The gradients of `x` and `weight`.
    fn backward(x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (rows, inner) = x.dims2()?;
        let out = weight.dim(0)?;
        let held = Floats::of(grad)?;
        let grad = Strided::rows(&held, out);
        let product = |left, rows, right: Strided<'_>, depth, columns| {
            let mut result = vec![0.0; rows * columns];
            gemm::product(left, rows, &Packed::new(right, depth, columns), Start::Zero, Band::Full, &mut result, columns);
            tensor(result, (rows, columns))
        };
        let grad_x =
            if x.track_op() { Some(product(grad, rows, Strided::rows(&Floats::of(weight)?, inner), out, inner)?) } else { None };
        let grad_weight = if weight.track_op() {
            Some(product(grad.transposed(), out, Strided::rows(&Floats::of(x)?, inner), rows, inner)?)
        } else {
            None
        };
        Ok((grad_x, grad_weight))
    }
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout, weight: &CpuStorage, lw: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(floats(x, lx)?, lx, floats(weight, lw)?, lw, Start::Zero)
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Self::backward(x, weight, &grad.contiguous()?)
    }
}

impl CustomOp3 for Product {
    fn name(&self) -> &'static str {
        "linear-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        weight: &CpuStorage,
        lw: &Layout,
        bias: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(floats(x, lx)?, lx, floats(weight, lw)?, lw, Start::Bias(floats(bias, lb)?))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (grad_x, grad_weight) = Self::backward(x, weight, &grad)?;
        let grad_bias = if bias.track_op() {
            let mut sums = vec![0.0; bias.elem_count()];
            cpu::run(ColumnSums { rows: &Floats::of(&grad)?, sums: &mut sums });
            Some(tensor(sums, bias.shape())?)
        } else {
            None
        };
        Ok((grad_x, grad_weight, grad_bias))
    }
}
