//! What a training takes in memory, before it starts: from a decoder's description and a recipe to bytes, by the formulas below.
//!
//! They count what this trainer holds at its peak, the backward pass of one micro batch in which every row is as long as the longest.
//! A test holds them against the measured peak.

mod sizes;
#[cfg(test)]
mod tests;

use candle_core::DType;

use self::sizes::{Rows, Sizes};
use crate::engine::local::arch::DecoderConfig;
use crate::error::{Error, Result};
use crate::record::{Finetune, Method};
use crate::tool::memory::shown;

/// Bytes taken to be at hand where the system does not tell, to choose by; nothing is refused on that ground.
const UNTOLD: u64 = 4 << 30;

/// Bytes at the peak of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The weights as they are loaded.
    pub weights: u64,
    /// What training adds whatever the rows: packed copies of frozen weights, adapters, gradients, the optimiser's moments.
    pub training: u64,
    /// What one micro batch adds: activations kept for the backward pass, and the logits of its completions.
    pub activations: u64,
    /// All of it.
    pub total: u64,
}

/// The peak of a training by `recipe` on rows of up to `longest_row` tokens. Where the recipe leaves gradient checkpointing open, it
/// counts as off; half of a row is taken to be its completion.
pub fn estimate(config: &DecoderConfig, recipe: &Finetune, dtype: DType, longest_row: usize, on_cpu: bool) -> Estimate {
    let sizes = Sizes::new(config, recipe, dtype, on_cpu);
    let rows = Rows { count: recipe.micro_batch.min(recipe.batch_size).max(1) as u64, longest: longest_row as u64 };
    let weights = sizes.weights();
    let training = sizes.training(rows.count < recipe.batch_size as u64);
    let activations = match recipe.gradient_checkpointing {
        Some(true) => sizes.layer_by_layer(rows),
        _ => sizes.all_at_once(rows),
    };
    Estimate { weights, training, activations, total: weights + training + activations }
}

/// Whether to compute activations again on the way back: as the recipe says, else where `available` bytes, apart from the loaded
/// weights, would not do without it.
///
/// # Errors
/// If even so the training would not fit.
pub fn checkpointing(
    config: &DecoderConfig,
    recipe: &Finetune,
    dtype: DType,
    longest_row: usize,
    on_cpu: bool,
    available: Option<u64>,
) -> Result<bool> {
    let needed = |on: bool| {
        let recipe = Finetune { gradient_checkpointing: Some(on), ..recipe.clone() };
        let estimate = estimate(config, &recipe, dtype, longest_row, on_cpu);
        estimate.total - estimate.weights
    };
    let on = recipe.gradient_checkpointing.unwrap_or_else(|| needed(false) > available.unwrap_or(UNTOLD));
    let Some(available) = available.filter(|there| needed(on) > *there) else { return Ok(on) };
    let message =
        format!("this training needs about {} beside its weights, {} are available", shown(needed(on)), shown(available));
    Err(Error::environment(message).hint(cures(recipe, dtype, on)))
}

/// What would take less, the mildest first.
fn cures(recipe: &Finetune, dtype: DType, checkpointing: bool) -> String {
    let mut cures = Vec::new();
    if !checkpointing {
        cures.push("turn on `gradient_checkpointing`".to_owned());
    }
    if recipe.micro_batch > 1 {
        cures.push(format!("lower `micro_batch` from {}", recipe.micro_batch));
    }
    if matches!(recipe.method, Method::Full { .. }) {
        cures.push("train a LoRA adapter instead of every weight".to_owned());
    }
    if dtype == DType::F32 {
        cures.push("load the weights in bf16".to_owned());
    }
    if cures.is_empty() { "a smaller model or shorter rows would fit".to_owned() } else { cures.join(", or ") }
}
