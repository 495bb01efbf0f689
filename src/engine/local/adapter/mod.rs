//! LoRA adapters in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`, read from anywhere and written for everyone.
//!
//! | module | what it holds |
//! |---|---|
//! | `modules` | which linear layers carry an adapter, by PEFT's rules |
//! | `settings` | `adapter_config.json`; what this engine does not know how to honour is refused by name |
//! | `fresh` | the start of a training |
//! | `files` | an adapter's tensors, read and written |

mod files;
mod fresh;
mod modules;
mod settings;

use crate::record::Lora;

pub use files::{load, save};
pub use fresh::attach_fresh;
pub use settings::Settings;

pub(super) use modules::{select, targets};

/// `alpha / rank`, or `alpha / sqrt(rank)` when rank-stabilised.
pub(super) fn scale(lora: &Lora) -> f64 {
    settings::scale(lora.rank, lora.alpha, lora.rslora)
}
