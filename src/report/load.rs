//! Reads the report of a finished run.

use std::path::Path;

use crate::error::{Error, Result};
use crate::record::Report;
use crate::tool::fs;

/// The name of the report in a run's folder.
const FILE: &str = "report.json";

/// The newest format of `report.json` that is understood.
const FORMAT: u64 = 1;

/// Reads the report of a run: its folder, or the `report.json` itself.
///
/// # Errors
/// If there is no such run, it has no report yet, or the report is not one or of a newer format.
pub fn load(run: &Path) -> Result<Report> {
    if !run.exists() {
        return Err(Error::input(format!("there is no run `{}`", run.display()))
            .hint("`subliminal run CONFIG` puts runs into `runs/NAME`"));
    }
    let path = if run.is_dir() { run.join(FILE) } else { run.to_path_buf() };
    if !path.exists() {
        let error = Error::input(format!("`{}` holds no `{FILE}`", run.display()));
        return Err(
            error.hint("the run is not finished, or this is not a run's folder: run its config again, finished work is kept")
        );
    }
    report(fs::read_json(&path)?, &path)
}

/// The report in a file's JSON; `path` names it in messages.
///
/// # Errors
/// If it is none, or of a newer format.
pub(crate) fn report(value: serde_json::Value, path: &Path) -> Result<Report> {
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(1..=FORMAT) => {}
        Some(other) => {
            let error = Error::input(format!("the report has format {other}, expected {FORMAT}")).at(path, None);
            return Err(error.hint("a newer version of the program wrote it"));
        }
        None => return Err(Error::input("not a report: it has no `format`").at(path, None)),
    }
    serde_json::from_value(value).map_err(|e| Error::input(format!("not a report: {e}")).at(path, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::zebra;

    fn message(folder: &Path) -> String {
        let shown = load(folder).expect_err("not a run").render();
        shown.replace(&folder.display().to_string(), "RUN")
    }

    #[test]
    fn a_written_report_comes_back_as_it_was() -> Result<()> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let report = crate::report::build(&zebra())?;
        fs::write_json(&folder.path().join(FILE), &report)?;
        assert_eq!(load(folder.path())?, report);
        assert_eq!(load(&folder.path().join(FILE))?, report);
        Ok(())
    }

    #[test]
    fn what_is_no_run_is_said_clearly() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let run = folder.path();
        insta::assert_snapshot!(message(&run.join("none")), @r"
        error: there is no run `RUN`
        hint: `subliminal run CONFIG` puts runs into `runs/NAME`
        ");
        insta::assert_snapshot!(message(run), @r"
        error: `RUN` holds no `report.json`
        hint: the run is not finished, or this is not a run's folder: run its config again, finished work is kept
        ");
        std::fs::write(run.join(FILE), "{\"format\": 7}").expect("writable");
        insta::assert_snapshot!(message(run), @r"
        error: RUN/report.json: the report has format 7, expected 1
        hint: a newer version of the program wrote it
        ");
        std::fs::write(run.join(FILE), "[1, 2]").expect("writable");
        insta::assert_snapshot!(message(run), @r"
        error: RUN/report.json: not a report: it has no `format`
        ");
        std::fs::write(run.join(FILE), "{\"format\": 1}").expect("writable");
        insta::assert_snapshot!(message(run), @r"
        error: RUN/report.json: not a report: missing field `name`
        ");
        std::fs::write(run.join(FILE), "{\"format\": 1,\n").expect("writable");
        insta::assert_snapshot!(message(run), @r"
        error: RUN/report.json:2: not the expected JSON: EOF while parsing a value at line 2 column 0
        ");
    }
}
