//! An adapter's folder: its settings and its tensors under PEFT's names.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::settings::{self, Settings};
use super::{modules, select};
use crate::engine::local::arch::{Decoder, DecoderConfig, Site};
use crate::engine::local::layers::Adapter;
use crate::engine::local::tensors;
use crate::error::{Error, Problem, Result};
use crate::record::{LayerTargets, Lora};
use crate::tool::fs;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// The names of a site's two matrices in PEFT's files.
fn keys(config: &DecoderConfig, site: &Site) -> [String; 2] {
    ["A", "B"].map(|m| format!("base_model.model.{}.lora_{m}.weight", modules::module(config, site)))
}

/// A key as plain text models have it: where the decoder is the text part of a larger model, names have one more part, here or there.
fn plain(key: &str) -> String {
    key.replacen("language_model.", "", 1)
}

/// Reads a PEFT adapter from `folder` onto the decoder, and returns its settings.
///
/// # Errors
/// If files are missing, settings are not supported, or the tensors do not fit the decoder.
pub fn load(decoder: &mut Decoder, folder: &Path) -> Result<Settings> {
    let path = folder.join(CONFIG);
    let settings = Settings::read(&fs::read_json(&path)?).map_err(|e| e.at(&path, None))?;
    let path = folder.join(WEIGHTS);
    attach(decoder, &settings, tensors::load(&path)?).map_err(|e| e.at(&path, None))?;
    Ok(settings)
}

fn attach(decoder: &mut Decoder, settings: &Settings, tensors: HashMap<String, Tensor>) -> Result<()> {
    let mut tensors: HashMap<String, Tensor> = tensors.into_iter().map(|(key, tensor)| (plain(&key), tensor)).collect();
    let mut problems = Vec::new();
    let mut adapters = Vec::new();
    for site in decoder.sites() {
        let Some((rank, scale)) = settings.of(&modules::module(decoder.config(), &site)) else { continue };
        let (out, inner) = decoder.linear(&site).weight.dims()?;
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
        let [a, b] = keys(decoder.config(), &site).map(|key| plain(&key));
        if let (Some(a), Some(b)) = (take(a, [rank, inner]), take(b, [out, rank])) {
            adapters.push((site, a, b, scale));
        }
    }
    let mut stray: Vec<&String> = tensors.keys().collect();
    stray.sort();
    problems.extend(stray.iter().map(|key| format!("the adapter has a tensor `{key}` that the model has no place for")));
    if problems.is_empty() && adapters.is_empty() {
        problems.push("the adapter's settings select no linear layer of the model".to_owned());
    }
    if !problems.is_empty() {
        let plain = |message| Problem { file: None, line: None, message, hint: None };
        return Err(Error::problems(problems.into_iter().map(plain).collect()));
    }
    let place = |t: Tensor, device: &Device| -> Result<Tensor> { Ok(t.to_device(device)?.to_dtype(DType::F32)?.contiguous()?) };
    for (site, a, b, scale) in adapters {
        let adapter = Adapter { a: place(a, decoder.device())?, b: place(b, decoder.device())?, scale };
        decoder.attach(&site, adapter);
    }
    Ok(())
}

/// Writes the decoder's adapter to `folder` in PEFT's layout. `base` is how PEFT is to find the base model.
///
/// # Errors
/// If the disk or the device fails.
pub fn save(decoder: &Decoder, lora: &Lora, base: &str, folder: &Path) -> Result<()> {
    let config = decoder.config();
    let mut named = Vec::new();
    let mut sites = Vec::new();
    for site in select(decoder, lora)? {
        if let Some(adapter) = &decoder.linear(&site).adapter {
            let [a, b] = keys(config, &site);
            named.extend([(a, adapter.a.clone()), (b, adapter.b.clone())]);
            sites.push(site);
        }
    }
    tensors::save(&folder.join(WEIGHTS), &named)?;
    let settings = if config.is_text_part() {
        // the last parts of names would also select layers of the part that sees
        let modules: Vec<String> = sites.iter().map(|site| modules::module(config, site)).collect();
        settings::written(&Lora { layers: None, ..lora.clone() }, &modules, base)
    } else {
        settings::written(lora, &short_names(lora, &sites), base)
    };
    fs::write_json(&folder.join(CONFIG), &settings)
}

/// What selects the sites in every decoder layer that carries adapters: the names of the recipe, else the last parts of the sites' own.
fn short_names(lora: &Lora, sites: &[Site]) -> Vec<String> {
    if let LayerTargets::Named(names) = &lora.targets {
        return names.clone();
    }
    let mut names: Vec<String> = Vec::new();
    for site in sites {
        if !names.iter().any(|name| name == site.module()) {
            names.push(site.module().to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::local::adapter::attach_fresh;
    use crate::engine::local::fixture::{assert_close, config_of, decoder, tensors_of, values};
    use crate::engine::local::layers::Kernels;
    use crate::record::LayerRange;

    fn lora() -> Lora {
        Lora { rank: 4, alpha: 8.0, rslora: false, dropout: 0.0, targets: LayerTargets::AllLinear, layers: None }
    }

    /// A folder with a random adapter, after its settings and tensors went through `change`.
    fn folder(lora: &Lora, change: impl Fn(&mut serde_json::Value, &mut Vec<(String, Tensor)>)) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("temporary folder");
        let mut decoder = decoder(1, Kernels::Fused);
        attach_fresh(&mut decoder, lora, 3).expect("fits");
        save(&decoder, lora, "a/base", dir.path()).expect("writable");
        let mut config: serde_json::Value = fs::read_json(&dir.path().join(CONFIG)).expect("JSON");
        let mut named: Vec<(String, Tensor)> = tensors::load(&dir.path().join(WEIGHTS)).expect("whole").into_iter().collect();
        change(&mut config, &mut named);
        fs::write_json(&dir.path().join(CONFIG), &config).expect("writable");
        let named: HashMap<String, Tensor> = named.into_iter().collect();
        candle_core::safetensors::save(&named, dir.path().join(WEIGHTS)).expect("writable");
        dir
    }

    /// The modules that carry an adapter after loading.
    fn loaded(dir: &tempfile::TempDir) -> Vec<String> {
        let mut decoder = decoder(1, Kernels::Fused);
        load(&mut decoder, dir.path()).expect("loads");
        decoder.adapters_mut().iter().map(|(site, _)| site.name()).collect()
    }

    fn refused(dir: &tempfile::TempDir) -> String {
        load(&mut decoder(1, Kernels::Fused), dir.path()).expect_err("refused").render()
    }

    #[test]
    fn a_range_of_layers_is_written_and_read() {
        let upper = Lora { layers: Some(LayerRange { first: 1, last: 1 }), ..lora() };
        let dir = folder(&upper, |config, _| assert_eq!(config["layers_to_transform"], json!([1])));
        let names = loaded(&dir);
        assert_eq!(names.len(), 7);
        assert!(names.iter().all(|name| name.starts_with("model.layers.1.")), "{names:?}");
        let beyond = Lora { layers: Some(LayerRange { first: 1, last: 2 }), ..lora() };
        let error = attach_fresh(&mut decoder(1, Kernels::Fused), &beyond, 3).expect_err("two layers only").render();
        assert!(error.contains("1 to 2") && error.contains("0 to 1"), "{error}");
    }

    #[test]
    fn half_precision_tensors_are_read_as_f32() {
        for dtype in [DType::F16, DType::BF16] {
            let dir = folder(&lora(), |_, named| {
                for (_, tensor) in named {
                    *tensor = tensor.to_dtype(dtype).expect("a cast");
                }
            });
            let (mut fine, mut rough) = (decoder(1, Kernels::Fused), decoder(1, Kernels::Fused));
            attach_fresh(&mut fine, &lora(), 3).expect("fits");
            load(&mut rough, dir.path()).expect("loads");
            for ((_, fine), (_, rough)) in fine.adapters_mut().into_iter().zip(rough.adapters_mut()) {
                assert_eq!(rough.a.dtype(), DType::F32);
                assert_close(&values(&fine.a), &values(&rough.a), 1e-2);
            }
        }
    }

    #[test]
    fn an_adapter_of_a_larger_models_text_part_is_read() {
        for (from, to) in [("model.model.", "model.model.language_model."), ("model.model.", "model.language_model.model.")] {
            let dir = folder(&lora(), |_, named| named.iter_mut().for_each(|(key, _)| *key = key.replacen(from, to, 1)));
            assert_eq!(loaded(&dir).len(), 14);
        }
    }

    #[test]
    fn the_adapter_of_a_text_part_names_each_of_its_layers_in_full_and_is_read_again() {
        let json = json!({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "vocab_size": 101, "hidden_size": 16,
            "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}});
        let config = config_of(&json);
        let blank = || Decoder::new(config.clone(), tensors_of(&config, 1), &Device::Cpu, DType::F32).expect("whole");
        let upper = Lora { layers: Some(LayerRange { first: 1, last: 1 }), ..lora() };
        let (mut trained, mut again, dir) = (blank(), blank(), tempfile::tempdir().expect("temporary folder"));
        attach_fresh(&mut trained, &upper, 3).expect("fits");
        save(&trained, &upper, "a/base", dir.path()).expect("writable");
        let settings: serde_json::Value = fs::read_json(&dir.path().join(CONFIG)).expect("JSON");
        assert_eq!(settings["target_modules"][0], "model.language_model.layers.1.self_attn.q_proj");
        assert_eq!(settings["layers_to_transform"], json!(null));
        let stored = tensors::load(&dir.path().join(WEIGHTS)).expect("whole");
        assert!(stored.contains_key("base_model.model.model.language_model.layers.1.mlp.up_proj.lora_A.weight"));
        load(&mut again, dir.path()).expect("reads what it wrote");
        let pairs = trained.adapters_mut().into_iter().zip(again.adapters_mut());
        assert_eq!(pairs.filter(|((site, a), (same, b))| site == same && values(&a.a) == values(&b.a)).count(), 7);
    }

    #[test]
    fn tensors_without_a_place_and_places_without_a_tensor_are_named_together() {
        let dir = folder(&lora(), |_, named| {
            named.retain(|(key, _)| !key.contains("layers.0.self_attn.q_proj.lora_A"));
            named.push(("base_model.model.lm_head.lora_A.weight".to_owned(), named[0].1.clone()));
        });
        let text = refused(&dir);
        assert!(text.contains("layers.0.self_attn.q_proj.lora_A") && text.contains("lm_head.lora_A"), "{text}");
        let none = folder(&lora(), |config, named| {
            config["target_modules"] = json!(["query_key_value"]);
            named.clear();
        });
        assert!(refused(&none).contains("no linear layer"), "{}", refused(&none));
    }

    #[test]
    fn ranks_and_scales_may_differ_by_module() {
        let dir = folder(&lora(), |config, named| {
            config["rank_pattern"] = json!({"q_proj": 2, "layers.1.mlp.*": 1});
            config["alpha_pattern"] = json!({"self_attn.q_proj": 6});
            for (key, tensor) in named {
                let rank = if key.contains("q_proj") {
                    2
                } else if key.contains("layers.1.mlp") {
                    1
                } else {
                    continue;
                };
                *tensor =
                    tensor.narrow(usize::from(key.contains("lora_B")), 0, rank).and_then(|t| t.contiguous()).expect("a part");
            }
        });
        let mut decoder = decoder(1, Kernels::Fused);
        load(&mut decoder, dir.path()).expect("loads");
        for (site, adapter) in decoder.adapters_mut() {
            let expected = match site.name().as_str() {
                name if name.ends_with("q_proj") => (2, 3.0),
                name if name.contains("layers.1.mlp") => (1, 8.0),
                _ => (4, 2.0),
            };
            assert_eq!((adapter.a.dim(0).expect("a matrix"), adapter.scale), expected, "{}", site.name());
        }
    }
}
