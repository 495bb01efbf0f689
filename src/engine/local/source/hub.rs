//! The Hugging Face Hub: the shared cache first, then the network.
//!
//! `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN`, `HF_ENDPOINT` and `HF_HUB_OFFLINE` mean what they mean to Hugging Face's own tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};

use super::folder::{INDEX, SINGLE, shards};
use super::{File, ModelFiles, Need, SMALL_FILES};
use crate::error::{Error, Result};

/// The files of `repo` at `revision` (`main` if not said).
pub(super) fn files(repo: &str, revision: Option<&str>, need: Need) -> Result<ModelFiles> {
    let hub = Hub::new(repo, revision);
    let small = hub.small()?;
    let weights = match (hub.cached_weights()?, need) {
        (Some(paths), _) => paths,
        (None, Need::Identity) => Vec::new(),
        (None, Need::All) => hub.fetch_weights()?,
    };
    Ok(ModelFiles {
        name: hub.name.clone(),
        commit: small.get("config.json").and_then(|p| commit(p)),
        small: small.into_iter().map(|(name, path)| (name, File::Disk(path))).collect(),
        weights: weights.into_iter().map(File::Disk).collect(),
    })
}

struct Hub {
    name: String,
    repo: Repo,
    cache: Cache,
}

impl Hub {
    fn new(repo: &str, revision: Option<&str>) -> Self {
        let name = revision.map_or_else(|| repo.to_owned(), |r| format!("{repo}@{r}"));
        let cache = std::env::var_os("HF_HUB_CACHE").map_or_else(Cache::from_env, |path| Cache::new(path.into()));
        let repo = Repo::with_revision(repo.to_owned(), RepoType::Model, revision.unwrap_or("main").to_owned());
        Self { name, repo, cache }
    }

    /// From the cache; a revision that is a commit needs no reference to point at it.
    fn cached(&self, file: &str) -> Option<PathBuf> {
        let snapshots = self.cache.path().join(self.repo.folder_name()).join("snapshots");
        let pinned = snapshots.join(self.repo.revision()).join(file);
        self.cache.repo(self.repo.clone()).get(file).or_else(|| pinned.is_file().then_some(pinned))
    }

    /// The small files. Optional ones are asked for first and `config.json` last, so that a cache that holds the required ones
    /// was filled to the end, and a run without a network is not slowed by questions about files that do not exist.
    fn small(&self) -> Result<BTreeMap<&'static str, PathBuf>> {
        let cached: BTreeMap<_, _> = SMALL_FILES.iter().filter_map(|name| Some((*name, self.cached(name)?))).collect();
        let talks = cached.contains_key("tokenizer_config.json") || cached.contains_key("chat_template.jinja");
        if talks && SMALL_FILES[..2].iter().all(|name| cached.contains_key(name)) {
            return Ok(cached);
        }
        let online = self.online()?;
        let mut small = BTreeMap::new();
        for name in SMALL_FILES.iter().rev() {
            match self.fetch(&online, name)? {
                Some(path) => drop(small.insert(*name, path)),
                None if SMALL_FILES[..2].contains(name) => return Err(self.lacks(name)),
                None => {}
            }
        }
        Ok(small)
    }

    /// The weights if the cache has them all.
    fn cached_weights(&self) -> Result<Option<Vec<PathBuf>>> {
        if let Some(path) = self.cached(SINGLE) {
            return Ok(Some(vec![path]));
        }
        let Some(index) = self.cached(INDEX) else { return Ok(None) };
        Ok(shards(&index)?.iter().map(|name| self.cached(name)).collect())
    }

    fn fetch_weights(&self) -> Result<Vec<PathBuf>> {
        let online = self.online()?;
        if let Some(index) = self.fetch(&online, INDEX)? {
            let fetch = |name: &String| self.fetch(&online, name)?.ok_or_else(|| self.lacks(name));
            return shards(&index)?.iter().map(fetch).collect();
        }
        match self.fetch(&online, SINGLE)? {
            Some(path) => Ok(vec![path]),
            None => Err(self.lacks(SINGLE).hint("only weights in the safetensors format can be read")),
        }
    }

    /// A connection, unless the user wants none.
    fn online(&self) -> Result<ApiRepo> {
        let flag = std::env::var("HF_HUB_OFFLINE").unwrap_or_default().to_lowercase();
        if matches!(flag.as_str(), "1" | "true" | "yes" | "on") {
            let place = self.cache.path().display();
            return Err(Error::environment(format!(
                "`{}` is not whole in the cache `{place}`, and HF_HUB_OFFLINE is set",
                self.name
            ))
            .hint("unset HF_HUB_OFFLINE, or use a built-in model (`builtin:tiny-a`)"));
        }
        let token = std::env::var("HF_TOKEN").ok().filter(|t| !t.is_empty()).or_else(|| self.cache.token());
        ApiBuilder::from_env()
            .with_cache_dir(self.cache.path().clone())
            .with_token(token)
            .with_progress(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_retries(2)
            .build()
            .map(|api| api.repo(self.repo.clone()))
            .map_err(|e| Error::environment("cannot set up the connection to the Hugging Face Hub").because(e))
    }

    /// Fetches one file; `None` where the repository does not have it.
    fn fetch(&self, online: &ApiRepo, file: &str) -> Result<Option<PathBuf>> {
        if let Some(path) = self.cached(file) {
            return Ok(Some(path));
        }
        match online.download(file) {
            Ok(path) => Ok(Some(path)),
            Err(e) => match advice(&e.to_string()) {
                // A missing repository answers 401 or 404; a missing file 404. `config.json` tells the two apart.
                Advice::Absent if file != "config.json" => Ok(None),
                advice => Err(Error::environment(format!("cannot fetch `{file}` of `{}` from the Hugging Face Hub", self.name))
                    .because(e)
                    .hint(advice.text())),
            },
        }
    }

    fn lacks(&self, file: &str) -> Error {
        Error::environment(format!("the Hub repository `{}` has no `{file}`", self.name))
    }
}

/// What the Hub's refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Advice {
    Absent,
    Gated,
    Network,
}

impl Advice {
    fn text(self) -> &'static str {
        match self {
            Self::Absent => "check the name and the revision: there is no such model on the Hub",
            Self::Gated => "the name may be wrong, or the model gated: accept its terms on its page and set HF_TOKEN",
            Self::Network => {
                "check the connection, or copy the checkpoint into a folder and name that; built-in models (`builtin:tiny-a`) need no network"
            }
        }
    }
}

fn advice(error: &str) -> Advice {
    let status = |code: &str| error.contains(&format!("status code {code}"));
    if status("404") {
        Advice::Absent
    } else if status("401") || status("403") {
        Advice::Gated
    } else {
        Advice::Network
    }
}

/// The commit in a cache path `…/snapshots/COMMIT/file`.
fn commit(path: &Path) -> Option<String> {
    path.parent()?.file_name().map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_refusals_lead_to_the_right_advice() {
        assert_eq!(advice("request error: https://x/y: status code 404"), Advice::Absent);
        assert_eq!(advice("request error: https://x/y: status code 401"), Advice::Gated);
        assert_eq!(advice("request error: Dns Failed"), Advice::Network);
    }

    #[test]
    fn the_commit_is_the_snapshots_folder() {
        let path = Path::new("/cache/models--a--b/snapshots/0123abc/config.json");
        assert_eq!(commit(path).as_deref(), Some("0123abc"));
    }
}
