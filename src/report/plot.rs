//! The page's picture: each arm's rate with its interval and its seeds as dots, as inline SVG that takes its colours from the page.

use super::html::escape;
use super::wording::percent;
use crate::record::{Arm, ArmReport, Report};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 70.0;
const ROW: f64 = 36.0;
const TOP: f64 = 8.0;

/// Rates on a line from 0 to the next ten percent above the highest one.
pub(super) fn rates(report: &Report) -> String {
    let highest = report.arms.iter().flat_map(extents).fold(0.0, f64::max);
    let end = ((highest * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
    let height = TOP + ROW * report.arms.len() as f64 + 26.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"rate of {} by arm, with intervals\">\n",
        escape(&report.trait_)
    );
    svg += &axis(end, TOP + ROW * report.arms.len() as f64);
    for (i, arm) in report.arms.iter().enumerate() {
        svg += &row(arm, TOP + ROW * (i as f64 + 0.5), end);
    }
    svg + "</svg>\n"
}

fn extents(arm: &ArmReport) -> Vec<f64> {
    arm.rate.by_seed.iter().map(|s| s.value).chain(arm.rate.high).chain([arm.rate.mean]).collect()
}

fn x(share: f64, end: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * (share / end).clamp(0.0, 1.0)
}

fn axis(end: f64, bottom: f64) -> String {
    let step = if end <= 0.2 {
        0.05
    } else if end <= 0.5 {
        0.1
    } else {
        0.2
    };
    let ticks = (end / step + 1e-9).floor() as usize;
    let tick = |i: usize| {
        let (at, label) = (x(i as f64 * step, end), (i as f64 * step * 100.0).round());
        format!(
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label} %</text>\n",
            bottom + 18.0
        )
    };
    (0..=ticks).map(tick).collect()
}

fn row(arm: &ArmReport, y: f64, end: f64) -> String {
    let class = if arm.arm == Arm::Treatment { "arm lead" } else { "arm" };
    let mean = x(arm.rate.mean, end);
    let mut svg = format!(
        "<g class=\"{class}\"><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        LEFT - 12.0,
        y + 4.5,
        arm.arm
    );
    svg += &format!(r#"<rect class="bar" x="{LEFT}" y="{:.1}" width="{:.1}" height="13" rx="2"/>"#, y - 8.0, mean - LEFT);
    if let (Some(low), Some(high)) = (arm.rate.low, arm.rate.high) {
        let (low, high, middle, up, down) = (x(low, end), x(high, end), y - 1.5, y - 5.5, y + 2.5);
        svg += &format!(
            r#"<path class="ends" d="M{low:.1} {up:.1}V{down:.1}M{low:.1} {middle:.1}H{high:.1}M{high:.1} {up:.1}V{down:.1}"/>"#
        );
    }
    for seed in &arm.rate.by_seed {
        let title = format!("seed {}: {}", seed.seed, percent(seed.value));
        let (at, below) = (x(seed.value, end), y + 10.0);
        svg += &format!(r#"<circle class="seed" cx="{at:.1}" cy="{below:.1}" r="2.6"><title>{title}</title></circle>"#);
    }
    let right = arm.rate.by_seed.iter().map(|s| s.value).chain(arm.rate.high).fold(arm.rate.mean, f64::max);
    svg += &format!(
        "<text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>\n",
        x(right, end) + 10.0,
        y + 4.5,
        percent(arm.rate.mean)
    );
    svg
}
