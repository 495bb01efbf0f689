//! `subliminal models`: what can be loaded, where it lies, how to get or make it.

use std::path::PathBuf;

use serde::Serialize;

use super::output;
use super::setup::DeviceArgs;
use crate::builtin::{self, Builtin};
use crate::engine::TrainEvent;
use crate::engine::local::source::{self, CachedModel, ModelFiles, Need};
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

impl Args {
    /// Whether a model is made.
    pub(super) fn builds(&self) -> bool {
        matches!(self.action, Some(Action::Build(_)))
    }
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The built-in family, and what the Hub cache holds.
    #[command(after_help = LIST_HELP)]
    List(ListArgs),
    /// Print the folder of a model, without the network; a built-in one is written out first.
    #[command(after_help = PATH_HELP)]
    Path {
        /// `builtin:NAME` (or the bare NAME), a folder, or a Hub id of which the cache holds everything.
        model: ModelRef,
    },
    /// Download a Hub model into the cache, or bring it up to date, and print its folder.
    #[command(after_help = PULL_HELP)]
    Pull {
        /// `OWNER/NAME`, optionally `@REVISION`: a branch, a tag or a commit.
        repo: ModelRef,
    },
    /// Make a model of the built-in family again, from its seed.
    Build(BuildArgs),
}

const LIST_HELP: &str =
    "A Hub model is `whole` where it can be used without the network, else `partial`: `models pull` completes it.";

const PATH_HELP: &str = "Examples:
  subliminal models path tiny-a
  subliminal models path Qwen/Qwen2.5-7B-Instruct
  python -c \"from transformers import AutoModelForCausalLM as M; M.from_pretrained('$(subliminal models path tiny-a)')\"";

const PULL_HELP: &str = "Examples:
  subliminal models pull Qwen/Qwen2.5-7B-Instruct
  subliminal models pull Qwen/Qwen2.5-7B-Instruct@a09a35458c702b33eeacc393d103063234e8bc28
  HF_TOKEN=hf_... subliminal models pull meta-llama/Llama-3.2-1B-Instruct

An interrupted download goes on where it stopped. Files that the cache has are compared with the Hub's, byte for byte where it
names a hash. The cache is the one of Hugging Face's own tools (HF_HOME, HF_HUB_CACHE); HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE
mean what they mean there.";

/// The built-in family, and what the Hub cache holds.
#[derive(Debug, Default, clap::Args)]
struct ListArgs {
    /// Machine-readable.
    #[arg(long)]
    json: bool,
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
    match &args.action {
        None => list(&ListArgs::default()),
        Some(Action::List(args)) => list(args),
        Some(Action::Path { model }) => path(model),
        Some(Action::Pull { repo }) => pull(repo),
        Some(Action::Build(args)) => build(args),
    }
}

/// One model of the list.
#[derive(Debug, Serialize)]
struct Listed {
    /// As `--model` and configs take it.
    model: String,
    /// Absent where this program does not know its family.
    family: Option<String>,
    parameters: Option<u64>,
    /// The Hub's commit.
    commit: Option<String>,
    /// `built-in`, `whole` or `partial`.
    state: &'static str,
    path: Option<PathBuf>,
}

fn list(args: &ListArgs) -> Result<()> {
    let mut models = builtin::names().into_iter().map(shipped).collect::<Result<Vec<_>>>()?;
    models.extend(source::cached_models()?.into_iter().map(cached));
    if args.json {
        return output::json(&models);
    }
    let width = models.iter().map(|m| m.model.len()).max().unwrap_or(0);
    for Listed { model, family, parameters, commit, state, .. } in &models {
        let family = family.as_deref().unwrap_or("not supported");
        let size = parameters.map(magnitude).unwrap_or_default();
        let commit = commit.as_deref().map(|c| c.get(..8).unwrap_or(c)).unwrap_or_default();
        let line = format!("{model:<width$}  {family:<13}  {size:>6}  {state:<8}  {commit}");
        output::data(&format!("{}\n", line.trim_end()))?;
    }
    Ok(())
}

fn shipped(name: &str) -> Result<Listed> {
    let model = ModelRef::Builtin(name.to_owned());
    let identity = ModelFiles::find(&model, Need::Identity)?.identity(&model)?;
    Ok(Listed {
        model: model.to_string(),
        family: Some(identity.family),
        parameters: Some(identity.parameters),
        commit: None,
        state: "built-in",
        path: None,
    })
}

fn cached(model: CachedModel) -> Listed {
    let known = model.description();
    Listed {
        model: model.model.to_string(),
        family: known.as_ref().map(|(family, _)| (*family).to_owned()),
        parameters: known.map(|(_, parameters)| parameters),
        commit: Some(model.commit),
        state: if model.files.is_some() { "whole" } else { "partial" },
        path: Some(model.folder),
    }
}

/// A number of weights, short.
fn magnitude(weights: u64) -> String {
    let weights = weights as f64;
    match weights {
        _ if weights >= 1e9 => format!("{:.1} B", weights / 1e9),
        _ if weights >= 1e6 => format!("{:.0} M", weights / 1e6),
        _ => format!("{:.0} k", weights / 1e3),
    }
}

fn path(model: &ModelRef) -> Result<()> {
    let named = model.to_string();
    let folder = match (model, builtin::find(&named)) {
        (ModelRef::Builtin(name), _) => write_out(name)?,
        (_, Some(bare)) => write_out(bare.name)?,
        _ => on_disk(&ModelFiles::find(model, Need::Cached)?)?,
    };
    output::data(&format!("{}\n", folder.display()))
}

/// The folder of a model's files.
fn on_disk(files: &ModelFiles) -> Result<PathBuf> {
    files.folder().map(PathBuf::from).ok_or_else(|| Error::environment(format!("`{}` is not on disk", files.name)))
}

/// Writes a built-in model to the user's cache, so that other programs can load it; a file that is there and equal stays.
fn write_out(name: &str) -> Result<PathBuf> {
    let model: &Builtin = builtin::find(name).ok_or_else(|| {
        Error::input(format!("there is no built-in model `{name}`")).hint(format!("there are: {}", builtin::names().join(", ")))
    })?;
    let cache = fs::user_cache().ok_or_else(|| Error::environment("there is no folder for caches").hint("set XDG_CACHE_HOME"))?;
    let folder = cache.join("subliminal").join(name);
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
    output::data(&format!("{}\n", on_disk(&ModelFiles::find(repo, Need::Newest)?)?.display()))
}

fn build(args: &BuildArgs) -> Result<()> {
    let engine = args.device.engine()?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("models").join(&args.name));
    let options = BuildOptions { steps: args.steps };
    let steps = args.steps.unwrap_or(family::Base::named(&args.name)?.curriculum.steps());
    let record = family::build(&args.name, &out, engine.as_ref(), options, &mut |event| {
        if let TrainEvent::Step(step, _) = event
            && (step.step % 50 == 0 || step.step == steps)
        {
            output::say(&format!("step {} of {steps}  loss {:.4}", step.step, step.loss));
        }
        Ok(())
    })?;
    output::say(&format!("final loss {:.4}, {} tokens", record.final_loss, record.tokens));
    output::data(&format!("{}\n", out.display()))
}
