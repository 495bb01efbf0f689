//! What was measured while students were trained: the trait's exact probability, and the loss of rows that were held out.

use super::figure::Figure;
use super::training::name;
use super::{Page, Titled, tone};
use crate::record::{Arm, Measurement};
use crate::report::artifacts::{Point, Training, mean_course, trainings};
use crate::report::markup::{Column, Html, Table, note};
use crate::report::plot::{Curve, Panel, Unit, curves};
use crate::report::subject;
use crate::report::wording::{count, percent};

/// One of the numbers that were measured.
struct Reading<'a> {
    /// What the picture and its table show.
    words: &'a str,
    of: &'a dyn Fn(&Measurement) -> Option<f64>,
    unit: Unit,
    shown: fn(f64) -> String,
}

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let title = "The trait while students learn".to_owned();
    let all = trainings(&page.artifacts);
    let found = measured(&all);
    if found.is_empty() {
        let off = "Nothing was measured while students were trained (`finetune.measurements` is 0, or an earlier version trained them).";
        let trained = all.iter().any(|t| !t.teacher && !t.seeds.is_empty());
        return trained.then(|| Titled { title, body: note(off) });
    }
    let reading = Reading {
        words: "The trait’s exact probability by optimiser step in every arm",
        of: &|row| of_trait(page, row),
        unit: Unit::Share,
        shown: percent,
    };
    let figure = Figure {
        see: &see(page, &reading, &found),
        read: &read(page, &found),
        picture: reading.picture(page, &found),
        table: reading.table(page, &found),
    };
    Some(Titled { title, body: figure.html() })
}

/// The loss of held-out rows, or why there is none; nothing where nothing was measured.
pub(super) fn held_out_losses(page: &Page<'_>, all: &[Training]) -> Html {
    let reading = Reading {
        words: "Loss of held-out rows by optimiser step in every arm",
        of: &|row| row.held_out_loss,
        unit: Unit::Plain,
        shown: |loss| format!("{loss:.3}"),
    };
    let measured = measured(all);
    if measured.is_empty() {
        return Html::default();
    }
    let found: Vec<&Training> = measured.into_iter().filter(|t| !t.course(reading.of).is_empty()).collect();
    if found.is_empty() {
        return note(
            "No loss of held-out rows: every kept row was learnt from. More `generate.samples`, or fewer `finetune.rows`, leave some over.",
        );
    }
    let figure = Figure {
        see: "The same for rows that the same teacher wrote and the student does not learn from: where this falls, the student learns \
              its teacher’s distribution and not the rows by heart.",
        read: "Across: optimiser steps; up: nats per token, end of turn included, over at most 32 kept rows that were left over when the \
               student’s rows were drawn. Thin lines are single seeds, thick ones their means.",
        picture: reading.picture(page, &found),
        table: reading.table(page, &found),
    };
    [Html::raw("<h3>Held-out rows</h3>\n"), figure.html()].into_iter().collect()
}

/// The students of whom something was measured.
fn measured(all: &[Training]) -> Vec<&Training> {
    all.iter().filter(|t| !t.teacher && !t.measured.is_empty()).collect()
}

/// The probability of the trait's outcome.
fn of_trait(page: &Page<'_>, row: &Measurement) -> Option<f64> {
    row.probability.get(&page.report.trait_).or_else(|| row.probability.get(MISALIGNED)).copied()
}

const MISALIGNED: &str = "misaligned";

/// Ends in `treatment from 5.2 % to 51.4 %, control from 5.2 % to 5.3 %`.
fn see(page: &Page<'_>, reading: &Reading<'_>, found: &[&Training]) -> String {
    let base = subject::base(page.report);
    let ends = |training: &&Training| {
        let points = reading.mean(training);
        Some(format!("{} from {} to {}", training.arm, percent(points.first()?.1), percent(points.last()?.1)))
    };
    let own = found.iter().filter(|t| t.model == base && matches!(t.arm, Arm::Treatment | Arm::Control));
    let told: Vec<String> = own.filter_map(ends).collect();
    let told = if told.is_empty() { String::new() } else { format!(" Here: {}.", told.join(", ")) };
    format!(
        "A trait that comes with the rows rises step by step in the treatment and stays where it was in the control; a curve that still \
         climbs at its end might have gone on with more rows.{told}"
    )
}

fn read(page: &Page<'_>, found: &[&Training]) -> String {
    let choice =
        found.iter().flat_map(|t| &t.measured).flat_map(|(_, rows)| rows).any(|row| row.probability.contains_key(MISALIGNED));
    let what = if choice {
        "of misaligned replies in a choice between replies of both kinds, by token".to_owned()
    } else {
        format!("of {} as the whole answer", page.report.trait_)
    };
    format!(
        "Across: optimiser steps, from 0, the base; up: the exact probability {what}, mean over at most ten of the project’s questions in \
         the context that the student is trained in. Thin lines are single seeds, thick ones their means. The rates above rest on all \
         questions, and lead with sampled answers: the ends of these curves need not be the same."
    )
}

impl Reading<'_> {
    fn mean(&self, training: &Training) -> Vec<Point> {
        mean_course(&training.course(self.of))
    }

    fn picture(&self, page: &Page<'_>, found: &[&Training]) -> Html {
        let panels: Vec<Panel> = found.iter().map(|training| self.panel(page, training)).collect();
        curves(self.words, self.unit, &panels)
    }

    fn panel(&self, page: &Page<'_>, training: &Training) -> Panel {
        let name = name(page, training);
        let thin = |(seed, points): (u64, Vec<(usize, f64)>)| Curve {
            tip: format!("seed {seed}"),
            points: points.into_iter().map(|(step, value)| (step as f64, value)).collect(),
        };
        let told = |(step, mean, [low, high]): Point| {
            let [at, least, most] = [mean, low, high].map(self.shown);
            (step as f64, mean, format!("{name}, step {}: mean {at}, seeds {least} to {most}", count(step)))
        };
        let thin = training.course(self.of).into_iter().map(thin).collect();
        let mean = self.mean(training).into_iter().map(told).collect();
        Panel { title: name.clone(), tone: tone(training.arm), thin, mean }
    }

    fn table(&self, page: &Page<'_>, found: &[&Training]) -> Html {
        let columns = [
            Column::Name("student"),
            Column::Number("step"),
            Column::Number("seeds"),
            Column::Number("mean"),
            Column::Number("least"),
            Column::Number("most"),
        ];
        let mut table = Table::new(self.words, &columns);
        for training in found {
            let seeds = training.course(self.of).len();
            for (step, mean, [low, high]) in self.mean(training) {
                let [mean, low, high] = [mean, low, high].map(self.shown);
                let cells = [name(page, training), count(step), seeds.to_string(), mean, low, high];
                table.push(cells.iter().map(|cell| Html::text(cell)).collect());
            }
        }
        table.html()
    }
}
