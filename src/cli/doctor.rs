//! `subliminal doctor`: what this machine and this build offer, and what each means for a run.

use std::path::PathBuf;

use serde::Serialize;

use super::output;
use super::setup::DeviceArgs;
use crate::error::Result;

/// Show the device, threads, SIMD, memory and model cache, and what each means for a run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let facts = args.device.engine()?.facts();
    let findings = vec![
        Finding {
            what: "version",
            found: format!("{} ({})", env!("CARGO_PKG_VERSION"), crate::engine::local::build_features()),
            means: "CUDA and Metal need a build with that feature: cargo build --release --features cuda".into(),
        },
        Finding { what: "device", found: facts.device, means: numerics_meaning(&facts.numerics) },
        threads(args.device.thread_count()),
        simd(),
        memory(),
        cache(),
    ];
    if args.json {
        return output::json(&findings);
    }
    for finding in &findings {
        output::data(&format!("{:<12} {}\n{:<12}   {}\n", finding.what, finding.found, "", finding.means))?;
    }
    Ok(())
}

fn numerics_meaning(numerics: &str) -> String {
    if numerics.starts_with("cpu") {
        "the same plan gives the same bytes, whatever the threads, the batch or an interruption".into()
    } else {
        "reductions on a GPU are not in a fixed order: two runs agree within rounding, not to the byte".into()
    }
}

fn threads(used: usize) -> Finding {
    let there = std::thread::available_parallelism().map_or(1, usize::from);
    Finding {
        what: "threads",
        found: format!("{used} of {there}"),
        means: "small models: that many jobs side by side, one thread each; large ones: all threads on one job".into(),
    }
}

fn simd() -> Finding {
    let found = simd_sets();
    let means = if found.contains(&"avx512f") {
        "products use 512-bit vectors"
    } else if found.contains(&"avx2") || found.contains(&"neon") {
        "products use the widest vectors this processor has"
    } else {
        "no wide vectors: expect a run to take several times as long"
    };
    Finding { what: "simd", found: if found.is_empty() { "none".into() } else { found.join(", ") }, means: means.into() }
}

#[cfg(target_arch = "x86_64")]
fn simd_sets() -> Vec<&'static str> {
    let mut found = Vec::new();
    if std::arch::is_x86_feature_detected!("avx2") {
        found.push("avx2");
    }
    if std::arch::is_x86_feature_detected!("fma") {
        found.push("fma");
    }
    if std::arch::is_x86_feature_detected!("avx512f") {
        found.push("avx512f");
    }
    if std::arch::is_x86_feature_detected!("avx512bf16") {
        found.push("avx512bf16");
    }
    found
}

#[cfg(target_arch = "aarch64")]
fn simd_sets() -> Vec<&'static str> {
    vec!["neon"]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn simd_sets() -> Vec<&'static str> {
    Vec::new()
}

/// Bytes a weight takes while it is trained in full: itself, its gradient and two moments, f32 each.
const TRAINING_BYTES_PER_WEIGHT: f64 = 16.0;

fn memory() -> Finding {
    let Some(kib) = available_kib() else {
        return Finding {
            what: "memory",
            found: "not known on this system".into(),
            means: "a run is not checked against it".into(),
        };
    };
    let gib = kib as f64 / 1024.0 / 1024.0;
    let full = kib as f64 * 1024.0 / TRAINING_BYTES_PER_WEIGHT / 1e9;
    Finding {
        what: "memory",
        found: format!("{gib:.1} GiB available"),
        means: format!("room for full fine-tuning of at most about {full:.1} billion weights in f32, activations not counted"),
    }
}

/// `MemAvailable` of Linux.
fn available_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
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
        return Finding {
            what: "model cache",
            found: "no home folder".into(),
            means: "set HF_HOME to keep Hub models; the built-in family needs none".into(),
        };
    };
    let models = std::fs::read_dir(&path)
        .map_or(0, |entries| entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with("models--")).count());
    Finding {
        what: "model cache",
        found: format!("{} ({models} models)", path.display()),
        means: "shared with huggingface_hub; the built-in family needs no download".into(),
    }
}
