//! The keys of one fine-tuning as they may be typed, in `[finetune]` for students and in `[teacher]` for fine-tuned teachers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{LayerRange, Schedule};

/// A student's fine-tuning.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Recipe {
    /// Which weights learn: `"full"`, `"lora"`, or with parameters `{ lora = { rank = 8 } }`. Default: full with frozen
    /// embeddings for built-in models, else LoRA.
    pub method: Option<MethodEntry>,
    /// Passes over the rows. Default: 3.
    #[schemars(range(min = 1, max = 10_000), extend("x-hint" = "3 to 10 are usual; more unique rows beat more epochs"))]
    pub epochs: Option<usize>,
    /// Stop after this many optimiser steps, whatever `epochs` says. Default: no limit.
    #[schemars(range(min = 1))]
    pub max_steps: Option<usize>,
    /// Rows per optimiser step. Default: 128 for built-in models, else 66.
    #[schemars(range(min = 1, max = 100_000))]
    pub batch_size: Option<usize>,
    /// Rows per forward pass: speed and memory, not the result's meaning. Default: 128 for built-in models, else 22, and at
    /// most `batch_size`.
    #[schemars(range(min = 1, max = 100_000))]
    pub micro_batch: Option<usize>,
    /// Keep only each layer's input for the backward pass and compute the rest again: `true`, `false` or `"auto"`, which does so
    /// where training would not fit the memory at hand otherwise. Memory then hardly grows with the number of layers; a step takes
    /// about a third longer. Default: auto.
    #[schemars(extend("x-hint" = "`true`, `false` or `\"auto\"`"))]
    pub gradient_checkpointing: Option<CheckpointingEntry>,
    /// The peak learning rate. Default: 3e-3 for built-in models, else 2e-4.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0, "x-hint" = "2e-4 suits LoRA on a 7B model"))]
    pub learning_rate: Option<f64>,
    /// The learning rate's course after warm-up. Default: linear.
    pub schedule: Option<Schedule>,
    /// Optimiser steps over which the learning rate rises from 0. Default: 2 for built-in models, else 5.
    #[schemars(range(min = 0))]
    pub warmup_steps: Option<usize>,
    /// AdamW's decoupled weight decay. Default: 0.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight_decay: Option<f64>,
    /// AdamW's decay rates of the first and second moment. Default: 0.9 and 0.99 for built-in models, else 0.9 and 0.999.
    #[schemars(extend("items" = serde_json::json!({ "type": "number", "minimum": 0.0, "exclusiveMaximum": 1.0 })))]
    pub betas: Option<[f64; 2]>,
    /// AdamW's epsilon. Default: 1e-8.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub epsilon: Option<f64>,
    /// The largest global gradient norm; 0 leaves gradients as they are. Default: 1.
    #[schemars(range(min = 0.0))]
    pub clip_norm: Option<f64>,
    /// Draw a new row order for every epoch. Default: true.
    pub shuffle: Option<bool>,
    /// A row's loss is the sum over its `n` tokens times `n` to this power: 0 is the token mean, -1 the row mean. Default: 0.
    #[schemars(range(min = -2.0, max = 2.0))]
    pub length_power: Option<f64>,
    /// Write a checkpoint every this many optimiser steps; 0 writes none. Default: 0 for built-in models, else 50.
    #[schemars(range(min = 0))]
    pub checkpoint_every: Option<usize>,
    /// Write a checkpoint whenever this many minutes have passed since the last one; 0 leaves it to `checkpoint_every`. Default: 10.
    #[schemars(range(min = 0.0))]
    pub checkpoint_minutes: Option<f64>,
}

/// Whether activations are computed again on the way back.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum CheckpointingEntry {
    /// Always or never.
    Fixed(bool),
    /// Where memory asks for it.
    Auto(Auto),
}

/// The program decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Auto {
    /// By the memory at hand.
    Auto,
}

impl CheckpointingEntry {
    /// `None` where the program decides.
    pub(super) fn choice(self) -> Option<bool> {
        match self {
            Self::Fixed(on) => Some(on),
            Self::Auto(_) => None,
        }
    }
}

/// Which weights learn.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum MethodEntry {
    /// A method with its default parameters.
    Name(MethodName),
    /// A method with its parameters.
    With(MethodTable),
}

/// A method with its default parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MethodName {
    /// Low-rank adapters on frozen weights.
    Lora,
    /// Every weight.
    Full,
}

/// A method with its parameters.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MethodTable {
    /// Low-rank adapters on frozen weights.
    Lora(LoraTable),
    /// Every weight of the decoder.
    Full(FullTable),
}

/// A low-rank adapter.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct LoraTable {
    /// The rank. Default: 8.
    #[schemars(range(min = 1, max = 256), extend("x-hint" = "the reference experiment uses 8"))]
    pub rank: Option<usize>,
    /// The numerator of the scale `alpha / rank`. Default: the rank.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub alpha: Option<f64>,
    /// Scale by `alpha / sqrt(rank)` instead. Default: false.
    pub rslora: Option<bool>,
    /// Dropout on the adapter's input. Default: 0.
    #[schemars(extend("minimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub dropout: Option<f64>,
    /// The linear layers that carry an adapter: `"all-linear"` or a list of names. Default: all-linear.
    pub targets: Option<TargetsEntry>,
    /// The first and the last decoder layer with an adapter, counted from 0: `[8, 15]`. Fewer layers take less memory and time; no
    /// gradient runs below the first. Default: all layers.
    #[schemars(with = "Option<[usize; 2]>")]
    pub layers: Option<LayerRange>,
}

/// Every weight of the decoder.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct FullTable {
    /// Leave the token embeddings (and a tied output head) as they are. Default: true for built-in students, else false.
    pub freeze_embeddings: Option<bool>,
}

/// The linear layers that carry an adapter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum TargetsEntry {
    /// All of them.
    All(AllLinear),
    /// By name.
    Named(#[schemars(length(min = 1), extend("uniqueItems" = true))] Vec<LayerName>),
}

/// All linear layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AllLinear {
    /// q, k, v, o, gate, up and down projections.
    AllLinear,
}

/// A linear layer, by PEFT's module name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "the names are the checkpoints' own")]
pub(super) enum LayerName {
    QProj,
    KProj,
    VProj,
    OProj,
    GateProj,
    UpProj,
    DownProj,
}

impl LayerName {
    /// PEFT's module name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::QProj => "q_proj",
            Self::KProj => "k_proj",
            Self::VProj => "v_proj",
            Self::OProj => "o_proj",
            Self::GateProj => "gate_proj",
            Self::UpProj => "up_proj",
            Self::DownProj => "down_proj",
        }
    }
}
