//! A tensor times a number or a mask.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::host::{Floats, floats, output, tensor};
use super::{Kernels, tape};
use crate::engine::local::cpu;

/// `x · factor`.
pub(super) fn scaled(x: &Tensor, factor: f64, kernels: Kernels) -> Result<Tensor> {
    match kernels {
        Kernels::Fused => tape::apply1(Times(Factor::Number(factor as f32)), &x.contiguous()?),
        Kernels::Composite => x * factor,
    }
}

/// `x · mask`, element by element; nothing flows back into the mask.
pub(super) fn masked(x: &Tensor, mask: &Tensor, kernels: Kernels) -> Result<Tensor> {
    match kernels {
        Kernels::Fused => tape::apply1(Times(Factor::Mask(mask.detach())), &x.contiguous()?),
        Kernels::Composite => x * mask,
    }
}

enum Factor {
    Number(f32),
    Mask(Tensor),
}

struct Times(Factor);

impl Times {
    fn apply(&self, x: &[f32]) -> Result<Vec<f32>> {
        let mut values = x.to_vec();
        match &self.0 {
            Factor::Number(factor) => cpu::over_rows(&mut values, 16, |_, part| part.iter_mut().for_each(|x| *x *= factor)),
            Factor::Mask(mask) => {
                let mask = &*Floats::of(mask)?;
                if mask.len() != x.len() {
                    bail!("a mask of {} elements for {}", mask.len(), x.len());
                }
                cpu::over_rows(&mut values, 16, |first, part| {
                    part.iter_mut().zip(&mask[first..]).for_each(|(x, m)| *x *= m);
                });
            }
        }
        Ok(values)
    }
}

impl CustomOp1 for Times {
    fn name(&self) -> &'static str {
        "times"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(output(self.apply(floats(x, layout)?)?, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        tensor(self.apply(&Floats::of(&grad)?)?, x.shape()).map(Some)
    }
}
