//! A picture with what to see in it, how many it rests on, and the table behind it; and the numbers of such tables.

use crate::record::{Interval, Report};
use crate::report::markup::{Html, datum, escape, folded};
use crate::report::plot::Mark;
use crate::report::verdict::confidence;
use crate::report::wording::{count, interval_points, percent, points, points_with_sign};

/// A picture with everything that belongs to it.
pub(super) struct Figure<'a> {
    /// What to see, in a sentence or two.
    pub(super) see: &'a str,
    /// What the marks are, how many they rest on, what the intervals are.
    pub(super) read: &'a str,
    pub(super) picture: Html,
    /// The same as a table.
    pub(super) table: Html,
}

impl Figure<'_> {
    pub(super) fn html(&self) -> Html {
        let table = if self.table.is_empty() { Html::default() } else { folded("The numbers as a table", &self.table) };
        Html::raw(format!(
            "<figure>\n<figcaption><p class=\"see\">{}</p></figcaption>\n{}<p class=\"read\">{}</p>\n{table}</figure>\n",
            escape(&unbroken(self.see)),
            self.picture,
            escape(self.read)
        ))
    }
}

/// Sentences whose numbers keep their percent sign, and whose intervals stay whole, on one line.
pub(super) fn unbroken(text: &str) -> String {
    let mut inside = false;
    let mut keep = |c: char| {
        inside = c == '[' || inside && c != ']';
        if inside && c == ' ' { '\u{a0}' } else { c }
    };
    text.replace(" %", "\u{a0}%").chars().map(&mut keep).collect()
}

/// With a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

/// What a row shows of an interval: its ends, its mean, its seeds; `told` says a value.
pub(super) fn marks_of(name: &str, seen: &Interval, told: fn(f64) -> String) -> Vec<Mark> {
    let mut marks = Vec::new();
    if let (Some(low), Some(high)) = (seen.low, seen.high) {
        marks.push(Mark::Ends(low, high, format!("{name}: interval {}", interval_points(seen))));
    }
    let seeds = if seen.n == 1 { "1 seed".to_owned() } else { format!("{} seeds", seen.n) };
    marks.push(Mark::Dot(seen.mean, format!("{name}: {} over {seeds}", told(seen.mean))));
    marks.extend(seen.by_seed.iter().map(|s| {
        let answers = if s.answers > 0 { format!(" ({} answers)", count(s.answers)) } else { String::new() };
        Mark::Seed(s.value, format!("{name}, seed {}: {}{answers}", s.seed, told(s.value)))
    }));
    marks
}

/// `+47.0 points`.
pub(super) fn in_points(difference: f64) -> String {
    format!("{} points", points_with_sign(difference))
}

/// A share of the report, in percent.
pub(super) fn share(pointer: &str, value: f64) -> Html {
    datum(pointer, value, &percent(value))
}

/// A share that may be absent.
pub(super) fn share_or_dash(pointer: &str, value: Option<f64>) -> Html {
    value.map_or_else(dash, |value| share(pointer, value))
}

/// A difference of the report, in points.
pub(super) fn difference(pointer: &str, value: f64) -> Html {
    datum(pointer, value, &points_with_sign(value))
}

/// An interval's ends, `[33.7, 71.0]`.
pub(super) fn ends(pointer: &str, interval: &Interval) -> Html {
    let (Some(low), Some(high)) = (interval.low, interval.high) else { return dash() };
    let end = |name: &str, value: f64| datum(&format!("{pointer}/{name}"), value, &points(value));
    Html::raw(format!("[{}, {}]", end("low", low), end("high", high)))
}

pub(super) fn dash() -> Html {
    Html::text("–")
}

/// `lines are 95 % intervals over 5 seeds by Student's t`, or why there are none.
pub(super) fn intervals(report: &Report) -> String {
    match report.seeds.len() {
        1 => "one seed gives no interval".to_owned(),
        n => format!("lines are {} intervals over {n} seeds, by Student’s t", confidence(report)),
    }
}
