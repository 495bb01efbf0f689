//! LoRA adapters in PEFT's layout: `adapter_config.json` and `adapter_model.safetensors`, read from anywhere and written for everyone.
//!
//! A PEFT setting that this engine does not know how to honour is refused by name.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use rand::Rng;
use serde_json::{Map, Value, json};

use super::arch::{Decoder, Site};
use super::layers::Adapter;
use super::tensors;
use crate::error::{Error, Problem, Result};
use crate::record::{LayerTargets, Lora};
use crate::tool::{fs, streams};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// `alpha / rank`, or `alpha / sqrt(rank)` when rank-stabilised.
pub(super) fn scale(lora: &Lora) -> f64 {
    let rank = lora.rank as f64;
    lora.alpha / if lora.rslora { rank.sqrt() } else { rank }
}

/// The linear layers that `targets` selects.
///
/// # Errors
/// If a name selects no layer.
pub(super) fn select(decoder: &Decoder, targets: &LayerTargets) -> Result<Vec<Site>> {
    let sites = decoder.sites();
    let LayerTargets::Named(names) = targets else { return Ok(sites) };
    let fits = |site: &Site, name: &str| {
        let full = site.name();
        full == name || full.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
    };
    if let Some(stray) = names.iter().find(|name| !sites.iter().any(|site| fits(site, name))) {
        let mut known: Vec<&str> = sites.iter().map(Site::module).collect();
        known.dedup_by(|a, b| a == b);
        known.truncate(7);
        return Err(
            Error::input(format!("`{stray}` is no linear layer of the model")).hint(format!("it has {}", known.join(", ")))
        );
    }
    Ok(sites.into_iter().filter(|site| names.iter().any(|name| fits(site, name))).collect())
}

/// Puts a fresh adapter on the decoder: `A` uniform within ±1/√in as PEFT draws it (Kaiming with a = √5), `B` zero.
///
/// # Errors
/// If the targets name no layer.
pub fn attach_fresh(decoder: &mut Decoder, lora: &Lora, seed: u64) -> Result<()> {
    if !(1..=256).contains(&lora.rank) {
        return Err(Error::input(format!("the LoRA rank is {}, expected 1 to 256", lora.rank)));
    }
    for (index, site) in select(decoder, &lora.targets)?.iter().enumerate() {
        let (out, inner) = decoder.linear(site).weight.dims2()?;
        let bound = 1.0 / (inner as f32).sqrt();
        let mut random = streams::named(seed, "lora-a", index as u64);
        let a: Vec<f32> = (0..lora.rank * inner).map(|_| random.random_range(-bound..bound)).collect();
        let a = Tensor::from_vec(a, (lora.rank, inner), decoder.device())?;
        let b = Tensor::zeros((out, lora.rank), DType::F32, decoder.device())?;
        decoder.attach(site, Adapter::new(a, b, scale(lora)));
    }
    Ok(())
}

/// Reads a PEFT adapter from `folder` onto the decoder, and returns its settings.
///
/// # Errors
/// If files are missing, settings are not supported, or the tensors do not fit the decoder.
pub fn load(decoder: &mut Decoder, folder: &Path) -> Result<Lora> {
    let path = folder.join(CONFIG);
    let lora = read_settings(&fs::read_json(&path)?).map_err(|e| e.at(&path, None))?;
    let path = folder.join(WEIGHTS);
    attach_tensors(decoder, &lora, tensors::load(&path)?).map_err(|e| e.at(&path, None))?;
    Ok(lora)
}

/// The names of a site's two matrices in PEFT's files.
fn keys(site: &Site) -> [String; 2] {
    ["A", "B"].map(|m| format!("base_model.model.{}.lora_{m}.weight", site.name()))
}

fn attach_tensors(decoder: &mut Decoder, lora: &Lora, mut tensors: HashMap<String, Tensor>) -> Result<()> {
    let mut problems = Vec::new();
    let mut adapters = Vec::new();
    for site in select(decoder, &lora.targets)? {
        let (out, inner) = decoder.linear(&site).weight.dims2()?;
        let mut take = |key: String, shape: [usize; 2]| match tensors.remove(&key) {
            Some(t) if t.dims() == shape => Some(t),
            Some(t) => {
                problems.push(format!("the tensor `{key}` has shape {:?}, expected {shape:?}", t.dims()));
                None
            }
            None => {
                problems.push(format!("the adapter has no tensor `{key}`"));
                None
            }
        };
        let [a, b] = keys(&site);
        if let (Some(a), Some(b)) = (take(a, [lora.rank, inner]), take(b, [out, lora.rank])) {
            adapters.push((site, a, b));
        }
    }
    let mut stray: Vec<&String> = tensors.keys().collect();
    stray.sort();
    problems.extend(stray.iter().map(|key| format!("the adapter has a tensor `{key}` that the model has no place for")));
    if !problems.is_empty() {
        return Err(Error::problems(problems.into_iter().map(plain_problem).collect()));
    }
    for (site, a, b) in adapters {
        let place =
            |t: Tensor, device: &Device| -> Result<Tensor> { Ok(t.to_dtype(DType::F32)?.to_device(device)?.contiguous()?) };
        let adapter = Adapter::new(place(a, decoder.device())?, place(b, decoder.device())?, scale(lora));
        decoder.attach(&site, adapter);
    }
    Ok(())
}

fn plain_problem(message: String) -> Problem {
    Problem { file: None, line: None, message, hint: None }
}

/// Keys of `adapter_config.json` that say nothing about what the adapter computes, or whose stock value does not.
const HARMLESS: &[&str] = &[
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "task_type", // written as CAUSAL_LM, but plain adapters lack it
];

/// Keys that are read.
const READ: &[&str] =
    &["peft_type", "r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules", "bias", "init_lora_weights"];

/// Reads `adapter_config.json`; every unsupported setting is named.
fn read_settings(config: &Map<String, Value>) -> Result<Lora> {
    let mut problems = Vec::new();
    let get = |key: &str| config.get(key).filter(|v| !v.is_null());
    let mut expect = |key: &str, fits: &dyn Fn(&Value) -> bool, expected: &str| {
        if let Some(value) = get(key)
            && !fits(value)
        {
            problems.push(format!("`{key}` is {value}, only {expected} is supported"));
        }
    };
    expect("peft_type", &|v| v == "LORA", "\"LORA\"");
    expect("bias", &|v| v == "none", "\"none\"");
    expect("init_lora_weights", &|v| v.is_boolean() || v == "gaussian", "true, false or \"gaussian\"");
    for (key, value) in config.iter().filter(|(key, _)| !HARMLESS.contains(&key.as_str()) && !READ.contains(&key.as_str())) {
        if !is_unset(value) {
            problems.push(format!("`{key}` is {value}, which is not supported"));
        }
    }
    let rank = get("r").and_then(Value::as_u64).unwrap_or(8) as usize;
    let targets = match get("target_modules") {
        Some(Value::String(all)) if all == "all-linear" => LayerTargets::AllLinear,
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
            LayerTargets::Named(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        other => {
            let shown = other.map_or_else(|| "missing".to_owned(), ToString::to_string);
            problems.push(format!("`target_modules` is {shown}, expected a list of module names or \"all-linear\""));
            LayerTargets::AllLinear
        }
    };
    if !problems.is_empty() {
        return Err(Error::problems(problems.into_iter().map(plain_problem).collect()));
    }
    Ok(Lora {
        rank,
        alpha: get("lora_alpha").and_then(Value::as_f64).unwrap_or(8.0),
        rslora: get("use_rslora").and_then(Value::as_bool).unwrap_or(false),
        dropout: get("lora_dropout").and_then(Value::as_f64).unwrap_or(0.0),
        targets,
    })
}

/// A value by which PEFT says that a setting is not used.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// Writes the decoder's adapter to `folder` in PEFT's layout. `base` is how PEFT is to find the base model.
///
/// # Errors
/// If the disk or the device fails.
pub fn save(decoder: &Decoder, lora: &Lora, base: &str, folder: &Path) -> Result<()> {
    let sites = select(decoder, &lora.targets)?;
    let mut named = Vec::new();
    let mut modules: Vec<&str> = Vec::new();
    for site in &sites {
        if let Some(adapter) = &decoder.linear(site).adapter {
            let [a, b] = keys(site);
            named.extend([(a, adapter.a.clone()), (b, adapter.b.clone())]);
            if !modules.contains(&site.module()) {
                modules.push(site.module());
            }
        }
    }
    let modules: Vec<&str> = match &lora.targets {
        LayerTargets::AllLinear => modules,
        LayerTargets::Named(names) => names.iter().map(String::as_str).collect(),
    };
    tensors::save(&folder.join(WEIGHTS), &named)?;
    let config = json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base, "inference_mode": true,
        "r": lora.rank, "lora_alpha": lora.alpha, "lora_dropout": lora.dropout, "use_rslora": lora.rslora,
        "target_modules": modules, "bias": "none", "fan_in_fan_out": false, "init_lora_weights": true,
        "modules_to_save": null, "use_dora": false, "rank_pattern": {}, "alpha_pattern": {}
    });
    fs::write_json(&folder.join(CONFIG), &config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(extra: &[(&str, Value)]) -> Result<Lora> {
        let mut config = json!({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "bias": "none"});
        for (key, value) in extra {
            config[*key] = value.clone();
        }
        read_settings(config.as_object().expect("an object"))
    }

    #[test]
    fn the_stock_values_of_peft_are_accepted() {
        let stock = [
            ("megatron_core", json!("megatron.core")),
            ("qalora_group_size", json!(16)),
            ("rank_pattern", json!({})),
            ("modules_to_save", json!(null)),
            ("use_rslora", json!(true)),
        ];
        let lora = settings(&stock).expect("stock values");
        assert_eq!((lora.rank, lora.alpha, lora.rslora), (4, 8.0, true));
        assert_eq!(scale(&lora), 4.0);
    }

    #[test]
    fn settings_that_change_the_function_are_refused_by_name() {
        let strange = [
            ("use_dora", json!(true)),
            ("modules_to_save", json!(["lm_head"])),
            ("rank_pattern", json!({"q_proj": 2})),
            ("init_lora_weights", json!("pissa")),
            ("a_setting_of_next_year", json!(3)),
        ];
        let text = settings(&strange).expect_err("five problems").render();
        for (key, _) in strange {
            assert!(text.contains(key), "{text}");
        }
    }
}
