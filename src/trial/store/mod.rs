//! Artifacts on disk: one folder per key, complete or invisible.
//!
//! A folder is built as `KEY.part`, which survives a kill so that its stage goes on inside it; it gets its manifest last and is renamed to
//! `KEY`. A folder with a manifest is complete, and is used once its files have been found to be what the manifest says. Each key has a
//! lock, so that processes may share a store: who comes second does other work, or waits, and then finds the work done.

mod lock;
mod manifest;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::lock::{Lock, Locks};
#[cfg(test)]
pub(crate) use self::manifest::tests::manifest;
pub use self::manifest::{FileFacts, MANIFEST, Manifest};
use crate::error::{Error, Result};
use crate::stage::files;
use crate::tool::fs;

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
    /// Absent where the store is only looked into.
    locks: Option<Arc<Locks>>,
}

/// An artifact in the making; its lock is released when this is dropped.
#[derive(Debug)]
pub struct Work {
    /// Where it is built; holds what an interrupted attempt left.
    pub dir: PathBuf,
    /// What was wrong with the artifact that this one replaces.
    pub damage: Option<Damage>,
    /// Whether an interrupted attempt left something.
    pub resumed: bool,
    place: PathBuf,
    lock: Lock,
}

/// What asking for an artifact leads to.
#[derive(Debug)]
pub enum Claim {
    /// It is there.
    Complete(Box<Artifact>),
    /// It is to be built, by the one who asked.
    Build(Work),
    /// Another process builds it.
    Busy,
}

/// What is wrong with an artifact that was complete once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its folder.
    pub dir: PathBuf,
    /// What was found there.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the artifact `{}` is damaged, it is made again: {}", self.dir.display(), self.what)
    }
}

/// What lies in an artifact's place.
enum Found {
    Nothing,
    Whole(Box<Artifact>),
    Damaged(Damage),
}

impl Store {
    /// Opens a store; creates its folders.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir(&root.join("locks")).map_err(|e| e.hint("choose another store with `--store DIR`"))?;
        let root = root.canonicalize().map_err(|e| Error::io("open", root, e))?;
        let locks = Some(Arc::new(Locks::new(root.join("locks"))));
        Ok(Self { root, locks })
    }

    /// A store that is only looked into: nothing is created, and a missing one has no artifacts.
    pub fn look(root: &Path) -> Self {
        Self { root: root.to_path_buf(), locks: None }
    }

    /// The folder of a key, whether it is there or not.
    pub fn place(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// The artifact of this key, by its manifest and the sizes of its files: for previews. What is used is read first, see [`Store::claim`].
    pub fn find(&self, key: &str) -> Option<Artifact> {
        match glance(self.place(key)) {
            Found::Whole(artifact) => Some(*artifact),
            Found::Nothing | Found::Damaged(_) => None,
        }
    }

    /// Every complete artifact's manifest, for estimates.
    pub fn manifests(&self) -> Vec<Manifest> {
        let Ok(entries) = std::fs::read_dir(&self.root) else { return Vec::new() };
        entries.flatten().filter_map(|entry| fs::read_json(&entry.path().join(MANIFEST)).ok()).collect()
    }

    /// The artifact, every byte of it as it was made; or the right to build it, with what is wrong with the one that is there.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn claim(&self, key: &str, reuse: Reuse) -> Result<Claim> {
        let place = self.place(key);
        let stored = || if reuse == Reuse::Stored { examine(place.clone()) } else { Ok(Found::Nothing) };
        if let Found::Whole(artifact) = stored()? {
            return Ok(Claim::Complete(artifact));
        }
        let locks = self.locks.as_ref().ok_or_else(|| Error::environment("the store is only looked into"))?;
        let Some(lock) = locks.try_lock(key)? else { return Ok(Claim::Busy) };
        let damage = match stored()? {
            Found::Whole(artifact) => return Ok(Claim::Complete(artifact)),
            Found::Damaged(damage) => Some(damage),
            Found::Nothing => None,
        };
        let dir = self.root.join(format!("{key}.part"));
        if reuse == Reuse::Nothing {
            fs::remove_dir(&dir)?;
        }
        let work = Work { resumed: dir.is_dir(), dir, damage, place, lock };
        if work.resumed
            && let Found::Whole(made) = examine(work.dir.clone())?
        {
            return Ok(Claim::Complete(Box::new(work.settle(made.manifest)?))); // killed between the manifest and the renaming
        }
        fs::create_dir(&work.dir)?;
        Ok(Claim::Build(work))
    }
}

/// What lies in a folder, by its manifest and the sizes of its files.
fn glance(dir: PathBuf) -> Found {
    let damaged = |dir: PathBuf, what| Found::Damaged(Damage { dir, what });
    match fs::read_json::<Manifest>(&dir.join(MANIFEST)) {
        Err(_) if !dir.exists() => Found::Nothing,
        Err(e) => damaged(dir, e.to_string()),
        Ok(manifest) => match manifest.cut_short(&dir) {
            Some(what) => damaged(dir, what),
            None => Found::Whole(Box::new(Artifact { dir, manifest })),
        },
    }
}

/// What lies in a folder, by its manifest and every byte of its files.
fn examine(dir: PathBuf) -> Result<Found> {
    match glance(dir) {
        Found::Whole(artifact) => Ok(match artifact.manifest.changed(&artifact.dir)? {
            Some(what) => Found::Damaged(Damage { dir: artifact.dir, what }),
            None => Found::Whole(artifact),
        }),
        other => Ok(other),
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
    /// If the system refuses, or another process has taken the artifact over meanwhile.
    pub fn commit(self, mut manifest: Manifest) -> Result<Artifact> {
        if !self.lock.still_held() {
            return Err(Error::environment("another process took this job over, as if this one had died")
                .hint("was it suspended? run the same command again"));
        }
        manifest.files = manifest::files_of(&self.dir)?;
        manifest.resumed = self.resumed;
        fs::put_json(&self.dir.join(MANIFEST), &manifest)?;
        self.settle(manifest)
    }

    /// Puts the folder in its place, now that it has its manifest; what only served to resume goes first.
    fn settle(self, manifest: Manifest) -> Result<Artifact> {
        fs::remove_dir(&self.dir.join(files::CHECKPOINTS))?;
        fs::remove_dir(&self.place)?;
        std::fs::rename(&self.dir, &self.place).map_err(|e| Error::io("rename to", &self.place, e))?;
        Ok(Artifact { dir: self.place, manifest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&dir.path().join("store")).expect("a store");
        (dir, store)
    }

    fn begin(store: &Store) -> Work {
        match store.claim("k", Reuse::Stored).expect("a claim") {
            Claim::Build(work) => work,
            other => panic!("nothing was built yet: {other:?}"),
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
    fn a_kill_between_the_manifest_and_the_renaming_costs_nothing() {
        let (_guard, store) = store();
        let work = begin(&store);
        fs::create_dir(&work.dir.join(files::CHECKPOINTS)).expect("a folder");
        std::fs::write(work.dir.join("rows"), "1\n").expect("writable");
        std::fs::write(work.dir.join(files::CHECKPOINTS).join("state"), "half").expect("writable");
        let part = work.dir.clone();
        let done = work.commit(manifest()).expect("a manifest");
        assert_eq!(done.manifest.files.keys().collect::<Vec<_>>(), ["rows"], "checkpoints are no part of an artifact");
        std::fs::rename(&done.dir, &part).expect("a folder"); // as it lay just before
        assert!(matches!(store.claim("k", Reuse::Stored), Ok(Claim::Complete(_))));
        assert_eq!(store.find("k"), Some(done));
    }

    #[test]
    fn an_artifact_that_is_not_what_its_manifest_says_is_named_and_built_again() {
        type Harm = fn(&Path) -> std::io::Result<()>;
        let harms: [(Harm, &str); 4] = [
            (|dir| std::fs::write(dir.join("a/rows"), "1"), "`a/rows` has 1 bytes instead of 2"),
            (|dir| std::fs::remove_file(dir.join("a/rows")), "`a/rows` is missing"),
            (|dir| std::fs::write(dir.join("a/rows"), "2\n"), "the content of `a/rows` has changed"),
            (|dir| std::fs::write(dir.join(MANIFEST), [0; 40]), "not the expected JSON"),
        ];
        for (harm, found) in harms {
            let (_guard, store) = store();
            for _ in 0..2 {
                let work = begin(&store);
                fs::create_dir(&work.dir.join("a")).expect("a folder");
                std::fs::write(work.dir.join("a/rows"), "1\n").expect("writable");
                let dir = work.commit(manifest()).expect("a manifest").dir;
                assert!(matches!(store.claim("k", Reuse::Stored), Ok(Claim::Complete(_))), "{found}");
                harm(&dir).expect("writable");
                let damage = begin(&store).damage.expect("damage").to_string();
                assert!(damage.contains(found) && damage.contains("store/k` is damaged"), "{damage}");
            }
        }
    }

    #[test]
    fn the_second_is_told_that_the_first_is_at_it_and_then_finds_its_work_done() {
        let (_guard, store) = store();
        let other = Store::open(&store.root).expect("a store");
        let work = begin(&store);
        assert!(matches!(other.claim("k", Reuse::Stored), Ok(Claim::Busy)));
        work.commit(manifest()).expect("a manifest");
        assert!(matches!(other.claim("k", Reuse::Stored), Ok(Claim::Complete(_))));
    }

    #[test]
    fn a_job_that_another_process_took_over_puts_nothing_in_place() {
        let (_guard, store) = store();
        let work = begin(&store);
        let lease = store.root.join("locks/k.lease");
        let theirs = std::fs::read_to_string(&lease).expect("a lease").replace("\"nonce\":", "\"nonce\":1");
        std::fs::write(&lease, theirs).expect("writable");
        let error = work.commit(manifest()).expect_err("not its own any more").render();
        assert!(error.contains("took this job over"), "{error}");
        assert_eq!(store.find("k"), None);
    }
}
