//! Artifacts on disk: one folder per key, complete or invisible.
//!
//! A folder is built as `KEY.part`, which survives a kill so that its stage goes on inside it; it gets its manifest last and is renamed to
//! `KEY`. A folder with a manifest is complete. Each key has a lock file that the system releases when its holder dies, so that processes may
//! share a store: the second waits, then finds the work done.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::EngineFacts;
use crate::error::{Error, Result};
use crate::record::ModelRef;
use crate::stage::{Done, Stage};
use crate::tool::{fs, hash, interrupt};

/// The file that makes a folder complete.
pub const MANIFEST: &str = "manifest.json";
/// How often a waiting process looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

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

/// A complete artifact.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// Its folder.
    pub dir: PathBuf,
    /// What it is.
    pub manifest: Manifest,
}

/// The folder of artifacts.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// An artifact in the making; its lock is released when this is dropped.
#[derive(Debug)]
pub struct Work {
    /// Where it is built; holds what an interrupted attempt left.
    pub dir: PathBuf,
    place: PathBuf,
    /// Held until this is dropped. The file itself stays: were it removed, a waiting process would hold the lock of a file that is gone.
    _lock: File,
}

/// What asking for an artifact leads to.
#[derive(Debug)]
pub enum Claim {
    /// It is there.
    Complete(Box<Artifact>),
    /// It is to be built, by the one who asked.
    Build(Work),
}

impl Store {
    /// Opens a store; creates its folders.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir(&root.join("locks")).map_err(|e| e.hint("choose another store with `--store DIR`"))?;
        let root = root.canonicalize().map_err(|e| Error::io("open", root, e))?;
        Ok(Self { root })
    }

    /// A store that is only looked into: nothing is created, and a missing one has no artifacts.
    pub fn look(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The folder of a key, whether it is there or not.
    pub fn place(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// The complete artifact of this key. One whose files are missing or cut short does not count.
    pub fn find(&self, key: &str) -> Option<Artifact> {
        let dir = self.place(key);
        let manifest: Manifest = fs::read_json(&dir.join(MANIFEST)).ok()?;
        let whole = |(name, facts): (&String, &FileFacts)| dir.join(name).metadata().is_ok_and(|m| m.len() == facts.bytes);
        manifest.files.iter().all(whole).then_some(Artifact { dir, manifest })
    }

    /// Every complete artifact's manifest, for estimates.
    pub fn manifests(&self) -> Vec<Manifest> {
        let Ok(entries) = std::fs::read_dir(&self.root) else { return Vec::new() };
        entries.flatten().filter_map(|entry| fs::read_json(&entry.path().join(MANIFEST)).ok()).collect()
    }

    /// The artifact, or the right to build it. While another process builds it, this waits; `waiting` is called once, before.
    ///
    /// # Errors
    /// If the system refuses, or the user interrupts.
    pub fn claim(&self, key: &str, reuse: Reuse, waiting: &dyn Fn()) -> Result<Claim> {
        if reuse == Reuse::Stored
            && let Some(artifact) = self.find(key)
        {
            return Ok(Claim::Complete(Box::new(artifact)));
        }
        let lock = self.lock(key, waiting)?;
        match self.find(key) {
            Some(artifact) if reuse == Reuse::Stored => Ok(Claim::Complete(Box::new(artifact))),
            _ => {
                let dir = self.root.join(format!("{key}.part"));
                if reuse == Reuse::Nothing {
                    fs::remove_dir(&dir)?;
                }
                fs::create_dir(&dir)?;
                Ok(Claim::Build(Work { dir, place: self.place(key), _lock: lock }))
            }
        }
    }

    fn lock(&self, key: &str, waiting: &dyn Fn()) -> Result<File> {
        let path = self.root.join("locks").join(key);
        let file = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path, e)),
                Err(TryLockError::WouldBlock) => {
                    if !std::mem::replace(&mut told, true) {
                        waiting();
                    }
                    interrupt::check()?;
                    std::thread::sleep(LOOK_AGAIN);
                }
            }
        }
    }
}

/// What may be taken from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// Every complete artifact, and what interrupted attempts left.
    #[default]
    Stored,
    /// Nothing: all is made again (`--fresh`).
    Nothing,
}

impl Work {
    /// Writes the manifest, with the facts of every file in the folder, and puts the folder in its place.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn commit(self, mut manifest: Manifest) -> Result<Artifact> {
        manifest.files = files_of(&self.dir)?;
        fs::put_json(&self.dir.join(MANIFEST), &manifest)?;
        fs::remove_dir(&self.place)?;
        std::fs::rename(&self.dir, &self.place).map_err(|e| Error::io("rename to", &self.place, e))?;
        Ok(Artifact { dir: self.place, manifest })
    }
}

fn files_of(dir: &Path) -> Result<BTreeMap<String, FileFacts>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io("read the folder", &folder, e))? {
            let path = entry.map_err(|e| Error::io("read the folder", &folder, e))?.path();
            if path.is_dir() {
                folders.push(path);
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
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&dir.path().join("store")).expect("a store");
        (dir, store)
    }

    fn manifest() -> Manifest {
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
            files: BTreeMap::new(),
        }
    }

    fn begin(store: &Store) -> Work {
        match store.claim("k", Reuse::Stored, &|| ()).expect("a claim") {
            Claim::Build(work) => work,
            Claim::Complete(_) => panic!("nothing was built yet"),
        }
    }

    #[test]
    fn an_artifact_is_invisible_until_its_manifest_is_written_and_its_parts_outlive_a_kill() {
        let (_guard, store) = store();
        let work = begin(&store);
        std::fs::write(work.dir.join("rows"), "1\n").expect("writable");
        assert_eq!(store.find("k"), None);
        drop(work); // the process died
        let work = begin(&store);
        assert_eq!(std::fs::read_to_string(work.dir.join("rows")).expect("what was done"), "1\n");
        work.commit(manifest()).expect("a manifest");
        let found = store.find("k").expect("the artifact");
        assert_eq!(found.manifest.files["rows"].bytes, 2);
    }

    #[test]
    fn an_artifact_that_lost_bytes_is_built_again() {
        let (_guard, store) = store();
        let work = begin(&store);
        std::fs::write(work.dir.join("rows"), "1\n").expect("writable");
        let dir = work.commit(manifest()).expect("a manifest").dir;
        std::fs::write(dir.join("rows"), "1").expect("writable");
        assert_eq!(store.find("k"), None);
        begin(&store);
    }

    #[test]
    fn the_second_waits_for_the_first_and_finds_its_work_done() {
        let (_guard, store) = store();
        let work = begin(&store);
        let (told, hears) = std::sync::mpsc::channel();
        let second = std::thread::spawn({
            let store = store.clone();
            move || store.claim("k", Reuse::Stored, &|| told.send(()).expect("the first listens"))
        });
        hears.recv().expect("the second waits");
        work.commit(manifest()).expect("a manifest");
        let claim = second.join().expect("no panic").expect("a claim");
        assert!(matches!(claim, Claim::Complete(_)), "{claim:?}");
    }
}
