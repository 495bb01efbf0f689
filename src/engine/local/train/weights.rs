//! Which weights learn: makes variables of them before a training, and plain tensors after it.

use std::collections::BTreeSet;
use std::path::Path;

use candle_core::{DType, Tensor, Var};

use super::adamw::AdamW;
use super::{Training, rows_hash};
use crate::engine::local::arch::{Decoder, Site};
use crate::engine::local::layers::Weight;
use crate::engine::local::{adapter, tensors};
use crate::error::{Error, Result};
use crate::record::{Finetune, Lora, Method};
use crate::tool::hash;

/// The embeddings' name.
pub(super) const EMBEDDINGS: &str = "model.embed_tokens.weight";

/// Makes variables, in f32, of what the recipe trains, and returns them under their names.
pub(super) fn make_trainable(decoder: &mut Decoder, recipe: &Finetune, seed: u64) -> Result<Vec<(String, Var)>> {
    match &recipe.method {
        Method::Lora(lora) => adapters(decoder, lora, seed),
        Method::Full { freeze_embeddings } => {
            decoder.merge_adapters()?;
            let chosen = decoder.weights_mut()?.into_iter().filter(|(name, _)| !(*freeze_embeddings && name == EMBEDDINGS));
            let named = chosen.map(|(name, tensor)| Ok((name, variable(tensor)?))).collect();
            decoder.pack()?; // what does not learn after all
            named
        }
    }
}

fn adapters(decoder: &mut Decoder, lora: &Lora, seed: u64) -> Result<Vec<(String, Var)>> {
    if decoder.adapters_mut().is_empty() {
        adapter::attach_fresh(decoder, lora, seed)?;
    }
    fits(decoder, lora)?;
    let mut named = Vec::new();
    for (site, adapter) in decoder.adapters_mut() {
        named.push((format!("{}.lora_A", site.name()), variable(&mut adapter.a)?));
        named.push((format!("{}.lora_B", site.name()), variable(&mut adapter.b)?));
    }
    Ok(named)
}

/// An adapter to go on from must be what the recipe describes: it is saved under the recipe's settings.
fn fits(decoder: &mut Decoder, lora: &Lora) -> Result<()> {
    let wanted = adapter::select(decoder, lora)?;
    let there = decoder.adapters_mut();
    let differs = |what: &str, recipe: String, found: String| {
        let message = format!("the recipe's LoRA {what} is {recipe}, the adapter to go on from has {found}");
        Err(Error::input(message).hint("give the adapter's own settings"))
    };
    for (_, adapter) in &there {
        let rank = adapter.a.dim(0)?;
        if rank != lora.rank {
            return differs("rank", lora.rank.to_string(), rank.to_string());
        }
        if (adapter.scale - adapter::scale(lora)).abs() > 1e-9 * adapter.scale.abs() {
            return differs("scale (alpha over rank)", adapter::scale(lora).to_string(), adapter.scale.to_string());
        }
    }
    let names = |sites: Vec<String>| -> BTreeSet<String> { sites.into_iter().collect() };
    let (wanted, found) = (names(wanted.iter().map(Site::name).collect()), names(there.iter().map(|(s, _)| s.name()).collect()));
    if wanted == found {
        Ok(())
    } else {
        differs("set of layers", format!("{} layers", wanted.len()), format!("{} others", found.len()))
    }
}

/// Puts a variable with the same value in the tensor's place.
fn variable(tensor: &mut Tensor) -> Result<Var> {
    let var = Var::from_tensor(&tensor.to_dtype(DType::F32)?.copy()?)?;
    *tensor = var.as_tensor().clone();
    Ok(var)
}

/// Makes plain tensors of all variables again, so that nothing is recorded when the decoder speaks.
pub(super) fn freeze(decoder: &mut Decoder, method: &Method) -> Result<()> {
    if matches!(method, Method::Full { .. }) {
        for (_, tensor) in decoder.weights_mut()? {
            *tensor = tensor.detach();
        }
        decoder.pack()?;
    }
    for (_, adapter) in decoder.adapters_mut() {
        adapter.a = adapter.a.detach();
        adapter.b = adapter.b.detach();
    }
    Ok(())
}

/// Names a training: its recipe, but for what changes speed and memory only, its seed, rows and starting weights.
pub(super) fn identity(decoder: &Decoder, training: &Training<'_>, optimiser: &AdamW) -> Result<String> {
    let mut samples = Vec::new();
    let parameters = optimiser.parameters.iter().map(|p| (p.name.clone(), Weight::Tensor(p.value.as_tensor().clone())));
    for (name, weight) in decoder.weights().into_iter().chain(parameters) {
        // the first values of every weight tell one checkpoint from another without reading gigabytes
        let values = weight.first(256)?;
        samples.push((name, values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>()));
    }
    let mut recipe = serde_json::to_value(training.recipe).map_err(|e| Error::environment("cannot write a recipe").because(e))?;
    if let Some(settings) = recipe.as_object_mut() {
        settings.retain(|name, _| !Finetune::PACE.contains(&name.as_str()));
    }
    Ok(hash::value(&(recipe, training.seed, rows_hash(training.rows), samples)))
}

/// Writes all weights as `model.safetensors`, in f32 under their Hugging Face names.
///
/// # Errors
/// If the disk or the device fails.
pub fn save_checkpoint(decoder: &mut Decoder, folder: &Path) -> Result<()> {
    decoder.merge_adapters()?;
    let tensors = decoder.weights().into_iter().map(|(name, weight)| Ok((name, weight.tensor()?)));
    tensors::save(&folder.join("model.safetensors"), &tensors.collect::<Result<Vec<_>>>()?)
}
