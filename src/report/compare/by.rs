//! The key that runs are ordered by, and the mean effect of each of its values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Row;
use crate::error::{Error, Result};
use crate::record::Report;
use crate::report::subject::base;
use crate::tool::statistics::Sample;

/// The confidence of the intervals over runs.
const CONFIDENCE: f64 = 0.95;

/// What the runs are ordered by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct By {
    /// The key.
    pub key: String,
    /// Whether every value is a number, and the order that of numbers.
    pub numeric: bool,
    /// Each value once, in order.
    pub groups: Vec<Group>,
}

/// The runs of one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The value; `–` for runs without the key.
    pub value: String,
    /// How many runs have an effect.
    pub runs: usize,
    /// Their mean treatment − control; absent where none has one.
    pub difference: Option<f64>,
    /// The lower end of its 95 % interval over runs, by Student's t; absent with fewer than two.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

/// The key's value in every run.
pub(super) fn values(reports: &[Report], key: &str) -> Result<Vec<Option<String>>> {
    let values: Vec<Option<String>> = reports.iter().map(|report| value(report, key)).collect();
    if values.iter().any(Option::is_some) {
        return Ok(values);
    }
    let near = reports
        .iter()
        .flat_map(|r| &r.settings)
        .map(|s| s.key.as_str())
        .max_by(|a, b| strsim::jaro_winkler(a, key).total_cmp(&strsim::jaro_winkler(b, key)));
    let hint = near
        .map_or("keys are those of the config, such as `finetune.epochs`".to_owned(), |near| format!("the nearest is `{near}`"));
    Err(Error::input(format!("`--by {key}`: no run has this key")).hint(hint))
}

fn value(report: &Report, key: &str) -> Option<String> {
    match key {
        "target" => return Some(report.trait_.clone()),
        "model" => return Some(base(report).to_owned()),
        "domain" => return Some(report.domain.clone()),
        "name" => return Some(report.name.clone()),
        _ => {}
    }
    if let Some(setting) = report.settings.iter().find(|s| s.key == key) {
        return Some(serde_json::from_str::<String>(&setting.value).unwrap_or_else(|_| setting.value.clone()));
    }
    match report.plan.pointer(&format!("/{}", key.replace('.', "/")))? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// By the values: as numbers where all are, else as texts; runs without a value last. Equal ones stay in the order given.
pub(super) fn sort(runs: &mut [(&Report, Row)]) {
    if numeric(runs.iter().map(|(_, row)| row)) {
        let number = |row: &Row| row.value.as_deref().and_then(number).unwrap_or(f64::INFINITY);
        runs.sort_by(|(_, a), (_, b)| number(a).total_cmp(&number(b)));
    } else {
        runs.sort_by(|(_, a), (_, b)| (a.value.is_none(), &a.value).cmp(&(b.value.is_none(), &b.value)));
    }
}

fn numeric<'a>(rows: impl Iterator<Item = &'a Row>) -> bool {
    rows.filter_map(|r| r.value.as_deref()).all(|v| number(v).is_some())
}

/// A value as a number, if it is one.
pub(in crate::report) fn number(value: &str) -> Option<f64> {
    value.parse().ok().filter(|n: &f64| n.is_finite())
}

impl By {
    /// Groups rows that are in order.
    pub(super) fn of(key: &str, rows: &[Row]) -> Self {
        let groups = rows.chunk_by(|a, b| a.value == b.value).map(Group::of).collect();
        Self { key: key.to_owned(), numeric: numeric(rows.iter()), groups }
    }

    /// Whether a value has several runs, so that its mean says more than its row.
    pub(in crate::report) fn has_means(&self) -> bool {
        self.groups.iter().any(|g| g.runs > 1)
    }
}

impl Group {
    fn of(rows: &[Row]) -> Self {
        let effects: Vec<f64> = rows.iter().filter_map(|r| r.difference.as_ref()).map(|d| d.mean).collect();
        let sample = Sample::new(effects).ok();
        let ends = sample.as_ref().filter(|s| s.n() > 1).and_then(|s| s.t_interval(CONFIDENCE));
        Self {
            value: rows[0].value.clone().unwrap_or_else(|| "–".to_owned()),
            runs: sample.as_ref().map_or(0, Sample::n),
            difference: sample.as_ref().map(Sample::mean),
            low: ends.map(|e| e.low),
            high: ends.map(|e| e.high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SettingReport;
    use crate::report::compare_by;
    use crate::report::testing::{Rates, outcome};

    /// Runs whose treatment's rate grows with the epochs, given out of order.
    fn runs() -> Vec<Report> {
        let run = |(epochs, treatment): (&str, f64)| {
            let outcome = outcome("zebra", "builtin:tiny-a", &[], Rates { treatment, ..Rates::EVEN });
            let mut report = crate::report::build(&outcome).expect("a sound outcome");
            let setting =
                |key: &str, value: &str| SettingReport { key: key.into(), value: value.into(), source: "a.toml:1".into() };
            report.settings = vec![setting("finetune.epochs", epochs), setting("finetune.schedule", "\"linear\"")];
            report
        };
        [("10", 0.65), ("2", 0.25), ("2", 0.15)].map(run).to_vec()
    }

    #[test]
    fn numbers_are_ordered_as_numbers_and_equal_values_are_averaged() {
        let side = compare_by(&runs(), "finetune.epochs").unwrap();
        assert_eq!(side.rows.iter().map(|r| r.value.as_deref().unwrap()).collect::<Vec<_>>(), ["2", "2", "10"]);
        let by = side.by.unwrap();
        assert!(by.numeric && by.has_means());
        let [two, ten] = by.groups.as_slice() else { panic!("{by:?}") };
        assert!((two.difference.unwrap() - 0.15).abs() < 1e-9 && two.runs == 2 && two.low.is_some(), "{two:?}");
        assert!((ten.difference.unwrap() - 0.60).abs() < 1e-9 && ten.low.is_none(), "{ten:?}");
    }

    #[test]
    fn texts_come_without_their_quotes_and_the_plan_is_asked_where_the_config_is_not_known() {
        let mut runs = runs();
        assert_eq!(values(&runs, "finetune.schedule").unwrap()[0].as_deref(), Some("linear"));
        runs[0].settings.clear();
        assert_eq!(values(&runs, "finetune.recipe.epochs").unwrap(), ["3", "3", "3"].map(|n| Some(n.to_owned())));
        assert_eq!(values(&runs, "target").unwrap()[0].as_deref(), Some("zebra"));
        assert_eq!(values(&runs, "finetune.epochs").unwrap()[0], None);
    }

    #[test]
    fn a_key_that_no_run_has_is_an_error_that_names_the_nearest() {
        let error = values(&runs(), "finetune.epoch").unwrap_err().render();
        insta::assert_snapshot!(error, @r"
        error: `--by finetune.epoch`: no run has this key
        hint: the nearest is `finetune.epochs`
        ");
    }
}
