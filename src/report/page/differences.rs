//! Differences between arms, paired by seed.

use super::claim::ratio_ends;
use super::figure::{Figure, dash, difference, ends, in_points, intervals, marks_of};
use super::{Page, Titled, tone};
use crate::record::{Comparison, Report};
use crate::report::markup::{Column, Html, Table, datum, note};
use crate::report::plot::{Row, Rows, Scale, Unit};
use crate::report::table::difference_name;
use crate::report::verdict::smallest_effect;
use crate::report::wording::{interval_points, p_value, percent, points, points_with_sign, ratio};

const COLUMNS: [Column; 8] = [
    Column::Name("difference"),
    Column::Number("points"),
    Column::Number("interval"),
    Column::Number("ratio (Fieller)"),
    Column::Number("p"),
    Column::Number("p (Holm)"),
    Column::Number("p (signs)"),
    Column::Number("exact"),
];

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let report = page.report;
    if report.comparisons.is_empty() {
        return None;
    }
    let limit = points(smallest_effect(report));
    let figure = Figure {
        see: &format!(
            "A difference whose line lies to the right of zero is a rise. The shaded stretch, up to {limit} points either way, is what the \
             plan calls too small to matter."
        ),
        read: &format!(
            "Each seed’s arms are compared with each other, so what seeds have in common falls out; {}, small dots are single seeds. \
             Cross-model students are compared with their own bases.",
            intervals(report)
        ),
        picture: picture(report),
        table: Html::default(),
    };
    let body = [figure.html(), table(report), notes(report)].into_iter().collect();
    Some(Titled { title: "Differences between arms".to_owned(), body })
}

fn picture(report: &Report) -> Html {
    let all = || report.comparisons.iter().map(|c| &c.difference);
    let extent = all().flat_map(|d| d.by_seed.iter().map(|s| s.value).chain(d.low).chain(d.high).chain([d.mean, 0.0]));
    let words: Vec<String> = report
        .comparisons
        .iter()
        .map(|c| format!("{} {} {}", difference_name(c), points_with_sign(c.difference.mean), interval_points(&c.difference)))
        .collect();
    let limit = smallest_effect(report);
    Rows {
        words: format!("Differences of rates in points: {}", words.join("; ")),
        scale: Scale::holding(extent.chain([-limit, limit]), Unit::Points, 6),
        band: Some((-limit, limit)),
        line: None,
        lines: report.comparisons.iter().enumerate().map(|(i, c)| row(c, i == 0)).collect(),
    }
    .html()
}

fn row(comparison: &Comparison, leads: bool) -> Row {
    let (name, seen) = (difference_name(comparison), &comparison.difference);
    let marks = marks_of(&name, seen, in_points);
    Row { value: points_with_sign(seen.mean), label: name, tone: tone(comparison.arm), leads, marks }
}

fn table(report: &Report) -> Html {
    let mut table = Table::new("Differences between arms with intervals, ratios and p values", &COLUMNS);
    for (i, c) in report.comparisons.iter().enumerate() {
        let at = |rest: &str| format!("/comparisons/{i}/{rest}");
        let p = |name: &str, value: Option<f64>| value.map_or_else(dash, |p| datum(&at(name), p, &p_value(Some(p))));
        table.add(
            i == 0,
            vec![
                Html::text(&difference_name(c)),
                difference(&at("difference/mean"), c.difference.mean),
                ends(&at("difference"), &c.difference),
                c.ratio.as_ref().map_or_else(dash, |r| {
                    Html::raw(format!("{} {}", datum(&at("ratio/mean"), r.mean, &ratio(r.mean)), ratio_ends(&at("ratio"), r)))
                }),
                p("p_value", c.p_value),
                p("p_adjusted", c.p_adjusted),
                p("p_permutation", c.p_permutation),
                c.probability_difference.as_ref().map_or_else(dash, |d| difference(&at("probability_difference/mean"), d.mean)),
            ],
        );
    }
    table.html()
}

fn notes(report: &Report) -> Html {
    let tests = format!(
        "p: paired t test over seeds, two-sided; Holm’s correction is over these {} comparisons. The sign-flip test, p (signs), needs no normal \
         distribution, and with {} seeds cannot fall below {}.",
        report.comparisons.len(),
        report.seeds.len(),
        p_value(Some(2f64.powi(1 - report.seeds.len().min(60) as i32)))
    );
    let share = report
        .cross_share
        .map(|s| format!(" The cross-model effect is {} of the treatment’s, each against its own base.", percent(s)));
    note(&(tests + &share.unwrap_or_default()))
}
