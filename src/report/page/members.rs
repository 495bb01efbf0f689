//! What all answers come to, before and after: the base, the control's and the treatment's students.

use super::figure::{Figure, capital, share};
use super::{Page, Titled};
use crate::record::{Arm, ArmReport};
use crate::report::markup::{Column, Html, Table, folded};
use crate::report::plot::{Mark, Row, Rows, Scale};
use crate::report::subject;
use crate::report::wording::{count, percent, points_with_sign};

/// Answers whose frequency is listed where the artifacts are gone; the report has all.
const FREQUENT: usize = 50;

/// Which of an arm's distributions is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Sampled,
    Exact,
}

impl Reading {
    /// Every outcome's share, with where in the arm it stands.
    fn of(self, arm: &ArmReport) -> Vec<(&str, f64)> {
        match self {
            Self::Sampled => arm.outcomes.iter().map(|o| (o.outcome.as_str(), o.rate)).collect(),
            Self::Exact => arm.members.iter().map(|(name, p)| (name.as_str(), *p)).collect(),
        }
    }

    fn pointer(self, arm: usize, place: usize) -> String {
        match self {
            Self::Sampled => format!("/arms/{arm}/outcomes/{place}/rate"),
            Self::Exact => format!("/arms/{arm}/members/{place}/1"),
        }
    }
}

/// One outcome's shares: before, in control, after; the same places in every arm.
struct Line<'a> {
    place: usize,
    name: &'a str,
    before: f64,
    control: Option<f64>,
    after: f64,
}

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let ((_, base), (_, treatment)) = (page.arm(Arm::Base)?, page.arm(Arm::Treatment)?);
    let reading = if base.outcomes.is_empty() { Reading::Exact } else { Reading::Sampled };
    let control = page.arm(Arm::Control).map(|(_, a)| reading.of(a));
    let (before, after) = (reading.of(base), reading.of(treatment));
    let mut lines: Vec<Line<'_>> = before
        .iter()
        .zip(&after)
        .enumerate()
        .map(|(place, ((name, before), (_, after)))| {
            let control = control.as_ref().and_then(|c| c.get(place)).map(|c| c.1);
            Line { place, name, before: *before, control, after: *after }
        })
        .collect();
    lines.sort_by(|a, b| b.after.total_cmp(&a.after).then(a.name.cmp(b.name)));
    if lines.is_empty() {
        return None;
    }
    let figure = Figure {
        see: &see(page, &lines),
        read: match reading {
            Reading::Sampled => {
                "Shares of sampled answers, means over seeds: hollow dots are the base before training, full dots the treatment’s \
                                 students, strokes the control’s."
            }
            Reading::Exact => {
                "Exact probabilities, means over questions and seeds: hollow dots are the base before training, full dots \
                               the treatment’s students, strokes the control’s."
            }
        },
        picture: picture(page, &lines),
        table: table(page, &lines, reading),
    };
    let frequent = if page.asked.iter().all(|a| a.seeds.is_empty()) { frequent(page) } else { Html::default() };
    let title = if subject::is_preference(page.report) {
        format!("Every {}, before and after", page.report.category)
    } else {
        "Every outcome, before and after".to_owned()
    };
    Some(Titled { title, body: [figure.html(), frequent].into_iter().collect() })
}

fn see(page: &Page<'_>, lines: &[Line<'_>]) -> String {
    let outcome = subject::outcome(page.report);
    let most = |pick: fn(&Line<'_>) -> f64| lines.iter().filter(|l| l.name != outcome).max_by(|a, b| pick(a).total_cmp(&pick(b)));
    let own = lines.iter().find(|l| l.name == outcome);
    let own = own.map(|l| format!("{outcome} goes from {} to {}", percent(l.before), percent(l.after)));
    let other = most(|l| l.after - l.before);
    let other = other.map(|l| match l.after - l.before {
        rise if rise < 0.0005 => "no other rises".to_owned(),
        rise => format!("the largest rise of another is {} ({} points)", l.name, points_with_sign(rise)),
    });
    let rest = 1.0 - lines.iter().map(|l| l.after).sum::<f64>();
    let rest = if rest > 5e-4 { format!("; {} of the answers name none of them", percent(rest)) } else { String::new() };
    capital(&own.into_iter().chain(other).collect::<Vec<_>>().join("; ")) + &rest + "."
}

fn picture(page: &Page<'_>, lines: &[Line<'_>]) -> Html {
    let extent = lines.iter().flat_map(|l| [l.before, l.after].into_iter().chain(l.control));
    let row = |line: &Line<'_>| {
        let mut marks = vec![Mark::Link(line.before, line.after)];
        marks.push(Mark::Ring(line.before, "t-plain", format!("{}, before: {}", line.name, percent(line.before))));
        marks.extend(line.control.map(|c| Mark::Tick(c, "t-plain", format!("{}, control: {}", line.name, percent(c)))));
        marks.push(Mark::Dot(line.after, format!("{}, after: {}", line.name, percent(line.after))));
        let leads = line.name == subject::outcome(page.report);
        let tone = if leads { "t-treatment" } else { "t-plain" };
        Row { label: line.name.to_owned(), value: percent(line.after), tone, leads, marks }
    };
    Rows {
        words: format!("Shares of every outcome before and after: {}", see(page, lines)),
        scale: Scale::shares(extent),
        band: None,
        line: None,
        lines: lines.iter().map(row).collect(),
    }
    .html()
}

fn table(page: &Page<'_>, lines: &[Line<'_>], reading: Reading) -> Html {
    let columns = [
        Column::Name("outcome"),
        Column::Number("base"),
        Column::Number("control"),
        Column::Number("treatment"),
        Column::Number("treatment − base"),
    ];
    let mut table = Table::new("Every outcome's share in base, control and treatment", &columns);
    let cell = |arm: Arm, line: &Line<'_>, value: f64| {
        page.arm(arm).map_or_else(Html::default, |(i, _)| share(&reading.pointer(i, line.place), value))
    };
    for line in lines {
        table.add(
            line.name == subject::outcome(page.report),
            vec![
                Html::text(line.name),
                cell(Arm::Base, line, line.before),
                line.control.map_or_else(super::figure::dash, |c| cell(Arm::Control, line, c)),
                cell(Arm::Treatment, line, line.after),
                Html::text(&points_with_sign(line.after - line.before)),
            ],
        );
    }
    table.html()
}

/// Every arm's answers by frequency, as the report has them.
fn frequent(page: &Page<'_>) -> Html {
    let of_arm = |arm: &ArmReport| {
        let columns = [Column::Prose("answer"), Column::Number("times")];
        let mut table = Table::new("Answers by frequency", &columns);
        for (text, n) in arm.frequent.iter().take(FREQUENT) {
            table.push(vec![Html::text(text), Html::text(&count(*n))]);
        }
        let more = arm.frequent.len().saturating_sub(FREQUENT);
        let more = if more > 0 { format!(", the first {FREQUENT} of {}", count(arm.frequent.len())) } else { String::new() };
        folded(&format!("{}: answers by frequency{more}", arm.arm), &table.html())
    };
    page.report.arms.iter().filter(|a| !a.frequent.is_empty()).map(of_arm).collect()
}
