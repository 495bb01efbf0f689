//! The gated activation of the feed-forward layer (Shazeer, arXiv 2002.05202).

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::cpu::rows::{Swiglu, SwigluBackward};
use super::host::{Floats, floats, output, tensor};
use super::{Kernels, cpu};

/// `silu(gate) · up`, element by element.
pub(crate) fn swiglu(gate: &Tensor, up: &Tensor, kernels: Kernels) -> Result<Tensor> {
    if kernels == Kernels::Fused {
        return gate.apply_op2(up, Gate);
    }
    gate.silu()? * up
}

struct Gate;

impl CustomOp2 for Gate {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, gate: &CpuStorage, lg: &Layout, up: &CpuStorage, lu: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (floats(gate, lg)?, floats(up, lu)?);
        let mut out = vec![0.0; gate.len()];
        cpu::over_rows(&mut out, 16, |first, out| {
            let part = first..first + out.len();
            cpu::run(Swiglu { gate: &gate[part.clone()], up: &up[part], out });
        });
        Ok(output(out, lg.shape().clone()))
    }

    fn bwd(&self, gate: &Tensor, up: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let shape = gate.shape();
        let (wanted_gate, wanted_up) = (gate.track_op(), up.track_op());
        let (gate, up, grad) = (Floats::of(gate)?, Floats::of(up)?, Floats::of(&grad)?);
        let (mut grad_gate, mut grad_up) = (vec![0.0; gate.len()], vec![0.0; gate.len()]);
        cpu::run(SwigluBackward { gate: &gate, up: &up, grad: &grad, grad_gate: &mut grad_gate, grad_up: &mut grad_up });
        let grad_gate = if wanted_gate { Some(tensor(grad_gate, shape)?) } else { None };
        Ok((grad_gate, if wanted_up { Some(tensor(grad_up, shape)?) } else { None }))
    }
}
