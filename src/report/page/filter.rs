//! The teacher's rows on their way to the student, with examples of what was dropped.

use super::{Page, Titled, tone};
use crate::record::{Arm, Dropped, FilterReport};
use crate::report::artifacts::refused;
use crate::report::markup::{Column, Html, Table, datum, escape, folded, note};
use crate::report::plot::{Funnel, Step, funnel};
use crate::report::table::drops;
use crate::report::wording::{count, percent, plain};

/// Examples of each rule and arm.
const EXAMPLES: usize = 4;

/// Characters of an example that are shown.
pub(super) const LONGEST: usize = 600;

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let arms: Vec<Arm> =
        Arm::ALL.into_iter().filter(|arm| page.report.filter.iter().any(|f| f.arm == *arm && f.samples > 0)).collect();
    if arms.is_empty() {
        return None;
    }
    let forced = if page.report.gate.forced {
        " Only what the domain’s grammar allows could be sampled, so that the format rule has little to drop."
    } else {
        ""
    };
    let about = note(&format!(
        "Rules are applied from the top down; a row is dropped by the first that objects, over all seeds.{forced} A filter that drops much \
         more from one arm than from the other makes their students’ data differ in more than the teacher’s trait."
    ));
    let streams: String = arms.iter().map(|arm| stream(page, *arm).to_string()).collect();
    let streams = Html::raw(format!("<div class=\"streams\">\n{streams}</div>\n"));
    let examples: Html = arms.iter().map(|arm| examples(page, *arm)).collect();
    Some(Titled {
        title: "From the teacher’s rows to the student’s".to_owned(),
        body: [about, streams, examples, table(page)].into_iter().collect(),
    })
}

fn stream(page: &Page<'_>, arm: Arm) -> Html {
    let own = own(page, arm);
    let sum = |of: fn(&FilterReport) -> usize| own.iter().map(|f| of(f)).sum::<usize>();
    let drops = drops(&own);
    let flow = Funnel {
        samples: sum(|f| f.samples),
        kept: sum(|f| f.kept),
        steps: drops.iter().map(|(rule, dropped)| Step { rule: rule.clone(), dropped: *dropped }).collect(),
        tone: tone(arm),
    };
    let told: Vec<String> = drops.iter().map(|(rule, n)| format!("{} drops {}", plain(rule, 30), count(*n))).collect();
    let words = format!("{arm}: {} rows generated; {}; {} kept", count(flow.samples), told.join("; "), count(flow.kept));
    let picture = funnel(&words, &flow);
    Html::raw(format!("<figure>\n<figcaption><h3>Data of {arm}</h3></figcaption>\n{picture}</figure>\n"))
}

fn own<'a>(page: &'a Page<'_>, arm: Arm) -> Vec<&'a FilterReport> {
    page.report.filter.iter().filter(|f| f.arm == arm).collect()
}

fn examples(page: &Page<'_>, arm: Arm) -> Html {
    let drops = drops(&own(page, arm));
    let rules: Vec<String> = drops.iter().filter(|(_, n)| *n > 0).map(|(rule, _)| rule.clone()).collect();
    if rules.is_empty() {
        return Html::default();
    }
    let Some(rows) = refused(&page.artifacts, arm, &rules, EXAMPLES) else {
        return note(&format!("{arm}: the dropped rows are no longer where jobs.json says."));
    };
    let columns = [Column::Name("rule"), Column::Prose("what it saw"), Column::Prose("prompt"), Column::Prose("completion")];
    let mut table = Table::new("Examples of dropped rows", &columns);
    let text = |text: &str| Html::raw(format!("<q>{}</q>", escape(&cut(text))));
    for Dropped { sample, rule, detail } in &rows {
        table.push(vec![Html::text(rule), Html::text(&cut(detail)), text(&sample.prompt), text(&sample.completion)]);
    }
    let all: usize = drops.iter().map(|d| d.1).sum();
    folded(&format!("{arm}: {} of the {} rows dropped, the first {EXAMPLES} of each rule", rows.len(), count(all)), &table.html())
}

/// A long text's beginning; its line breaks stay.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

fn table(page: &Page<'_>) -> Html {
    let columns = [
        Column::Name("data of"),
        Column::Number("seed"),
        Column::Number("generated"),
        Column::Number("kept"),
        Column::Number("share"),
    ];
    let mut table = Table::new("Rows generated and kept, by arm and seed", &columns);
    for (i, f) in page.report.filter.iter().enumerate() {
        let number = |name: &str, n: usize| datum(&format!("/filter/{i}/{name}"), n as f64, &count(n));
        table.add(
            f.arm == Arm::Treatment,
            vec![
                Html::text(f.arm.name()),
                Html::text(&f.seed.to_string()),
                number("samples", f.samples),
                number("kept", f.kept),
                Html::text(&percent(f.kept as f64 / f.samples.max(1) as f64)),
            ],
        );
    }
    folded("The numbers by seed as a table", &table.html())
}
