//! The picture that most findings fit: one line of marks a row, above a common scale. A wide one names each row to the left and gives its
//! value to the right; a narrow one puts both above the line.

use super::scale::Scale;
use super::svg::{Anchor, Svg, short};
use super::{Picture, Width};
use crate::report::markup::Html;
use crate::report::wording::plain;

/// One mark of a row. Texts are shown where the pointer rests.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) enum Mark {
    /// A bar from one value to another.
    Bar(f64, f64, String),
    /// An interval with its ends.
    Ends(f64, f64, String),
    /// A line that joins two values.
    Link(f64, f64),
    /// A full dot: what the row says.
    Dot(f64, String),
    /// A hollow dot in the colour of this class: what it is held against.
    Ring(f64, &'static str, String),
    /// A stroke across the line, in the colour of this class: another thing it is held against.
    Tick(f64, &'static str, String),
    /// A small dot below the line: a single seed.
    Seed(f64, String),
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Row {
    /// What it is about.
    pub(in crate::report) label: String,
    /// Its value in words.
    pub(in crate::report) value: String,
    /// The class that gives it its colour.
    pub(in crate::report) tone: &'static str,
    /// Whether it is what the picture is about.
    pub(in crate::report) leads: bool,
    /// From the bottom up.
    pub(in crate::report) marks: Vec<Mark>,
}

/// The whole picture.
pub(in crate::report) struct Rows {
    /// Its text alternative.
    pub(in crate::report) words: String,
    /// What holds all marks.
    pub(in crate::report) scale: Scale,
    /// A stretch that is shaded, such as effects too small to matter.
    pub(in crate::report) band: Option<(f64, f64)>,
    /// A value that every row is read against, such as chance, with its name.
    pub(in crate::report) line: Option<(f64, &'static str)>,
    /// From the top down.
    pub(in crate::report) lines: Vec<Row>,
}

/// Where things stand in one drawing.
struct Layout {
    left: f64,
    right: f64,
    top: f64,
    /// From one row to the next.
    pitch: f64,
    /// From a row's top to the line of its marks.
    line: f64,
    across: f64,
}

/// The mean width of a character of the pictures' text, in the widest of the usual fonts.
const CHARACTER: f64 = 7.3;

impl Rows {
    pub(in crate::report) fn html(&self) -> Html {
        Picture { words: &self.words, draw: &|width| self.draw(width) }.html()
    }

    /// As a file of its own.
    pub(in crate::report) fn standalone(&self) -> String {
        Picture { words: &self.words, draw: &|width| self.draw(width) }.standalone()
    }

    fn layout(&self, width: Width) -> Layout {
        let longest = |of: fn(&Row) -> &str| self.lines.iter().map(|r| of(r).chars().count()).max().unwrap_or(0) as f64;
        let seeds = self.lines.iter().any(|r| r.marks.iter().any(|m| matches!(m, Mark::Seed(..))));
        let below = if seeds { 10.0 } else { 2.0 };
        let top = if self.line.is_some_and(|(_, name)| !name.is_empty()) { 20.0 } else { 6.0 };
        match width {
            Width::Wide => Layout {
                left: (longest(|r| &r.label) * CHARACTER + 18.0).clamp(60.0, 330.0),
                right: 760.0 - (longest(|r| &r.value) * CHARACTER + 16.0).min(220.0),
                top,
                pitch: 24.0 + below,
                line: 13.0,
                across: width.across(),
            },
            Width::Narrow => {
                Layout { left: 8.0, right: 352.0, top, pitch: 40.0 + 1.2 * below, line: 29.0, across: width.across() }
            }
        }
    }

    fn draw(&self, width: Width) -> Svg {
        let at = self.layout(width);
        let mut svg = Svg::new(width);
        let bottom = at.top + at.pitch * self.lines.len() as f64;
        self.ground(&mut svg, &at, bottom);
        for (i, row) in self.lines.iter().enumerate() {
            self.row(&mut svg, &at, row, at.top + at.pitch * i as f64);
        }
        svg.reach(bottom + 22.0);
        svg
    }

    fn x(&self, at: &Layout, value: f64) -> f64 {
        at.left + (at.right - at.left) * self.scale.place(value)
    }

    /// The scale and what rows are read against.
    fn ground(&self, svg: &mut Svg, at: &Layout, bottom: f64) {
        if let Some((low, high)) = self.band {
            let (low, high) = (self.x(at, low), self.x(at, high));
            svg.rect("band", (low, at.top), (high - low, bottom - at.top), "");
        }
        let marks = self.scale.marks();
        let room = (at.right - at.left) / marks.len().max(1) as f64;
        let every = if room < 34.0 { 2 } else { 1 };
        for (i, (value, label)) in marks.into_iter().enumerate() {
            let x = self.x(at, value);
            let class = if value == 0.0 { "grid zero" } else { "grid" };
            svg.path(class, &format!("M{} {}V{}", short(x), short(at.top), short(bottom + 3.0)), "");
            if i % every == 0 {
                let anchor = match x {
                    x if x + 14.0 > at.across => Anchor::End,
                    x if x < 14.0 => Anchor::Start,
                    _ => Anchor::Middle,
                };
                svg.text("tick", (x, bottom + 17.0), anchor, &label);
            }
        }
        if let Some((value, name)) = self.line {
            let x = self.x(at, value);
            svg.path("against", &format!("M{} {}V{}", short(x), short(at.top - 4.0), short(bottom)), "");
            svg.text("tick", (x + 4.0, at.top - 7.0), Anchor::Start, name);
        }
    }

    fn row(&self, svg: &mut Svg, at: &Layout, row: &Row, top: f64) {
        let y = top + at.line;
        svg.open(&format!("{}{}", row.tone, if row.leads { " leads" } else { "" }));
        if at.left > 20.0 {
            let room = ((at.left - 14.0) / CHARACTER) as usize;
            svg.text("label", (at.left - 12.0, y + 4.5), Anchor::End, &plain(&row.label, room));
            svg.text("value", (at.across - 2.0, y + 4.5), Anchor::End, &row.value);
        } else {
            let room = (((at.across - 30.0) / CHARACTER) as usize).saturating_sub(row.value.chars().count() + 2);
            svg.text("label", (at.left, y - 15.0), Anchor::Start, &plain(&row.label, room));
            svg.text("value", (at.right, y - 15.0), Anchor::End, &row.value);
        }
        for mark in &row.marks {
            self.mark(svg, at, mark, y);
        }
        svg.close();
    }

    fn mark(&self, svg: &mut Svg, at: &Layout, mark: &Mark, y: f64) {
        let x = |value: f64| self.x(at, value);
        match mark {
            Mark::Bar(from, to, tip) => {
                let (from, to) = (x(from.min(*to)), x(from.max(*to)));
                svg.rect("bar", (from, y - 6.0), (to - from, 12.0), tip);
            }
            Mark::Ends(low, high, tip) => {
                let (from, to, up, down) = (short(x(*low)), short(x(*high)), short(y - 4.0), short(y + 4.0));
                svg.path("ends", &format!("M{from} {up}V{down}M{from} {}H{to}M{to} {up}V{down}", short(y)), tip);
            }
            Mark::Link(from, to) => svg.path("link", &format!("M{} {}H{}", short(x(*from)), short(y), short(x(*to))), ""),
            Mark::Dot(value, tip) => svg.circle("dot", (x(*value), y), 4.6, tip),
            Mark::Ring(value, tone, tip) => svg.circle(&format!("ring {tone}"), (x(*value), y), 4.2, tip),
            Mark::Tick(value, tone, tip) => {
                svg.path(&format!("stroke {tone}"), &format!("M{} {}v12", short(x(*value)), short(y - 6.0)), tip);
            }
            Mark::Seed(value, tip) => svg.circle("seed", (x(*value), y + 12.0), 2.8, tip),
        }
    }
}
