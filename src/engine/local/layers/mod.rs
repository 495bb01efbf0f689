//! Differentiable layers over rows of different lengths laid end to end: shapes are (tokens, width), there is no padding.
//!
//! Every operation has a composite form from differentiable candle operations, for any device, and on the CPU in f32 a hand-written
//! one with its own backward. The second reduces every element in one fixed order, whatever rows or threads stand beside it.

mod adapted;
mod attention;
mod cache;
mod cap;
mod factor;
mod gated;
mod head;
mod host;
mod linear;
mod norm;
mod pick;
mod ragged;
mod rope;
mod sum;
mod tape;
mod weight;

pub use cache::KvCache;
pub use gated::Activation;
pub use norm::{Gain, Norm};
pub use ragged::Ragged;
pub use rope::{Rotary, RotaryScaling};
pub use weight::Frozen;

pub(super) use attention::{AttentionShape, attention};
pub(super) use cache::LayerCache;
pub(super) use gated::gated;
pub(super) use head::Head;
pub(super) use host::{Floats, in_place};
pub(super) use linear::{Adapter, Dropout, Linear};
pub(super) use norm::{head_norm, rms_norm};
pub(super) use pick::pick;
pub(super) use ragged::{Batch, View};
pub(super) use rope::Rope;
pub(super) use sum::sum;
pub(super) use tape::{Tape, noted};
pub(super) use weight::Weight;

/// Which form of the operations runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// Hand-written CPU operations: fast, and bit-equal whatever the batch and the number of threads. Activations are f32, frozen
    /// matrices are f32 or bf16.
    Fused,
    /// Candle's own differentiable operations, on any device and in any format.
    Composite,
}

impl Kernels {
    /// The best form for a device and format.
    pub fn best(device: &candle_core::Device, dtype: candle_core::DType) -> Self {
        let ours = matches!(dtype, candle_core::DType::F32 | candle_core::DType::BF16);
        if device.is_cpu() && ours { Self::Fused } else { Self::Composite }
    }
}
