//! `subliminal doctor`: what this machine and this build offer, what each means for a run, and whether configs fit.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::memory::{self, Need, Needs};
use super::output;
use super::setup::DeviceArgs;
use crate::config;
use crate::engine::local::{simd_level, simd_levels};
use crate::engine::{Engine, Reach};
use crate::error::{Error, Result};
use crate::tool::gpu::{self, Gpu};
use crate::tool::memory::{available, shown};

/// Where configs are looked for when none is named.
const CONFIGS: &str = "configs";

/// Show the device, threads, SIMD, memory and model cache, what each means for a run, and what configs would take in memory.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subliminal doctor\n  subliminal doctor configs/qwen2.5-7b-cat-numbers.toml --dtype bf16\n\n\
    Nothing is downloaded: of a Hub model that is not in the cache only its name is known. What is shown is for the \
    device\nand number format that a run with the same options would use: `--dtype bf16` tells what a GPU needs."
)]
pub(crate) struct Args {
    /// Configs to hold against the memory of this machine [default: those in `configs`].
    configs: Vec<PathBuf>,
    /// Override a key of the configs, e.g. `finetune.micro_batch=4`; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Machine-readable.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    found: String,
    means: String,
    /// What a config's bases take in memory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<Need>,
}

impl Finding {
    fn new(what: &'static str, found: impl Into<String>, means: impl Into<String>) -> Self {
        Self { what, found: found.into(), means: means.into(), needs: Vec::new() }
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let engine = args.device.engine()?;
    let facts = engine.facts();
    let mut findings = vec![
        Finding::new(
            "version",
            format!("{} ({})", env!("CARGO_PKG_VERSION"), crate::engine::local::build_features()),
            "CUDA and Metal need a build with that feature: cargo build --release --features cuda",
        ),
        Finding::new("device", facts.device.clone(), numerics_meaning(&facts.numerics)),
        threads(args.device.thread_count()),
        simd(),
        available_memory(),
    ];
    findings.extend(gpu::list().iter().map(|gpu| graphics(gpu, &facts.numerics)));
    findings.push(cache());
    let room = memory::room(&args.device, &facts);
    let named = args.configs.iter().map(|path| config(path, args, engine.as_ref(), room)).collect::<Result<Vec<_>>>()?;
    findings.extend(named);
    if args.configs.is_empty() {
        findings.extend(
            own_configs().iter().map(|path| config(path, args, engine.as_ref(), room).unwrap_or_else(|e| broken(path, &e))),
        );
    }
    if args.json {
        return output::json(&findings);
    }
    for finding in &findings {
        let means: Vec<String> = finding.means.lines().map(|line| format!("{:<12}   {line}\n", "")).collect();
        output::data(&format!("{:<12} {}\n{}", finding.what, finding.found, means.concat()))?;
    }
    Ok(())
}

/// The configs of the folder that is called so.
fn own_configs() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(CONFIGS).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    paths.sort();
    paths
}

/// What the bases of a config take.
fn config(path: &Path, args: &Args, engine: &dyn Engine, room: Option<u64>) -> Result<Finding> {
    let plan = config::load(path, &args.set)?.plan;
    let needs = Needs { plan: &plan, engine, reach: Reach::Disk, room }.all()?;
    let table = memory::table(&needs, room);
    Ok(Finding { needs, ..Finding::new("config", path.display().to_string(), table) })
}

fn broken(path: &Path, error: &Error) -> Finding {
    Finding::new("config", path.display().to_string(), error.to_string())
}

fn graphics(gpu: &Gpu, numerics: &str) -> Finding {
    let means = if numerics.starts_with("cuda") {
        "large models run here in bf16; `--device cuda:N` chooses one of several"
    } else {
        "not used by this build or these options: cargo build --release --features cuda"
    };
    Finding::new("gpu", format!("{} {}, {} of {} free", gpu.index, gpu.name, shown(gpu.free), shown(gpu.total)), means)
}

fn numerics_meaning(numerics: &str) -> String {
    if numerics.starts_with("cpu f32") {
        "the same plan gives the same bytes, whatever the threads, the batch or an interruption".into()
    } else {
        "sums are in no fixed order: two runs agree within rounding, not to the byte".into()
    }
}

fn threads(used: usize) -> Finding {
    let there = std::thread::available_parallelism().map_or(1, usize::from);
    let means = "small models: that many jobs side by side, one thread each; large ones: all threads on one job";
    Finding::new("threads", format!("{used} of {there}"), means)
}

fn simd() -> Finding {
    let there = simd_levels();
    let means = match simd_level() {
        Ok(level) => format!("products use `{level}`; SUBLIMINAL_SIMD names another"),
        Err(e) => e.to_string(),
    };
    Finding::new("simd", there.join(", "), means)
}

/// Bytes a weight takes while it is trained in full: itself, its gradient and two moments, f32 each.
const TRAINING_BYTES_PER_WEIGHT: f64 = 16.0;

fn available_memory() -> Finding {
    let Some(bytes) = available() else {
        return Finding::new("memory", "not known on this system", "a run is not checked against it");
    };
    let full = bytes as f64 / TRAINING_BYTES_PER_WEIGHT / 1e9;
    let means = format!("room for full fine-tuning of at most about {full:.1} billion weights in f32, activations not counted");
    Finding::new("memory", format!("{} available", shown(bytes)), means)
}

/// The Hub cache's folder, as `huggingface_hub` chooses it.
pub(crate) fn hub_cache() -> Option<PathBuf> {
    if let Some(hub) = std::env::var_os("HF_HUB_CACHE") {
        return Some(PathBuf::from(hub));
    }
    let home = std::env::var_os("HF_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/huggingface")));
    home.map(|home| home.join("hub"))
}

fn cache() -> Finding {
    let Some(path) = hub_cache() else {
        let means = "set HF_HOME to keep Hub models; the built-in family needs none";
        return Finding::new("model cache", "no home folder", means);
    };
    let models = std::fs::read_dir(&path)
        .map_or(0, |entries| entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with("models--")).count());
    let means = "shared with huggingface_hub; the built-in family needs no download";
    Finding::new("model cache", format!("{} ({models} models)", path.display()), means)
}
