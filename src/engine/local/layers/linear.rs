//! A linear layer `x Wᵀ + b`, with an optional low-rank adapter beside it.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::adapted::AdaptedProduct;
use super::factor::{masked, scaled};
use super::host::{Floats, floats, output, tensor};
use super::sum::{column_sums, sum};
use super::weight::{Frozen, FrozenProduct, Weight, side_by_side};
use super::{Kernels, tape};
use crate::engine::local::cpu::gemm::{self, Packed, Strided};

/// A named linear layer.
pub(crate) struct Linear {
    pub(crate) weight: Weight,
    pub(crate) bias: Option<Tensor>,
    pub(crate) adapter: Option<Adapter>,
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
}

/// Drops elements of the adapters' inputs while training, and scales the rest up; draws from its own stream.
pub(crate) trait Dropout {
    /// A mask for `x`, already scaled; `None` drops nothing.
    fn mask(&mut self, x: &Tensor) -> Result<Option<Tensor>>;
}

impl Linear {
    /// `x` (tokens, in) → (tokens, out).
    pub(crate) fn forward(&self, x: &Tensor, kernels: Kernels, dropout: &mut Option<&mut dyn Dropout>) -> Result<Tensor> {
        let Some(adapter) = &self.adapter else { return product(x, &self.weight, self.bias.as_ref(), kernels) };
        let mask = match dropout {
            Some(dropout) => dropout.mask(x)?,
            None => None,
        };
        if let (Weight::Frozen(weight), None) = (&self.weight, &mask) {
            let bias = self.bias.clone();
            let op = AdaptedProduct { weight: weight.clone(), bias, scale: adapter.scale as f32, inner: OnceLock::new() };
            return tape::apply3(op, &x.contiguous()?, &adapter.a, &adapter.b);
        }
        let plain = product(x, &self.weight, self.bias.as_ref(), kernels)?;
        let x = match mask {
            Some(mask) => masked(x, &mask, kernels)?,
            None => x.clone(),
        };
        let inner = loose_product(&x.to_dtype(adapter.a.dtype())?, &adapter.a, None, kernels)?;
        let change = scaled(&loose_product(&inner, &adapter.b, None, kernels)?, adapter.scale, kernels)?;
        sum(&plain, &change.to_dtype(x.dtype())?, kernels)
    }

    /// [`Linear::forward`] of several layers with one input.
    pub(crate) fn forward_all<const N: usize>(
        layers: [&Self; N],
        x: &Tensor,
        kernels: Kernels,
        dropout: &mut Option<&mut dyn Dropout>,
    ) -> Result<[Tensor; N]> {
        let plain: Vec<_> = layers.iter().filter_map(|layer| layer.plain()).collect();
        let together = if plain.len() == N && !x.track_op() { side_by_side(&x.contiguous()?, &plain)? } else { None };
        let results = match together {
            Some(results) => results,
            None => layers.iter().map(|layer| layer.forward(x, kernels, dropout)).collect::<Result<_>>()?,
        };
        results.try_into().or_else(|_| candle_core::bail!("a layer gave no result"))
    }

    /// Weight and bias, if nothing about the layer is trained or adapted.
    fn plain(&self) -> Option<(&Frozen, Option<&Tensor>)> {
        match (&self.weight, &self.adapter) {
            (Weight::Frozen(weight), None) if !self.bias.as_ref().is_some_and(Tensor::track_op) => {
                Some((weight, self.bias.as_ref()))
            }
            _ => None,
        }
    }

    /// Adds the adapter into the weight, `W + scale · B A`, in f32 arithmetic.
    pub(crate) fn merge(&mut self) -> Result<()> {
        let Some(adapter) = self.adapter.take() else { return Ok(()) };
        let wide = candle_core::DType::F32;
        let change = (adapter.b.to_dtype(wide)?.matmul(&adapter.a.to_dtype(wide)?)? * adapter.scale)?;
        let was_frozen = matches!(self.weight, Weight::Frozen(_));
        let weight = self.weight.loosen()?;
        *weight = (weight.to_dtype(wide)? + change)?.to_dtype(weight.dtype())?;
        if was_frozen { self.weight.freeze() } else { Ok(()) }
    }
}

/// `x Wᵀ + b` for `x` (tokens, in) and `weight` (out, in).
pub(crate) fn product(x: &Tensor, weight: &Weight, bias: Option<&Tensor>, kernels: Kernels) -> Result<Tensor> {
    match weight {
        Weight::Tensor(weight) => loose_product(x, weight, bias, kernels),
        Weight::Frozen(weight) => {
            let (x, weight) = (x.contiguous()?, weight.clone());
            match bias {
                Some(bias) if bias.track_op() => tape::apply2(FrozenProduct { weight, bias: None }, &x, bias),
                bias => tape::apply1(FrozenProduct { weight, bias: bias.cloned() }, &x),
            }
        }
    }
}

/// [`product`] with a tensor.
fn loose_product(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, kernels: Kernels) -> Result<Tensor> {
    if kernels == Kernels::Fused {
        return match bias {
            Some(bias) => tape::apply3(Product, x, weight, bias),
            None => tape::apply2(Product, x, weight),
        };
    }
    let y = x.matmul(&weight.to_dtype(x.dtype())?.t()?)?; // what is trained is kept in f32
    match bias {
        Some(bias) => y.broadcast_add(&bias.to_dtype(x.dtype())?),
        None => Ok(y),
    }
}

/// The fused product; computes only those gradients that somebody waits for.
struct Product;

impl Product {
    fn forward(x: &[f32], lx: &Layout, weight: &[f32], lw: &Layout, bias: Option<&[f32]>) -> Result<(CpuStorage, Shape)> {
        let (rows, inner) = lx.shape().dims2()?;
        let (out, inner_too) = lw.shape().dims2()?;
        if inner != inner_too {
            candle_core::bail!("a product of width {inner} was given a weight of width {inner_too}");
        }
        let packed = pack(weight, (out, inner));
        Ok(output(gemm::fresh(Strided::rows(x, inner), rows, &packed, bias), (rows, out)))
    }

    /// The gradients of `x` and `weight`.
    fn backward(x: &Tensor, weight: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (rows, inner) = x.dims2()?;
        let out = weight.dim(0)?;
        let held = Floats::of(grad)?;
        let grad = Strided::rows(&held, out);
        let product = |left, rows, right: Strided<'_>, depth, columns| {
            tensor(gemm::fresh(left, rows, &Packed::new(right, depth, columns), None), (rows, columns))
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
        Self::forward(floats(x, lx)?, lx, floats(weight, lw)?, lw, None)
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
        Self::forward(floats(x, lx)?, lx, floats(weight, lw)?, lw, Some(floats(bias, lb)?))
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
        let grad_bias = if bias.track_op() { Some(column_sums(&grad)?) } else { None };
        Ok((grad_x, grad_weight, grad_bias))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::engine::local::fixture::numbers;

    const WIDTH: usize = 40;

    fn layer(seed: usize, out: usize, dtype: DType, bias: bool) -> Linear {
        let mut weight = Weight::Tensor(numbers(seed, (out, WIDTH)).to_dtype(dtype).expect("casts"));
        weight.freeze().expect("packs");
        let bias = bias.then(|| numbers(seed + 1, (1, out)).flatten_all().expect("a row"));
        Linear { weight, bias, adapter: None }
    }

    #[test]
    fn several_layers_with_one_input_give_what_each_gives_alone() {
        for dtype in [DType::F32, DType::BF16] {
            let mut layers = [layer(1, 64, dtype, true), layer(2, 33, dtype, false), layer(3, 48, dtype, true)];
            for adapted in [false, true] {
                if adapted {
                    let (a, b) = (numbers(4, (2, WIDTH)), numbers(5, (33, 2)));
                    layers[1].adapter = Some(Adapter { a, b, scale: 0.5 });
                }
                for rows in [1, 5, 70] {
                    let x = numbers(6, (rows, WIDTH));
                    let [a, b, c] = &layers;
                    let together = Linear::forward_all([a, b, c], &x, Kernels::Fused, &mut None).expect("runs");
                    for (layer, together) in layers.iter().zip(together) {
                        let alone = layer.forward(&x, Kernels::Fused, &mut None).expect("runs");
                        let values = |t: &Tensor| t.to_vec2::<f32>().expect("f32");
                        assert!(values(&alone) == values(&together), "{dtype:?}, {rows} rows, adapted: {adapted}");
                    }
                }
            }
        }
    }
}
