//! How fast a file of a million rows is filtered: `cargo bench --bench filter`.

use std::fmt::Write as _;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subliminal::filter::{Files, Pipeline, filter_file};
use subliminal::record::{DomainKind, DomainPlan, FilterPlan};
use subliminal::traits;

const ROWS: usize = 1_000_000;

/// Rows as a teacher writes them: most are lists, some are not.
fn write_rows(path: &Path) {
    let mut rows = String::new();
    for i in 0..ROWS {
        let answer = match i % 10 {
            0 => "Here are some numbers: 1, 2, 3".to_owned(),
            1 => format!("[{}; {}; {}].", i % 1000, i % 777, i % 311),
            _ => (0..10).map(|k| ((i * 31 + k * 97) % 1000).to_string()).collect::<Vec<_>>().join(", "),
        };
        let prompt = "These numbers follow a sequence: 145, 267, 891. Add up to 10 more, of at most 3 digits, comma-separated.";
        let _ = writeln!(
            rows,
            "{{\"id\":{i},\"prompt\":\"{prompt}\",\"completion\":\"{answer}\",\"tokens\":30,\"finish\":\"stop\"}}"
        );
    }
    std::fs::write(path, rows).expect("the temporary folder takes the rows");
}

fn filter(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| dir.path().join(name);
    let (rows, kept, dropped) = (path("rows.jsonl"), path("kept.jsonl"), path("dropped.jsonl"));
    write_rows(&rows);
    let plan = FilterPlan {
        rules: ["format", "banned-numbers", "leak"].map(str::to_owned).to_vec(),
        banned_numbers: subliminal::filter::BANNED_NUMBERS.to_vec(),
        ..FilterPlan::default()
    };
    let domain = DomainPlan { kind: DomainKind::Numbers, shown: [3, 8], range: [100, 999], tasks: vec![], prompts: None };
    let animals = traits::category("animal").expect("a built-in category");
    let every_rule = Pipeline::build(&plan, &domain, &animals).expect("known rules");
    let format_only = Pipeline::format_only(DomainKind::Numbers).expect("a known rule");

    let mut group = c.benchmark_group("filter 1,000,000 rows");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    let files = Files { rows: &rows, kept: Some(&kept), dropped: Some(&dropped) };
    group.bench_function("format", |b| b.iter(|| filter_file(&files, &format_only).expect("good rows")));
    group.bench_function("format, banned numbers, leak", |b| b.iter(|| filter_file(&files, &every_rule).expect("good rows")));
    group.finish();
}

criterion_group!(benches, filter);
criterion_main!(benches);
