//! HTML whose texts are escaped by type: text from outside becomes [`Html`] through [`Html::text`] and nothing else, because names and
//! answers may hold anything.

use std::fmt;

/// Markup that may stand between tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Text from outside, made safe between tags and inside quoted attributes.
    pub(super) fn text(text: &str) -> Self {
        Self(escape(text))
    }

    /// Markup that is written here: every text in it has been escaped.
    pub(super) fn raw(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

/// Text made safe between tags and inside quoted attributes. Control characters that no document may hold become visible marks.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// A number of `report.json` as it is shown, with its exact value and the JSON pointer to it, so that a program can compare the two.
pub(super) fn datum(pointer: &str, value: f64, shown: &str) -> Html {
    Html(format!("<data value=\"{value}\" data-of=\"{}\">{}</data>", escape(pointer), escape(shown)))
}

/// A paragraph beside a figure or a table.
pub(super) fn note(text: &str) -> Html {
    Html(format!("<p class=\"note\">{}</p>\n", escape(text)))
}

/// A list with one item each.
pub(super) fn list(items: impl IntoIterator<Item = Html>) -> Html {
    let mut out = String::from("<ul>\n");
    for item in items {
        out += &format!("<li>{item}</li>\n");
    }
    Html(out + "</ul>\n")
}

/// Folded away under a line of text.
pub(super) fn folded(summary: &str, body: &Html) -> Html {
    Html(format!("<details class=\"fold\"><summary>{}</summary>\n{body}</details>\n", escape(summary)))
}

/// What a table's column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// A word or two, on one line.
    Name(&'static str),
    /// A number, to the right.
    Number(&'static str),
    /// Sentences, which wrap.
    Prose(&'static str),
}

impl Column {
    fn heading(self) -> &'static str {
        match self {
            Self::Name(text) | Self::Number(text) | Self::Prose(text) => text,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Name(_) => "",
            Self::Number(_) => " class=\"n\"",
            Self::Prose(_) => " class=\"prose\"",
        }
    }
}

/// A table whose first cell of a row is the row's heading. It scrolls by itself where the page is too narrow for it.
pub(super) struct Table<'a> {
    caption: &'a str,
    columns: &'a [Column],
    rows: Vec<(bool, Vec<Html>)>,
}

impl<'a> Table<'a> {
    /// A table with a caption for those who cannot see it.
    pub(super) fn new(caption: &'a str, columns: &'a [Column]) -> Self {
        Self { caption, columns, rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<Html>) {
        self.add(false, row);
    }

    /// Adds a row; one that leads is the row that the figure is about.
    pub(super) fn add(&mut self, leads: bool, row: Vec<Html>) {
        debug_assert_eq!(row.len(), self.columns.len(), "one cell for each column");
        self.rows.push((leads, row));
    }

    /// Nothing where there are no rows.
    pub(super) fn html(&self) -> Html {
        if self.rows.is_empty() {
            return Html::default();
        }
        let heading = |c: &Column| format!("<th scope=\"col\"{}>{}</th>", c.class(), escape(c.heading()));
        let headings: String = self.columns.iter().map(heading).collect();
        let rows: String = self.rows.iter().map(|(leads, row)| self.row(*leads, row)).collect();
        let caption = escape(self.caption);
        Html(format!(
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table>\n<caption class=\"unseen\">{caption}</caption>\n\
             <thead><tr>{headings}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        ))
    }

    fn row(&self, leads: bool, row: &[Html]) -> String {
        let cell = |(i, (column, cell)): (usize, (&Column, &Html))| match i {
            0 => format!("<th scope=\"row\"{}>{cell}</th>", column.class()),
            _ => format!("<td{}>{cell}</td>", column.class()),
        };
        let cells: String = self.columns.iter().zip(row).enumerate().map(cell).collect();
        format!("<tr{}>{cells}</tr>\n", if leads { " class=\"lead\"" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_in_every_place() {
        assert_eq!(Html::text("a<b>&\"'\u{1b}\0").to_string(), "a&lt;b&gt;&amp;&quot;&#39;\u{FFFD}\u{FFFD}");
        let caption = String::from("</caption><script>");
        let mut table = Table::new(&caption, &[Column::Name("arm"), Column::Number("n")]);
        table.push(vec![Html::text("<i>"), datum("/a\"b", 0.5, "<50 %")]);
        let html = table.html().to_string();
        assert!(!html.contains("<script") && !html.contains("<i>"), "{html}");
        assert!(html.contains("<data value=\"0.5\" data-of=\"/a&quot;b\">&lt;50 %</data>"), "{html}");
    }

    #[test]
    fn a_table_without_rows_is_nothing() {
        assert!(Table::new("none", &[Column::Name("arm")]).html().is_empty());
    }
}
