//! How tokens are drawn, and which random stream draws them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How completions are sampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sampling {
    /// Softmax temperature; 0 takes the most probable token.
    pub temperature: f64,
    /// Nucleus: the smallest set of tokens whose probability reaches this; 1 keeps all.
    pub top_p: f64,
    /// The most tokens a completion may have, end-of-turn included.
    pub max_tokens: usize,
    /// Go on past the end-of-turn token (for speed measurements).
    pub ignore_stop: bool,
}

/// Names one random stream: a replicate's seed, a purpose, a row. The stream of one row depends on nothing else, so that
/// the batch, the thread or an interruption shift nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The replicate's seed.
    pub seed: u64,
    /// What the numbers are for, e.g. `generate`.
    pub purpose: String,
    /// The row within the purpose.
    pub index: u64,
}
