//! Model families: each is a description ([`DecoderConfig`]) over one [`Decoder`].
//!
//! To add a family: one file that fills the description from `config.json`, and one line in [`FAMILIES`].
//!
//! | file | what it holds |
//! |---|---|
//! | `config` | the description |
//! | `fields`, `rotary` | the keys of a `config.json`, each read or refused |
//! | `checkpoint` | the tensors' names and shapes, and how they come in |
//! | `decoder` | the pass over rows |
//! | `weights` | a decoder's weights and adapters by name |

pub mod config;

mod checkpoint;
mod decoder;
mod fields;
mod rotary;
#[cfg(test)]
mod tests;
mod weights;

mod gemma2;
mod gemma3;
mod llama;
mod mistral;
mod qwen2;
mod qwen3;

pub use checkpoint::{Layout, Tensors};
pub use config::DecoderConfig;
pub use decoder::Decoder;
pub(in crate::engine::local) use fields::LARGEST_VOCABULARY;
pub use weights::Site;

pub use super::layers::{KvCache, Ragged};

/// The families that this engine runs.
pub const FAMILIES: &[config::Family] =
    &[qwen2::FAMILY, qwen3::FAMILY, llama::FAMILY, mistral::FAMILY, gemma2::FAMILY, gemma3::TEXT, gemma3::MULTIMODAL];
