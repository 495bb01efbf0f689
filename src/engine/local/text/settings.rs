//! What a checkpoint's files say about its text: the tokenizer, the named special tokens, the chat template, where generation ends.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::apart::{Bounds, apart};
use crate::engine::local::source::ModelFiles;
use crate::error::{Error, Result};

/// The special tokens that transformers hands to a chat template, by their names there.
const TOKENS: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// For a tokenizer of the largest size that is read, on a machine with much to do.
const BOUNDS: Bounds = Bounds { time: Duration::from_mins(2), memory: 8 << 30 };

/// `tokenizer_config.json` and the files beside it.
pub(super) struct Settings {
    /// The texts of the named special tokens; those that no file names are absent.
    pub(super) tokens: BTreeMap<String, String>,
    /// The chat template's source.
    pub(super) template: Option<String>,
}

impl Settings {
    /// Reads what is there.
    ///
    /// # Errors
    /// If a file is damaged, or names several chat templates but no default.
    pub(super) fn read(files: &ModelFiles) -> Result<Self> {
        let config = json(files, "tokenizer_config.json")?;
        let older = json(files, "special_tokens_map.json")?;
        let token = |name: &&str| token(&config, name).or_else(|| token(&older, name)).map(|text| ((*name).to_owned(), text));
        Ok(Self { tokens: TOKENS.iter().filter_map(token).collect(), template: template(files, &config)? })
    }
}

/// A file's content, or null where there is none.
fn json(files: &ModelFiles, name: &str) -> Result<Value> {
    files.get(name).map_or(Ok(Value::Null), |file| file.json(name))
}

/// A special token's text: a string, or an object with `content`.
fn token(settings: &Value, name: &str) -> Option<String> {
    let value = settings.get(name)?;
    value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
}

/// `chat_template.jinja` comes first, then `chat_template` in tokenizer_config.json, a text or a list of named ones, then
/// `chat_template.json`, where older multimodal checkpoints keep it.
fn template(files: &ModelFiles, config: &Value) -> Result<Option<String>> {
    if let Some(file) = files.get("chat_template.jinja") {
        return Ok(Some(String::from_utf8_lossy(&file.read()?).into_owned()));
    }
    let found = of_key(config).map_err(|e| e.context(format!("`{}`, tokenizer_config.json", files.name)))?;
    match found {
        None => of_key(&json(files, "chat_template.json")?),
        found => Ok(found),
    }
}

fn of_key(settings: &Value) -> Result<Option<String>> {
    let text = |value: Option<&Value>, key: &str| value?.get(key)?.as_str().map(str::to_owned);
    match settings.get("chat_template") {
        Some(Value::String(source)) => Ok(Some(source.clone())),
        Some(Value::Array(list)) => {
            let names: Vec<String> = list.iter().filter_map(|t| text(Some(t), "name")).collect();
            let default = list.iter().find(|t| text(Some(t), "name").as_deref() == Some("default"));
            match text(default, "template") {
                Some(source) => Ok(Some(source)),
                None => Err(Error::environment(format!("no chat template is called `default`, only {names:?}"))
                    .hint("write the one to use into a `chat_template.jinja` beside it")),
            }
        }
        _ => Ok(None),
    }
}

/// `tokenizer.json`, without the truncation and padding that it may ask for.
///
/// # Errors
/// If it is missing or damaged.
pub(super) fn tokenizer(files: &ModelFiles) -> Result<Tokenizer> {
    let file = files.get("tokenizer.json").ok_or_else(|| {
        Error::environment(format!("`{}` has no `tokenizer.json`", files.name))
            .hint("transformers writes one: AutoTokenizer.from_pretrained(\"…\").save_pretrained(\"…\")")
    })?;
    let damaged = |e: tokenizers::Error| {
        Error::environment(format!("`{}`: cannot read `tokenizer.json`", files.name))
            .because(e)
            .hint("fetch the checkpoint again: the file is cut off or damaged, or newer than this program")
    };
    let bytes = file.read()?;
    let read = apart(BOUNDS, move || Tokenizer::from_bytes(bytes)); // it panics on some files
    let mut tokenizer = read.unwrap_or_else(|_| Err("it cannot be made sense of".into())).map_err(damaged)?;
    tokenizer.with_truncation(None).map_err(damaged)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// Every id at which generation ends: those of generation_config.json and config.json, and the tokenizer's own.
///
/// # Errors
/// If a file is damaged.
pub(super) fn stops(files: &ModelFiles, eos: Option<u32>) -> Result<Vec<u32>> {
    let mut stops: Vec<u32> = eos.into_iter().collect();
    for name in ["generation_config.json", "config.json"] {
        let json = json(files, name)?;
        let ids = json.get("eos_token_id").map(|v| v.as_array().map_or_else(|| vec![v.clone()], Clone::clone));
        stops.extend(ids.iter().flatten().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok()));
    }
    stops.sort_unstable();
    stops.dedup();
    Ok(stops)
}
