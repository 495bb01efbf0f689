//! What the cache holds, model by model.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::cache::{RepoCache, cache_folder, repository};
use crate::engine::local::arch::DecoderConfig;
use crate::engine::local::source::{ModelFiles, Need};
use crate::error::{Error, Result};
use crate::record::ModelRef;
use crate::tool::fs;

/// A model in the cache.
#[derive(Debug, Clone)]
pub struct CachedModel {
    /// How it is named: by the branch or tag that led to it, else by its commit.
    pub model: ModelRef,
    /// Its commit.
    pub commit: String,
    /// Where its files lie.
    pub folder: PathBuf,
    /// Its files; none where some are missing.
    pub files: Option<ModelFiles>,
}

impl CachedModel {
    /// Its family and the number of its weights, as far as its `config.json` is there and of a supported family.
    pub fn description(&self) -> Option<(&'static str, u64)> {
        let json: Value = fs::read_json(&self.folder.join("config.json")).ok()?;
        let config = DecoderConfig::from_json(&json).ok()?;
        Some((config.family, config.parameters()))
    }
}

/// Every model in the cache, sorted by name.
///
/// # Errors
/// If the cache's folder is there but cannot be read.
pub fn cached_models() -> Result<Vec<CachedModel>> {
    let Some(root) = cache_folder().filter(|root| root.is_dir()) else { return Ok(Vec::new()) };
    let mut models = Vec::new();
    for folder in names(&root)? {
        let Some(repo) = repository(&folder) else { continue };
        let cache = RepoCache::within(root.clone(), &repo);
        let references = references(&cache.references(), "");
        for commit in names(&cache.snapshots())? {
            let name = references.iter().filter(|(_, c)| *c == commit).map(|(name, _)| name.clone()).min_by_key(|n| n != "main");
            let revision = Some(name.unwrap_or_else(|| commit.clone())).filter(|name| name != "main");
            let files = super::files(&repo, Some(&commit), Need::Cached);
            let model = ModelRef::Hub { repo: repo.clone(), revision };
            models.push(CachedModel { model, folder: cache.snapshot(&commit), commit, files: files.ok() });
        }
    }
    models.sort_by(|a, b| a.model.cmp(&b.model));
    Ok(models)
}

/// The names in a folder, sorted; none where it is missing.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| Error::io("list", folder, e))?,
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Every branch and tag below a folder of references, with its commit. A name may hold slashes.
fn references(folder: &Path, prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in names(folder).unwrap_or_default() {
        let (path, full) = (folder.join(&name), format!("{prefix}{name}"));
        if path.is_dir() && !path.is_symlink() {
            found.extend(references(&path, &format!("{full}/")));
        } else if let Ok(commit) = std::fs::read_to_string(&path) {
            found.push((full, commit.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_at_every_depth() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let cache = RepoCache::within(dir.path().to_path_buf(), "o/n");
        cache.point("main", "c0ffee").expect("writable");
        cache.point("refs/pr/1", "beef").expect("writable");
        let found = references(&cache.references(), "");
        assert_eq!(found, [("main".to_owned(), "c0ffee".to_owned()), ("refs/pr/1".to_owned(), "beef".to_owned())]);
    }
}
