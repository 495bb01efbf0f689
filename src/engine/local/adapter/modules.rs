//! Which linear layers carry an adapter, by the rules of PEFT: a name selects the modules that it names in full, or that end with it
//! after a dot.

use regex::Regex;

use crate::engine::local::arch::{Decoder, DecoderConfig, Site};
use crate::error::{Error, Result};
use crate::record::{LayerTargets, Lora};

/// A linear layer's name in the base model's own class, as PEFT has it: `model.layers.0.self_attn.q_proj`, and with one more part where
/// the decoder is the text part of a larger model.
pub(super) fn module(config: &DecoderConfig, site: &Site) -> String {
    let name = site.name();
    let below = name.strip_prefix("model.").unwrap_or(&name);
    format!("{}.{below}", config.module_prefix())
}

/// A choice of modules.
#[derive(Debug, Clone)]
pub(super) enum Modules {
    /// Every linear layer.
    AllLinear,
    /// By name.
    Names(Vec<String>),
    /// Those whose full name matches, as PEFT reads a lone text.
    Pattern(Regex),
}

impl Modules {
    /// Whether a module, by its full name, is among them.
    pub(super) fn contain(&self, module: &str) -> bool {
        match self {
            Self::AllLinear => true,
            Self::Names(names) => names.iter().any(|name| named(module, name)),
            Self::Pattern(pattern) => pattern.is_match(module),
        }
    }
}

fn named(module: &str, name: &str) -> bool {
    module == name || module.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
}

/// Whether `targets` select a module.
pub(in crate::engine::local) fn targets(targets: &LayerTargets, module: &str) -> bool {
    match targets {
        LayerTargets::AllLinear => true,
        LayerTargets::Named(names) => names.iter().any(|name| named(module, name)),
    }
}

/// The linear layers that carry an adapter by a recipe.
///
/// # Errors
/// If a name selects no layer, or the model has fewer decoder layers than the range names.
pub(in crate::engine::local) fn select(decoder: &Decoder, lora: &Lora) -> Result<Vec<Site>> {
    let sites = decoder.sites();
    if let LayerTargets::Named(names) = &lora.targets
        && let Some(stray) = names.iter().find(|name| !sites.iter().any(|site| named(&site.name(), name)))
    {
        let mut known: Vec<&str> = sites.iter().map(Site::module).collect();
        known.dedup_by(|a, b| a == b);
        known.truncate(7);
        return Err(
            Error::input(format!("`{stray}` is no linear layer of the model")).hint(format!("it has {}", known.join(", ")))
        );
    }
    let layers = decoder.config().num_layers;
    if let Some(range) = lora.layers
        && (range.last >= layers || range.first > range.last)
    {
        let message = format!("the adapter's layers are {} to {}, the model has 0 to {}", range.first, range.last, layers - 1);
        return Err(Error::input(message).hint("layers are counted from 0, and both ends are included"));
    }
    let chosen = |site: &Site| lora.layers.is_none_or(|range| range.contains(site.layer)) && targets(&lora.targets, &site.name());
    Ok(sites.into_iter().filter(chosen).collect())
}
