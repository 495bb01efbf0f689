//! What students were asked besides: further suites, each with its own difference.

use super::{Page, Titled};
use crate::report::markup::{Column, Html, Table, note};
use crate::report::suites;

pub(super) fn section(page: &Page<'_>) -> Option<Titled> {
    let rows = suites::rows(page.report);
    if rows.is_empty() {
        return None;
    }
    let columns: Vec<Column> = suites::COLUMNS
        .iter()
        .enumerate()
        .map(|(i, &name)| if i < 2 { Column::Name(name) } else { Column::Number(name) })
        .collect();
    let mut table = Table::new("Further suites: rates in control and treatment, and their difference", &columns);
    for row in rows {
        table.push(row.iter().map(|cell| Html::text(cell)).collect());
    }
    let losses = suites::losses(page.report);
    let losses = if losses.is_empty() { Html::default() } else { note(&losses.join(" ")) };
    let about = note("The same students, asked something else. Each suite’s p values are corrected within it.");
    Some(Titled { title: "Also asked".to_owned(), body: [about, table.html(), losses].into_iter().collect() })
}
