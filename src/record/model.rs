//! Which model, which device, which number format.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a base model comes from: `builtin:NAME`, a folder in Hugging Face layout, or a Hub id with an optional `@revision`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModelRef {
    /// A model that ships inside the program.
    Builtin(String),
    /// A folder with `config.json`, `tokenizer.json` and safetensors.
    Folder(PathBuf),
    /// A repository on the Hugging Face Hub.
    Hub {
        /// `owner/name`.
        repo: String,
        /// A branch, tag or commit; `main` when absent.
        revision: Option<String>,
    },
}

impl FromStr for ModelRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("builtin:") {
            return Ok(Self::Builtin(name.to_owned()));
        }
        let (repo, revision) = match text.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision.to_owned())), // which may hold slashes: `refs/pr/1`
            None => (text, None),
        };
        let looks_like_path = text.starts_with(['/', '.', '~']) || text.ends_with('/') || repo.matches('/').count() != 1;
        if looks_like_path || std::path::Path::new(text).join("config.json").is_file() {
            return Ok(Self::Folder(PathBuf::from(text)));
        }
        if repo.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
            Ok(Self::Hub { repo: repo.to_owned(), revision })
        } else {
            Err(format!(
                "`{text}` is not a model: expected `builtin:NAME`, a folder, or a Hub id such as `Qwen/Qwen2.5-7B-Instruct`"
            ))
        }
    }
}

impl ModelRef {
    /// The last part of a folder's or repository's name; `None` for built-in models.
    pub fn short_name(&self) -> Option<&str> {
        match self {
            Self::Builtin(_) => None,
            Self::Folder(path) => path.file_name()?.to_str(),
            Self::Hub { repo, .. } => repo.rsplit('/').next(),
        }
    }

    /// The size in the name, in billions of weights: `1.5B`, `270m`. A guess; `None` for built-in models and names without one.
    pub fn billions_by_name(&self) -> Option<f64> {
        self.short_name()?.split(['-', '_']).find_map(|part| {
            let lower = part.to_lowercase();
            let (digits, unit) = match lower.strip_suffix('b') {
                Some(digits) => (digits, 1.0),
                None => (lower.strip_suffix('m')?, 1e-3),
            };
            digits.parse::<f64>().ok().map(|number| number * unit)
        })
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Hub { repo, revision: None } => f.write_str(repo),
            Self::Hub { repo, revision: Some(revision) } => write!(f, "{repo}@{revision}"),
        }
    }
}

impl Serialize for ModelRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ModelRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Model".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`builtin:NAME`, a folder in Hugging Face layout, or a Hub id with an optional `@revision`"
        })
    }
}

/// A number of weights for people: `3.1 billion`, `494 million`.
pub fn in_words(weights: u64) -> String {
    match weights as f64 / 1e6 {
        millions if millions >= 1000.0 => format!("{:.1} billion", millions / 1e3),
        millions if millions >= 10.0 => format!("{millions:.0} million"),
        millions => format!("{millions:.1} million"),
    }
}

/// A base model and, where it was fine-tuned, the folder that holds what changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Weights {
    /// The base.
    pub base: ModelRef,
    /// A PEFT adapter folder (`adapter_config.json`) or a full checkpoint folder (`config.json`).
    pub tuned: Option<PathBuf>,
}

impl Weights {
    /// The base as it is.
    pub fn base(base: ModelRef) -> Self {
        Self { base, tuned: None }
    }
}

/// Where the work runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// The best device that this build can use.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA device with this ordinal.
    Cuda(usize),
    /// Apple's GPU.
    Metal,
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "metal" => Ok(Self::Metal),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|n| n.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| format!("`{text}` is not a device: expected `auto`, `cpu`, `cuda`, `cuda:N` or `metal`")),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(n) => write!(f, "cuda:{n}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}

/// The number format of frozen weights and activations. Norms, rope, softmax, loss and optimiser state are always f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// f32 on a CPU, bf16 on a GPU; the run says which and why.
    #[default]
    Auto,
    /// 32-bit floats.
    F32,
    /// 16-bit brain floats.
    Bf16,
}

impl FromStr for Dtype {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" | "float32" => Ok(Self::F32),
            "bf16" | "bfloat16" => Ok(Self::Bf16),
            _ => Err(format!("`{text}` is not a dtype: expected `auto`, `f32` or `bf16`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_round_trip() {
        for text in ["builtin:tiny-a", "./models/x", "/a/b/c", "Qwen/Qwen2.5-7B-Instruct", "a/b@v1", "a/b@refs/pr/1"] {
            assert_eq!(text.parse::<ModelRef>().map(|m| m.to_string()), Ok(text.to_owned()));
        }
        assert!(matches!("a/b@refs/pr/1".parse(), Ok(ModelRef::Hub { .. })));
        assert!(matches!("models/a/b@1".parse(), Ok(ModelRef::Folder(_))));
        assert!("bad owner/name!".parse::<ModelRef>().is_err());
    }

    #[test]
    fn sizes_are_read_from_names() {
        let size = |text: &str| text.parse::<ModelRef>().expect("a model").billions_by_name();
        assert_eq!(size("Qwen/Qwen2.5-1.5B-Instruct"), Some(1.5));
        assert_eq!(size("google/gemma-3-270m-it"), Some(0.27));
        assert_eq!(size("meta-llama/Llama-3.2-1B-Instruct"), Some(1.0));
        assert_eq!(size("./checkpoints/llama_8b"), Some(8.0));
        assert_eq!(size("builtin:tiny-a"), None);
        assert_eq!(size("someone/model"), None);
    }
}
