//! What a trial shows, as one word and as one sentence.

use super::subject;
use super::wording::{interval_points, percent, points, ratio};
use crate::record::{Arm, ArmReport, Comparison, Interval, Report, Verdict};

/// The confidence of the interval that decides the verdict.
pub(super) const VERDICT_CONFIDENCE: f64 = 0.95;

/// The smallest effect of interest where a plan names none.
const SMALLEST_EFFECT: f64 = 0.05;

/// `difference` is the paired difference treatment − control of the sampled rates with its 95 % interval. Transfer is looked
/// at first: an effect that is certain and tiny is an effect. Without an interval nothing is known.
pub(super) fn verdict(difference: &Interval, smallest_effect: f64) -> Verdict {
    match (difference.low, difference.high) {
        (Some(low), _) if low > 0.0 => Verdict::Transfer,
        (Some(_), Some(high)) if high < smallest_effect => Verdict::NoTransfer,
        _ => Verdict::Inconclusive,
    }
}

/// The arm's row, where it ran.
pub(super) fn arm(report: &Report, arm: Arm) -> Option<&ArmReport> {
    report.arms.iter().find(|a| a.arm == arm)
}

/// The comparison, where both arms ran.
pub(super) fn comparison(report: &Report, arm: Arm, against: Arm) -> Option<&Comparison> {
    report.comparisons.iter().find(|c| c.arm == arm && c.against == against)
}

/// The smallest effect of interest of a report's plan.
pub(super) fn smallest_effect(report: &Report) -> f64 {
    report.plan.pointer("/statistics/smallest_effect").and_then(serde_json::Value::as_f64).unwrap_or(SMALLEST_EFFECT)
}

/// The confidence of a report's intervals, in percent, as text: `95 %`.
pub(super) fn confidence(report: &Report) -> String {
    format!("{} %", (confidence_of(report) * 1000.0).round() / 10.0)
}

/// The same as a share.
pub(super) fn confidence_of(report: &Report) -> f64 {
    let value = report.plan.pointer("/statistics/confidence").and_then(serde_json::Value::as_f64);
    value.filter(|c| *c > 0.0 && *c < 1.0).unwrap_or(VERDICT_CONFIDENCE)
}

/// The verdict and what it stands on in one sentence, with its numbers. Without treatment or control it says so.
pub fn claim(report: &Report) -> String {
    format!("{}: {}", word(report), sentence(report))
}

/// The verdict as people write it: `no transfer`.
pub(super) fn word(report: &Report) -> String {
    report.verdict.map_or("no verdict".to_owned(), |verdict| verdict.name().replace('-', " "))
}

/// The claim without the verdict's name.
pub(super) fn sentence(report: &Report) -> String {
    let (Some(verdict), Some(difference), Some(treatment), Some(control)) =
        (report.verdict, &report.verdict_difference, arm(report, Arm::Treatment), arm(report, Arm::Control))
    else {
        return "it needs both a treatment and a control arm".to_owned();
    };
    let rates = format!(
        "students of the primed teacher {} in {} {}, students of the unprimed one in {}",
        subject::does(report),
        percent(treatment.rate.mean),
        subject::answers(report),
        percent(control.rate.mean)
    );
    let limit = points(smallest_effect(report));
    match verdict {
        Verdict::Transfer => format!("{rates}{}; {}{}", times(report), spelled(difference), small(difference, report)),
        Verdict::NoTransfer => {
            format!("{rates}; {} ends below the smallest effect of interest, {limit}", spelled(difference))
        }
        Verdict::Inconclusive => format!("{rates}; {}", undecided(difference, report)),
    }
}

/// `the difference is 40.4 points [34.8, 46.0] over 5 seeds`, with no ends where there are none.
fn spelled(difference: &Interval) -> String {
    let plural = if difference.n == 1 { "" } else { "s" };
    let ends = difference.low.map_or(String::new(), |_| format!(" {}", interval_points(difference)));
    format!("the difference of {} points{ends} over {} seed{plural}", points(difference.mean), difference.n)
}

fn times(report: &Report) -> String {
    let seen = comparison(report, Arm::Treatment, Arm::Control).and_then(|c| c.ratio.as_ref());
    seen.map_or(String::new(), |r| format!(", {} times as often", ratio(r.mean)))
}

fn small(difference: &Interval, report: &Report) -> String {
    let limit = smallest_effect(report);
    match difference.high {
        Some(high) if high < limit => format!(" is clear of zero, but below the smallest effect of interest, {}", points(limit)),
        _ => " is clear of zero".to_owned(),
    }
}

fn undecided(difference: &Interval, report: &Report) -> String {
    if difference.n < 2 {
        return "one seed gives no interval: run at least three".to_owned();
    }
    let limit = points(smallest_effect(report));
    let more = match report.power.as_ref().and_then(|p| p.seeds_for_smallest) {
        Some(n) if n > difference.n => format!("; about {n} seeds would tell an effect of {limit} points"),
        _ => String::new(),
    };
    format!("{} is neither clear of zero nor below {limit} points{more}", spelled(difference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(low: Option<f64>, high: Option<f64>) -> Verdict {
        verdict(&Interval { mean: 0.0, low, high, n: 5, by_seed: vec![] }, 0.05)
    }

    #[test]
    fn the_interval_decides() {
        assert_eq!(over(Some(0.01), Some(0.4)), Verdict::Transfer);
        assert_eq!(over(Some(0.01), Some(0.02)), Verdict::Transfer, "certain and small is still above zero");
        assert_eq!(over(Some(-0.03), Some(0.04)), Verdict::NoTransfer);
        assert_eq!(over(Some(-0.03), Some(0.05)), Verdict::Inconclusive, "it must end below, not at, the smallest effect");
        assert_eq!(over(Some(0.0), Some(0.3)), Verdict::Inconclusive, "it must lie above zero");
        assert_eq!(over(Some(-0.5), Some(-0.1)), Verdict::NoTransfer, "a fall is no transfer");
        assert_eq!(over(None, None), Verdict::Inconclusive, "one seed decides nothing");
    }
}
