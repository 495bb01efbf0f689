//! The soft cap of scores and logits, `cap · tanh(x / cap)`: near the identity for small values, never beyond ± cap.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};

use super::host::{Floats, floats, output, tensor};
use super::{Kernels, tape};
use crate::engine::local::cpu;
use crate::engine::local::cpu::rows::SoftCap;

/// `cap · tanh(x / cap)`, element by element, in f32.
pub(crate) fn soft_cap(x: &Tensor, cap: f64, kernels: Kernels) -> Result<Tensor> {
    if kernels == Kernels::Fused {
        return tape::apply1(Cap(cap as f32), &x.contiguous()?);
    }
    (x.to_dtype(DType::F32)? / cap)?.tanh()? * cap
}

struct Cap(f32);

impl CustomOp1 for Cap {
    fn name(&self) -> &'static str {
        "soft-cap"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut values = floats(x, layout)?.to_vec();
        cpu::over_rows(&mut values, 16, |_, values| cpu::run(SoftCap { values, cap: self.0, slopes: &mut [] }));
        Ok(output(values, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let mut values = Floats::of(x)?.to_vec();
        let mut slopes = vec![0.0; values.len()];
        cpu::run(SoftCap { values: &mut values, cap: self.0, slopes: &mut slopes });
        for (slope, grad) in slopes.iter_mut().zip(&*Floats::of(&grad)?) {
            *slope *= grad;
        }
        tensor(slopes, x.shape()).map(Some)
    }
}
