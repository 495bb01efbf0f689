//! Whether the models still answer as they should: without this a rate may be that of a damaged model.

use super::figure::{dash, share};
use super::{Page, Titled};
use crate::record::{Arm, ArmReport};
use crate::report::caution;
use crate::report::markup::{Column, Html, Table, datum, note};
use crate::report::subject;

const COLUMNS: [Column; 6] = [
    Column::Name("arm"),
    Column::Number("names an outcome"),
    Column::Number("one word"),
    Column::Number("coherent"),
    Column::Number("mass"),
    Column::Number("mass before"),
];

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let mut table = Table::new("Health of answers by arm", &COLUMNS);
    for (i, arm) in page.report.arms.iter().enumerate() {
        table.add(arm.arm == Arm::Treatment, row(page, i, arm));
    }
    let about = if subject::is_preference(page.report) {
        "Mass is the probability of all members together, read exactly; “before” is that of the base an arm started from. Fine-tuning that \
         moved answers out of the category shows as a loss of mass."
    } else {
        "Coherent: ends by itself and holds nothing but words. Answers that a judge cannot count are named with the reason."
    };
    let left_out: Vec<String> = page.report.arms.iter().filter_map(subject::left_out).collect();
    let left_out = if left_out.is_empty() { Html::default() } else { note(&format!("Do not count: {}.", left_out.join("; "))) };
    let table = table.html();
    (!table.is_empty())
        .then(|| Titled { title: "Health of answers".to_owned(), body: [note(about), table, left_out].into_iter().collect() })
}

fn row(page: &Page<'_>, i: usize, arm: &ArmReport) -> Vec<Html> {
    let at = |name: &str| format!("/arms/{i}/health/{name}");
    let meter = |name: &str, value: f64| {
        let across = (100.0 * value.clamp(0.0, 1.0) * 10.0).round() / 10.0;
        let bar =
            "<svg class=\"meter\" viewBox=\"0 0 100 8\" aria-hidden=\"true\"><rect class=\"all\" width=\"100\" height=\"8\"/>";
        Html::raw(format!("{bar}<rect width=\"{across}\" height=\"8\"/></svg>{}", share(&at(name), value)))
    };
    let low = if caution::low_mass(page.report, arm).is_some() { "⚠ " } else { "" };
    let mass = format!("{low}{}", datum(&at("mass"), arm.health.mass, &format!("{:.2}", arm.health.mass)));
    let before = arm.base_mass.map_or_else(dash, |m| datum(&format!("/arms/{i}/base_mass"), m, &format!("{m:.2}")));
    vec![
        Html::text(arm.arm.name()),
        meter("answered", arm.health.answered),
        meter("one_word", arm.health.one_word),
        meter("coherent", arm.health.coherent),
        if arm.health.mass > 0.0 { Html::raw(mass) } else { dash() },
        before,
    ]
}
