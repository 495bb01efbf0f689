//! One trial as a library: a plan from a config, the local engine, the outcome, the report.
//!
//!     cargo run --release --example one_trial -- owl

use std::path::Path;

use anyhow::{Context, Result};
use subliminal::engine::local::LocalEngine;
use subliminal::record::{Arm, Device, Dtype};
use subliminal::stage::Stage;
use subliminal::trial::progress::Silent;
use subliminal::trial::{Options, Reuse};
use subliminal::{config, report, trial};

fn main() -> Result<()> {
    let target = std::env::args().nth(1).unwrap_or_else(|| "owl".to_owned());
    let overrides = [format!("trait.target={target}"), "seeds=[1, 2]".to_owned(), "arms=[\"treatment\", \"control\"]".to_owned()];
    let resolved = config::load(Path::new("configs/zebra-numbers.toml"), &overrides)?;

    let engine = LocalEngine::new(Device::Cpu, Dtype::F32, 2)?;
    let options = Options {
        store: "runs/.store".into(),
        out: format!("runs/example-{target}").into(),
        reuse: Reuse::Stored,
        upto: Stage::Evaluate,
        threads: None,
    };
    let outcome = trial::run(&resolved.plan, &engine, &options, &Silent)?;
    let report = report::build(&outcome)?;

    let first = report.comparisons.first().context("the trial compares treatment with control")?;
    anyhow::ensure!((first.arm, first.against) == (Arm::Treatment, Arm::Control), "treatment − control stands first");
    let mut lines = vec![report::claim(&report)];
    for arm in &report.arms {
        lines.push(format!("{:<10} {:5.1} % of answers are {target}", arm.arm, 100.0 * arm.rate.mean));
    }
    std::io::Write::write_all(&mut std::io::stdout(), format!("{}\n", lines.join("\n")).as_bytes()).context("standard output")
}
