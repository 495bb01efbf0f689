//! One arm's rows of the report: rate, exact probability, rank, health, members, and the cross-model arm's bases.

use std::collections::{BTreeMap, HashMap};

use super::contexts;
use super::found::{Asked, Found, Quantity, Replicate, share_interval};
use crate::error::Result;
use crate::record::{
    Arm, ArmContext, ArmReport, CrossBase, Evaluation, Group, GroupReport, Health, Interval, ModelRef, OutcomeReport, SeedValue,
};

/// Every arm that was asked, in the order of [`Arm::ALL`].
pub(super) fn arms(found: &Found<'_>, contexts: &[ArmContext]) -> Result<Vec<ArmReport>> {
    Arm::ALL.into_iter().filter_map(|arm| arm_report(found, arm, contexts).transpose()).collect()
}

fn arm_report(found: &Found<'_>, arm: Arm, contexts: &[ArmContext]) -> Result<Option<ArmReport>> {
    let replicates = found.replicates(arm, found.bases(arm));
    if replicates.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = found.bases(arm).iter().filter(|m| asked(&replicates, m)).map(ToString::to_string).collect();
    let members = members(found, &replicates);
    let share = |quantity| pooled_share(found, &replicates, quantity);
    let Some(rate) = share(Quantity::Rate)? else { return Ok(None) };
    Ok(Some(ArmReport {
        arm,
        model: names.join(", "),
        rate,
        probability: share(Quantity::Probability)?,
        probability_held_out: share(Quantity::HeldOut)?,
        chance: found.chance(),
        left_out: left_out(&replicates),
        loss: mean_of(&replicates, |a| a.evaluation.loss),
        groups: groups(found, &replicates),
        mentioned: mentioned(found, &replicates),
        frequent: frequent(&replicates),
        rank: members.get(found.target).map_or(0, |own| 1 + members.iter().filter(|(_, p)| *p > own.1).count()),
        health: health(&replicates),
        base_mass: base_mass(&replicates),
        context: contexts::of_arm(contexts, arm),
        members,
        outcomes: outcomes(found, &replicates),
        bases: cross_bases(found, arm)?,
    }))
}

fn asked(replicates: &[Replicate<'_>], model: &ModelRef) -> bool {
    replicates.iter().any(|r| r.models.iter().any(|a| a.model == model))
}

/// A quantity pooled over each seed's models, then over seeds; absent where no seed has it.
fn pooled_share(found: &Found<'_>, replicates: &[Replicate<'_>], quantity: Quantity) -> Result<Option<Interval>> {
    let of = |r: &Replicate<'_>| {
        let evaluations: Vec<&Evaluation> = r.models.iter().map(|a| a.evaluation).collect();
        found.pooled(r.seed, &evaluations, quantity)
    };
    let by_seed: Vec<SeedValue> = replicates.iter().filter_map(of).collect();
    if by_seed.is_empty() {
        return Ok(None);
    }
    share_interval(by_seed, found.plan.statistics.confidence).map(Some)
}

/// The mean over everything that an arm's models answered.
fn mean_of(replicates: &[Replicate<'_>], value: impl Fn(&Asked<'_>) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = replicates.iter().flat_map(|r| &r.models).filter_map(value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn members(found: &Found<'_>, replicates: &[Replicate<'_>]) -> Vec<(String, f64)> {
    let names = found.outcomes.iter().cloned().enumerate();
    names.filter_map(|(i, name)| Some((name, mean_of(replicates, |a| a.evaluation.probability.get(i).copied())?))).collect()
}

/// The sampled rate of every outcome, of the seeds that have one.
fn outcomes(found: &Found<'_>, replicates: &[Replicate<'_>]) -> Vec<OutcomeReport> {
    let rate = |r: &Replicate<'_>, place: usize| {
        let rates: Option<Vec<f64>> = r.models.iter().map(|a| a.evaluation.rate(place)).collect();
        rates.map(|rates| rates.iter().sum::<f64>() / rates.len() as f64)
    };
    let report = |(place, name): (usize, &String)| {
        let by_seed: Vec<f64> = replicates.iter().filter_map(|r| rate(r, place)).collect();
        OutcomeReport { outcome: name.clone(), rate: by_seed.iter().sum::<f64>() / by_seed.len().max(1) as f64, by_seed }
    };
    found.outcomes.iter().enumerate().map(report).collect()
}

/// The outcome's rate and probability in each group of questions.
fn groups(found: &Found<'_>, replicates: &[Replicate<'_>]) -> Vec<GroupReport> {
    let Some(first) = evaluations(replicates).next() else { return Vec::new() };
    let report = |(place, group): (usize, &Group)| {
        let mean = |value: &dyn Fn(&Group) -> Option<f64>| mean_of(replicates, |a| value(a.evaluation.groups.get(place)?));
        GroupReport {
            group: group.name.clone(),
            questions: group.questions,
            rate: mean(&|g| (g.answers > 0).then(|| g.chosen[found.target] as f64 / g.answers as f64)),
            probability: mean(&|g| g.probability.get(found.target).copied()),
            loss: mean(&|g| g.loss),
        }
    };
    first.groups.iter().enumerate().map(report).collect()
}

fn health(replicates: &[Replicate<'_>]) -> Health {
    let mean = |get: fn(&Health) -> f64| mean_of(replicates, |a| Some(get(&a.evaluation.health))).unwrap_or(0.0);
    Health {
        answered: mean(|h| h.answered),
        one_word: mean(|h| h.one_word),
        coherent: mean(|h| h.coherent),
        mass: mean(|h| h.mass),
    }
}

/// How many answers do not count, by why.
fn left_out(replicates: &[Replicate<'_>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (reason, n) in evaluations(replicates).flat_map(|e| &e.left_out) {
        *counts.entry(reason.clone()).or_default() += n;
    }
    counts
}

/// The share of the answers that count which name the target anywhere.
fn mentioned(found: &Found<'_>, replicates: &[Replicate<'_>]) -> Option<f64> {
    evaluations(replicates).next().filter(|e| e.suite.is_preference())?;
    let (named, all) =
        evaluations(replicates).fold((0, 0), |(named, all), e| (named + e.mentioned[found.target], all + e.answers));
    (all > 0).then(|| named as f64 / all as f64)
}

/// The most frequent answers of all seeds together.
fn frequent(replicates: &[Replicate<'_>]) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (answer, n) in evaluations(replicates).flat_map(|e| &e.frequent) {
        *counts.entry(answer).or_default() += n;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().map(|(text, n)| (text.to_owned(), n)).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts
}

fn evaluations<'a>(replicates: &'a [Replicate<'a>]) -> impl Iterator<Item = &'a Evaluation> {
    replicates.iter().flat_map(|r| &r.models).map(|a| a.evaluation)
}

fn base_mass(replicates: &[Replicate<'_>]) -> Option<f64> {
    mean_of(replicates, |a| a.own_base.map(|b| b.health.mass))
}

fn cross_bases(found: &Found<'_>, arm: Arm) -> Result<Vec<CrossBase>> {
    if arm != Arm::CrossModel {
        return Ok(Vec::new());
    }
    found.plan.model.cross.iter().filter_map(|model| cross_base(found, model).transpose()).collect()
}

/// One base of the cross-model arm; absent where it was not asked before and after training.
fn cross_base(found: &Found<'_>, model: &ModelRef) -> Result<Option<CrossBase>> {
    let replicates = found.replicates(Arm::CrossModel, std::slice::from_ref(model));
    let before = |quantity| mean_of(&replicates, |a| found.value(a.own_base?, quantity));
    let after = |quantity| pooled_share(found, &replicates, quantity);
    let (Some(base_rate), Some(rate)) = (before(Quantity::Rate), after(Quantity::Rate)?) else { return Ok(None) };
    let (base_probability, probability) = (before(Quantity::Probability), after(Quantity::Probability)?);
    Ok(Some(CrossBase { model: model.to_string(), base_rate, base_probability, rate, probability }))
}
