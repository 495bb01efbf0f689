//! The Hugging Face Hub: the cache that is shared with `huggingface_hub` first, then the network.
//!
//! | module | what it holds |
//! |---|---|
//! | `cache` | the folders of the cache: references, snapshots, blobs |
//! | `listing` | what the cache holds, model by model |
//! | `connection` | what the Hub is asked, with which token, through which endpoint |
//! | `refusal` | what its answers mean and what to do about them |
//! | `transfer` | one file into the cache: locked, resumed, checked, then put in place |
//! | `progress` | how far a download is |
//!
//! Names, addresses and the interface to the Hub are those of hf-hub. Its downloads are not used: it puts a file in place before anybody
//! can check it, appends to the wrong place after a second failure, and waits for ever for a server that has gone quiet.
//!
//! `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN`, `HF_ENDPOINT` and `HF_HUB_OFFLINE` mean what they mean to Hugging Face's own tools.

mod cache;
mod connection;
mod listing;
mod progress;
mod refusal;
mod transfer;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use hf_hub::{Repo, RepoType};

use self::cache::RepoCache;
use self::connection::Online;
use self::refusal::{Asked, Refusal};
use super::folder::{INDEX, SINGLE, shards};
use super::{File, ModelFiles, Need, SMALL_FILES, WeightsFile, missing};
use crate::error::{Error, Result};

pub use cache::cache_folder;
pub(super) use cache::cached_as;
pub use listing::{CachedModel, cached_models};

/// The files that a checkpoint cannot do without, besides its weights.
const REQUIRED: &[&str] = &["config.json", "tokenizer.json"];

/// The files of `repo` at `revision` (`main` if not said).
pub(super) fn files(repo: &str, revision: Option<&str>, need: Need) -> Result<ModelFiles> {
    let hub = Hub::open(repo, revision, need)?;
    let commit = hub.commit()?;
    let small = hub.small(&commit)?;
    let weights = hub.weights(&commit)?;
    if hub.online.get().is_some() {
        hub.cache.point(&hub.revision, &commit)?; // last: a reference leads to what was fetched to the end
    }
    Ok(ModelFiles {
        name: hub.name,
        small: small.into_iter().map(|(name, path)| (name, File::Disk(path))).collect(),
        weights,
        commit: Some(commit),
    })
}

/// One repository at one revision, and how far to go for its files.
struct Hub {
    /// As the user wrote it.
    name: String,
    repo: String,
    revision: String,
    need: Need,
    cache: RepoCache,
    online: OnceCell<Online>,
}

impl Hub {
    fn open(repo: &str, revision: Option<&str>, need: Need) -> Result<Self> {
        let name = revision.map_or_else(|| repo.to_owned(), |r| format!("{repo}@{r}"));
        let revision = revision.unwrap_or("main");
        let plain = |text: &str| {
            let part = |p: &str| !p.is_empty() && p != "." && p != "..";
            text.split('/').all(part) && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        };
        if !plain(repo) || !plain(revision) {
            return Err(Error::input(format!("`{name}` is no Hub repository"))
                .hint("it looks like `OWNER/NAME` or `OWNER/NAME@REVISION`, where a revision is a branch, a tag or a commit"));
        }
        let cache = RepoCache::of(repo)?;
        Ok(Self { name, repo: repo.to_owned(), revision: revision.to_owned(), need, cache, online: OnceCell::new() })
    }

    /// The repository at a revision, as hf-hub addresses it.
    fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.repo.clone(), RepoType::Model, revision.to_owned())
    }

    /// Whether the network may be asked.
    fn may_ask(&self) -> bool {
        self.need != Need::Cached && !connection::offline()
    }

    fn online(&self) -> Result<&Online> {
        if !self.may_ask() {
            return Err(self.not_whole());
        }
        match self.online.get() {
            Some(online) => Ok(online),
            None => Online::new(self.cache.root()).map(|online| self.online.get_or_init(|| online)),
        }
    }

    /// The commit that the revision means: the one that the cache knows, or what the Hub says.
    fn commit(&self) -> Result<String> {
        let known = self.cache.commit(&self.revision);
        match known {
            Some(commit) if self.need != Need::Newest || !self.may_ask() => Ok(commit),
            _ => {
                let (online, repo) = (self.online()?, self.at(&self.revision));
                match online.metadata(&repo, REQUIRED[0]) {
                    Ok(metadata) => Ok(metadata.commit),
                    Err(Refusal::NoFile) => Err(self.lacks(REQUIRED[0])),
                    Err(refusal) => Err(refusal.error(&self.asked(REQUIRED[0]), online)),
                }
            }
        }
    }

    /// The small files.
    fn small(&self, commit: &str) -> Result<BTreeMap<&'static str, PathBuf>> {
        let mut small = BTreeMap::new();
        for name in SMALL_FILES {
            match self.file(commit, name)? {
                Some(path) => drop(small.insert(name, path)),
                None if !REQUIRED.contains(&name) => {}
                None if self.may_ask() => return Err(self.lacks(name)),
                None => return Err(self.not_whole()),
            }
        }
        Ok(small)
    }

    /// The weights; for an identity, those that the cache happens to have.
    fn weights(&self, commit: &str) -> Result<Vec<WeightsFile>> {
        if self.need == Need::Identity {
            return Ok(self.cached_weights(commit).unwrap_or_default());
        }
        if let Some(path) = self.file(commit, SINGLE)? {
            return Ok(vec![File::Disk(path).into()]);
        }
        let absent = || if self.may_ask() { self.lacks(&format!("{SINGLE} (or {INDEX})")) } else { self.not_whole() };
        let index = self.file(commit, INDEX)?.ok_or_else(absent)?;
        let fetch = |(shard, promised): (String, Vec<String>)| {
            let absent = || if self.may_ask() { self.lacks(&shard) } else { self.not_whole() };
            Ok(WeightsFile { file: File::Disk(self.file(commit, &shard)?.ok_or_else(absent)?), promised })
        };
        shards(&index)?.into_iter().map(fetch).collect()
    }

    fn cached_weights(&self, commit: &str) -> Option<Vec<WeightsFile>> {
        if let Some(path) = self.cache.get(commit, SINGLE) {
            return Some(vec![File::Disk(path).into()]);
        }
        let shards = shards(&self.cache.get(commit, INDEX)?).ok()?;
        let cached = |(shard, promised): (String, Vec<String>)| {
            Some(WeightsFile { file: File::Disk(self.cache.get(commit, &shard)?), promised })
        };
        shards.into_iter().map(cached).collect()
    }

    /// One file of a commit; `None` where the repository does not have it, or, without the network, where the cache does not.
    fn file(&self, commit: &str, file: &str) -> Result<Option<PathBuf>> {
        let cached = self.cache.get(commit, file);
        if cached.is_some() && self.need != Need::Newest || self.cache.knows_absent(commit, file) || !self.may_ask() {
            return Ok(cached);
        }
        let (online, repo) = (self.online()?, self.at(commit));
        match online.metadata(&repo, file) {
            Ok(metadata) => {
                let asked = self.asked(file);
                let wanted = transfer::Wanted { metadata: &metadata, repo: &repo, commit, asked: &asked };
                transfer::obtain(online, &self.cache, &wanted, self.need == Need::Newest).map(Some)
            }
            Err(Refusal::NoFile) => {
                self.cache.note_absent(commit, file);
                Ok(None)
            }
            Err(refusal) => Err(refusal.error(&self.asked(file), online)),
        }
    }

    fn asked<'a>(&'a self, file: &'a str) -> Asked<'a> {
        Asked { repo: &self.repo, revision: &self.revision, file }
    }

    /// The repository has no such file: what it has tells why.
    fn lacks(&self, file: &str) -> Error {
        let listing = self.online.get().and_then(|online| online.listing(&self.at(&self.revision)).ok()).unwrap_or_default();
        Error::environment(format!("the Hub repository `{}` has no `{file}`", self.name))
            .hint(missing::advice(listing.iter().map(String::as_str)))
    }

    /// The cache does not have everything, and the network is not to be asked.
    fn not_whole(&self) -> Error {
        let place = self.cache.root().display();
        let what = format!("`{}` is not whole in the cache `{place}`", self.name);
        if self.need == Need::Cached {
            return Error::environment(what).hint(format!("`subliminal models pull {}` fetches it", self.name));
        }
        Error::environment(format!("{what}, and HF_HUB_OFFLINE is set"))
            .hint("unset HF_HUB_OFFLINE, or use a built-in model (`builtin:tiny-a`)")
    }
}
