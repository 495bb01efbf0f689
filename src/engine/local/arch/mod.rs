//! Model families: each is a description ([`DecoderConfig`]) over one [`Decoder`].
//!
//! To add a family: one file that fills the description from `config.json`, and one line in [`config::FAMILIES`].

pub mod config;
mod decoder;
mod qwen2;
#[cfg(test)]
mod tests;

pub use config::DecoderConfig;
pub use decoder::{Decoder, Site};

pub use super::layers::{KvCache, Ragged};
