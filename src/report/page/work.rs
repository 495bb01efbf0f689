//! What it took: jobs, time and tokens by stage.

use super::{Page, Titled};
use crate::record::{Report, StageReport};
use crate::report::markup::{Column, Html, Table, escape, note};
use crate::report::wording::{count, duration};
use crate::tool::memory;

const COLUMNS: [Column; 9] = [
    Column::Name("stage"),
    Column::Number("jobs"),
    Column::Number("from the store"),
    Column::Number("time"),
    Column::Number("of the longest"),
    Column::Number("rows"),
    Column::Number("tokens"),
    Column::Number("tokens/s"),
    Column::Number("peak memory"),
];

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let report = page.report;
    let mut names: Vec<&str> = Vec::new();
    for stage in &report.stages {
        if !names.contains(&stage.stage.as_str()) {
            names.push(&stage.stage);
        }
    }
    let longest = names.iter().map(|name| seconds(report, name)).fold(0.0, f64::max);
    let mut table = Table::new("Jobs, time and tokens by stage", &COLUMNS);
    for name in &names {
        table.push(row(report, name, longest));
    }
    let cached = report.stages.iter().filter(|s| s.cached).count();
    let about = note(&format!(
        "The run took {} on {}; {} of its {} jobs came from the store. Times are those of the jobs when they were made, and add up to more \
         where jobs ran side by side; peak memory is the whole program's, in the job that took most.",
        duration(report.seconds),
        report.device,
        count(cached),
        count(report.stages.len())
    ));
    let table = table.html();
    (!table.is_empty()).then(|| Titled { title: "Work".to_owned(), body: [about, table].into_iter().collect() })
}

fn seconds(report: &Report, stage: &str) -> f64 {
    report.stages.iter().filter(|s| s.stage == stage).map(|s| s.seconds).sum()
}

fn row(report: &Report, name: &str, longest: f64) -> Vec<Html> {
    let own: Vec<&StageReport> = report.stages.iter().filter(|s| s.stage == name).collect();
    let (seconds, tokens) = (seconds(report, name), own.iter().map(|s| s.tokens).sum::<usize>());
    let speed = if seconds > 0.0 && tokens > 0 { count((tokens as f64 / seconds).round() as usize) } else { "–".to_owned() };
    let peak = own.iter().filter_map(|s| s.peak_memory).max();
    let across = (1000.0 * seconds / longest.max(1e-9)).round() / 10.0;
    let bar =
        format!("<svg class=\"meter\" viewBox=\"0 0 100 8\" aria-hidden=\"true\"><rect width=\"{across}\" height=\"8\"/></svg>");
    vec![
        Html::text(name),
        Html::text(&count(own.len())),
        Html::text(&count(own.iter().filter(|s| s.cached).count())),
        Html::text(&duration(seconds)),
        Html::raw(bar),
        Html::text(&count(own.iter().map(|s| s.rows).sum())),
        Html::text(&count(tokens)),
        Html::text(&speed),
        Html::text(&peak.map_or_else(|| "–".to_owned(), memory::shown)),
    ]
}

/// The page's last line.
pub(super) fn footer(report: &Report) -> Html {
    Html::raw(format!(
        "<p>subliminal {} · {} · every number of this page is in <code>report.json</code></p>",
        escape(&report.version),
        escape(&report.finished)
    ))
}
