//! Training checkpoints: a folder a time, written aside and renamed, its manifest last; the newest two are kept.
//! A checkpoint whose file of weights is not what its manifest says is passed over, with a word.

use std::path::{Path, PathBuf};

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::adamw::AdamW;
use super::{Event, Watch};
use crate::engine::local::tensors;
use crate::error::{Error, Result};
use crate::tool::{fs, hash};

const MANIFEST: &str = "manifest.json";
const STATE: &str = "state.safetensors";
const KEPT: usize = 2;

/// How far a training has come. The place in the data follows from the step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Names the training: recipe, seed, rows and starting weights. A checkpoint of another one is passed over.
    pub(super) identity: String,
    /// Optimiser steps done.
    pub(super) step: usize,
    /// Tokens through the model.
    pub(super) tokens: usize,
    /// Every step's loss.
    pub(super) losses: Vec<f64>,
}

/// What is written of a checkpoint beside its weights and moments.
#[derive(Serialize, Deserialize)]
struct Manifest<P> {
    #[serde(flatten)]
    progress: P,
    /// The hash of the file of weights and moments.
    state: String,
}

/// Writes weights, both moments and progress.
pub(super) fn save(folder: &Path, optimiser: &AdamW, progress: &Progress) -> Result<()> {
    let place = folder.join(format!("step-{:08}", progress.step));
    let aside = folder.join(format!(".step-{:08}.{}.part", progress.step, std::process::id()));
    fs::remove_dir(&aside)?;
    fs::create_dir(&aside)?;
    let mut named: Vec<(String, Tensor)> = Vec::new();
    for p in &optimiser.parameters {
        named.push((format!("{}#value", p.name), p.value.as_detached_tensor()));
        named.push((format!("{}#first", p.name), p.first.clone()));
        named.push((format!("{}#second", p.name), p.second.clone()));
    }
    tensors::save(&aside.join(STATE), &named)?;
    let state = hash::file(&aside.join(STATE))?;
    fs::write_json(&aside.join(MANIFEST), &Manifest { progress, state })?;
    fs::remove_dir(&place)?;
    std::fs::rename(&aside, &place).map_err(|e| Error::io("put in place", &place, e))?;
    let kept: Vec<PathBuf> = of(folder, &progress.identity)?.into_iter().map(|(place, _)| place).take(KEPT).collect();
    for (_, old) in all(folder)?.into_iter().filter(|(_, place)| !kept.contains(place)) {
        fs::remove_dir(&old)?; // also one of another training, which the same folder can't go on with any more
    }
    Ok(())
}

/// Brings weights and moments to the newest whole checkpoint of the training `identity`, if there is one; `watch` is told of damaged ones.
pub(super) fn resume(folder: &Path, optimiser: &mut AdamW, identity: &str, watch: &mut Watch<'_>) -> Result<Option<Progress>> {
    for (place, Manifest { progress, state }) in of(folder, identity)? {
        match restore(&place, &state, optimiser) {
            Ok(()) => return Ok(Some(progress)),
            Err(e) => watch(Event::Warning(&format!("the checkpoint `{}` is passed over: {e}", place.display())))?,
        }
    }
    Ok(None)
}

/// The place of the newest checkpoint of the training `identity`.
pub(super) fn newest(folder: &Path, identity: &str) -> Option<PathBuf> {
    of(folder, identity).ok()?.into_iter().next().map(|(place, _)| place)
}

/// The checkpoints of the training `identity`, newest first.
fn of(folder: &Path, identity: &str) -> Result<Vec<(PathBuf, Manifest<Progress>)>> {
    let read = |(_, place): (usize, PathBuf)| Some((fs::read_json::<Manifest<Progress>>(&place.join(MANIFEST)).ok()?, place));
    let found = all(folder)?.into_iter().rev().filter_map(read);
    Ok(found.filter(|(manifest, _)| manifest.progress.identity == identity).map(|(manifest, place)| (place, manifest)).collect())
}

fn restore(place: &Path, hash: &str, optimiser: &mut AdamW) -> Result<()> {
    if hash::file(&place.join(STATE))? != hash {
        return Err(Error::environment(format!("the content of `{STATE}` has changed")));
    }
    let mut state = tensors::load(&place.join(STATE))?;
    let mut found = Vec::new();
    for p in &optimiser.parameters {
        let mut take = |part: &str| -> Result<Tensor> {
            let tensor = state.remove(&format!("{}#{part}", p.name)).filter(|t| t.dims() == p.value.dims());
            let tensor = tensor.ok_or_else(|| Error::input(format!("the checkpoint lacks `{}`", p.name)))?;
            Ok(tensor.to_device(p.value.device())?)
        };
        found.push((take("value")?, take("first")?, take("second")?));
    }
    for (p, (value, first, second)) in optimiser.parameters.iter_mut().zip(found) {
        p.value.set(&value)?;
        (p.first, p.second) = (first, second);
    }
    Ok(())
}

/// The checkpoints of a folder, oldest first.
fn all(folder: &Path) -> Result<Vec<(usize, PathBuf)>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))? {
        let path = entry.map_err(|e| Error::io("list", folder, e))?.path();
        let step = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_prefix("step-")).and_then(|n| n.parse().ok());
        if let Some(step) = step {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found)
}
