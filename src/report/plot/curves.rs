//! Small panels of curves on common scales: thin lines for single seeds, a thick one for their mean.

use super::scale::{Scale, Unit};
use super::svg::{Anchor, Svg, short};
use super::{Picture, Width};
use crate::report::markup::Html;
use crate::report::wording::plain;

/// One line, as (x, y) points from left to right.
pub(in crate::report) struct Curve {
    /// What it is, shown where the pointer rests.
    pub(in crate::report) tip: String,
    /// Its points.
    pub(in crate::report) points: Vec<(f64, f64)>,
}

/// One panel.
pub(in crate::report) struct Panel {
    /// Its title.
    pub(in crate::report) title: String,
    /// The class that gives it its colour.
    pub(in crate::report) tone: &'static str,
    /// Single seeds.
    pub(in crate::report) thin: Vec<Curve>,
    /// Their mean, with a text for each point.
    pub(in crate::report) mean: Vec<(f64, f64, String)>,
}

const HEIGHT: f64 = 104.0;
const PITCH: f64 = 158.0;
const LEFT: f64 = 34.0;
const GAP: f64 = 18.0;

/// The panels, three a line where there is room, else two.
pub(in crate::report) fn curves(words: &str, unit: Unit, panels: &[Panel]) -> Html {
    Picture { words, draw: &|width| draw(width, unit, panels) }.html()
}

fn draw(width: Width, unit: Unit, panels: &[Panel]) -> Svg {
    let points = || panels.iter().flat_map(|p| p.thin.iter().flat_map(|c| c.points.iter().copied()));
    let across = Scale::tight(points().map(|p| p.0).chain([0.0]), Unit::Plain, 4);
    let up = match unit {
        Unit::Share => Scale::shares(points().map(|p| p.1)),
        _ => Scale::tight(points().map(|p| p.1), unit, 3),
    };
    let columns = match width {
        Width::Wide => 3,
        Width::Narrow => 2,
    };
    let panel_width = (width.across() - LEFT - GAP * (columns - 1) as f64 - 6.0) / columns as f64;
    let mut svg = Svg::new(width);
    for (i, panel) in panels.iter().enumerate() {
        let left = LEFT + (panel_width + GAP) * (i % columns) as f64;
        let frame = Frame { left, top: 26.0 + PITCH * (i / columns) as f64, width: panel_width, across, up };
        frame.ground(&mut svg, i % columns == 0);
        frame.panel(&mut svg, panel);
        svg.reach(frame.top + HEIGHT + 36.0);
    }
    svg
}

/// A panel's place.
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    across: Scale,
    up: Scale,
}

impl Frame {
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.left + self.width * self.across.place(x), self.top + HEIGHT * (1.0 - self.up.place(y)))
    }

    fn ground(&self, svg: &mut Svg, labelled: bool) {
        for (value, label) in self.up.marks() {
            let (_, y) = self.at((0.0, value));
            svg.path("grid", &format!("M{} {}h{}", short(self.left), short(y), short(self.width)), "");
            if labelled {
                svg.text("tick", (self.left - 6.0, y + 4.0), Anchor::End, &label);
            }
        }
        for (value, label) in self.across.marks() {
            let (x, _) = self.at((value, 0.0));
            let anchor = if x + 10.0 > self.left + self.width { Anchor::End } else { Anchor::Middle };
            svg.path("grid", &format!("M{} {}v4", short(x), short(self.top + HEIGHT)), "");
            svg.text("tick", (x, self.top + HEIGHT + 16.0), anchor, &label);
        }
        svg.path("grid", &format!("M{} {}h{}", short(self.left), short(self.top + HEIGHT), short(self.width)), "");
    }

    fn panel(&self, svg: &mut Svg, panel: &Panel) {
        svg.open(panel.tone);
        let room = (self.width / 6.9) as usize;
        svg.text("label", (self.left, self.top - 9.0), Anchor::Start, &plain(&panel.title, room));
        for curve in &panel.thin {
            svg.path("thin", &self.line(curve.points.iter().copied()), &curve.tip);
        }
        svg.path("thick", &self.line(panel.mean.iter().map(|(x, y, _)| (*x, *y))), "");
        self.bands(svg, &panel.mean);
        svg.close();
    }

    fn line(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (i, point) in points.enumerate() {
            let (x, y) = self.at(point);
            path += &format!("{}{} {}", if i == 0 { "M" } else { "L" }, short(x), short(y));
        }
        path
    }

    /// Unseen stretches that tell the mean where the pointer rests.
    fn bands(&self, svg: &mut Svg, mean: &[(f64, f64, String)]) {
        let mut from = self.left;
        for (i, (x, _, tip)) in mean.iter().enumerate() {
            let own = self.at((*x, 0.0)).0;
            let to = mean.get(i + 1).map_or(self.left + self.width, |next| f64::midpoint(own, self.at((next.0, 0.0)).0));
            svg.rect("touch", (from, self.top), (to - from, HEIGHT), tip);
            from = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_and_the_mean_are_lines_inside_the_frame() {
        let points = || vec![(1.0, 3.4), (24.0, 3.1), (47.0, 2.9)];
        let panel = Panel {
            title: "treatment".to_owned(),
            tone: "t-treatment",
            thin: (1..=5).map(|seed| Curve { tip: format!("seed {seed}"), points: points() }).collect(),
            mean: points().into_iter().map(|(x, y)| (x, y, format!("step {x}: {y}"))).collect(),
        };
        let html = curves("loss by step", Unit::Plain, &[panel]).to_string();
        assert_eq!(html.matches("class=\"thin\"").count(), 10, "five seeds, two widths");
        assert_eq!(html.matches("class=\"thick\"").count(), 2);
        assert_eq!(html.matches("class=\"touch\"").count(), 6);
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }
}
