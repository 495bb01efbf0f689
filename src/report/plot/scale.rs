//! From values to places on a line, with round marks.

use crate::report::wording::{percent, points_with_sign};

/// What a scale's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Unit {
    /// Shares, told in percent.
    Share,
    /// Differences of shares, told in points.
    Points,
    /// Plain numbers.
    Plain,
}

impl Unit {
    /// A round mark's label.
    fn label(self, value: f64) -> String {
        let trim = |text: String| text.replace(".0", "");
        match self {
            Self::Share => trim(percent(value)),
            Self::Points => trim(points_with_sign(value)),
            Self::Plain => plain(value),
        }
    }
}

/// `1000`, `0.5`, `2.25`, `1e-5`: no more digits than the number has.
fn plain(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A stretch of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct Scale {
    low: f64,
    high: f64,
    step: f64,
    unit: Unit,
}

impl Scale {
    /// The least stretch between round marks that holds all of the values; `marks` is how many would look well.
    pub(in crate::report) fn holding(values: impl IntoIterator<Item = f64>, unit: Unit, marks: usize) -> Self {
        let (low, high) = values
            .into_iter()
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let span = (high - low).max(low.abs().max(high.abs()) * 1e-3).max(1e-9);
        let step = round_step(span / marks.max(1) as f64);
        Self { low: (low / step + 1e-9).floor() * step, high: (high / step - 1e-9).ceil() * step, step, unit }.at_least_one_step()
    }

    /// Shares from 0 up to what holds all of them.
    pub(in crate::report) fn shares(values: impl IntoIterator<Item = f64>) -> Self {
        let scale = Self::holding(values.into_iter().chain([0.0, 0.1]), Unit::Share, 5);
        Self { low: scale.low.max(0.0), high: scale.high.min(1.0), ..scale }
    }

    /// From the least to the largest value, with the round marks that lie between.
    pub(in crate::report) fn tight(values: impl IntoIterator<Item = f64>, unit: Unit, marks: usize) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let scale = Self::holding(values.iter().copied(), unit, marks);
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        if high > low { Self { low, high, ..scale } } else { scale }
    }

    fn at_least_one_step(self) -> Self {
        if self.high > self.low { self } else { Self { high: self.low + self.step, ..self } }
    }

    /// Where a value stands, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The round marks with their labels.
    pub(super) fn marks(&self) -> Vec<(f64, String)> {
        let first = (self.low / self.step - 1e-6).ceil();
        let count = (self.high / self.step + 1e-6).floor() - first;
        let mark = |i: usize| {
            let value = (first + i as f64) * self.step;
            let value = if value.abs() < self.step * 1e-6 { 0.0 } else { value };
            (value, self.unit.label(value))
        };
        (0..=count.max(0.0) as usize).map(mark).collect()
    }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= least * 0.999).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.marks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_are_round_and_hold_every_value() {
        assert_eq!(labels(&Scale::shares([0.053, 0.71])), ["0 %", "20 %", "40 %", "60 %", "80 %"]);
        assert_eq!(labels(&Scale::shares([0.01])), ["0 %", "2 %", "4 %", "6 %", "8 %", "10 %"]);
        assert_eq!(labels(&Scale::shares([1.0])).last().expect("marks"), "100 %");
        assert_eq!(labels(&Scale::holding([-0.322, 0.66], Unit::Points, 5)), ["−40", "−20", "0", "+20", "+40", "+60", "+80"]);
        assert_eq!(labels(&Scale::holding([2.96, 3.44], Unit::Plain, 4)), ["2.8", "3", "3.2", "3.4", "3.6"]);
    }

    #[test]
    fn a_tight_scale_ends_where_its_values_do() {
        let scale = Scale::tight([0.0, 47.0], Unit::Plain, 4);
        assert_eq!((labels(&scale), scale.place(47.0)), (vec!["0".to_owned(), "20".to_owned(), "40".to_owned()], 1.0));
    }

    #[test]
    fn odd_values_still_make_a_scale() {
        for values in [vec![], vec![f64::NAN], vec![0.0, 0.0], vec![3.0, 3.0], vec![-1e-12, 1e9]] {
            let scale = Scale::holding(values.clone(), Unit::Plain, 5);
            assert!(scale.high > scale.low && scale.marks().len() < 20, "{values:?} {scale:?}");
            assert!(
                values.iter().filter(|v| v.is_finite()).all(|v| scale.low - 1e-6 <= *v && *v <= scale.high),
                "{values:?} {scale:?}"
            );
        }
    }
}
