//! The gated activation of the feed-forward layer (Shazeer, arXiv 2002.05202).

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};

use super::host::{Floats, floats, output, tensor};
use super::{Kernels, tape};
use crate::engine::local::cpu::rows::{Gelu, Silu, gated_unit, gated_unit_backward};

/// The function that the gate goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + e^(−x))`.
    Silu,
    /// GELU in its tanh form (Hendrycks & Gimpel, arXiv 1606.08415), `gelu_pytorch_tanh`.
    GeluTanh,
}

/// `activation(gate) · up`, element by element.
pub(crate) fn gated(gate: &Tensor, up: &Tensor, activation: Activation, kernels: Kernels) -> Result<Tensor> {
    match (kernels, activation) {
        (Kernels::Fused, _) => tape::apply2(Gate(activation), gate, up),
        (Kernels::Composite, Activation::Silu) => gate.silu()? * up,
        // in f32: in bf16 the difference `1 + tanh` would keep few of its digits
        (Kernels::Composite, Activation::GeluTanh) => gate.to_dtype(DType::F32)?.gelu()?.to_dtype(gate.dtype())? * up,
    }
}

struct Gate(Activation);

impl CustomOp2 for Gate {
    fn name(&self) -> &'static str {
        "gated-unit"
    }

    fn cpu_fwd(&self, gate: &CpuStorage, lg: &Layout, up: &CpuStorage, lu: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (floats(gate, lg)?, floats(up, lu)?);
        let out = match self.0 {
            Activation::Silu => gated_unit(Silu, gate, up),
            Activation::GeluTanh => gated_unit(Gelu, gate, up),
        };
        Ok(output(out, lg.shape().clone()))
    }

    fn bwd(&self, gate: &Tensor, up: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let shape = gate.shape();
        let (wanted_gate, wanted_up) = (gate.track_op(), up.track_op());
        let (gate, up, grad) = (&*Floats::of(gate)?, &*Floats::of(up)?, &*Floats::of(&grad)?);
        let (grad_gate, grad_up) = match self.0 {
            Activation::Silu => gated_unit_backward(Silu, gate, up, grad),
            Activation::GeluTanh => gated_unit_backward(Gelu, gate, up, grad),
        };
        let grad_gate = if wanted_gate { Some(tensor(grad_gate, shape)?) } else { None };
        Ok((grad_gate, if wanted_up { Some(tensor(grad_up, shape)?) } else { None }))
    }
}
