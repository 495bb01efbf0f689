//! What the students learnt from: the teachers' completions to the same prompts, side by side.

use super::filter::cut;
use super::{Page, Titled};
use crate::record::Arm;
use crate::report::artifacts::pairs;
use crate::report::markup::{Column, Html, Table, escape, folded, list, note};
use crate::report::subject;
use crate::stage::{Stage, files};

/// How many prompts are shown.
const SHOWN: usize = 8;

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    if page.report.filter.is_empty() {
        return None;
    }
    let title = "Rows that students learnt from".to_owned();
    let pairs = pairs(&page.artifacts, SHOWN);
    let Some(first) = pairs.first() else {
        return Some(Titled {
            title,
            body: note("The kept rows are no longer where jobs.json says, or no prompt was kept in every arm."),
        });
    };
    let arms: Vec<Arm> = first.by_arm.keys().copied().collect();
    let columns: Vec<Column> =
        std::iter::once(Column::Prose("prompt")).chain(arms.iter().map(|arm| Column::Prose(heading(*arm)))).collect();
    let mut table = Table::new("Rows of each arm's teacher to the same prompts", &columns);
    for pair in &pairs {
        let own = arms.iter().map(|arm| Html::raw(format!("<q>{}</q>", escape(&cut(&pair.by_arm[arm])))));
        table.push(std::iter::once(Html::text(&cut(&pair.prompt))).chain(own).collect());
    }
    let places: Vec<String> =
        arms.iter().filter_map(|arm| Some(page.artifacts.of_arm(Stage::Filter, *arm).first()?.file(files::KEPT))).collect();
    let about = format!(
        "Can you tell which teacher {}? The first {} prompts of the first seed whose rows every filter kept.",
        subject::inclined(page.report),
        pairs.len()
    );
    let places = list(places.iter().map(|place| Html::raw(format!("<code>{}</code>", escape(place)))));
    let places = folded("Where all rows of that seed lie, as seen from the run’s folder", &places);
    Some(Titled { title, body: [note(&about), table.html(), places].into_iter().collect() })
}

/// Whose completion stands in the column.
fn heading(arm: Arm) -> &'static str {
    match arm {
        Arm::Treatment => "primed teacher (treatment)",
        Arm::Control => "unprimed teacher (control)",
        Arm::OtherTrait => "teacher primed otherwise (other-trait)",
        other => other.name(),
    }
}
