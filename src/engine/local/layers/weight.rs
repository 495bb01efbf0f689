//! A weight of the decoder: a tensor, or a matrix packed once for the CPU's products and held in that form alone.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Storage, Tensor, bail};
use half::bf16;

use super::host::{Floats, floats, output, tensor};
use super::sum::column_sums;
use crate::engine::local::cpu::gemm::narrow::{self, Left, Narrow};
use crate::engine::local::cpu::gemm::{self, Band, Packed, Start, Strided};

/// A weight as checkpoints store it; a matrix is (out, in).
#[derive(Clone)]
pub(crate) enum Weight {
    /// On any device, in any format, trained or not.
    Tensor(Tensor),
    /// On the CPU, never trained.
    Frozen(Arc<Frozen>),
}

impl Weight {
    /// The number of outputs and of inputs.
    pub(crate) fn dims(&self) -> Result<(usize, usize)> {
        match self {
            Self::Tensor(weight) => weight.dims2(),
            Self::Frozen(frozen) => Ok(frozen.dims()),
        }
    }

    /// Packs a matrix that is on the CPU, in f32 or bf16, and not trained.
    pub(crate) fn freeze(&mut self) -> Result<()> {
        if let Self::Tensor(weight) = self
            && !weight.track_op()
        {
            *self = Self::Frozen(Arc::new(Frozen::of(weight)?));
        }
        Ok(())
    }

    /// The tensor to change or to train; one that was packed is unpacked for good.
    pub(crate) fn loosen(&mut self) -> Result<&mut Tensor> {
        if let Self::Frozen(frozen) = self {
            *self = Self::Tensor(frozen.tensor()?);
        }
        match self {
            Self::Tensor(weight) => Ok(weight),
            Self::Frozen(_) => bail!("a frozen matrix stayed frozen"),
        }
    }

    /// The weight as a tensor, unpacked if need be.
    pub(crate) fn tensor(&self) -> Result<Tensor> {
        match self {
            Self::Tensor(weight) => Ok(weight.clone()),
            Self::Frozen(frozen) => frozen.tensor(),
        }
    }

    /// Its first `count` values, or all if there are fewer, in f32.
    pub(crate) fn first(&self, count: usize) -> Result<Vec<f32>> {
        let flat = match self {
            Self::Tensor(weight) => weight.flatten_all()?,
            Self::Frozen(frozen) => {
                let (out, inner) = frozen.dims();
                frozen.rows(&(0..count.div_ceil(inner).min(out) as u32).collect::<Vec<_>>())?.flatten_all()?
            }
        };
        flat.narrow(0, 0, flat.dim(0)?.min(count))?.to_dtype(DType::F32)?.to_vec1()
    }

    /// Rows of the weight: (rows, in), in f32 if it is packed, else in its own format.
    pub(crate) fn rows(&self, rows: &[u32]) -> Result<Tensor> {
        match self {
            Self::Tensor(weight) => weight.index_select(&Tensor::from_slice(rows, rows.len(), weight.device())?, 0),
            Self::Frozen(frozen) => frozen.rows(rows),
        }
    }
}

/// A weight (out, in) on the CPU that does not change, packed once for products in its format, f32 or bf16.
pub struct Frozen {
    /// The transpose (in, out), as a product's right-hand side.
    right: Right,
    /// The weight (out, in), for the way back; made when first needed.
    turned: OnceLock<Right>,
}

/// The right-hand side of a product.
enum Right {
    Wide(Packed),
    Narrow(Narrow),
}

impl Right {
    fn transposed(&self) -> Self {
        match self {
            Self::Wide(packed) => Self::Wide(packed.transposed()),
            Self::Narrow(packed) => Self::Narrow(packed.transposed()),
        }
    }

    /// `bias + left · self` for rows of `left`, (rows, depth) → (rows, columns).
    fn fresh(&self, left: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        match self {
            Self::Wide(right) => gemm::fresh(Strided::rows(left, right.depth), left.len() / right.depth.max(1), right, bias),
            Self::Narrow(right) => narrow::fresh(&Left::of(left, right.depth()), &[(right, bias)]).pop().unwrap_or_default(),
        }
    }

    /// [`Right::fresh`] into memory that is there.
    fn product(&self, left: &[f32], bias: Option<&[f32]>, out: &mut [f32]) {
        match self {
            Self::Wide(right) => {
                let start = bias.map_or(Start::Zero, Start::Bias);
                let rows = left.len() / right.depth.max(1);
                gemm::product(Strided::rows(left, right.depth), rows, right, start, Band::Full, out, right.columns);
            }
            Self::Narrow(right) => {
                narrow::product(&Left::of(left, right.depth()), right, bias, out, right.columns());
            }
        }
    }
}

impl Frozen {
    /// Packs a weight (out, in).
    ///
    /// # Errors
    /// If it is not a matrix of f32 or bf16 on the CPU.
    pub fn of(weight: &Tensor) -> Result<Self> {
        let (out, inner) = weight.dims2()?;
        let weight = weight.contiguous()?;
        let right = match weight.dtype() {
            DType::F32 => Right::Wide(Packed::of_rows(&Floats::of(&weight)?, inner, out)),
            DType::BF16 => {
                let (storage, layout) = weight.storage_and_layout();
                let (Storage::Cpu(CpuStorage::BF16(values)), Some((from, to))) = (&*storage, layout.contiguous_offsets()) else {
                    bail!("only a weight on the CPU can be packed")
                };
                Right::Narrow(Narrow::of_rows(&values[from..to], inner, out))
            }
            other => bail!("weights of {} cannot be packed", other.as_str()),
        };
        Ok(Self { right, turned: OnceLock::new() })
    }

    /// Packs an f32 weight (out, in), of which `read` writes whole rows from a given one on.
    pub(in crate::engine::local) fn wide((out, inner): (usize, usize), read: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        Self { right: Right::Wide(Packed::read(inner, out, read)), turned: OnceLock::new() }
    }

    /// Packs a bf16 weight (out, in), of which `read` writes whole rows from a given one on.
    pub(in crate::engine::local) fn narrow((out, inner): (usize, usize), read: impl Fn(usize, &mut [bf16]) + Sync) -> Self {
        Self { right: Right::Narrow(Narrow::read(inner, out, read)), turned: OnceLock::new() }
    }

    /// The number of outputs and of inputs.
    pub(crate) fn dims(&self) -> (usize, usize) {
        match &self.right {
            Right::Wide(packed) => (packed.columns, packed.depth),
            Right::Narrow(packed) => (packed.columns(), packed.depth()),
        }
    }

    /// `y = x Wᵀ + b` for `x` (rows, in) and `y` (rows, out), row-major. In bf16 `x` is rounded first; products are summed in f32. A row's
    /// result depends on that row alone, to the bit.
    ///
    /// # Panics
    /// If the lengths are not whole rows.
    pub fn forward(&self, x: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        self.right.product(x, bias, y);
    }

    /// `grad · W`, (rows, out) → (rows, in): the gradient of `x`, given that of `y`.
    ///
    /// # Panics
    /// If the lengths are not whole rows.
    pub fn backward(&self, grad: &[f32], grad_x: &mut [f32]) {
        self.turned().product(grad, None, grad_x);
    }

    fn turned(&self) -> &Right {
        self.turned.get_or_init(|| self.right.transposed())
    }

    /// `x Wᵀ + b` in new memory.
    pub(super) fn apply(&self, x: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        self.right.fresh(x, bias)
    }

    /// The gradient of `x` in new memory.
    pub(super) fn apply_back(&self, grad: &[f32]) -> Vec<f32> {
        self.turned().fresh(grad, None)
    }

    fn row(&self, row: usize, into: &mut [f32]) {
        match &self.right {
            Right::Wide(packed) => packed.column(row, into),
            Right::Narrow(packed) => packed.column(row, into),
        }
    }

    fn rows(&self, rows: &[u32]) -> Result<Tensor> {
        let (out, inner) = self.dims();
        if let Some(row) = rows.iter().find(|row| **row as usize >= out) {
            bail!("row {row} of a matrix of {out}");
        }
        let mut values = vec![0.0; rows.len() * inner];
        rows.iter().zip(values.chunks_exact_mut(inner)).for_each(|(row, into)| self.row(*row as usize, into));
        tensor(values, (rows.len(), inner))
    }

    fn tensor(&self) -> Result<Tensor> {
        let all: Vec<u32> = (0..self.dims().0 as u32).collect();
        let wide = self.rows(&all)?;
        match self.right {
            Right::Wide(_) => Ok(wide),
            Right::Narrow(_) => wide.to_dtype(DType::BF16), // exact: the values came from bf16
        }
    }
}

/// `x Wᵀ + b` for several weights in bf16 and their biases, with one input `x` (rows, in) that is rounded once; nothing flows back. `None`
/// if a weight is not in bf16.
pub(super) fn side_by_side(x: &Tensor, layers: &[(&Frozen, Option<&Tensor>)]) -> Result<Option<Vec<Tensor>>> {
    let (rows, inner) = x.dims2()?;
    let mut rights = Vec::with_capacity(layers.len());
    for (weight, bias) in layers {
        let Right::Narrow(right) = &weight.right else { return Ok(None) };
        if right.depth() != inner {
            bail!("a product of width {inner} was given a weight of width {}", right.depth());
        }
        rights.push((right, bias.map(Floats::of).transpose()?));
    }
    let rights: Vec<_> = rights.iter().map(|(right, bias)| (*right, bias.as_deref())).collect();
    let results = narrow::fresh(&Left::of(&Floats::of(x)?, inner), &rights);
    let tensors = results.into_iter().zip(rights).map(|(values, (right, _))| tensor(values, (rows, right.columns())));
    tensors.collect::<Result<_>>().map(Some)
}

/// `x Wᵀ + b` with a frozen weight, and a frozen bias or one that is the second input: only the inputs have gradients.
pub(super) struct FrozenProduct {
    pub(super) weight: Arc<Frozen>,
    pub(super) bias: Option<Tensor>,
}

impl CustomOp1 for FrozenProduct {
    fn name(&self) -> &'static str {
        "linear-frozen"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout) -> Result<(CpuStorage, Shape)> {
        let bias = self.bias.as_ref().map(Floats::of).transpose()?;
        self.forward(x, lx, bias.as_deref())
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        self.backward(x, &grad.contiguous()?).map(Some)
    }
}

impl CustomOp2 for FrozenProduct {
    fn name(&self) -> &'static str {
        "linear-frozen-bias"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout, bias: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(x, lx, Some(floats(bias, lb)?))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let grad_x = if x.track_op() { Some(self.backward(x, &grad)?) } else { None };
        Ok((grad_x, Some(column_sums(&grad)?)))
    }
}

impl FrozenProduct {
    fn forward(&self, x: &CpuStorage, lx: &Layout, bias: Option<&[f32]>) -> Result<(CpuStorage, Shape)> {
        let (rows, inner) = lx.shape().dims2()?;
        let (out, inner_too) = self.weight.dims();
        if inner != inner_too {
            bail!("a product of width {inner} was given a weight of width {inner_too}");
        }
        Ok(output(self.weight.apply(floats(x, lx)?, bias), (rows, out)))
    }

    fn backward(&self, x: &Tensor, grad: &Tensor) -> Result<Tensor> {
        tensor(self.weight.apply_back(&Floats::of(grad)?), x.shape())
    }
}
