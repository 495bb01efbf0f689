//! Builds a base of the family: seeded initial weights, trained on the corpus by our own trainer.
//!
//! In comes a name and an [`Engine`]; out goes a folder in Hugging Face layout with [`RECORD`], which says how it was made and holds the
//! hash of every file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::architecture::{config_json, initial_weights};
use super::corpus::Corpus;
use super::curriculum::Base;
use super::tokenizer::{generation_config_json, tokenizer_config_json, tokenizer_json};
use super::vocabulary::{Pieces, Vocabulary};
use crate::engine::{Engine, TrainRequest, TrainRow, Watch};
use crate::error::{Error, Result};
use crate::record::{Finetune, Method, ModelRef, Schedule, Weights};
use crate::tool::{fs as files, hash, streams};

/// The name of the file that says how a base was made.
pub const RECORD: &str = "build.json";

const WEIGHTS: &str = "model.safetensors";
const BATCH: usize = 64;
/// How many batches' documents are sorted by length together, so that a batch holds documents of like length and little padding.
const SORTED_TOGETHER: usize = 20;

/// What may be asked of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BuildOptions {
    /// Optimiser steps; the learning rate's course ends with them. Without it, those of the base that ships.
    pub steps: Option<usize>,
}

/// How a base was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildRecord {
    /// The base.
    pub name: String,
    /// The seed of initial weights, corpus and data order.
    pub seed: u64,
    /// How it was trained.
    pub recipe: Finetune,
    /// The engine that trained it.
    pub engine: String,
    /// Tokens through the model.
    pub tokens: usize,
    /// Mean loss of the last tenth of the steps, nats per counted token.
    pub final_loss: f64,
    /// The hash of every file, by its name.
    pub files: BTreeMap<String, String>,
}

/// Builds the base `name` into the folder `out`, which is created and must not hold a build yet.
///
/// # Errors
/// If the family has no such base, the training fails, or the disk does.
pub fn build(name: &str, out: &Path, engine: &dyn Engine, options: BuildOptions, watch: &mut Watch<'_>) -> Result<BuildRecord> {
    let base = Base::named(name)?;
    let seed = base.seed;
    if out.join(RECORD).exists() {
        return Err(
            Error::input(format!("`{}` already holds a build", out.display())).hint("name another folder, or remove this one")
        );
    }
    let vocabulary = Vocabulary::of(base.curriculum);
    let (start, trained) = (out.join(".start"), out.join(".trained"));
    for folder in [&start, &trained] {
        files::remove_dir(folder)?;
        files::create_dir(folder)?;
    }
    write_texts(&start, &vocabulary)?;
    files::write_whole(&start.join(WEIGHTS), &initial_weights(seed, &vocabulary)?)?;

    let steps = options.steps.unwrap_or(base.curriculum.steps());
    let recipe = recipe(steps);
    let weights = Weights::base(ModelRef::Folder(start.clone()));
    let request = TrainRequest { start: &weights, recipe: &recipe, seed, out: &trained, checkpoints: None };
    let summary = engine.train(&request, &rows(base, steps), watch)?;

    write_texts(out, &vocabulary)?;
    let (from, to) = (trained.join(WEIGHTS), out.join(WEIGHTS));
    fs::rename(&from, &to).map_err(|e| Error::io("move", &from, e))?;
    files::remove_dir(&start)?;
    files::remove_dir(&trained)?;
    let engine = engine.facts().name;
    let record = BuildRecord {
        name: name.to_owned(),
        seed,
        recipe,
        engine,
        tokens: summary.tokens,
        final_loss: summary.final_loss,
        files: hashes(out)?,
    };
    files::write_json(&out.join(RECORD), &record)?;
    Ok(record)
}

/// How a base learns.
fn recipe(steps: usize) -> Finetune {
    Finetune {
        method: Method::Full { freeze_embeddings: false },
        epochs: 1,
        max_steps: Some(steps),
        batch_size: BATCH,
        micro_batch: BATCH,
        gradient_checkpointing: Some(false),
        learning_rate: 4e-3,
        schedule: Schedule::Cosine,
        warmup_steps: steps / 20,
        weight_decay: 0.01,
        betas: [0.9, 0.99],
        epsilon: 1e-8,
        clip_norm: 1.0,
        shuffle: false,
        length_power: -0.75,
        checkpoint_every: 0,
        checkpoint_minutes: 0.0,
    }
}

/// The documents of a build in the order of its batches.
fn rows(base: Base, steps: usize) -> Vec<TrainRow> {
    let seed = base.seed;
    let corpus = Corpus::new(base.curriculum, seed);
    let pieces = Pieces::of(base.curriculum);
    let mut rows = Vec::with_capacity(steps * BATCH);
    for (group, batches) in (0..steps).collect::<Vec<_>>().chunks(SORTED_TOGETHER).enumerate() {
        let numbers = batches[0] * BATCH..(batches[0] + batches.len()) * BATCH;
        let mut documents: Vec<TrainRow> = numbers.map(|i| corpus.document(i as u64).row).collect();
        documents.sort_by_cached_key(|row| length(&pieces, row));
        let mut order: Vec<usize> = (0..batches.len()).collect();
        order.shuffle(&mut streams::named(seed, "batch order", group as u64));
        rows.extend(order.into_iter().flat_map(|b| documents[b * BATCH..(b + 1) * BATCH].to_vec()));
    }
    rows
}

fn length(pieces: &Pieces, row: &TrainRow) -> usize {
    row.chat.messages.iter().map(|m| pieces.count(&m.content)).sum::<usize>() + pieces.count(&row.completion)
}

/// Writes every file but the weights.
fn write_texts(folder: &Path, vocabulary: &Vocabulary) -> Result<()> {
    let texts: [(&str, Value); 4] = [
        ("config.json", config_json(vocabulary)),
        ("generation_config.json", generation_config_json(vocabulary)),
        ("tokenizer.json", tokenizer_json(vocabulary)),
        ("tokenizer_config.json", tokenizer_config_json()),
    ];
    texts.iter().try_for_each(|(name, json)| files::write_json(&folder.join(name), json))
}

/// The hash of every file of a base but its record.
fn hashes(folder: &Path) -> Result<BTreeMap<String, String>> {
    let names = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", WEIGHTS];
    names.iter().map(|name| Ok(((*name).to_owned(), hash::file(&folder.join(name))?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::curriculum::Curriculum;
    use super::*;

    #[test]
    fn a_build_sees_every_document_once_in_batches_of_like_length() {
        for curriculum in [Curriculum::Lists, Curriculum::Wide] {
            sees_every_document_once(Base { name: "of-this-test", seed: 9, curriculum });
        }
    }

    fn sees_every_document_once(base: Base) {
        let (corpus, pieces) = (Corpus::new(base.curriculum, base.seed), Pieces::of(base.curriculum));
        let rows = rows(base, 40);
        let lengths: Vec<usize> = rows.iter().map(|row| length(&pieces, row)).collect();
        let mut expected: Vec<usize> = (0..40 * 64).map(|i| length(&pieces, &corpus.document(i).row)).collect();
        let padded: usize = lengths.chunks(BATCH).map(|batch| batch.iter().max().unwrap() * BATCH).sum();
        let held: usize = lengths.iter().sum();
        assert!(padded < held * 11 / 10, "{held} tokens padded to {padded}");
        let mut sorted = lengths;
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sorted, expected);
    }
}
