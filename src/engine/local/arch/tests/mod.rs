//! What must hold of the decoder as a whole, in every family.

mod cached;
mod checkpoint;
mod forms;
mod settings;
mod witness;

use super::{Decoder, DecoderConfig, KvCache, Ragged};
use crate::engine::local::fixture::{VOCAB, config, config_of, every_family, values};
use crate::engine::local::layers::Kernels;

const BOTH: [Kernels; 2] = [Kernels::Fused, Kernels::Composite];

/// The logits of rows end to end, line by line.
fn logits(decoder: &Decoder, tokens: &[u32], lengths: &[usize], cache: Option<&mut KvCache>) -> Vec<f32> {
    let hidden = decoder.hidden(&Ragged { tokens, lengths }, cache).expect("fits");
    values(&decoder.logits(&hidden).expect("fits"))
}

/// The small decoder's description, and one of every family.
fn descriptions(seed: u64) -> Vec<(&'static str, DecoderConfig)> {
    let all = every_family(seed);
    std::iter::once(("the small decoder", config())).chain(all.iter().map(|(label, json)| (*label, config_of(json)))).collect()
}

/// The lines `from..to` of logits.
fn lines(logits: &[f32], from: usize, to: usize) -> &[f32] {
    &logits[from * VOCAB..to * VOCAB]
}
