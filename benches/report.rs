//! From what a trial's stages found to the report and its page: `cargo bench --bench report`.
//!
//! The trial is the main job's plan, five seeds in six arms, run on the scripted engine: 55 evaluations of 1,000 sampled answers.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use subliminal::engine::mock::Mock;
use subliminal::stage::Stage;
use subliminal::trial::progress::Silent;
use subliminal::trial::{Options, Reuse};
use subliminal::{config, report, traits, trial};

fn reports(criterion: &mut Criterion) {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/zebra-numbers.toml");
    let plan = config::load(&config, &[]).expect("the main config is sound").plan;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let options = Options {
        store: folder.path().join("store"),
        out: out.clone(),
        reuse: Reuse::Stored,
        upto: Stage::Evaluate,
        threads: None,
    };
    let engine = Mock::new(traits::category("animal").expect("a built-in category"));
    let outcome = trial::run(&plan, &engine, &options, &Silent).expect("the scripted trial runs");
    let made = report::build(&outcome).expect("the outcome fits the plan");

    let mut group = criterion.benchmark_group("a report of 55 evaluations");
    group.sample_size(20);
    group.bench_function("report.json", |b| b.iter(|| report::build(&outcome).expect("as before")));
    group.bench_function("the table", |b| b.iter(|| report::table(&made)));
    group.bench_function("report.html, with all artifacts read", |b| b.iter(|| report::html(&made, Some(&out))));
    group.finish();
}

criterion_group!(benches, reports);
criterion_main!(benches);
