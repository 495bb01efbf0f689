//! How a model is fine-tuned: used for students, for fine-tuned teachers, and by `subliminal train`.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which weights learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Low-rank adapters on frozen weights.
    Lora(Lora),
    /// Every weight of the decoder.
    Full {
        /// Leave the token embeddings (and a tied output head) as they are.
        freeze_embeddings: bool,
    },
}

/// A low-rank adapter (Hu et al., arXiv 2106.09685): `W + scale · B A` with `A` of shape (rank, in), `B` of shape (out, rank).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lora {
    /// The rank, 1 to 256.
    pub rank: usize,
    /// The numerator of the scale: `alpha / rank`, or `alpha / sqrt(rank)` with `rslora`.
    pub alpha: f64,
    /// Rank-stabilised scale (Kalajdzievski, arXiv 2312.03732).
    pub rslora: bool,
    /// Dropout on the adapter's input, 0 to below 1.
    pub dropout: f64,
    /// Which linear layers carry an adapter.
    pub targets: LayerTargets,
    /// The decoder layers that carry one; `None` means all.
    pub layers: Option<LayerRange>,
}

/// Decoder layers from `first` to `last`, counted from 0, both included. Written `[first, last]`, and `first-last` on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "[usize; 2]", into = "[usize; 2]")]
pub struct LayerRange {
    /// The first decoder layer.
    pub first: usize,
    /// The last one.
    pub last: usize,
}

impl LayerRange {
    /// Whether a layer lies in the range.
    pub fn contains(self, layer: usize) -> bool {
        (self.first..=self.last).contains(&layer)
    }
}

impl From<[usize; 2]> for LayerRange {
    fn from([first, last]: [usize; 2]) -> Self {
        Self { first, last }
    }
}

impl From<LayerRange> for [usize; 2] {
    fn from(range: LayerRange) -> Self {
        [range.first, range.last]
    }
}

impl FromStr for LayerRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Self { first, last }),
            _ => Err("expected `FIRST-LAST`, counted from 0, e.g. 8-15".to_owned()),
        }
    }
}

/// The linear layers that carry an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayerTargets {
    /// q, k, v, o, gate, up and down projections.
    AllLinear,
    /// By PEFT's module names, e.g. `q_proj`.
    Named(Vec<String>),
}

/// The learning rate's course after warm-up; each ends at the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Falls to zero on a straight line.
    Linear,
    /// Falls to zero on half a cosine.
    Cosine,
    /// Stays.
    Constant,
}

/// One fine-tuning, apart from its rows and its base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finetune {
    /// Which weights learn.
    pub method: Method,
    /// Passes over the rows.
    pub epochs: usize,
    /// Stop after this many optimiser steps, whatever `epochs` says.
    pub max_steps: Option<usize>,
    /// Rows per optimiser step.
    pub batch_size: usize,
    /// Rows per forward pass; the gradients of a step's passes are weighted by counted tokens, so this changes speed and memory, not the result's meaning.
    pub micro_batch: usize,
    /// Keep only each layer's input for the backward pass and compute the rest again (Chen et al., arXiv 1604.06174): less memory for a
    /// third more time. `None`: where training would not fit the memory at hand without it.
    pub gradient_checkpointing: Option<bool>,
    /// The peak learning rate.
    pub learning_rate: f64,
    /// The learning rate's course.
    pub schedule: Schedule,
    /// Optimiser steps over which the learning rate rises from 0.
    pub warmup_steps: usize,
    /// Decoupled weight decay (Loshchilov & Hutter, arXiv 1711.05101).
    pub weight_decay: f64,
    /// AdamW's decay rates of the first and second moment.
    pub betas: [f64; 2],
    /// AdamW's epsilon.
    pub epsilon: f64,
    /// The largest global gradient norm; 0 leaves gradients as they are.
    pub clip_norm: f64,
    /// Draw a new row order for every epoch; `false` keeps the file's order.
    pub shuffle: bool,
    /// A row's loss is the sum over its `n` counted tokens times `n` to this power (0: token mean over the batch; −1: row mean).
    pub length_power: f64,
    /// Write a checkpoint every this many optimiser steps; 0 writes none.
    pub checkpoint_every: usize,
    /// Write one whenever this many minutes have passed since the last; 0 leaves it to the steps.
    #[serde(default)]
    pub checkpoint_minutes: f64,
}

impl Finetune {
    /// The settings that change speed, memory and safety, but not what is learnt: no key and no identity of a training holds them.
    pub const PACE: [&str; 4] = ["micro_batch", "gradient_checkpointing", "checkpoint_every", "checkpoint_minutes"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_layers_is_typed_with_both_its_ends() {
        assert_eq!("8-15".parse(), Ok(LayerRange { first: 8, last: 15 }));
        assert_eq!("3".parse(), Ok(LayerRange { first: 3, last: 3 }));
        for wrong in ["", "5-2", "a-b", "-4", "1-2-3"] {
            assert!(wrong.parse::<LayerRange>().is_err(), "`{wrong}`");
        }
    }
}
