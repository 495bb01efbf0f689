//! What makes an artifact's folder complete: what it is, what it was made from, and the size and hash of each of its files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::EngineFacts;
use crate::error::{Error, Result};
use crate::record::ModelRef;
use crate::stage::{Done, Stage, files as names};
use crate::tool::{fs, hash};

/// The file that makes a folder complete.
pub const MANIFEST: &str = "manifest.json";

/// What an artifact is, and what it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The stage that made it.
    pub stage: Stage,
    /// Its key: the folder's name.
    pub key: String,
    /// The base that it ran on, where it has one.
    pub model: Option<ModelRef>,
    /// The replicate.
    pub seed: u64,
    /// The keys of the artifacts that it read.
    pub inputs: Vec<String>,
    /// All else that determined it.
    pub spec: serde_json::Value,
    /// What it was made on.
    pub engine: EngineFacts,
    /// The version of the program that made it.
    pub version: String,
    /// Rows and tokens.
    pub done: Done,
    /// How many rows or steps the job was expected to take: what estimates of other jobs divide by.
    pub expected: usize,
    /// Wall time, in seconds; of a resumed artifact, that of the last part.
    pub seconds: f64,
    /// The most memory that the process held meanwhile, in bytes, together with the jobs that ran beside it; absent where the system does
    /// not tell.
    #[serde(default)]
    pub peak_memory: Option<u64>,
    /// Whether an interrupted attempt had begun it: then its time is not the whole.
    #[serde(default)]
    pub resumed: bool,
    /// Every file with its size and hash, by its path within the folder.
    pub files: BTreeMap<String, FileFacts>,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its content.
    pub hash: String,
}

impl Manifest {
    /// The first file of the artifact in `dir` that is not there as a whole: looks at sizes only.
    pub(super) fn cut_short(&self, dir: &Path) -> Option<String> {
        let wrong = |(name, facts): (&String, &FileFacts)| match dir.join(name).metadata() {
            Ok(found) if found.len() == facts.bytes => None,
            Ok(found) => Some(format!("`{name}` has {} bytes instead of {}", found.len(), facts.bytes)),
            Err(_) => Some(format!("`{name}` is missing")),
        };
        self.files.iter().find_map(wrong)
    }

    /// The first file of the artifact in `dir` that has not the content it was made with: reads all of them.
    ///
    /// # Errors
    /// If the system refuses to read one.
    pub(super) fn changed(&self, dir: &Path) -> Result<Option<String>> {
        for (name, facts) in &self.files {
            if hash::file(&dir.join(name))? != facts.hash {
                return Ok(Some(format!("the content of `{name}` has changed")));
            }
        }
        Ok(None)
    }
}

/// The facts of every file in a folder that is about to become an artifact, but for checkpoints; what interrupted writes left is removed.
///
/// # Errors
/// If the system refuses.
pub(super) fn files_of(dir: &Path) -> Result<BTreeMap<String, FileFacts>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io("read the folder", &folder, e))? {
            let path = entry.map_err(|e| Error::io("read the folder", &folder, e))?.path();
            if path.is_dir() {
                if path != dir.join(names::CHECKPOINTS) {
                    folders.push(path);
                }
                continue;
            }
            if path.extension().is_some_and(|e| e == "part") {
                fs::remove_file(&path)?; // an interrupted attempt was writing it
                continue;
            }
            let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
            let bytes = path.metadata().map_err(|e| Error::io("read", &path, e))?.len();
            if name != MANIFEST {
                files.insert(name, FileFacts { bytes, hash: hash::file(&path)? });
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A manifest of no files.
    pub(crate) fn manifest() -> Manifest {
        Manifest {
            stage: Stage::Filter,
            key: "k".into(),
            model: None,
            seed: 1,
            inputs: Vec::new(),
            spec: serde_json::Value::Null,
            engine: EngineFacts { name: "scripted".into(), device: String::new(), numerics: String::new() },
            version: String::new(),
            done: Done::default(),
            expected: 0,
            seconds: 0.0,
            peak_memory: None,
            resumed: false,
            files: BTreeMap::new(),
        }
    }
}
