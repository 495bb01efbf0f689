//! How often each arm shows the trait.

use super::figure::{Figure, ends, intervals, marks_of, share, share_or_dash};
use super::{Page, Titled, tone};
use crate::record::{Arm, ArmReport, Report};
use crate::report::markup::{Column, Html, Table};
use crate::report::plot::{Mark, Row, Rows, Scale};
use crate::report::subject;
use crate::report::wording::{count, interval_points, percent};

const COLUMNS: [Column; 8] = [
    Column::Name("arm"),
    Column::Number("rate"),
    Column::Number("interval"),
    Column::Number("exact"),
    Column::Number("held out"),
    Column::Number("rank"),
    Column::Number("answers"),
    Column::Prose("model"),
];

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let report = page.report;
    if report.arms.is_empty() {
        return None;
    }
    let chance = percent(report.arms[0].chance);
    let exact = if report.arms.iter().any(|a| a.probability.is_some()) {
        " Exact: the same read from the model’s probabilities, without sampling."
    } else {
        ""
    };
    let figure = Figure {
        see: &see(page),
        read: &format!(
            "Bars and large dots are mean rates of sampled answers, {}; small dots below a bar are single seeds. Chance is {chance}.{exact}",
            intervals(report)
        ),
        picture: picture(report).html(),
        table: Html::default(),
    };
    let body = [figure.html(), table(page), bases(page)].into_iter().collect();
    Some(Titled { title: subject::picture(report), body })
}

/// Every arm's rate.
pub(super) fn picture(report: &Report) -> Rows {
    let extent =
        |a: &ArmReport| a.rate.by_seed.iter().map(|s| s.value).chain(a.rate.high).chain([a.rate.mean]).collect::<Vec<_>>();
    let words: Vec<String> =
        report.arms.iter().map(|a| format!("{} {} {}", a.arm, percent(a.rate.mean), interval_points(&a.rate))).collect();
    let words = format!("{}, in percent: {}", subject::picture(report), words.join("; "));
    let chance = report.arms.first().map(|a| a.chance).filter(|c| *c > 0.0);
    Rows {
        words,
        scale: Scale::shares(report.arms.iter().flat_map(extent)),
        band: None,
        line: chance.map(|chance| (chance, "chance")),
        lines: report.arms.iter().map(row).collect(),
    }
}

fn row(arm: &ArmReport) -> Row {
    let rate = &arm.rate;
    let bar = Mark::Bar(0.0, rate.mean, String::new());
    let marks = std::iter::once(bar).chain(marks_of(arm.arm.name(), rate, percent)).collect();
    Row { label: arm.arm.to_string(), value: percent(rate.mean), tone: tone(arm.arm), leads: arm.arm == Arm::Treatment, marks }
}

/// What the picture shows, by what ran.
fn see(page: &Page<'_>) -> String {
    let rate = |arm: Arm| page.arm(arm).map(|(_, a)| percent(a.rate.mean));
    let mut parts = Vec::new();
    if let (Some(treatment), Some(control)) = (rate(Arm::Treatment), rate(Arm::Control)) {
        parts.push(format!("Compare treatment ({treatment}) with control ({control}): only their teachers’ priming differs."));
    }
    if let (Some(cross), Some(_)) = (rate(Arm::CrossModel), rate(Arm::Treatment)) {
        parts.push(format!("The treatment’s rows in students of other bases: {cross}."));
    }
    if let Some(teacher) = rate(Arm::Teacher) {
        parts.push(format!("The teacher itself: {teacher}."));
    }
    parts.join(" ")
}

fn table(page: &Page<'_>) -> Html {
    let mut table = Table::new("Arms: rate of the target, interval, exact probability, rank and number of answers", &COLUMNS);
    for (i, arm) in page.report.arms.iter().enumerate() {
        let at = |rest: &str| format!("/arms/{i}/{rest}");
        let answers: usize = arm.rate.by_seed.iter().map(|s| s.answers).sum();
        let link = page.asked.iter().any(|a| a.arm == arm.arm && a.suite == page.report.suite && !a.seeds.is_empty());
        let answers = if link {
            Html::raw(format!("<a href=\"#answers-{}\">{}</a>", arm.arm, count(answers)))
        } else {
            Html::text(&count(answers))
        };
        let rank = if arm.rank == 0 { "–".to_owned() } else { format!("{} of {}", arm.rank, arm.members.len()) };
        table.add(
            arm.arm == Arm::Treatment,
            vec![
                Html::text(arm.arm.name()),
                share(&at("rate/mean"), arm.rate.mean),
                ends(&at("rate"), &arm.rate),
                share_or_dash(&at("probability/mean"), arm.probability.as_ref().map(|p| p.mean)),
                share_or_dash(&at("probability_held_out/mean"), arm.probability_held_out.as_ref().map(|p| p.mean)),
                Html::text(&rank),
                answers,
                Html::text(&arm.model),
            ],
        );
    }
    table.html()
}

/// The cross-model arm, base by base.
fn bases(page: &Page<'_>) -> Html {
    let Some((i, arm)) = page.arm(Arm::CrossModel).filter(|(_, a)| !a.bases.is_empty()) else { return Html::default() };
    let columns = [Column::Name("base"), Column::Number("rate before"), Column::Number("rate after"), Column::Number("interval")];
    let mut table = Table::new("The cross-model arm, base by base: rate before and after fine-tuning", &columns);
    for (k, base) in arm.bases.iter().enumerate() {
        let at = |rest: &str| format!("/arms/{i}/bases/{k}/{rest}");
        table.push(vec![
            Html::text(&base.model),
            share(&at("base_rate"), base.base_rate),
            share(&at("rate/mean"), base.rate.mean),
            ends(&at("rate"), &base.rate),
        ]);
    }
    Html::raw(format!("<h3>The cross-model arm, base by base</h3>\n{}", table.html()))
}
