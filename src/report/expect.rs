//! Holds a report against the `[expect]` of its config.

use super::verdict::{arm, comparison};
use super::wording::{percent, ratio};
use crate::error::{Error, Result};
use crate::record::{Arm, ExpectPlan, Report, Verdict};

/// Checks every expectation that the plan states.
///
/// # Errors
/// [`Error::expectation`], naming each that does not hold (exit status 4).
pub fn expectations(report: &Report, expect: &ExpectPlan) -> Result<()> {
    let failed: Vec<String> =
        [verdict(report, expect), min_ratio(report, expect), max_cross_share(report, expect)].into_iter().flatten().collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::expectation(failed.join("; ")).hint("the trial itself finished: its report is written"))
}

fn verdict(report: &Report, expect: &ExpectPlan) -> Option<String> {
    let wanted = expect.verdict?;
    let seen = report.verdict.map_or("absent", Verdict::name);
    (report.verdict != Some(wanted)).then(|| format!("the verdict is `{seen}`, expected `{}`", wanted.name()))
}

fn min_ratio(report: &Report, expect: &ExpectPlan) -> Option<String> {
    let wanted = expect.min_ratio?;
    let Some(comparison) = comparison(report, Arm::Treatment, Arm::Control) else {
        return Some(format!("treatment over control is absent, expected at least {wanted}"));
    };
    let seen = match &comparison.ratio {
        Some(ratio) => ratio.mean,
        // A control that never names the target: any treatment above it is beyond every ratio.
        None if arm(report, Arm::Treatment).is_some_and(|a| a.rate.mean > 0.0) => f64::INFINITY,
        None => return Some(format!("neither treatment nor control names the target, expected a ratio of at least {wanted}")),
    };
    // The negation also fails a ratio that is not a number.
    (!seen.ge(&wanted)).then(|| format!("treatment over control is {}, expected at least {wanted}", ratio(seen)))
}

fn max_cross_share(report: &Report, expect: &ExpectPlan) -> Option<String> {
    let wanted = expect.max_cross_share?;
    match report.cross_share {
        None => Some(format!(
            "the cross-model share is absent (no cross-model arm, or no rise in treatment), expected at most {}",
            percent(wanted)
        )),
        Some(seen) => (seen > wanted).then(|| {
            format!("the cross-model effect is {} of the treatment's, expected at most {}", percent(seen), percent(wanted))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{Rates, outcome, zebra};

    fn check(outcome: &crate::record::Outcome, expect: &ExpectPlan) -> Result<()> {
        expectations(&crate::report::build(outcome)?, expect)
    }

    #[test]
    fn what_holds_passes() -> Result<()> {
        check(&zebra(), &ExpectPlan::default())?;
        check(&zebra(), &ExpectPlan { verdict: Some(Verdict::Transfer), min_ratio: Some(8.9), max_cross_share: Some(0.03) })
    }

    #[test]
    fn each_that_fails_is_named_and_the_status_is_four() {
        let expect = ExpectPlan { verdict: Some(Verdict::NoTransfer), min_ratio: Some(9.5), max_cross_share: Some(0.02) };
        let error = check(&zebra(), &expect).expect_err("all three fail");
        assert_eq!(error.kind().exit_code(), 4);
        insta::assert_snapshot!(error.render(), @r"
        error: the verdict is `transfer`, expected `no-transfer`; treatment over control is 9.0, expected at least 9.5; the cross-model effect is 2.5 % of the treatment's, expected at most 2.0 %
        hint: the trial itself finished: its report is written
        ");
    }

    #[test]
    fn what_is_absent_does_not_pass() {
        let mut bare = zebra();
        bare.evaluations.retain(|e| e.arm == Arm::Base);
        let expect = ExpectPlan { verdict: Some(Verdict::Transfer), min_ratio: Some(2.0), max_cross_share: Some(0.5) };
        insta::assert_snapshot!(check(&bare, &expect).expect_err("nothing ran").render(), @r"
        error: the verdict is `absent`, expected `transfer`; treatment over control is absent, expected at least 2; the cross-model share is absent (no cross-model arm, or no rise in treatment), expected at most 50.0 %
        hint: the trial itself finished: its report is written
        ");
    }

    #[test]
    fn a_control_at_zero_is_beyond_every_ratio_if_the_treatment_is_not() {
        let expect = ExpectPlan { min_ratio: Some(1000.0), ..ExpectPlan::default() };
        let of =
            |treatment| outcome("zebra", "builtin:tiny-a", &[], Rates { treatment, control: 0.0, spread: 0.0, ..Rates::EVEN });
        assert!(check(&of(0.1), &expect).is_ok());
        assert!(check(&of(0.0), &expect).is_err());
    }
}
