//! Differences between arms, paired by seed, with their tests.

use super::found::{Found, Quantity, difference_interval, paired};
use crate::error::Result;
use crate::record::{Arm, Comparison, Evaluation, Interval, SeedValue};
use crate::tool::statistics::{Paired, Resampling, bootstrap_interval, holm, paired_t_test, ratio_interval, sign_flip_test};

/// What is compared with what, in the report's order. Cross-model students are compared with their own bases.
const PAIRS: [(Arm, Arm); 8] = [
    (Arm::Treatment, Arm::Control),
    (Arm::Treatment, Arm::Base),
    (Arm::Control, Arm::Base),
    (Arm::CrossModel, Arm::Base),
    (Arm::OtherTrait, Arm::Control),
    (Arm::Shuffled, Arm::Control),
    (Arm::Treatment, Arm::Shuffled),
    (Arm::InContext, Arm::Base),
];

/// Two arms' values of one quantity, over the seeds that both have.
pub(super) struct Sides {
    pub(super) first: Vec<SeedValue>,
    pub(super) second: Vec<SeedValue>,
}

/// Every comparison whose two arms ran, with p values corrected over all of them.
pub(super) fn comparisons(found: &Found<'_>) -> Result<Vec<Comparison>> {
    let made = PAIRS.into_iter().filter_map(|(arm, against)| compare(found, arm, against).transpose());
    let mut comparisons = made.collect::<Result<Vec<_>>>()?;
    let p_values: Vec<Option<f64>> = comparisons.iter().map(|c| c.p_value).collect();
    for (comparison, adjusted) in comparisons.iter_mut().zip(holm(&p_values)) {
        comparison.p_adjusted = adjusted;
    }
    Ok(comparisons)
}

fn compare(found: &Found<'_>, arm: Arm, against: Arm) -> Result<Option<Comparison>> {
    let statistics = &found.plan.statistics;
    let (rates, exact) = (sides(found, arm, against, Quantity::Rate), sides(found, arm, against, Quantity::Probability));
    if rates.first.is_empty() {
        return Ok(None);
    }
    let pairs = paired(&rates.first, &rates.second)?;
    let differences = pairs.differences();
    let purpose = format!("report {arm} {against}");
    let resampling = Resampling { resamples: statistics.resamples, purpose: &purpose };
    Ok(Some(Comparison {
        arm,
        against,
        difference: difference_interval(&rates.first, &rates.second, statistics.confidence)?,
        bootstrap: bootstrap_interval(&differences, statistics.confidence, resampling).map(|e| [e.low, e.high]),
        probability_difference: (!exact.first.is_empty())
            .then(|| difference_interval(&exact.first, &exact.second, statistics.confidence))
            .transpose()?,
        ratio: ratio(&pairs, &rates, statistics.confidence),
        p_value: paired_t_test(&differences),
        p_permutation: sign_flip_test(&differences, &purpose),
        p_adjusted: None,
        n_seeds: differences.n(),
    }))
}

/// Both arms' values over the seeds that both have.
pub(super) fn sides(found: &Found<'_>, arm: Arm, against: Arm, quantity: Quantity) -> Sides {
    let mut sides = Sides { first: Vec::new(), second: Vec::new() };
    for replicate in found.replicates(arm, found.bases(arm)) {
        let both: Vec<(&Evaluation, &Evaluation)> = match against {
            Arm::Base => replicate.models.iter().filter_map(|a| Some((a.evaluation, a.own_base?))).collect(),
            _ => replicate.models.iter().filter_map(|a| Some((a.evaluation, partner(found, against, replicate.seed)?))).collect(),
        };
        let (first, second): (Vec<_>, Vec<_>) = both.into_iter().unzip();
        let pooled = |evaluations: &[&Evaluation]| found.pooled(replicate.seed, evaluations, quantity);
        if let (Some(a), Some(b)) = (pooled(&first), pooled(&second)) {
            sides.first.push(a);
            sides.second.push(b);
        }
    }
    sides
}

/// The same seed's evaluation in an arm with one model.
fn partner<'a>(found: &Found<'a>, arm: Arm, seed: u64) -> Option<&'a Evaluation> {
    let replicates = found.replicates(arm, found.bases(arm));
    replicates.into_iter().find(|r| r.seed == seed)?.models.first().map(|a| a.evaluation)
}

/// The ratio of the mean rates; its ends are absent where no seed differs from another, so that nothing is known of its spread.
fn ratio(pairs: &Paired, rates: &Sides, confidence: f64) -> Option<Interval> {
    if pairs.second.mean() == 0.0 {
        return None;
    }
    let spread = pairs.first.sd() != Some(0.0) || pairs.second.sd() != Some(0.0);
    let ends = ratio_interval(pairs, confidence).filter(|_| spread);
    let both = rates.first.iter().zip(&rates.second).filter(|(_, b)| b.value > 0.0);
    let by_seed = both.map(|(a, b)| SeedValue { seed: a.seed, value: a.value / b.value, answers: a.answers.min(b.answers) });
    Some(Interval {
        mean: pairs.first.mean() / pairs.second.mean(),
        low: ends.map(|e| e.low),
        high: ends.and_then(|e| e.high),
        n: pairs.first.n(),
        by_seed: by_seed.collect(),
    })
}
