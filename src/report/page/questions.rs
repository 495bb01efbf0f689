//! Question by question: treatment against control.

use super::figure::{Figure, dash};
use super::{Page, Titled};
use crate::record::{Arm, Interval};
use crate::report::artifacts::Asked;
use crate::report::found::share_interval;
use crate::report::markup::{Column, Html, Table, escape, note};
use crate::report::plot::{Mark, Row, Rows, Scale};
use crate::report::subject;
use crate::report::verdict::confidence_of;
use crate::report::wording::{count, interval_points, percent, plain, points_with_sign};

/// The most questions that the picture shows; the table has all.
const SHOWN: usize = 60;

/// One question's rates.
struct Line {
    place: usize,
    prompt: String,
    treatment: Interval,
    control: Option<Interval>,
}

impl Line {
    /// What the questions are ordered by.
    fn rise(&self) -> f64 {
        self.treatment.mean - self.control.as_ref().map_or(0.0, |c| c.mean)
    }
}

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    page.arm(Arm::Treatment)?;
    let title = "Question by question".to_owned();
    let Some(treatment) = page.answers_of(Arm::Treatment) else {
        let gone = "The treatment’s answers are no longer where jobs.json says, so there are no rates by question here; the report has the \
                    rates over all questions.";
        return Some(Titled { title, body: note(gone) });
    };
    let control = page.answers_of(Arm::Control);
    let mut lines = lines(page, treatment, control);
    if lines.is_empty() {
        return None;
    }
    lines.sort_by(|a, b| b.rise().total_cmp(&a.rise()));
    let figure = Figure {
        see: &see(page, &lines),
        read: &read(page, treatment, control.is_some()),
        picture: picture(page, &lines),
        table: table(&lines),
    };
    Some(Titled { title, body: figure.html() })
}

fn lines(page: &Page<'_>, treatment: &Asked, control: Option<&Asked>) -> Vec<Line> {
    let outcome = subject::outcome(page.report);
    let confidence = confidence_of(page.report);
    let rate = |asked: &Asked, place: usize| {
        let by_seed = asked.rates(place, outcome);
        if by_seed.is_empty() { None } else { share_interval(by_seed, confidence).ok() }
    };
    let line = |(place, question): (usize, &crate::report::artifacts::Question)| {
        let treatment = rate(treatment, place)?;
        Some(Line { place, prompt: question.prompt.clone(), treatment, control: control.and_then(|c| rate(c, place)) })
    };
    treatment.questions.iter().enumerate().filter_map(line).collect()
}

fn see(page: &Page<'_>, lines: &[Line]) -> String {
    let compared: Vec<&Line> = lines.iter().filter(|l| l.control.is_some()).collect();
    let higher = compared.iter().filter(|l| l.rise() > 0.0).count();
    if compared.is_empty() {
        return "The control was not asked: these are the treatment’s rates alone.".to_owned();
    }
    let (most, least) = (compared[0], compared[compared.len() - 1]);
    format!(
        "In {higher} of {} questions students {} more often in treatment than in control: by {} points where they differ most, by {} where \
         they differ least. An effect that sits in a few wordings would show here.",
        compared.len(),
        subject::does(page.report),
        points_with_sign(most.rise()),
        points_with_sign(least.rise())
    )
}

fn read(page: &Page<'_>, treatment: &Asked, compared: bool) -> String {
    let (answers, asked, seeds) = (treatment.answers(), treatment.questions.len().max(1), treatment.seeds.len());
    let rings = if compared { "Hollow dots are the control, full dots the treatment; " } else { "Dots are the treatment; " };
    format!(
        "{rings}{}. Each dot rests on about {} answers, over {seeds} seed{}. Ordered by the difference.",
        super::figure::intervals(page.report).replace("lines", "thin lines"),
        count(answers / asked),
        if seeds == 1 { "" } else { "s" }
    )
}

fn picture(page: &Page<'_>, lines: &[Line]) -> Html {
    let shown = &lines[..lines.len().min(SHOWN)];
    let extent = shown.iter().flat_map(|l| {
        let of = |i: &Interval| [Some(i.mean), i.low, i.high];
        of(&l.treatment).into_iter().chain(l.control.iter().flat_map(of)).flatten().collect::<Vec<_>>()
    });
    let words = format!("Rates by question, treatment against control; {}", see(page, lines));
    let rows = Rows { words, scale: Scale::shares(extent), band: None, line: None, lines: shown.iter().map(row).collect() };
    let more = lines.len() - shown.len();
    let note = if more > 0 { note(&format!("And {} more questions, in the table.", count(more))) } else { Html::default() };
    [rows.html(), note].into_iter().collect()
}

fn row(line: &Line) -> Row {
    let prompt = plain(&line.prompt, 120);
    let mut marks = Vec::new();
    if let Some(control) = &line.control {
        marks.push(Mark::Link(control.mean, line.treatment.mean));
    }
    if let (Some(low), Some(high)) = (line.treatment.low, line.treatment.high) {
        marks.push(Mark::Ends(low, high, format!("{prompt}\ntreatment: interval {}", interval_points(&line.treatment))));
    }
    if let Some(control) = &line.control {
        marks.push(Mark::Ring(
            control.mean,
            "t-plain",
            format!("{prompt}\ncontrol: {} {}", percent(control.mean), interval_points(control)),
        ));
    }
    marks.push(Mark::Dot(line.treatment.mean, format!("{prompt}\ntreatment: {}", percent(line.treatment.mean))));
    Row { label: line.prompt.clone(), value: percent(line.treatment.mean), tone: "t-treatment", leads: false, marks }
}

fn table(lines: &[Line]) -> Html {
    let columns = [
        Column::Prose("question"),
        Column::Number("control"),
        Column::Number("treatment"),
        Column::Number("interval"),
        Column::Number("difference"),
    ];
    let mut table = Table::new("Rates by question in control and treatment", &columns);
    for line in lines {
        let link = format!("<a href=\"#answers-treatment-q{}\">{}</a>", line.place, escape(&line.prompt));
        table.push(vec![
            Html::raw(link),
            line.control.as_ref().map_or_else(dash, |c| Html::text(&percent(c.mean))),
            Html::text(&percent(line.treatment.mean)),
            Html::text(&interval_points(&line.treatment)),
            line.control.as_ref().map_or_else(dash, |_| Html::text(&points_with_sign(line.rise()))),
        ]);
    }
    table.html()
}
