//! The adapter that a training starts from.

use candle_core::{DType, Tensor};
use rand::Rng;

use super::{scale, select};
use crate::engine::local::arch::Decoder;
use crate::engine::local::layers::Adapter;
use crate::error::{Error, Result};
use crate::record::Lora;
use crate::tool::streams;

/// Puts a fresh adapter on the decoder: `A` uniform within ±1/√in as PEFT draws it (Kaiming with a = √5), `B` zero.
///
/// # Errors
/// If the targets name no layer.
pub fn attach_fresh(decoder: &mut Decoder, lora: &Lora, seed: u64) -> Result<()> {
    if !(1..=256).contains(&lora.rank) {
        return Err(Error::input(format!("the LoRA rank is {}, expected 1 to 256", lora.rank)));
    }
    for (index, site) in select(decoder, lora)?.iter().enumerate() {
        let (out, inner) = decoder.linear(site).weight.dims()?;
        let bound = 1.0 / (inner as f32).sqrt();
        let mut random = streams::named(seed, "lora-a", index as u64);
        let a: Vec<f32> = (0..lora.rank * inner).map(|_| random.random_range(-bound..bound)).collect();
        let a = Tensor::from_vec(a, (lora.rank, inner), decoder.device())?;
        let b = Tensor::zeros((out, lora.rank), DType::F32, decoder.device())?;
        decoder.attach(site, Adapter { a, b, scale: scale(lora) });
    }
    Ok(())
}
