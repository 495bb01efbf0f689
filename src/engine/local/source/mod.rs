//! Finds the files of a model: embedded in the program, in a folder, or on the Hugging Face Hub.
//!
//! In: a [`ModelRef`]. Out: [`ModelFiles`], every file of the checkpoint by its Hugging Face name, and the identity hash over them.

mod content;
mod folder;
mod hub;
mod missing;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::arch::DecoderConfig;
use crate::builtin;
use crate::engine::ModelIdentity;
use crate::error::{Error, Result};
use crate::record::ModelRef;
use crate::tool::bounded::{self, LARGEST_MODEL_FILE};
use crate::tool::{fs, hash};

pub(crate) use folder::named as shards_of_index;
pub use hub::{CachedModel, cache_folder, cached_models};
pub(super) use missing::cure;

/// The small files that matter, beside the weights. The first two must be there.
pub(super) const SMALL_FILES: [&str; 7] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "generation_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "special_tokens_map.json",
];

/// One file of a checkpoint.
#[derive(Debug, Clone)]
pub enum File {
    /// Inside the program.
    Embedded(&'static [u8]),
    /// On disk.
    Disk(PathBuf),
}

impl File {
    /// The whole content.
    ///
    /// # Errors
    /// If it cannot be read, or is too large for one of the small files.
    pub fn read(&self) -> Result<Cow<'static, [u8]>> {
        match self {
            Self::Embedded(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Disk(path) => bounded::read(path, LARGEST_MODEL_FILE).map(Cow::Owned),
        }
    }

    /// The content as JSON. `name` stands for the file in the message where it has no path.
    ///
    /// # Errors
    /// If it cannot be read or is not JSON.
    pub fn json(&self, name: &str) -> Result<Value> {
        let bytes = self.read()?;
        serde_json::from_slice(&bytes).map_err(|e| {
            let path = if let Self::Disk(path) = self { path.as_path() } else { Path::new(name) };
            Error::environment(format!("not JSON: {e}")).at(path, e.line())
        })
    }

    fn hash(&self) -> Result<String> {
        match self {
            Self::Embedded(bytes) => Ok(hash::bytes(bytes)),
            Self::Disk(path) => content::hash(path),
        }
    }
}

/// One of the files that hold a checkpoint's weights.
#[derive(Debug, Clone)]
pub struct WeightsFile {
    /// The file.
    pub file: File,
    /// The tensors that it must hold, as the index of several files says; empty for a single one.
    pub promised: Vec<String>,
}

impl From<File> for WeightsFile {
    fn from(file: File) -> Self {
        Self { file, promised: Vec::new() }
    }
}

/// The files of one checkpoint.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    /// The name in messages: as the user wrote it.
    pub name: String,
    /// `config.json` and its like, by name.
    pub small: BTreeMap<&'static str, File>,
    /// The safetensors files in the order of their names. Empty for a Hub model whose weights were not asked for.
    pub weights: Vec<WeightsFile>,
    /// The Hub's commit.
    pub commit: Option<String>,
}

/// How much of a model is needed, and how far to go for it. It makes a difference for models of the Hub only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// What identifies it: from the cache, else fetched; weights are not fetched.
    Identity,
    /// Everything: from the cache, else fetched.
    All,
    /// Everything, from the cache alone.
    Cached,
    /// Everything, as the Hub has it now; what the cache holds is compared with it, byte for byte where the Hub names a hash.
    Newest,
}

impl ModelFiles {
    /// Finds a model's files; those of the Hub come from the cache or else over the network.
    ///
    /// # Errors
    /// If the model is unknown, files are missing, or the network fails.
    pub fn find(model: &ModelRef, need: Need) -> Result<Self> {
        match model {
            ModelRef::Builtin(name) => embedded(name),
            ModelRef::Folder(path) => folder::files(path),
            ModelRef::Hub { repo, revision } => hub::files(repo, revision.as_deref(), need),
        }
    }

    /// A small file.
    pub fn get(&self, name: &str) -> Option<&File> {
        self.small.get(name)
    }

    /// `config.json`.
    ///
    /// # Errors
    /// If it cannot be read or is not JSON.
    pub fn config(&self) -> Result<Value> {
        match self.get("config.json") {
            Some(file) => file.json("config.json"),
            None => Err(Error::environment(format!("`{}` has no `config.json`", self.name))),
        }
    }

    /// What the checkpoint is, from its files; weights are hashed, not loaded. A Hub commit stands for the weights it fixes.
    ///
    /// # Errors
    /// If a file cannot be read, or the architecture is not supported.
    pub fn identity(&self, model: &ModelRef) -> Result<ModelIdentity> {
        let config = DecoderConfig::from_json(&self.config()?).map_err(|e| e.context(format!("`{}`", self.name)))?;
        let mut parts = Vec::new();
        for (name, file) in &self.small {
            parts.push(((*name).to_owned(), file.hash()?));
        }
        match &self.commit {
            Some(commit) => parts.push(("commit".to_owned(), commit.clone())),
            None => {
                for (i, file) in self.weights.iter().enumerate() {
                    parts.push((format!("weights {i}"), file.file.hash()?));
                }
            }
        }
        Ok(ModelIdentity {
            model: model.clone(),
            hash: hash::value(&parts),
            family: config.family.to_owned(),
            parameters: config.parameters(),
            commit: self.commit.clone(),
        })
    }

    /// How PEFT is to find the base model: a Hub repository without its revision, else as the user wrote it.
    pub fn base_name(&self) -> &str {
        match self.commit {
            Some(_) => self.name.split('@').next().unwrap_or(&self.name),
            None => &self.name,
        }
    }

    /// The folder that the files lie in; none for a built-in model.
    pub fn folder(&self) -> Option<&Path> {
        match self.get("config.json") {
            Some(File::Disk(path)) => path.parent(),
            _ => None,
        }
    }

    /// Copies the small files into `folder`, so that new weights there make a whole checkpoint.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn copy_small(&self, folder: &Path) -> Result<()> {
        for (name, file) in &self.small {
            fs::write_whole(&folder.join(name), &file.read()?)?;
        }
        Ok(())
    }
}

fn embedded(name: &str) -> Result<ModelFiles> {
    let model = builtin::find(name).ok_or_else(|| unknown_builtin(name))?;
    let small = SMALL_FILES.iter().filter_map(|file| model.file(file).map(|bytes| (*file, File::Embedded(bytes)))).collect();
    let weights = model.file(folder::SINGLE).map(|bytes| File::Embedded(bytes).into()).into_iter().collect();
    Ok(ModelFiles { name: format!("builtin:{name}"), small, weights, commit: None })
}

fn unknown_builtin(name: &str) -> Error {
    let names = builtin::names();
    let known = names.iter().map(|n| format!("`builtin:{n}`")).collect::<Vec<_>>().join(", ");
    let nearest = names.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    let error = Error::input(format!("there is no built-in model `{name}`: the built-in models are {known}"));
    match nearest {
        Some(near) => error.hint(format!("did you mean `builtin:{near}`?")),
        None => error,
    }
}
