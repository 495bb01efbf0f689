//! A checkpoint folder in Hugging Face layout: one safetensors file, or shards named by an index.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{File, ModelFiles, SMALL_FILES, WeightsFile, missing};
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
    let mut lacks: Vec<String> =
        SMALL_FILES[..2].iter().filter(|name| !path.join(name).is_file()).map(|name| (*name).to_owned()).collect();
    let mut weights = Vec::new();
    if path.join(SINGLE).is_file() {
        weights.push(File::Disk(path.join(SINGLE)).into());
    } else if path.join(INDEX).is_file() {
        for (shard, promised) in shards(&path.join(INDEX))? {
            if !path.join(&shard).is_file() {
                lacks.push(shard.clone());
            }
            weights.push(WeightsFile { file: File::Disk(path.join(shard)), promised });
        }
    } else {
        lacks.push(format!("{SINGLE} (or {INDEX})"));
    }
    if !lacks.is_empty() {
        let list = lacks.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", ");
        let there = names(path)?;
        return Err(Error::environment(format!("the model folder `{}` lacks {list}", path.display()))
            .hint(missing::advice(there.iter().map(String::as_str))));
    }
    let small = SMALL_FILES.iter().map(|name| (*name, path.join(name))).filter(|(_, p)| p.is_file());
    small.clone().try_for_each(|(_, file)| honest(path, &file))?;
    Ok(ModelFiles {
        name: path.display().to_string(),
        small: small.map(|(name, p)| (name, File::Disk(p))).collect(),
        weights,
        commit: None,
    })
}

/// Refuses a small file that is a link to a file of another name outside of the folder. Links are used on purpose: the Hub's cache links
/// to its blobs, and people link to one copy of a model. But these files go on, as text, into prompts, samples and the folders that a
/// training leaves, so a folder from elsewhere must not pass `~/.ssh/id_rsa` off as a `chat_template.jinja`. Weights may lie anywhere:
/// what is no tensor is refused, and they are not copied.
fn honest(folder: &Path, file: &Path) -> Result<()> {
    let real = |path: &Path| path.canonicalize().map_err(|e| Error::io("read", path, e));
    if !file.is_symlink() {
        return Ok(());
    }
    let target = real(file)?;
    let of_the_hub = target.parent().is_some_and(|at| at.ends_with("blobs"))
        && target.ancestors().filter_map(Path::file_name).any(|name| name.as_encoded_bytes().starts_with(b"models--"));
    if of_the_hub || target.file_name() == file.file_name() || target.starts_with(real(folder)?) {
        return Ok(());
    }
    Err(Error::input(format!("is a link to `{}`, a file of another name outside of the model's folder", target.display()))
        .at(file, None)
        .hint("if it is meant, put a copy in the place of the link, or give the file that it leads to the same name"))
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// What an index says: the shards by name, each with the tensors that it is to hold.
///
/// A shard is a plain file name, so that an index cannot point out of its folder; the file itself may be a link, as it is in the Hub's
/// cache, where every file of a snapshot links to a blob.
pub(super) fn shards(index: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let json: Value = fs::read_json(index).map_err(|e| e.hint(missing::cure(index)))?;
    named(&json, index)
}

/// The same of an index that is read already; `index` names it in messages.
pub(crate) fn named(json: &Value, index: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let wrong = |what: String| Error::environment(what).at(index, None).hint(missing::cure(index));
    let map = json.get("weight_map").and_then(Value::as_object).filter(|map| !map.is_empty());
    let map = map.ok_or_else(|| wrong("has no object `weight_map` that names shards".to_owned()))?;
    let mut shards: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, shard) in map {
        let shard = shard.as_str().ok_or_else(|| wrong(format!("the shard of `{tensor}` is {shard}, not a file name")))?;
        let plain = !shard.contains(['/', '\\', ':']) && !shard.starts_with('.');
        if !plain || !shard.ends_with(".safetensors") {
            return Err(wrong(format!("the shard name `{shard}` is not the plain name of a `.safetensors` file")));
        }
        shards.entry(shard.to_owned()).or_default().push(tensor.clone());
    }
    Ok(shards)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("temporary folder");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("writable");
        }
        dir
    }

    fn message(dir: &tempfile::TempDir) -> String {
        files(dir.path()).expect_err("something is missing").render().replace(&dir.path().display().to_string(), "DIR")
    }

    #[test]
    fn everything_that_a_folder_lacks_is_named_at_once() {
        assert_eq!(
            message(&folder(&[])),
            "error: the model folder `DIR` lacks `config.json`, `tokenizer.json`, `model.safetensors (or model.safetensors.index.json)`\n\
             hint: a checkpoint needs config.json, tokenizer.json and its weights as safetensors"
        );
    }

    #[test]
    fn a_folder_of_another_kind_says_how_to_make_it_one() {
        let old = folder(&[("config.json", "{}"), ("tokenizer.model", ""), ("pytorch_model.bin", "")]);
        assert!(message(&old).contains("pickled"), "{}", message(&old));
        let sentencepiece = folder(&[("config.json", "{}"), ("tokenizer.model", ""), ("model.safetensors", "")]);
        assert!(message(&sentencepiece).contains("lacks `tokenizer.json`\nhint: its tokenizer is a `tokenizer.model`"));
    }

    #[test]
    fn shards_come_from_the_index_and_must_be_there() {
        let index = r#"{"weight_map": {"a": "two.safetensors", "b": "one.safetensors", "c": "two.safetensors"}}"#;
        let dir = folder(&[("config.json", "{}"), ("tokenizer.json", "{}"), (INDEX, index), ("one.safetensors", "")]);
        assert!(message(&dir).contains("lacks `two.safetensors`\n"), "{}", message(&dir));
        std::fs::write(dir.path().join("two.safetensors"), "").expect("writable");
        let weights = files(dir.path()).expect("all there").weights;
        let promised: Vec<_> = weights.iter().map(|w| w.promised.clone()).collect();
        assert_eq!(promised, [vec!["b".to_owned()], vec!["a".to_owned(), "c".to_owned()]]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_may_lead_to_the_same_file_elsewhere_but_not_to_any_other() {
        let other = folder(&[("tokenizer.json", "{}"), ("id_rsa", "secret"), ("weights-2.safetensors", "")]);
        let hub = other.path().join("models--o--n/blobs");
        std::fs::create_dir_all(&hub).expect("writable");
        std::fs::write(hub.join("0a1b"), "{}").expect("writable");
        let dir = folder(&[("shared.json", "{}")]);
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, dir.path().join(name)).expect("writable");
        link(&hub.join("0a1b"), "config.json");
        link(&other.path().join("tokenizer.json"), "tokenizer.json");
        link(Path::new("shared.json"), "generation_config.json");
        link(&other.path().join("weights-2.safetensors"), SINGLE);
        assert!(files(dir.path()).is_ok());
        link(&other.path().join("id_rsa"), "chat_template.jinja");
        let text = message(&dir);
        assert!(
            text.contains("chat_template.jinja: is a link to `") && text.contains("id_rsa`, a file of another name"),
            "{text}"
        );
        assert!(text.contains("hint: if it is meant, put a copy"), "{text}");
    }

    #[test]
    fn an_index_that_names_no_plain_shards_is_refused() {
        for (index, expected) in [
            (r#"{"weight_map": {"a": "../secret.safetensors"}}"#, "`../secret.safetensors` is not the plain name"),
            (r#"{"weight_map": {"a": "/etc/passwd"}}"#, "`/etc/passwd` is not the plain name"),
            (r#"{"weight_map": {"a": ".."}}"#, "`..` is not the plain name"),
            (r#"{"weight_map": {"a": "pytorch_model.bin"}}"#, "`pytorch_model.bin` is not the plain name"),
            (r#"{"weight_map": {"a": 7}}"#, "the shard of `a` is 7, not a file name"),
            (r#"{"weight_map": {}}"#, "has no object `weight_map`"),
            (r#"{"metadata": {}}"#, "has no object `weight_map`"),
            (r#"{"weight_map": {"a": "x"#, "not the expected JSON"),
        ] {
            let dir = folder(&[("config.json", "{}"), ("tokenizer.json", "{}"), (INDEX, index)]);
            let text = message(&dir);
            assert!(text.contains(expected) && text.contains("index.json"), "{text}");
            assert!(text.contains("hint: copy or download the file again"), "{text}");
        }
    }
}
