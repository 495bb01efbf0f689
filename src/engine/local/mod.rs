//! The local engine: checkpoints on this machine, run and trained with candle. The only folder that names candle.
//!
//! | module | what it holds |
//! |---|---|
//! | [`device`] | where the work runs, in which number format, and why |
//! | `cpu` | the kernels of the CPU: plain slices in, plain slices out |
//! | [`layers`] | differentiable layers over rows of different lengths |
//! | [`arch`] | model families as descriptions over one decoder |
//! | [`tensors`] | safetensors files |
//! | [`adapter`] | LoRA adapters in PEFT's layout |
//! | [`train`] | the training loop, its optimiser and its checkpoints |
//! | [`source`] | the files of a model: embedded, in a folder, on the Hub |
//! | [`text`] | tokenizer and chat template |
//! | [`decode`] | sampling, grammar masks, the loop over rows |
//! | `score` | exact log-probabilities |
//! | `memory` | what a model takes while it writes or learns |
//! | [`model`], [`engine`] | what the rest of the program sees of all this |

pub mod adapter;
pub mod arch;
mod cpu;
pub mod device;
#[cfg(test)]
mod fixture;
pub mod layers;
pub mod tensors;
pub mod train;

pub mod decode;
pub mod engine;
pub mod model;
pub mod source;
pub mod text;

mod memory;
mod score;
#[cfg(test)]
mod testing;

pub use cpu::{simd_level, simd_levels};
pub use device::build_features;
pub use engine::LocalEngine;

use crate::error::Error;

/// A failure inside the tensor engine: a shape or kernel that should have been caught before, or memory that ran out.
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Error::environment("the tensor engine failed").because(error)
    }
}
