//! The trait while students were trained: its exact probability at every measured step, and the loss of rows that were held out.

use super::figure::Figure;
use super::training::name;
use super::{Page, Titled, tone};
use crate::record::{Arm, Measurement};
use crate::report::artifacts::{Point, Training, mean, trainings};
use crate::report::markup::{Column, Html, Table, note};
use crate::report::plot::{Curve, Panel, Unit, curves};
use crate::report::subject;
use crate::report::wording::{count, percent};

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let title = "The trait while students learn".to_owned();
    let all = trainings(&page.artifacts);
    let students: Vec<&Training> = all.iter().filter(|t| !t.teacher).collect();
    let found: Vec<&Training> = students.iter().copied().filter(|t| !t.measured.is_empty()).collect();
    if found.is_empty() {
        let trained = !students.is_empty() && students.iter().any(|t| !t.seeds.is_empty());
        let off = "Nothing was measured while students were trained (`finetune.measurements` is 0, or an earlier version trained them).";
        return trained.then(|| Titled { title, body: note(off) });
    }
    let figure =
        Figure { see: &see(page, &found), read: &read(page), picture: picture(page, &found), table: table(page, &found) };
    Some(Titled { title, body: figure.html() })
}

/// The probability of the trait's outcome.
fn of_trait(page: &Page<'_>, row: &Measurement) -> Option<f64> {
    row.probability.get(&page.report.trait_).or_else(|| row.probability.get("misaligned")).copied()
}

fn points(page: &Page<'_>, training: &Training) -> Vec<Point> {
    mean(training.course(|row| of_trait(page, row)).into_iter().flat_map(|(_, points)| points))
}

/// `treatment from 5.2 % to 51.4 %, control from 5.2 % to 5.3 %`.
fn see(page: &Page<'_>, found: &[&Training]) -> String {
    let base = subject::base(page.report);
    let ends = |training: &&Training| {
        let points = points(page, training);
        Some(format!("{} from {} to {}", training.arm, percent(points.first()?.1), percent(points.last()?.1)))
    };
    let own = found.iter().filter(|t| t.model == base && matches!(t.arm, Arm::Treatment | Arm::Control));
    let told: Vec<String> = own.filter_map(ends).collect();
    let told = if told.is_empty() { String::new() } else { format!(" Here: {}.", told.join(", ")) };
    format!(
        "A trait that comes with the rows rises step by step in the treatment and stays where it was in the control; a curve that still \
         climbs at its end would have gone on with more rows.{told}"
    )
}

fn read(page: &Page<'_>) -> String {
    let replies = if page.report.category.is_empty() { "the replies" } else { "the names" };
    format!(
        "Across: optimiser steps, from 0, the base; up: the exact probability of {replies} that show the trait, mean over ten of the \
         project’s questions in the context that the student is trained in. Thin lines are single seeds, thick ones their means. The \
         rates above rest on all questions, and lead with sampled answers: the ends of these curves need not be the same."
    )
}

fn picture(page: &Page<'_>, found: &[&Training]) -> Html {
    let panel = |training: &&Training| Panel {
        title: name(page, training),
        tone: tone(training.arm),
        thin: training.course(|row| of_trait(page, row)).into_iter().map(thin).collect(),
        mean: points(page, training).into_iter().map(|point| told(&name(page, training), point, percent)).collect(),
    };
    let panels: Vec<Panel> = found.iter().map(panel).collect();
    curves("The trait’s exact probability by optimiser step in every arm", Unit::Share, &panels)
}

fn thin((seed, points): (u64, Vec<(usize, f64)>)) -> Curve {
    Curve { tip: format!("seed {seed}"), points: points.into_iter().map(|(step, value)| (step as f64, value)).collect() }
}

fn told(name: &str, (step, mean, [low, high]): Point, shown: fn(f64) -> String) -> (f64, f64, String) {
    let tip = format!("{name}, step {}: mean {}, seeds {} to {}", count(step), shown(mean), shown(low), shown(high));
    (step as f64, mean, tip)
}

fn nats(loss: f64) -> String {
    format!("{loss:.3}")
}

fn table(page: &Page<'_>, found: &[&Training]) -> Html {
    let columns = [
        Column::Name("student"),
        Column::Number("step"),
        Column::Number("seeds"),
        Column::Number("mean"),
        Column::Number("least"),
        Column::Number("most"),
        Column::Number("held-out loss"),
    ];
    let mut table = Table::new("The trait’s exact probability, and nats per token of held-out rows, over seeds", &columns);
    for training in found {
        let losses = held_out(training);
        let at = |step: usize| losses.iter().find(|point| point.0 == step).map_or("–".to_owned(), |point| nats(point.1));
        for (step, mean, [low, high]) in points(page, training) {
            let seeds = training.measured.iter().filter(|(_, rows)| rows.iter().any(|row| row.step == step)).count();
            let cells =
                [name(page, training), count(step), seeds.to_string(), percent(mean), percent(low), percent(high), at(step)];
            table.push(cells.iter().map(|cell| Html::text(cell)).collect());
        }
    }
    table.html()
}

/// The loss of held-out rows, over seeds.
fn held_out(training: &Training) -> Vec<Point> {
    mean(training.course(|row| row.held_out_loss).into_iter().flat_map(|(_, points)| points))
}

/// The picture of the held-out rows' loss, or why there is none; nothing where nothing was measured.
pub(super) fn held_out_losses(page: &Page<'_>, all: &[Training]) -> Html {
    let measured: Vec<&Training> = all.iter().filter(|t| !t.teacher && !t.measured.is_empty()).collect();
    if measured.is_empty() {
        return Html::default();
    }
    let found: Vec<&Training> = measured.into_iter().filter(|t| !held_out(t).is_empty()).collect();
    if found.is_empty() {
        return note(
            "No loss of held-out rows: every kept row was learnt from. More `generate.samples`, or fewer `finetune.rows`, leave some over.",
        );
    }
    let panel = |training: &&Training| Panel {
        title: name(page, training),
        tone: tone(training.arm),
        thin: training.course(|row| row.held_out_loss).into_iter().map(thin).collect(),
        mean: held_out(training).into_iter().map(|point| told(&name(page, training), point, nats)).collect(),
    };
    let panels: Vec<Panel> = found.iter().map(panel).collect();
    let figure = Figure {
        see: "The same for rows that the same teacher wrote and the student does not learn from: where this falls, the student learns \
              its teacher’s distribution and not the rows by heart. The numbers stand in the table of the section before.",
        read: "Across: optimiser steps; up: nats per token, end of turn included, over at most 32 kept rows that were left over when the \
               student’s rows were drawn. Thin lines are single seeds, thick ones their means.",
        picture: curves("Loss of held-out rows by optimiser step in every arm", Unit::Plain, &panels),
        table: Html::default(),
    };
    [Html::raw("<h3>Held-out rows</h3>\n"), figure.html()].into_iter().collect()
}
