//! Some rows of a tensor.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::host::{Floats, floats, output, tensor};
use super::{Kernels, tape};
use crate::engine::local::cpu;

/// Rows `rows` of `x` (tokens, width), in rising order: (rows, width).
pub(crate) fn pick(x: &Tensor, rows: &Arc<[u32]>, kernels: Kernels) -> Result<Tensor> {
    match kernels {
        Kernels::Fused => tape::apply1(Pick(Arc::clone(rows)), &x.contiguous()?),
        Kernels::Composite => x.index_select(&Tensor::from_slice(rows, rows.len(), x.device())?, 0),
    }
}

struct Pick(Arc<[u32]>);

impl CustomOp1 for Pick {
    fn name(&self) -> &'static str {
        "pick"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, width) = layout.shape().dims2()?;
        if !self.0.is_sorted_by(|a, b| a < b) || self.0.last().is_some_and(|last| *last as usize >= tokens) {
            bail!("rows of a tensor of {tokens} that are not in rising order or not there");
        }
        let x = floats(x, layout)?;
        let mut picked = Vec::with_capacity(self.0.len() * width);
        self.0.iter().for_each(|row| picked.extend_from_slice(&x[*row as usize * width..][..width]));
        Ok(output(picked, (self.0.len(), width)))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (tokens, width) = x.dims2()?;
        let grad = grad.contiguous()?;
        let mut spread = cpu::zeros(tokens * width);
        for (row, grad) in self.0.iter().zip(Floats::of(&grad)?.chunks_exact(width)) {
            spread[*row as usize * width..][..width].copy_from_slice(grad);
        }
        tensor(spread, (tokens, width)).map(Some)
    }
}
