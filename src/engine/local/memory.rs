//! What a model takes in memory while it writes or learns: a decoder's description in, bytes out. Estimates, on the large side: a
//! model of 163 million weights that wrote 128 rows together peaked at 1.6 GiB in f32 and 0.9 GiB in bf16.

use candle_core::DType;

use super::arch::DecoderConfig;
use super::decode::Budget;
use super::{score, train};
use crate::record::Finetune;
use crate::tool;

/// Bytes of an f32.
const WIDE: u64 = 4;

/// The numbers that the formulas speak of.
pub(super) struct Sizes<'a> {
    pub(super) config: &'a DecoderConfig,
    /// The format of weights and activations.
    pub(super) dtype: DType,
    pub(super) on_cpu: bool,
}

impl Sizes<'_> {
    /// The weights as they are loaded.
    pub(super) fn weights(&self) -> u64 {
        self.config.parameters() * self.width()
    }

    /// While it writes answers to prompts, together at most `positions` tokens long: the weights, the keys and
    /// values of all rows that are continued together (`rows`, or what the budget chooses), one layer's results for the prompts of one
    /// pass, and logits.
    pub(super) fn sampling(&self, positions: usize, rows: Option<usize>) -> u64 {
        let budget = Budget::of(self.config, positions);
        let rows = rows.unwrap_or(budget.rows) as u64;
        let config = self.config;
        // a tensor's room doubles, the fused form's grows by the token
        let room = if self.fused() { positions } else { positions.next_power_of_two() } as u64;
        let per_token = (2 * config.num_layers * config.num_kv_heads * config.head_dim) as u64 * self.width();
        let pass = budget.tokens as u64;
        let logits = (rows * config.vocab_size as u64).max((score::LOGITS as u64).min(pass * config.vocab_size as u64));
        self.weights() + rows * room * per_token + pass * self.layer(positions) + 2 * logits * WIDE
    }

    /// While it learns by `recipe` from rows of at most `longest` tokens. Where the recipe leaves gradient checkpointing open, it counts
    /// as off on a CPU if that fits into what the machine has at hand.
    pub(super) fn training(&self, recipe: &Finetune, longest: usize) -> u64 {
        let with = |gradient_checkpointing| {
            let recipe = Finetune { gradient_checkpointing, ..recipe.clone() };
            train::memory::estimate(self.config, &recipe, self.dtype, longest, self.on_cpu).total
        };
        let room = if self.on_cpu { tool::memory::available() } else { None };
        match recipe.gradient_checkpointing {
            None if room.is_none_or(|room| room < with(Some(false))) => with(Some(true)),
            choice => with(choice),
        }
    }

    fn width(&self) -> u64 {
        self.dtype.size_in_bytes() as u64
    }

    /// Whether the CPU's own operations run, whose activations are f32.
    fn fused(&self) -> bool {
        self.on_cpu && matches!(self.dtype, DType::F32 | DType::BF16)
    }

    /// The matrices of the decoder layers, each (out, in).
    fn matrices(&self) -> impl Iterator<Item = [u64; 2]> {
        self.config.weights().into_iter().filter(|(name, _)| name.contains(".layers.")).filter_map(|(_, shape)| {
            let [out, inner] = shape.as_slice() else { return None };
            Some([*out as u64, *inner as u64])
        })
    }

    /// What one decoder layer computes of one token that sees `context` others: the results of products, of norms and of attention.
    fn layer(&self, context: usize) -> u64 {
        let outputs: u64 = self.matrices().map(|[out, _]| out).sum::<u64>() / self.config.num_layers.max(1) as u64;
        let around = (6 * self.config.hidden_size + self.config.intermediate_size) as u64;
        // the composite form holds the scores of every query as a matrix, in f32, three at a time
        let scores = if self.fused() { 0 } else { 3 * (self.config.num_heads * context) as u64 * WIDE };
        (outputs + around) * if self.fused() { WIDE } else { self.width() } + scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::local::fixture;

    fn sizes(config: &DecoderConfig, dtype: DType, on_cpu: bool) -> Sizes<'_> {
        Sizes { config, dtype, on_cpu }
    }

    #[test]
    fn weights_are_half_as_wide_in_bf16() {
        let config = fixture::config();
        let (wide, narrow) = (sizes(&config, DType::F32, true), sizes(&config, DType::BF16, true));
        assert_eq!(wide.weights(), 4 * config.parameters());
        assert_eq!(narrow.weights(), 2 * config.parameters());
        assert!(narrow.sampling(100, Some(8)) < wide.sampling(100, Some(8)));
    }

    #[test]
    fn longer_prompts_and_more_rows_take_more() {
        let config = fixture::config();
        let sizes = sizes(&config, DType::F32, true);
        assert!(sizes.sampling(100, Some(8)) > sizes.sampling(50, Some(8)));
        assert!(sizes.sampling(100, Some(80)) > sizes.sampling(100, Some(8)));
    }
}
