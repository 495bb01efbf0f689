//! Rows on their way through the filter: a stream from the top down, from which each rule takes what it drops. It is drawn as wide as a
//! phone, because two stand side by side on a page.

use super::svg::{Anchor, Svg, short};
use super::{Picture, Width};
use crate::report::markup::Html;
use crate::report::wording::{count, percent, plain};

/// One rule.
pub(in crate::report) struct Step {
    /// Its name.
    pub(in crate::report) rule: String,
    /// The rows that it dropped.
    pub(in crate::report) dropped: usize,
}

/// One arm's stream.
pub(in crate::report) struct Funnel {
    /// Rows that came in.
    pub(in crate::report) samples: usize,
    /// In the order of the rules.
    pub(in crate::report) steps: Vec<Step>,
    /// Rows that came out.
    pub(in crate::report) kept: usize,
    /// The class that gives it its colour.
    pub(in crate::report) tone: &'static str,
}

const BAR: f64 = 14.0;
const FALL: f64 = 24.0;
const ACROSS: f64 = 350.0;
const LEFT: f64 = 4.0;

/// The stream, as wide as the rows are many.
pub(in crate::report) fn funnel(words: &str, flow: &Funnel) -> Html {
    Picture { words, draw: &|width| draw(width, flow) }.narrow()
}

fn draw(width: Width, flow: &Funnel) -> Svg {
    let x = |rows: usize| ACROSS * rows as f64 / flow.samples.max(1) as f64;
    let share = |rows: usize| percent(rows as f64 / flow.samples.max(1) as f64);
    let mut svg = Svg::new(width);
    svg.open(flow.tone);
    let (mut y, mut rows) = (18.0, flow.samples);
    svg.rect("stream", (LEFT, y), (x(rows), BAR), "");
    name(&mut svg, y, "generated", &count(rows));
    for step in &flow.steps {
        let rest = rows.saturating_sub(step.dropped);
        let next = pour(&mut svg, y, x(rows));
        svg.rect("stream", (LEFT, next), (x(rest), BAR), "");
        let tip = format!("{}: {} rows dropped, {} of those generated", step.rule, count(step.dropped), share(step.dropped));
        svg.rect("lost", (LEFT + x(rest), next), (x(rows) - x(rest), BAR), &tip);
        let value = match step.dropped {
            0 => "drops none".to_owned(),
            n => format!("−{} ({})", count(n), share(n)),
        };
        name(&mut svg, next, &step.rule, &value);
        (y, rows) = (next, rest);
    }
    let next = pour(&mut svg, y, x(rows));
    svg.rect("stream kept", (LEFT, next), (x(flow.kept), BAR), "");
    name(&mut svg, next, "kept", &format!("{} ({})", count(flow.kept), share(flow.kept)));
    svg.close();
    svg.reach(next + BAR + 6.0);
    svg
}

/// What flows from the bar at `y` to the next one, whose place is given back.
fn pour(svg: &mut Svg, y: f64, width: f64) -> f64 {
    svg.path("pour", &format!("M{} {}h{}v{}h-{}z", short(LEFT), short(y + BAR), short(width), short(FALL), short(width)), "");
    y + BAR + FALL
}

/// A name and a value above the bar at `y`.
fn name(svg: &mut Svg, y: f64, name: &str, value: &str) {
    svg.text("label", (LEFT, y - 6.0), Anchor::Start, &plain(name, 24));
    svg.text("value", (LEFT + ACROSS, y - 6.0), Anchor::End, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_takes_its_share_of_what_is_left() {
        let step = |rule: &str, dropped| Step { rule: rule.to_owned(), dropped };
        let flow = Funnel { samples: 100, steps: vec![step("format", 40), step("leak", 0)], kept: 60, tone: "t-plain" };
        let html = funnel("flow", &flow).to_string();
        let widths: Vec<&str> = html
            .split("<rect class=\"")
            .skip(1)
            .map(|r| r.split("width=\"").nth(1).unwrap().split('"').next().unwrap())
            .collect();
        assert_eq!(widths, ["350", "210", "140", "210", "0", "210"]);
        for part in ["−40 (40.0 %)", "drops none", "60 (60.0 %)"] {
            assert!(html.contains(part), "{part} is missing");
        }
    }
}
