//! [`LocalEngine`]: finds, loads and trains checkpoints on this machine.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::adapter;
use super::arch::{Decoder, DecoderConfig};
use super::device::{self, Place};
use super::memory;
use super::model::{LocalModel, limits};
use super::score::Scoring;
use super::source::{ModelFiles, Need};
use super::tensors::Shards;
use super::text::Text;
use super::train::{self, Training};
use crate::engine::{
    Engine, EngineFacts, Memory, Model, ModelIdentity, Reach, Reader, TrainEvent, TrainRequest, TrainRow, TrainSummary, Watch,
    Workload,
};
use crate::error::{Error, Result};
use crate::record::{Device, Dtype, Method, ModelRef, Weights};
use crate::tool::fs;

/// The name and format version in artifact keys: change it when the same request gives other bytes than before.
const NAME: &str = "local 3";

/// Models below this many weights gain nothing from a second thread: whole jobs run side by side instead.
const SMALL: u64 = 20_000_000;

/// Checkpoints on this machine, run with candle.
pub struct LocalEngine {
    place: Place,
    threads: usize,
    rows: Option<usize>,
    known: Mutex<HashMap<ModelRef, ModelIdentity>>,
}

impl LocalEngine {
    /// An engine on a device. `threads` is the number that the process may use.
    ///
    /// # Errors
    /// If the device is not in this build or this machine.
    pub fn new(device: Device, dtype: Dtype, threads: usize) -> Result<Self> {
        Ok(Self { place: device::pick(device, dtype)?, threads: threads.max(1), rows: None, known: Mutex::default() })
    }

    /// Continues `rows` rows together when sampling, instead of a number chosen by the model's size. The texts stay the same.
    #[must_use]
    pub fn with_rows(mut self, rows: usize) -> Self {
        self.rows = Some(rows.max(1));
        self
    }

    /// The files of a base. One that was identified is loaded from the very commit, wherever its branch points by now.
    fn find(&self, base: &ModelRef) -> Result<ModelFiles> {
        let commit = self.known().get(base).and_then(|identity| identity.commit.clone());
        match (base, commit) {
            (ModelRef::Hub { repo, .. }, Some(commit)) => {
                ModelFiles::find(&ModelRef::Hub { repo: repo.clone(), revision: Some(commit) }, Need::All)
            }
            _ => ModelFiles::find(base, Need::All),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ModelRef, ModelIdentity>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn side_by_side(&self, parameters: u64) -> usize {
        if parameters < SMALL && self.place.device.is_cpu() { self.threads } else { 1 }
    }

    /// The decoder and the text of some weights; an adapter stays beside its base.
    pub(super) fn open(&self, weights: &Weights) -> Result<(Decoder, Text, ModelFiles)> {
        let tuned = weights.tuned.as_deref().map(|folder| Ok::<_, Error>((folder, Tuned::of(folder)?))).transpose()?;
        let files = match tuned {
            Some((folder, Tuned::Checkpoint)) => ModelFiles::find(&ModelRef::Folder(folder.to_path_buf()), Need::All)?,
            _ => self.find(&weights.base)?,
        };
        let named = |e: Error| e.context(format!("`{}`", files.name));
        let config = DecoderConfig::from_json(&files.config()?).map_err(named)?;
        let text = Text::open(&files, limits(&config))?;
        let Place { device, dtype, .. } = &self.place;
        let tensors = Shards::open(&files.weights)?;
        let mut decoder = Decoder::new(config, tensors, device, *dtype).map_err(named)?;
        if let Some((folder, Tuned::Adapter)) = tuned {
            adapter::load(&mut decoder, folder)?;
        }
        Ok((decoder, text, files))
    }
}

/// What a folder of tuned weights holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tuned {
    Adapter,
    Checkpoint,
}

impl Tuned {
    fn of(folder: &Path) -> Result<Self> {
        if folder.join("adapter_config.json").is_file() {
            Ok(Self::Adapter)
        } else if folder.join("config.json").is_file() {
            Ok(Self::Checkpoint)
        } else {
            Err(Error::input(format!("`{}` is neither an adapter nor a checkpoint", folder.display()))
                .hint("an adapter folder has `adapter_config.json`, a checkpoint folder `config.json`"))
        }
    }
}

impl Engine for LocalEngine {
    fn facts(&self) -> EngineFacts {
        let threads = if self.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", self.threads) };
        EngineFacts {
            name: NAME.to_owned(),
            device: format!("{}, {threads} ({})", self.place.name, self.place.reason),
            numerics: self.place.numerics(),
        }
    }

    fn identify(&self, model: &ModelRef) -> Result<ModelIdentity> {
        if let Some(known) = self.known().get(model) {
            return Ok(known.clone());
        }
        let identity = ModelFiles::find(model, Need::Identity)?.identity(model)?;
        self.known().insert(model.clone(), identity.clone());
        Ok(identity)
    }

    fn reader(&self, model: &ModelRef) -> Result<Box<dyn Reader>> {
        let files = ModelFiles::find(model, Need::Identity)?;
        let config = DecoderConfig::from_json(&files.config()?).map_err(|e| e.context(format!("`{}`", files.name)))?;
        Ok(Box::new(Text::open(&files, limits(&config))?))
    }

    fn load(&self, weights: &Weights) -> Result<Box<dyn Model>> {
        let (mut decoder, text, _) = self.open(weights)?;
        decoder.merge_adapters()?;
        Ok(Box::new(LocalModel::new(decoder, text, self.rows)))
    }

    fn train(&self, request: &TrainRequest<'_>, rows: &[TrainRow], watch: &mut Watch<'_>) -> Result<TrainSummary> {
        let (mut decoder, text, files) = self.open(request.start)?;
        let encode = |(i, row): (usize, &TrainRow)| text.encode_row(row).map_err(|e| e.context(format!("row {i}")));
        let encoded = rows.par_iter().enumerate().map(encode).collect::<Result<Vec<_>>>()?;
        let training =
            Training { rows: &encoded, recipe: request.recipe, seed: request.seed, checkpoints: request.checkpoints.as_deref() };
        let summary = train::train(&mut decoder, &training, &mut |event| match event {
            train::Event::Begins(step, decoder) => watch(TrainEvent::Begins(step, &Scoring { decoder, text: &text })),
            train::Event::Step(row, decoder) => watch(TrainEvent::Step(row, &Scoring { decoder, text: &text })),
            train::Event::Warning(what) => watch(TrainEvent::Warning(what)),
        })?;
        train::save(&mut decoder, &request.recipe.method, files.base_name(), request.out)?;
        if matches!(request.recipe.method, Method::Full { .. }) {
            files.copy_small(request.out)?;
            if let Some(alone) = decoder.config().alone(&files.config()?) {
                fs::write_json(&request.out.join("config.json"), &alone)?;
            }
        }
        Ok(summary)
    }

    fn parallel_jobs(&self, model: &ModelIdentity) -> usize {
        self.side_by_side(model.parameters)
    }

    fn memory(&self, model: &ModelRef, work: &Workload<'_>, reach: Reach) -> Result<Memory> {
        let files = ModelFiles::find(model, if reach == Reach::Disk { Need::Cached } else { Need::Identity })?;
        let config = DecoderConfig::from_json(&files.config()?).map_err(|e| e.context(format!("`{}`", files.name)))?;
        let text = Text::open(&files, limits(&config))?;
        let lengths = work.chats.par_iter().map(|chat| Ok(text.render(chat)?.tokens.len())).collect::<Result<Vec<_>>>()?;
        let positions = lengths.into_iter().max().unwrap_or(0) + work.answer;
        let sizes = memory::Sizes { config: &config, dtype: self.place.dtype, on_cpu: self.place.device.is_cpu() };
        let parameters = config.parameters();
        Ok(Memory {
            parameters,
            weights: sizes.weights(),
            sampling: sizes.sampling(positions, self.rows),
            training: work.recipe.map(|recipe| sizes.training(recipe, positions)),
            jobs: self.side_by_side(parameters),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::local::testing;
    use crate::engine::{Model, ScoreRequest, Scorer};
    use crate::record::{Chat, Finetune, LayerTargets, Lora, Schedule};

    fn recipe(method: Method) -> Finetune {
        Finetune {
            method,
            epochs: 1,
            max_steps: Some(12),
            batch_size: 4,
            micro_batch: 4,
            gradient_checkpointing: None,
            learning_rate: 5e-3,
            schedule: Schedule::Constant,
            warmup_steps: 0,
            weight_decay: 0.0,
            betas: [0.9, 0.99],
            epsilon: 1e-8,
            clip_norm: 1.0,
            shuffle: true,
            length_power: 0.0,
            checkpoint_every: 0,
            checkpoint_minutes: 0.0,
        }
    }

    fn rows() -> Vec<TrainRow> {
        (0..8).map(|i| TrainRow { chat: Chat::ask(None, format!("question {i}")), completion: "owl 12, 77".to_owned() }).collect()
    }

    fn likelihood(weights: &Weights) -> f64 {
        of_answer(&*testing::engine(8).load(weights).expect("loads"))
    }

    fn of_answer(model: &dyn Scorer) -> f64 {
        let asked = ScoreRequest { chat: Chat::ask(None, "question 3"), completion: "owl 12, 77".to_owned() };
        model.score(&[asked]).expect("scores")[0].logprobs.iter().sum()
    }

    /// Trains from `start` and returns where the result lies.
    fn train(start: &Weights, method: Method) -> (tempfile::TempDir, Weights) {
        let out = tempfile::tempdir().expect("temporary folder");
        let recipe = recipe(method);
        let request = TrainRequest { start, recipe: &recipe, seed: 1, out: out.path(), checkpoints: None };
        let mut steps = 0;
        let summary = testing::engine(8)
            .train(&request, &rows(), &mut |event| {
                steps += usize::from(matches!(event, TrainEvent::Step(..)));
                Ok(())
            })
            .expect("trains");
        assert_eq!((summary.steps, steps), (12, 12));
        let tuned = Weights { base: start.base.clone(), tuned: Some(out.path().to_path_buf()) };
        (out, tuned)
    }

    fn base(folder: &tempfile::TempDir) -> Weights {
        Weights::base(ModelRef::Folder(folder.path().to_path_buf()))
    }

    #[test]
    fn what_was_learnt_is_there_after_loading_an_adapter_or_a_full_checkpoint() {
        let folder = testing::checkpoint(11);
        let lora = Lora { rank: 4, alpha: 4.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None };
        for method in [Method::Lora(lora), Method::Full { freeze_embeddings: false }] {
            let (_out, tuned) = train(&base(&folder), method.clone());
            let (before, after) = (likelihood(&base(&folder)), likelihood(&tuned));
            assert!(after > before + 3.0, "{method:?}: {before} to {after}");
            let (_further, twice) = train(&tuned, method.clone());
            assert!(likelihood(&twice) > after, "{method:?}: training goes on from a tuned start");
        }
    }

    #[test]
    fn a_model_in_training_is_read_as_the_one_that_is_saved_and_learns_the_same() {
        let folder = testing::checkpoint(15);
        let lora = Lora { rank: 4, alpha: 4.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None };
        for method in [Method::Lora(lora), Method::Full { freeze_embeddings: true }, Method::Full { freeze_embeddings: false }] {
            let (start, recipe) = (base(&folder), recipe(method.clone()));
            let out = tempfile::tempdir().expect("temporary folder");
            let request = TrainRequest { start: &start, recipe: &recipe, seed: 1, out: out.path(), checkpoints: None };
            let mut seen = Vec::new();
            let options = ["owl", "owl 12, 77"].map(str::to_owned);
            let asked = [Chat::ask(None, "question 3"), Chat::ask(None, "question 5")];
            let mut read = |model: &dyn Scorer| {
                seen.push((of_answer(model), model.choices(&asked, &options)?));
                Ok(())
            };
            testing::engine(8)
                .train(&request, &rows(), &mut |event| match event {
                    TrainEvent::Begins(_, model) | TrainEvent::Step(_, model) => read(model),
                    TrainEvent::Warning(_) => Ok(()),
                })
                .expect("trains");
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{method:?}: {a} and {b}");
            let saved = Weights { tuned: Some(out.path().to_path_buf()), ..start.clone() };
            for (weights, (alone, choices)) in [(&start, &seen[0]), (&saved, &seen[12])] {
                let model: Box<dyn Model> = testing::engine(8).load(weights).expect("loads");
                near(*alone, of_answer(&*model));
                for (a, b) in choices.iter().zip(model.choices(&asked, &options).expect("scores")) {
                    a.iter().zip(b).for_each(|(a, b)| near(*a, b));
                }
            }
            let (unread, _) = train(&start, method.clone());
            let bytes = |folder: &Path| {
                let named = ["model.safetensors", "adapter_model.safetensors"].map(|name| folder.join(name));
                std::fs::read(named.iter().find(|file| file.is_file()).expect("weights")).expect("readable")
            };
            assert!(bytes(unread.path()) == bytes(out.path()), "{method:?}: reading a model changes what it learns");
        }
    }

    #[test]
    fn an_identity_follows_the_content_not_the_place() {
        let (one, same, other) = (testing::checkpoint(12), testing::checkpoint(12), testing::checkpoint(13));
        let identify = |folder: &tempfile::TempDir| testing::engine(1).identify(&base(folder).base).expect("identifies");
        assert_eq!(identify(&one).hash, identify(&same).hash);
        assert_ne!(identify(&one).hash, identify(&other).hash);
        assert_eq!(identify(&one).family, "qwen2");
        std::fs::write(one.path().join("chat_template.jinja"), "{{ messages[0].content }}").expect("writable");
        assert_ne!(identify(&one).hash, identify(&same).hash, "another template is another model");
    }

    #[test]
    fn an_unknown_builtin_names_those_that_exist() {
        let error = testing::engine(1).identify(&ModelRef::Builtin("tiny-q".to_owned())).expect_err("unknown").render();
        assert!(error.contains("no built-in model `tiny-q`"), "{error}");
    }

    #[test]
    fn a_folder_that_holds_no_tuned_weights_is_refused() {
        let (folder, empty) = (testing::checkpoint(14), tempfile::tempdir().expect("temporary folder"));
        let weights = Weights { tuned: Some(empty.path().to_path_buf()), ..base(&folder) };
        assert!(testing::engine(1).load(&weights).is_err());
    }
}
