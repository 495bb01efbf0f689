//! The Hub's cache on disk, in the layout of `huggingface_hub`:
//!
//! ```text
//! models--OWNER--NAME/refs/main                  the commit that a branch or tag stood for
//! models--OWNER--NAME/snapshots/COMMIT/FILE      a link to a blob
//! models--OWNER--NAME/blobs/ETAG                 a file; ETAG.incomplete while it is fetched
//! models--OWNER--NAME/.no_exist/COMMIT/FILE      the repository has no such file
//! .locks/models--OWNER--NAME/ETAG.lock           held by who fetches the blob
//! ```

use std::path::{Path, PathBuf};

use hf_hub::Repo;

use crate::error::{Error, Result};
use crate::tool::fs;

const PREFIX: &str = "models--";

/// The cache's folder, chosen as `huggingface_hub` chooses it.
pub fn cache_folder() -> Option<PathBuf> {
    path_in("HF_HUB_CACHE").or_else(|| path_in("HUGGINGFACE_HUB_CACHE")).or_else(|| Some(home()?.join("hub")))
}

/// `HF_HOME`, where the cache and the user's token lie unless they are set apart.
pub(super) fn home() -> Option<PathBuf> {
    path_in("HF_HOME").or_else(|| Some(fs::user_cache()?.join("huggingface")))
}

/// A path in an environment variable, `~` spelled out.
pub(super) fn path_in(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(variable).filter(|value| !value.is_empty())?);
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Some(PathBuf::from(home).join(rest)),
        _ => Some(path),
    }
}

/// What the cache holds of one repository.
pub(super) struct RepoCache {
    root: PathBuf,
    folder: String,
}

impl RepoCache {
    /// The cache of `OWNER/NAME`.
    pub(super) fn of(repo: &str) -> Result<Self> {
        let root = cache_folder().ok_or_else(|| {
            Error::environment("there is no folder for the Hub's cache").hint("set HF_HOME, or HOME, to where it may be")
        })?;
        Ok(Self::within(root, repo))
    }

    /// The cache of `OWNER/NAME` in a given folder.
    pub(super) fn within(root: PathBuf, repo: &str) -> Self {
        Self { root, folder: Repo::model(repo.to_owned()).folder_name() }
    }

    /// The folder that holds all repositories.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self) -> PathBuf {
        self.root.join(&self.folder)
    }

    /// The folder of what branches and tags stand for.
    pub(super) fn references(&self) -> PathBuf {
        self.path().join("refs")
    }

    /// The folder of commits.
    pub(super) fn snapshots(&self) -> PathBuf {
        self.path().join("snapshots")
    }

    /// The commit that a revision stood for when it was last fetched. A commit stands for itself.
    pub(super) fn commit(&self, revision: &str) -> Option<String> {
        let known = std::fs::read_to_string(self.references().join(revision)).ok().map(|text| text.trim().to_owned());
        known.filter(|c| !c.is_empty()).or_else(|| self.snapshot(revision).is_dir().then(|| revision.to_owned()))
    }

    /// Notes the commit that a revision stands for.
    pub(super) fn point(&self, revision: &str, commit: &str) -> Result<()> {
        if revision == commit || self.commit(revision).is_some_and(|known| known == commit) {
            return Ok(());
        }
        let place = self.references().join(revision);
        fs::create_dir(place.parent().unwrap_or(&self.root))?;
        fs::write_whole(&place, commit.as_bytes())
    }

    /// The folder of a commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.snapshots().join(commit)
    }

    /// Where a file of a commit lies, or will lie.
    pub(super) fn place(&self, commit: &str, file: &str) -> PathBuf {
        self.snapshot(commit).join(file)
    }

    /// A file of a commit, if it is there.
    pub(super) fn get(&self, commit: &str, file: &str) -> Option<PathBuf> {
        Some(self.place(commit, file)).filter(|path| path.is_file())
    }

    fn absence(&self, commit: &str, file: &str) -> PathBuf {
        self.path().join(".no_exist").join(commit).join(file)
    }

    /// Whether the repository is known not to have a file.
    pub(super) fn knows_absent(&self, commit: &str, file: &str) -> bool {
        self.absence(commit, file).exists()
    }

    /// Notes that the repository does not have a file, so that nobody asks again.
    pub(super) fn note_absent(&self, commit: &str, file: &str) {
        let note = self.absence(commit, file);
        let write = || {
            std::fs::create_dir_all(note.parent().unwrap_or(&self.root))?;
            std::fs::write(&note, "")
        };
        let _ = write(); // a cache that cannot be written to only costs a question next time
    }

    /// Where a blob lies, or will lie.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.path().join("blobs").join(etag)
    }

    /// Where a blob lies until it is whole.
    pub(super) fn partial(&self, etag: &str) -> PathBuf {
        self.path().join("blobs").join(format!("{etag}.incomplete"))
    }

    /// The file that is locked by who fetches a blob.
    pub(super) fn lock(&self, etag: &str) -> PathBuf {
        self.root.join(".locks").join(&self.folder).join(format!("{etag}.lock"))
    }

    /// Makes a blob a file of a commit.
    pub(super) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<PathBuf> {
        let place = self.place(commit, file);
        if place.is_file() {
            return Ok(place);
        }
        fs::create_dir(&self.snapshot(commit))?;
        let _ = std::fs::remove_file(&place); // a link that leads nowhere
        match link(&self.blob(etag), &place, etag) {
            Err(e) if !place.is_file() => Err(Error::io("link", &place, e)),
            _ => Ok(place),
        }
    }
}

/// A relative link, so that the cache may be moved as a whole.
#[cfg(unix)]
fn link(_: &Path, place: &Path, etag: &str) -> std::io::Result<()> {
    std::os::unix::fs::symlink(Path::new("../../blobs").join(etag), place)
}

/// Links need a privilege on some systems: there the blob itself is put in place, as `huggingface_hub` does it.
#[cfg(not(unix))]
fn link(blob: &Path, place: &Path, _: &str) -> std::io::Result<()> {
    std::fs::rename(blob, place)
}

/// The repository `OWNER/NAME` whose folder has this name.
pub(super) fn repository(folder: &str) -> Option<String> {
    let (owner, name) = folder.strip_prefix(PREFIX)?.split_once("--")?;
    Some(format!("{owner}/{name}"))
}

/// The model `OWNER/NAME@COMMIT` whose file lies at `path`, if that is in a cache.
pub(in crate::engine::local::source) fn cached_as(path: &Path) -> Option<String> {
    let commit = path.parent()?;
    let snapshots = commit.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "snapshots"))?;
    let repo = repository(snapshots.parent()?.file_name()?.to_str()?)?;
    Some(format!("{repo}@{}", commit.file_name()?.to_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_leads_to_its_commit_and_a_commit_to_itself() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let cache = RepoCache::within(dir.path().to_path_buf(), "o/n");
        assert_eq!(cache.commit("main"), None);
        cache.point("main", "c0ffee").expect("writable");
        cache.point("refs/pr/1", "beef").expect("writable");
        assert_eq!(cache.commit("main").as_deref(), Some("c0ffee"));
        assert_eq!(std::fs::read_to_string(dir.path().join("models--o--n/refs/refs/pr/1")).expect("there"), "beef");
        std::fs::create_dir_all(cache.snapshot("c0ffee")).expect("writable");
        assert_eq!(cache.commit("c0ffee").as_deref(), Some("c0ffee"));
    }

    #[test]
    fn a_linked_blob_is_a_file_of_its_commit_wherever_the_cache_lies() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let cache = RepoCache::within(dir.path().join("hub"), "o/n");
        fs::create_dir(&cache.path().join("blobs")).expect("writable");
        std::fs::write(cache.blob("e7a9"), "content").expect("writable");
        assert_eq!(cache.get("c0ffee", "config.json"), None);
        cache.link("c0ffee", "config.json", "e7a9").expect("linked");
        cache.link("c0ffee", "config.json", "e7a9").expect("linked before");
        std::fs::rename(dir.path().join("hub"), dir.path().join("moved")).expect("moves");
        let moved = RepoCache::within(dir.path().join("moved"), "o/n").get("c0ffee", "config.json").expect("still there");
        assert_eq!(std::fs::read_to_string(moved).expect("readable"), "content");
    }

    #[test]
    fn only_a_file_of_a_snapshot_belongs_to_a_hub_model() {
        let of = |path: &str| cached_as(Path::new(path));
        assert_eq!(of("/c/models--o--n--m/snapshots/0123abc/config.json").as_deref(), Some("o/n--m@0123abc"));
        assert_eq!(of("/c/models--o--n/blobs/0123abc"), None);
        assert_eq!(of("config.json"), None);
    }
}
