//! Checkpoints made by a formula, the twin of `tests/fixtures/parity/made.py`: no weights need committing.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use serde_json::Value;

use crate::sandbox::repository;

/// A tensor's name and shape, its centre, and how far its values spread around it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Made(pub(crate) String, pub(crate) Vec<usize>, pub(crate) f32, pub(crate) f32);

impl Made {
    fn bytes(&self, seed: u64) -> Vec<u8> {
        let Self(name, shape, centre, scale) = self;
        let start = fnv1a(&format!("{seed} {name}"));
        let count = shape.iter().product::<usize>() as u64;
        let value = |i| centre + scale * (uniform(start, i) * 2.0 - 1.0);
        (1..=count).flat_map(|i| value(i).to_le_bytes()).collect()
    }
}

/// The upper 24 bits of splitmix64's output `i`, as a fraction of 1.
fn uniform(start: u64, i: u64) -> f32 {
    let mut x = start.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    (x >> 40) as f32 / 16_777_216.0
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Writes made tensors as a safetensors file.
pub(crate) fn write_tensors(path: &Path, seed: u64, tensors: &[Made]) {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|made| made.bytes(seed)).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for (Made(name, shape, ..), bytes) in tensors.iter().zip(&bytes) {
        views.push((name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many bytes as the shape asks for")));
    }
    fs::write(path, safetensors::serialize(views, None).expect("sound tensors")).expect("writable");
}

/// Where the fixtures lie.
pub(crate) fn fixtures() -> PathBuf {
    repository().join("tests/fixtures/parity")
}

/// Writes a checkpoint folder: made weights, a config, and one of the two tokenizers (`bytes`, `pieces`).
pub(crate) fn write_checkpoint(folder: &Path, seed: u64, config: &Value, tokenizer: &str, tensors: &[Made]) {
    fs::create_dir_all(folder).expect("a folder");
    for name in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        fs::copy(fixtures().join(tokenizer).join(name), folder.join(name)).expect("a fixture");
    }
    fs::write(folder.join("config.json"), config.to_string()).expect("writable");
    write_tensors(&folder.join("model.safetensors"), seed, tensors);
}
