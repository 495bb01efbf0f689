//! Runs as dots over a number, with their intervals and a line through the means.

use super::scale::{Scale, Unit};
use super::svg::{Anchor, Svg, short};
use super::{Picture, Width};
use crate::report::markup::Html;

/// One run.
pub(in crate::report) struct Spot {
    /// Where it stands across.
    pub(in crate::report) x: f64,
    /// Its effect, as a difference of shares.
    pub(in crate::report) y: f64,
    /// Its interval.
    pub(in crate::report) ends: Option<(f64, f64)>,
    /// Shown where the pointer rests.
    pub(in crate::report) tip: String,
}

const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 12.0;

/// Between runs of one value, so that their intervals do not hide each other.
const BESIDE: f64 = 9.0;

/// Effects in points over the values of a key.
pub(in crate::report) fn spots(words: &str, x_name: &str, dots: &[Spot], mean: &[(f64, f64)]) -> Html {
    Picture { words, draw: &|width| draw(width, x_name, dots, mean) }.html()
}

fn draw(width: Width, x_name: &str, dots: &[Spot], mean: &[(f64, f64)]) -> Svg {
    let far = Stretch::of(dots);
    let across = Scale::holding(dots.iter().map(|d| far.of_value(d.x)), Unit::Plain, 5);
    let extent = dots.iter().flat_map(|d| d.ends.into_iter().flat_map(|(low, high)| [low, high]).chain([d.y, 0.0]));
    let up = Scale::holding(extent, Unit::Points, 5);
    let room = width.across() - LEFT - 12.0;
    let beside = |k: usize| {
        let before = dots[..k].iter().filter(|d| d.x == dots[k].x).count() as f64;
        let all = dots.iter().filter(|d| d.x == dots[k].x).count() as f64;
        (before - (all - 1.0) / 2.0) * (BESIDE.min(room / 4.0 / all))
    };
    let at = |x: f64, y: f64| (LEFT + room * across.place(far.of_value(x)), TOP + HEIGHT * (1.0 - up.place(y)));
    let mut svg = Svg::new(width);
    for (value, label) in up.marks() {
        let y = TOP + HEIGHT * (1.0 - up.place(value));
        svg.path(if value == 0.0 { "grid zero" } else { "grid" }, &format!("M{LEFT} {}h{}", short(y), short(room)), "");
        svg.text("tick", (LEFT - 8.0, y + 4.0), Anchor::End, &label);
    }
    let mut values: Vec<f64> = dots.iter().map(|d| d.x).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let mut last = f64::NEG_INFINITY;
    for value in values {
        let (x, _) = at(value, 0.0);
        if x - last > 34.0 {
            svg.text("tick", (x, TOP + HEIGHT + 16.0), Anchor::Middle, &value.to_string());
            last = x;
        }
    }
    svg.text("tick", (LEFT + room, TOP + HEIGHT + 34.0), Anchor::End, x_name);
    svg.open("t-treatment");
    let points: Vec<String> = mean.iter().map(|&(x, y)| at(x, y)).map(|(x, y)| format!("{} {}", short(x), short(y))).collect();
    svg.path("thick", &format!("M{}", points.join("L")), "");
    for (k, dot) in dots.iter().enumerate() {
        let (x, y) = at(dot.x, dot.y);
        let x = x + beside(k);
        if let Some((low, high)) = dot.ends {
            svg.path("ends", &format!("M{} {}V{}", short(x), short(at(dot.x, low).1), short(at(dot.x, high).1)), &dot.tip);
        }
        svg.circle("dot", (x, y), 4.6, &dot.tip);
    }
    svg.close();
    svg.reach(TOP + HEIGHT + 40.0);
    svg
}

/// Whether values are set out evenly or by their logarithms.
#[derive(Clone, Copy)]
enum Stretch {
    Even,
    Logarithm,
}

impl Stretch {
    /// Values over more than a factor of thirty lie on top of one another where they are set out evenly.
    fn of(dots: &[Spot]) -> Self {
        let (low, high) = dots.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), d| (l.min(d.x), h.max(d.x)));
        if low > 0.0 && high > 30.0 * low { Self::Logarithm } else { Self::Even }
    }

    fn of_value(self, value: f64) -> f64 {
        match self {
            Self::Even => value,
            Self::Logarithm => value.log10(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_over_orders_of_magnitude_are_set_out_by_their_logarithm() {
        let dot = |x: f64, y: f64| Spot { x, y, ends: Some((y - 0.1, y + 0.1)), tip: String::new() };
        let dots = [dot(1e-5, 0.0), dot(1e-4, 0.2), dot(1e-3, 0.5)];
        let html = spots("effect by rate", "finetune.learning_rate", &dots, &[(1e-5, 0.0), (1e-4, 0.2), (1e-3, 0.5)]).to_string();
        let places: Vec<f64> = html
            .split("class=\"dot\" cx=\"")
            .skip(1)
            .take(3)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!(((places[1] - places[0]) - (places[2] - places[1])).abs() < 0.5, "{places:?}");
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }
}
