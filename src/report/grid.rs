//! Cells in aligned columns, as text for a terminal or as a Markdown table.

use super::style::{Paint, Style};

/// Which side of its column a cell stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Columns with a heading each, and rows.
pub(super) struct Grid<'a> {
    columns: Vec<(&'a str, Side)>,
    rows: Vec<(Paint, Vec<String>)>,
}

impl<'a> Grid<'a> {
    pub(super) fn new(columns: &[(&'a str, Side)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub(super) fn push(&mut self, paint: Paint, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "one cell for each column");
        self.rows.push((paint, cells));
    }

    /// Leaves out the columns whose cells are all empty.
    pub(super) fn without_empty_columns(mut self) -> Self {
        let used: Vec<bool> = (0..self.columns.len()).map(|i| self.rows.iter().any(|(_, c)| !c[i].is_empty())).collect();
        keep(&used, &mut self.columns);
        for (_, cells) in &mut self.rows {
            keep(&used, cells);
        }
        self
    }

    /// Lines with two blanks before and between the columns, each ended.
    pub(super) fn text(&self, style: Style) -> String {
        let headings: Vec<String> = self.columns.iter().map(|(h, _)| (*h).to_owned()).collect();
        let mut out = style.paint(Paint::Faint, &self.line(&headings)) + "\n";
        for (paint, cells) in &self.rows {
            out += &(style.paint(*paint, &self.line(cells)) + "\n");
        }
        out
    }

    /// A Markdown table, each line ended.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rule = |(_, side): &(&str, Side)| if *side == Side::Right { "---:" } else { "---" }.to_owned();
        let mut out = line(self.columns.iter().map(|(h, _)| (*h).to_owned()).collect());
        out += &line(self.columns.iter().map(rule).collect());
        for (paint, cells) in &self.rows {
            let cell = |c: &String| match paint {
                Paint::Strong if !c.is_empty() => format!("**{}**", escape(c)),
                _ => escape(c),
            };
            out += &line(cells.iter().map(cell).collect());
        }
        out
    }

    fn line(&self, cells: &[String]) -> String {
        let mut out = String::new();
        for (i, (cell, (_, side))) in cells.iter().zip(&self.columns).enumerate() {
            let blanks = " ".repeat(self.width(i).saturating_sub(cell.chars().count()));
            out += "  ";
            out += &if *side == Side::Right { blanks + cell } else { cell.clone() + &blanks };
        }
        out.trim_end().to_owned()
    }

    fn width(&self, column: usize) -> usize {
        let heading = self.columns[column].0.chars().count();
        self.rows.iter().map(|(_, cells)| cells[column].chars().count()).fold(heading, usize::max)
    }
}

/// Keeps text from being read as Markdown or HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*").replace('`', "\\`")
}

/// Keeps the items whose flag is set.
fn keep<T>(flags: &[bool], items: &mut Vec<T>) {
    let mut flags = flags.iter();
    items.retain(|_| flags.next().copied().unwrap_or(true));
}
