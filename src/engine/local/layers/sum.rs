//! Sums of two tensors, and of a tensor's rows.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::host::{Floats, floats, output, tensor};
use super::{Kernels, tape};
use crate::engine::local::cpu;
use crate::engine::local::cpu::rows::{ColumnSums, sums};

/// `x + y`.
pub(crate) fn sum(x: &Tensor, y: &Tensor, kernels: Kernels) -> Result<Tensor> {
    match kernels {
        Kernels::Fused => tape::apply2(Sum, &x.contiguous()?, &y.contiguous()?),
        Kernels::Composite => x + y,
    }
}

/// `x + y` of floats on the CPU, with nothing on the way back.
pub(super) fn added(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let (x, y) = (x.contiguous()?, y.contiguous()?);
    tensor(sums(&Floats::of(&x)?, &Floats::of(&y)?), x.shape())
}

/// The sum of the rows of a contiguous matrix, (rows, width) → (width).
pub(super) fn column_sums(rows: &Tensor) -> Result<Tensor> {
    let width = rows.dims2()?.1;
    let mut sums = vec![0.0; width];
    cpu::run(ColumnSums { rows: &Floats::of(rows)?, sums: &mut sums });
    tensor(sums, width)
}

struct Sum;

impl CustomOp2 for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout, y: &CpuStorage, ly: &Layout) -> Result<(CpuStorage, Shape)> {
        if lx.shape() != ly.shape() {
            bail!("a sum of {:?} and {:?}", lx.shape(), ly.shape());
        }
        Ok(output(sums(floats(x, lx)?, floats(y, ly)?), lx.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(grad.clone()), Some(grad.clone())))
    }
}
