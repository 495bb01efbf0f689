//! `subliminal models`: what can be loaded, where it lies, how to get or make it.

use std::path::PathBuf;

use super::output;
use super::setup::DeviceArgs;
use crate::builtin::{self, Builtin};
use crate::engine::local::source::{File, ModelFiles, Need};
use crate::error::{Error, Result};
use crate::family::{self, BuildOptions};
use crate::record::ModelRef;
use crate::tool::fs;

/// List, find, download or build models.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The built-in family, and what the Hub cache holds.
    List,
    /// Print the folder of a model; a built-in one is written out first.
    Path {
        /// The model; a built-in one also without `builtin:`.
        model: ModelRef,
    },
    /// Download a Hub model into the cache.
    Pull {
        /// `owner/name`, optionally `@revision`.
        repo: ModelRef,
    },
    /// Make a model of the built-in family again, from its seed.
    Build(BuildArgs),
}

/// Make a model of the built-in family again, from its seed.
#[derive(Debug, clap::Args)]
struct BuildArgs {
    /// `tiny-a` to `tiny-d`.
    name: String,
    /// Where the model goes [default: models/NAME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Stop after this many optimiser steps: a quick look, not the shipped model.
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.action.as_ref().unwrap_or(&Action::List) {
        Action::List => list(),
        Action::Path { model } => path(model),
        Action::Pull { repo } => pull(repo),
        Action::Build(args) => build(args),
    }
}

fn list() -> Result<()> {
    let engine = crate::engine::local::LocalEngine::new(crate::record::Device::Cpu, crate::record::Dtype::Auto, 1)?;
    for name in builtin::names() {
        let model = ModelRef::Builtin(name.to_owned());
        let identity = crate::engine::Engine::identify(&engine, &model)?;
        output::data(&format!("{model:<20} {:<8} {:>6} k weights\n", identity.family, identity.parameters / 1000))?;
    }
    for name in cached()? {
        output::data(&format!("{name}\n"))?;
    }
    Ok(())
}

/// The Hub models in the cache that is shared with `huggingface_hub`.
fn cached() -> Result<Vec<String>> {
    let Some(hub) = super::doctor::hub_cache().filter(|hub| hub.is_dir()) else { return Ok(Vec::new()) };
    let entries = std::fs::read_dir(&hub).map_err(|e| Error::io("list", &hub, e))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_string_lossy().strip_prefix("models--").map(|name| name.replacen("--", "/", 1)))
        .collect();
    names.sort();
    Ok(names)
}

fn path(model: &ModelRef) -> Result<()> {
    let named = model.to_string();
    let folder = match (model, builtin::find(&named)) {
        (ModelRef::Builtin(name), _) => write_out(name)?,
        (_, Some(bare)) => write_out(bare.name)?,
        _ => on_disk(&ModelFiles::find(model, Need::All)?)?,
    };
    output::data(&format!("{}\n", folder.display()))
}

/// The folder of a model's files.
fn on_disk(files: &ModelFiles) -> Result<PathBuf> {
    match files.get("config.json") {
        Some(File::Disk(path)) => {
            path.parent().map(PathBuf::from).ok_or_else(|| Error::environment(format!("`{}` has no folder", path.display())))
        }
        _ => Err(Error::environment(format!("`{}` is not on disk", files.name))),
    }
}

/// Writes a built-in model to the user's cache, so that other programs can load it; a file that is there and equal stays.
fn write_out(name: &str) -> Result<PathBuf> {
    let model: &Builtin = builtin::find(name).ok_or_else(|| {
        Error::input(format!("there is no built-in model `{name}`")).hint(format!("there are: {}", builtin::names().join(", ")))
    })?;
    let home = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .ok_or_else(|| Error::environment("there is no folder for caches").hint("set XDG_CACHE_HOME"))?;
    let folder = home.join("subliminal").join(name);
    fs::create_dir(&folder)?;
    for (file, content) in model.files() {
        let place = folder.join(file);
        if std::fs::read(&place).is_ok_and(|there| there == content) {
            continue;
        }
        fs::write_whole(&place, content)?;
    }
    Ok(folder)
}

fn pull(repo: &ModelRef) -> Result<()> {
    if !matches!(repo, ModelRef::Hub { .. }) {
        return Err(Error::input(format!("`{repo}` is not on the Hub")).hint("a Hub id looks like `Qwen/Qwen2.5-7B-Instruct`"));
    }
    output::data(&format!("{}\n", on_disk(&ModelFiles::find(repo, Need::All)?)?.display()))
}

fn build(args: &BuildArgs) -> Result<()> {
    let engine = args.device.engine()?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("models").join(&args.name));
    let options = args.steps.map_or_else(BuildOptions::default, |steps| BuildOptions { steps });
    let record = family::build(&args.name, &out, engine.as_ref(), options, &mut |step| {
        if step.step % 50 == 0 || step.step == options.steps {
            output::say(&format!("step {} of {}  loss {:.4}", step.step, options.steps, step.loss));
        }
    })?;
    output::say(&format!("final loss {:.4}, {} tokens", record.final_loss, record.tokens));
    output::data(&format!("{}\n", out.display()))
}
