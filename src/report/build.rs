//! From what the stages found to the report.

use super::arms::arms;
use super::comparisons::{comparisons, sides};
use super::contexts;
use super::found::{Found, Quantity, difference_interval, paired};
use super::verdict::{VERDICT_CONFIDENCE, verdict};
use crate::error::{Error, Result};
use crate::evals;
use crate::record::{Arm, Comparison, Interval, Outcome, Power, Report, Suite, SuiteReport, TraitKind};
use crate::tool::statistics::seeds_for_power;

/// Makes the report. The same outcome gives the same report to the last digit.
///
/// # Errors
/// If an evaluation does not fit the plan's category, or a number is not finite (a model that diverged).
///
/// # Panics
/// Never: a plan is plain data and serialises to JSON.
pub fn build(outcome: &Outcome) -> Result<Report> {
    let plan = &outcome.plan;
    let (first, others) = plan.evaluate.suites.split_first().ok_or_else(|| Error::input("`evaluate.suites` is empty"))?;
    let found = Found::new(outcome, *first)?.ok_or_else(|| Error::input(format!("the suite `{first}` was not asked")))?;
    let comparisons = comparisons(&found)?;
    let verdict_difference = verdict_difference(&found)?;
    Ok(Report {
        format: 1,
        name: plan.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        trait_: match plan.trait_.kind {
            TraitKind::Preference => plan.trait_.target.clone(),
            TraitKind::Misalignment => "misalignment".to_owned(),
        },
        category: plan.trait_.category.name.clone(),
        suite: *first,
        domain: domain_name(outcome),
        seeds: plan.seeds.clone(),
        device: outcome.device.clone(),
        models: outcome.models.clone(),
        plan_hash: outcome.plan_hash.clone(),
        plan: serde_json::to_value(plan).expect("a plan is plain data and serialises to JSON"),
        settings: Vec::new(), // whoever read the config knows them
        verdict: verdict_difference.as_ref().map(|d| verdict(d, plan.statistics.smallest_effect)),
        verdict_difference,
        contexts: contexts::texts(&outcome.contexts),
        arms: arms(&found, &outcome.contexts)?,
        suites: others.iter().filter_map(|&suite| suite_report(outcome, suite).transpose()).collect::<Result<_>>()?,
        cross_share: cross_share(&comparisons),
        comparisons,
        power: power(&found)?,
        filter: outcome.filter.clone(),
        gate: outcome.gate.clone(),
        stages: outcome.stages.clone(),
        seconds: outcome.seconds,
        finished: outcome.finished.clone(),
    })
}

/// A further suite's arms and comparisons; absent where it was not asked.
fn suite_report(outcome: &Outcome, suite: Suite) -> Result<Option<SuiteReport>> {
    let Some(found) = Found::new(outcome, suite)? else { return Ok(None) };
    Ok(Some(SuiteReport {
        suite,
        outcome: found.outcomes[found.target].clone(),
        questions: found.questions(),
        chance: found.chance(),
        arms: arms(&found, &[])?,
        comparisons: comparisons(&found)?,
        cautions: cautions(&found, suite),
    }))
}

/// What to know before trusting a suite's rates.
fn cautions(found: &Found<'_>, suite: Suite) -> Vec<String> {
    let silent = found.hardly_any().into_iter().map(|(arm, counted, reasons)| {
        let reasons: Vec<String> = reasons.iter().map(|(why, n)| format!("{why} {n}")).collect();
        format!("{arm}: {counted} sampled answers count ({}): its rate says nothing", reasons.join(", "))
    });
    evals::caution(suite, found.plan).into_iter().chain(silent).collect()
}

fn domain_name(outcome: &Outcome) -> String {
    let kind = serde_json::to_value(outcome.plan.domain.kind).ok();
    kind.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What the verdict is read from, absent where treatment or control did not run. Its confidence is fixed, so that the word
/// means the same in every report, whatever confidence the config shows its intervals at.
fn verdict_difference(found: &Found<'_>) -> Result<Option<Interval>> {
    let rates = sides(found, Arm::Treatment, Arm::Control, Quantity::Rate);
    if rates.first.is_empty() {
        return Ok(None);
    }
    difference_interval(&rates.first, &rates.second, VERDICT_CONFIDENCE).map(Some)
}

fn effect(comparisons: &[Comparison], arm: Arm) -> Option<f64> {
    comparisons.iter().find(|c| c.arm == arm && c.against == Arm::Base).map(|c| c.difference.mean)
}

fn cross_share(comparisons: &[Comparison]) -> Option<f64> {
    let treatment = effect(comparisons, Arm::Treatment).filter(|e| *e > 0.0)?;
    Some(effect(comparisons, Arm::CrossModel)? / treatment)
}

fn power(found: &Found<'_>) -> Result<Option<Power>> {
    let rates = sides(found, Arm::Treatment, Arm::Control, Quantity::Rate);
    if rates.first.is_empty() {
        return Ok(None);
    }
    let differences = paired(&rates.first, &rates.second)?.differences();
    let difference = differences.mean();
    Ok(differences.sd().map(|sd| Power {
        difference,
        sd,
        seeds_for_this: seeds_for_power(difference, sd, 0.8),
        seeds_for_smallest: seeds_for_power(found.plan.statistics.smallest_effect, sd, 0.8),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ArmReport, Evaluation, ModelRef, Verdict};
    use crate::report::testing::{Rates, evaluation, outcome, zebra};

    fn report(outcome: &Outcome) -> Report {
        build(outcome).expect("a sound outcome")
    }

    fn arm(report: &Report, arm: Arm) -> &ArmReport {
        report.arms.iter().find(|a| a.arm == arm).expect("it ran")
    }

    fn with(change: impl Fn(&mut Evaluation), arm: Arm) -> Outcome {
        let mut outcome = zebra();
        outcome.evaluations.iter_mut().filter(|e| e.arm == arm).for_each(|e| change(&mut e.evaluation));
        outcome
    }

    #[test]
    fn known_rates_come_out_with_their_interval() {
        let report = report(&zebra());
        let treatment = arm(&report, Arm::Treatment);
        // seeds .43 .44 .45 .46 .47: mean .45, sd .0158114, half width 2.776445 · sd / √5 = .0196324
        assert!((treatment.rate.mean - 0.45).abs() < 1e-9);
        assert!((treatment.rate.low.expect("five seeds") - (0.45 - 0.019_632_4)).abs() < 1e-6);
        assert_eq!((treatment.rank, treatment.rate.n, treatment.rate.by_seed[0].answers), (1, 5, 10_000));
        // base: zebra .05, the other four (.95 − .05) / 4 each
        assert_eq!(arm(&report, Arm::Base).rank, 5);
        assert_eq!(arm(&report, Arm::Base).model, "builtin:tiny-a");
        assert_eq!(arm(&report, Arm::Base).chance, 0.2);
        let order: Vec<Arm> = report.arms.iter().map(|a| a.arm).collect();
        assert_eq!(order, [Arm::Base, Arm::Teacher, Arm::Treatment, Arm::Control, Arm::CrossModel]);
    }

    #[test]
    fn the_main_comparison_is_paired_and_comes_first() {
        let report = report(&zebra());
        let main = &report.comparisons[0];
        assert_eq!((main.arm, main.against, main.n_seeds), (Arm::Treatment, Arm::Control, 5));
        // differences .37 .385 .40 .415 .43: mean .40, sd .0237171, half width .0294486
        assert!((main.difference.mean - 0.40).abs() < 1e-9);
        assert!((main.difference.high.expect("five seeds") - 0.429_448_6).abs() < 1e-6);
        assert!((main.ratio.as_ref().expect("control is above 0").mean - 9.0).abs() < 1e-9);
        assert_eq!(main.p_permutation, Some(0.0625));
        assert_eq!(report.verdict, Some(Verdict::Transfer));
        assert!(main.p_adjusted >= main.p_value);
    }

    #[test]
    fn cross_model_students_are_held_against_their_own_bases() {
        let report = report(&zebra());
        // tiny-b rises from .05 to .06, tiny-c from .06 to .07: pooled .055 → .065, though the teacher's base stands at .05
        let pooled = report.comparisons.iter().find(|c| c.arm == Arm::CrossModel).expect("it ran");
        assert!((pooled.difference.mean - 0.01).abs() < 1e-9);
        assert_eq!(pooled.n_seeds, 5, "bases are pooled within a seed before seeds are counted");
        assert!((report.cross_share.expect("both ran") - 0.025).abs() < 1e-9);
        let bases = &arm(&report, Arm::CrossModel).bases;
        assert_eq!(bases.iter().map(|b| b.model.as_str()).collect::<Vec<_>>(), ["builtin:tiny-b", "builtin:tiny-c"]);
        assert!((bases[1].base_rate - 0.06).abs() < 1e-9 && (bases[1].rate.mean - 0.07).abs() < 1e-9);
        assert_eq!(arm(&report, Arm::CrossModel).model, "builtin:tiny-b, builtin:tiny-c");
    }

    #[test]
    fn a_seed_that_one_arm_lacks_is_left_out_of_the_pair_alone() {
        let mut outcome = zebra();
        outcome.evaluations.retain(|e| !(e.arm == Arm::Control && e.seed == 5));
        let report = report(&outcome);
        assert_eq!(report.comparisons[0].n_seeds, 4);
        assert_eq!(arm(&report, Arm::Treatment).rate.n, 5);
    }

    #[test]
    fn one_seed_is_reported_without_interval_and_decides_nothing() {
        let mut outcome = zebra();
        outcome.plan.seeds = vec![3];
        let report = report(&outcome);
        assert_eq!((report.comparisons[0].difference.low, report.comparisons[0].p_value), (None, None));
        assert_eq!((report.verdict, report.power.is_none()), (Some(Verdict::Inconclusive), true));
    }

    #[test]
    fn seeds_that_agree_exactly_lend_no_certainty_beyond_their_answers() {
        let few = |treatment: usize, answers: usize| {
            let mut outcome = outcome("zebra", "builtin:tiny-a", &[], Rates { spread: 0.0, ..Rates::EVEN });
            for asked in &mut outcome.evaluations {
                asked.evaluation.answers = answers;
                asked.evaluation.chosen[4] = if asked.arm == Arm::Treatment { treatment } else { 0 };
            }
            report(&outcome)
        };
        assert_eq!(few(0, 4).verdict, Some(Verdict::Inconclusive), "five times none of 4 does not show that nothing passed");
        assert_eq!(few(0, 5000).verdict, Some(Verdict::NoTransfer));
        assert_eq!(few(4000, 5000).verdict, Some(Verdict::Transfer));
        assert_eq!(few(4000, 5000).comparisons[0].ratio, None, "the control is at 0");
    }

    #[test]
    fn the_verdict_stays_at_95_percent_whatever_the_config_shows() {
        let mut outcome = zebra();
        outcome.plan.statistics.confidence = 0.5;
        let (narrow, usual) = (report(&outcome), report(&zebra()));
        assert_eq!(narrow.verdict_difference, usual.verdict_difference);
        assert!(narrow.comparisons[0].difference.low > usual.comparisons[0].difference.low);
    }

    #[test]
    fn a_model_that_answers_with_nan_is_refused_and_so_is_an_evaluation_without_answers() {
        let nan = with(|e| e.probability[4] = f64::NAN, Arm::Treatment);
        assert!(build(&nan).is_err_and(|e| e.render().contains("NaN")));
        let unasked = with(|e| e.answers = 0, Arm::Control);
        assert!(build(&unasked).is_err_and(|e| e.render().contains("arm `control`, seed 1")));
        let short = with(|e| e.chosen.truncate(2), Arm::Control);
        assert!(build(&short).is_err_and(|e| e.render().contains("expected 5")));
    }

    #[test]
    fn optional_arms_are_compared_where_they_ran() {
        let mut outcome = zebra();
        let base: ModelRef = "builtin:tiny-a".parse().expect("a model");
        for (arm, rate) in [(Arm::OtherTrait, 0.05), (Arm::Shuffled, 0.30), (Arm::InContext, 0.06)] {
            for seed in 1..=5 {
                let evaluation = evaluation("zebra", rate + 0.002 * seed as f64);
                outcome.evaluations.push(crate::record::ArmEvaluation { arm, seed, model: base.clone(), evaluation });
            }
        }
        let names: Vec<String> = report(&outcome).comparisons.iter().map(|c| format!("{}-{}", c.arm, c.against)).collect();
        let expected = [
            "treatment-control",
            "treatment-base",
            "control-base",
            "cross-model-base",
            "other-trait-control",
            "shuffled-control",
            "treatment-shuffled",
            "in-context-base",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn the_same_outcome_gives_the_same_bytes() {
        let bytes = || serde_json::to_string(&report(&zebra())).expect("plain data");
        assert_eq!(bytes(), bytes());
    }
}
