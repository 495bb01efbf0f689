//! Runs side by side as CSV: one line a run, shares and differences as plain numbers, nothing where something did not run.

use super::SideBySide;
use crate::error::{Error, Result};
use crate::record::Interval;

/// The columns before the numbers.
const NAMES: [&str; 8] = ["name", "target", "category", "domain", "model", "seeds", "by", "value"];

/// Columns of a value with its ends.
const INTERVALS: [&str; 6] = ["base", "control", "treatment", "cross_model", "ratio", "difference"];

/// The columns after them.
const LAST: [&str; 4] = ["cross_effect", "p_value", "p_adjusted", "verdict"];

impl SideBySide {
    /// The rows as CSV with a heading.
    ///
    /// # Errors
    /// Never for texts and numbers; the writer's own error else.
    pub fn csv(&self) -> Result<String> {
        let failed = |e: csv::Error| Error::environment("cannot write CSV").because(e);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let ends = INTERVALS.iter().flat_map(|name| ["", "_low", "_high"].map(|end| format!("{name}{end}")));
        let named = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        writer.write_record(named(&NAMES).into_iter().chain(ends).chain(named(&LAST))).map_err(failed)?;
        for row in &self.rows {
            let key = self.by.as_ref().map(|by| by.key.clone()).unwrap_or_default();
            let [name, target, category, domain, model] =
                [&row.name, &row.target, &row.category, &row.domain, &row.model].map(Clone::clone);
            let value = row.value.clone().unwrap_or_default();
            let names = [name, target, category, domain, model, row.n_seeds.to_string(), key, value];
            let intervals =
                [&row.base, &row.control, &row.treatment, &row.cross_model, &row.ratio, &row.difference].map(Option::as_ref);
            let verdict = row.verdict.map(|v| v.name().to_owned()).unwrap_or_default();
            let last = [number(row.cross_effect), number(row.p_value), number(row.p_adjusted), verdict];
            writer.write_record(names.into_iter().chain(intervals.into_iter().flat_map(cells)).chain(last)).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|e| Error::environment("cannot write CSV").because(e.into_error()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn cells(interval: Option<&Interval>) -> [String; 3] {
    let of = |pick: fn(&Interval) -> Option<f64>| number(interval.and_then(pick));
    [of(|i| Some(i.mean)), of(|i| i.low), of(|i| i.high)]
}

fn number(value: Option<f64>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::report::testing::zebra;

    #[test]
    fn every_line_has_every_column_and_what_is_absent_is_empty() {
        let mut report = crate::report::build(&zebra()).expect("a sound outcome");
        report.name = "a \"name\", with a comma".to_owned();
        report.arms.retain(|a| a.arm != crate::record::Arm::CrossModel);
        let text = crate::report::compare(&[report]).csv().unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().unwrap().clone();
        let line = reader.records().next().unwrap().unwrap();
        let cell = |name: &str| line.get(columns.iter().position(|c| c == name).unwrap()).unwrap();
        assert_eq!((columns.len(), line.len()), (30, 30));
        assert_eq!(
            [cell("name"), cell("cross_model"), cell("value"), cell("verdict")],
            ["a \"name\", with a comma", "", "", "transfer"]
        );
        assert!((cell("difference").parse::<f64>().unwrap() - 0.40).abs() < 1e-9);
    }
}
