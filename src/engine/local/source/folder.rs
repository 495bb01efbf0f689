//! A checkpoint folder in Hugging Face layout: one safetensors file, or shards named by an index.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{File, ModelFiles, SMALL_FILES};
use crate::error::{Error, Result};
use crate::tool::fs;

/// The name of a single weights file.
pub(super) const SINGLE: &str = "model.safetensors";
/// The name of the index of several.
pub(super) const INDEX: &str = "model.safetensors.index.json";

/// The files of the checkpoint in `path`, all that is missing named together.
pub(super) fn files(path: &Path) -> Result<ModelFiles> {
    if !path.is_dir() {
        return Err(Error::input(format!("there is no model folder `{}`", path.display()))
            .hint("a model is `builtin:NAME`, a folder in Hugging Face layout, or a Hub id such as `Qwen/Qwen2.5-7B-Instruct`"));
    }
    let mut missing: Vec<String> =
        SMALL_FILES[..2].iter().filter(|name| !path.join(name).is_file()).map(|name| (*name).to_owned()).collect();
    let shards = if path.join(SINGLE).is_file() {
        vec![SINGLE.to_owned()]
    } else if path.join(INDEX).is_file() {
        shards(&path.join(INDEX))?
    } else {
        missing.push(format!("{SINGLE} (or {INDEX})"));
        Vec::new()
    };
    missing.extend(shards.iter().filter(|name| !path.join(name).is_file()).cloned());
    if !missing.is_empty() {
        let list = missing.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", ");
        return Err(Error::environment(format!("the model folder `{}` lacks {list}", path.display()))
            .hint("a checkpoint needs config.json, tokenizer.json and its weights as safetensors"));
    }
    let small = SMALL_FILES.iter().map(|name| (*name, path.join(name))).filter(|(_, p)| p.is_file());
    Ok(ModelFiles {
        name: path.display().to_string(),
        small: small.map(|(name, p)| (name, File::Disk(p))).collect(),
        weights: shards.iter().map(|name| File::Disk(path.join(name))).collect(),
        commit: None,
    })
}

/// The distinct shard names of an index, sorted. A name may not leave the folder.
pub(super) fn shards(index: &Path) -> Result<Vec<String>> {
    let json: Value = fs::read_json(index)?;
    let map = json
        .get("weight_map")
        .and_then(Value::as_object)
        .ok_or_else(|| Error::environment("has no object `weight_map`").at(index, None))?;
    let names: BTreeSet<&str> = map.values().filter_map(Value::as_str).collect();
    if let Some(bad) = names.iter().find(|name| name.contains(['/', '\\']) || **name == "..") {
        return Err(Error::environment(format!("the shard name `{bad}` is not a plain file name")).at(index, None));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_folder_lacks_is_named_at_once() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let error = files(dir.path()).expect_err("the folder is empty").render();
        for name in ["config.json", "tokenizer.json", "model.safetensors"] {
            assert!(error.contains(&format!("`{name}")), "{error}");
        }
    }

    #[test]
    fn shards_come_from_the_index_and_must_be_there() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("writable");
        write("config.json", "{}");
        write("tokenizer.json", "{}");
        write(INDEX, r#"{"weight_map": {"a": "two.safetensors", "b": "one.safetensors", "c": "two.safetensors"}}"#);
        write("one.safetensors", "");
        let error = files(dir.path()).expect_err("a shard is missing").render();
        assert!(error.contains("lacks `two.safetensors`\n"), "{error}");
        write("two.safetensors", "");
        assert_eq!(files(dir.path()).map(|f| f.weights.len()).ok(), Some(2));
    }
}
