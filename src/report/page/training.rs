//! The loss while models were fine-tuned.

use super::figure::Figure;
use super::{Page, Titled, course, tone};
use crate::record::Arm;
use crate::report::artifacts::{Training, trainings};
use crate::report::markup::{Column, Html, Table, note};
use crate::report::plot::{Curve, Panel, Unit, curves};
use crate::report::subject;
use crate::report::wording::count;

/// Points of a curve; a longer one is told by the means of its stretches.
const POINTS: usize = 80;

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let title = "Loss during fine-tuning".to_owned();
    let all = trainings(&page.artifacts);
    let found: Vec<&Training> = all.iter().filter(|t| !t.seeds.is_empty()).collect();
    if found.is_empty() {
        let trained = page.report.stages.iter().any(|s| s.stage == "finetune" || s.stage == "teacher");
        let gone = "The optimiser’s steps are no longer where jobs.json says.";
        return trained.then(|| Titled { title, body: note(gone) });
    }
    let (teachers, students): (Vec<&Training>, Vec<&Training>) = found.iter().partition(|t| t.teacher);
    // Teachers and students learn other rows: their losses share no scale.
    let pictures =
        [("Teachers", &teachers), ("Students", &students)].into_iter().filter(|(_, own)| !own.is_empty()).map(|(who, own)| {
            let heading = if teachers.is_empty() { String::new() } else { format!("<h3>{who}</h3>\n") };
            let panels: Vec<Panel> = own.iter().map(|t| panel(page, t)).collect();
            Html::raw(format!(
                "{heading}{}",
                curves(&format!("{who}: loss by optimiser step in every arm"), Unit::Plain, &panels)
            ))
        });
    let figure = Figure {
        see: "A curve that falls and levels off says that the student has learnt what its rows hold; one that rises or jumps, that its \
              rates may be those of a damaged model. The control’s rows were written by its own base, so that its loss has little to \
              fall by.",
        read: &read(&found),
        picture: pictures.collect(),
        table: table(page, &found),
    };
    let gone: usize = all.iter().map(|t| t.gone).sum();
    let gone = if gone > 0 { note(&format!("The steps of {gone} fine-tunings are gone.")) } else { Html::default() };
    let body = [figure.html(), gone, course::held_out_losses(page, &all)];
    Some(Titled { title, body: body.into_iter().collect() })
}

fn read(found: &[&Training]) -> String {
    let longest = found.iter().flat_map(|t| &t.seeds).map(|(_, steps)| steps.len()).max().unwrap_or(0);
    let stretch = longest.div_ceil(POINTS);
    let points = if stretch > 1 { format!(" Each point is the mean of {stretch} steps.") } else { String::new() };
    format!(
        "Across: optimiser steps; up: the loss, mean nats per counted token of the batch before the update. Thin lines are single seeds, \
         thick ones their means.{points}"
    )
}

/// `treatment`, `cross-model · tiny-b`, `teacher`, `other-trait’s teacher`.
pub(super) fn name(page: &Page<'_>, training: &Training) -> String {
    let of_its_own = training.teacher && training.arm != Arm::Teacher;
    let arm = if of_its_own { format!("{}’s teacher", training.arm) } else { training.arm.to_string() };
    if training.model == subject::base(page.report) {
        return arm;
    }
    format!("{arm} · {}", subject::short_model(&training.model))
}

fn panel(page: &Page<'_>, training: &Training) -> Panel {
    let thin = |(seed, steps): &(u64, Vec<_>)| Curve {
        tip: format!("seed {seed}"),
        points: Training::curve(steps, POINTS).into_iter().map(|(step, loss)| (step as f64, loss)).collect(),
    };
    let mean = |(step, loss, [low, high]): (usize, f64, [f64; 2])| {
        let tip = format!("{}, step {}: mean {loss:.3}, seeds {low:.3} to {high:.3}", name(page, training), count(step));
        (step as f64, loss, tip)
    };
    Panel {
        title: name(page, training),
        tone: tone(training.arm),
        thin: training.seeds.iter().map(thin).collect(),
        mean: training.mean(POINTS).into_iter().map(mean).collect(),
    }
}

fn table(page: &Page<'_>, found: &[&Training]) -> Html {
    let columns = [
        Column::Name("fine-tuning"),
        Column::Number("seeds"),
        Column::Number("steps"),
        Column::Number("first loss"),
        Column::Number("last loss"),
        Column::Number("tokens a seed"),
        Column::Number("largest gradient norm"),
    ];
    let mut table = Table::new("Loss at the first and the last points, means over seeds", &columns);
    for training in found {
        let mean = training.mean(POINTS);
        let (seeds, steps) = (training.seeds.len(), training.seeds.iter().map(|(_, s)| s.len()).max().unwrap_or(0));
        let rows = || training.seeds.iter().flat_map(|(_, steps)| steps);
        let loss = |point: Option<&(usize, f64, [f64; 2])>| point.map_or("–".to_owned(), |p| format!("{:.3}", p.1));
        let norm = rows().map(|r| r.grad_norm).fold(0.0, f64::max);
        table.push(vec![
            Html::text(&name(page, training)),
            Html::text(&seeds.to_string()),
            Html::text(&count(steps)),
            Html::text(&loss(mean.first())),
            Html::text(&loss(mean.last())),
            Html::text(&count(rows().map(|r| r.tokens).sum::<usize>() / seeds)),
            Html::text(&format!("{norm:.2}")),
        ]);
    }
    table.html()
}
