//! The page's list of sampled answers by frequency, arm by arm.

use super::html::escape;
use super::wording::count;
use crate::record::{ArmReport, Report};

/// How many answers of an arm the page shows; the report has all.
const SHOWN: usize = 50;

/// Every arm's answers with how often each was given, most frequent first; folded, because they are many.
pub(super) fn frequent(report: &Report) -> String {
    report.arms.iter().filter(|arm| !arm.frequent.is_empty()).map(of_arm).collect()
}

fn of_arm(arm: &ArmReport) -> String {
    let row =
        |(text, n): &(String, usize)| format!("<tr><td>{}</td><td class=\"number\">{}</td></tr>\n", escape(text), count(*n));
    let mut rows: String = arm.frequent.iter().take(SHOWN).map(row).collect();
    if let Some(more @ 1..) = arm.frequent.len().checked_sub(SHOWN) {
        rows += &format!("<tr><td>and {} others, in report.json</td><td></td></tr>\n", count(more));
    }
    format!(
        "<details><summary>{}</summary>\n<div class=\"wide\"><table>\n<tr><th>answer</th><th>times</th></tr>\n{rows}</table></div>\n</details>\n",
        escape(&arm.arm.to_string())
    )
}
