//! The evaluations of an outcome by arm, seed and base: what the numbers of the report are read from.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::evals;
use crate::record::{Arm, ArmEvaluation, Evaluation, Interval, ModelRef, Outcome, Plan, SeedValue, Suite};
use crate::tool::statistics::{Ends, Paired, Sample, normal_quantile};

/// A smaller share of answers that count is hardly any.
const HARDLY_ANY: f64 = 0.05;

/// Which number of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// The share of sampled answers that choose the target first.
    Rate,
    /// The target's exact probability.
    Probability,
    /// The same over the held-out questions.
    HeldOut,
}

/// An outcome and the target's place in its category.
pub(super) struct Found<'a> {
    pub(super) plan: &'a Plan,
    /// What an answer may come to.
    pub(super) outcomes: &'a [String],
    /// The place of the outcome whose rate is told.
    pub(super) target: usize,
    evaluations: Vec<&'a ArmEvaluation>,
}

/// One seed of one arm: its evaluations (several in the cross-model arm), each with that of the base it started from.
pub(super) struct Replicate<'a> {
    pub(super) seed: u64,
    pub(super) models: Vec<Asked<'a>>,
}

/// One model's evaluation, and that of its own base in the same seed where the base was asked.
pub(super) struct Asked<'a> {
    pub(super) model: &'a ModelRef,
    pub(super) evaluation: &'a Evaluation,
    pub(super) own_base: Option<&'a Evaluation>,
}

impl<'a> Found<'a> {
    /// The evaluations of one suite, every one of which can be read; nothing where none was made.
    ///
    /// # Errors
    /// If the target is none of the suite's outcomes, or an evaluation does not fit them or holds no answers.
    pub(super) fn new(outcome: &'a Outcome, suite: Suite) -> Result<Option<Self>> {
        let plan = &outcome.plan;
        let evaluations: Vec<&ArmEvaluation> = outcome.evaluations.iter().filter(|e| e.evaluation.suite == suite).collect();
        let Some(outcomes) = evaluations.first().map(|first| first.evaluation.outcomes.as_slice()) else { return Ok(None) };
        let wanted = evals::outcome_of(suite, plan);
        let target = outcomes
            .iter()
            .position(|outcome| outcome == wanted)
            .ok_or_else(|| Error::input(format!("`{wanted}` is none of the outcomes of the suite `{suite}`")))?;
        let confidence = plan.statistics.confidence;
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(Error::input(format!("`statistics.confidence` is {confidence}, expected a number between 0 and 1")));
        }
        for asked in &evaluations {
            check(asked, outcomes.len())?;
        }
        Ok(Some(Self { plan, outcomes, target, evaluations }))
    }

    /// The evaluation of one model in one arm and seed.
    fn one(&self, arm: Arm, seed: u64, model: &ModelRef) -> Option<&'a Evaluation> {
        let wanted = |e: &&&'a ArmEvaluation| e.arm == arm && e.seed == seed && e.model == *model;
        self.evaluations.iter().find(wanted).map(|e| &e.evaluation)
    }

    /// How many questions each model was asked.
    pub(super) fn questions(&self) -> usize {
        self.evaluations.first().map_or(0, |asked| asked.evaluation.questions)
    }

    /// The outcome's probability under blind guessing.
    pub(super) fn chance(&self) -> f64 {
        let suite = self.evaluations.first().map(|asked| asked.evaluation.suite);
        suite.map_or(0.0, |suite| suite.chance(self.outcomes.len()))
    }

    /// The arms of whose sampled answers hardly any counts: each with how many do, and why the others do not.
    pub(super) fn hardly_any(&self) -> Vec<(Arm, usize, BTreeMap<String, usize>)> {
        let of = |arm: Arm| {
            let (mut counted, mut out) = (0, BTreeMap::new());
            for Evaluation { answers, left_out, .. } in self.evaluations.iter().filter(|e| e.arm == arm).map(|e| &e.evaluation) {
                counted += answers;
                for (why, n) in left_out {
                    *out.entry(why.clone()).or_default() += n;
                }
            }
            let all = counted + out.values().sum::<usize>();
            ((counted as f64) < HARDLY_ANY * all as f64).then_some((arm, counted, out))
        };
        Arm::ALL.into_iter().filter_map(of).collect()
    }

    /// The bases that an arm's models start from.
    pub(super) fn bases(&self, arm: Arm) -> &'a [ModelRef] {
        match arm {
            Arm::CrossModel => &self.plan.model.cross,
            _ => std::slice::from_ref(&self.plan.model.base),
        }
    }

    /// The seeds of an arm that were asked, in the plan's order, on these bases.
    pub(super) fn replicates(&self, arm: Arm, bases: &'a [ModelRef]) -> Vec<Replicate<'a>> {
        let asked = |seed: u64, model: &'a ModelRef| {
            let evaluation = self.one(arm, seed, model)?;
            Some(Asked { model, evaluation, own_base: self.one(Arm::Base, seed, model) })
        };
        let replicate = |&seed: &u64| Replicate { seed, models: bases.iter().filter_map(|m| asked(seed, m)).collect() };
        self.plan.seeds.iter().map(replicate).filter(|r| !r.models.is_empty()).collect()
    }

    /// The target's value in one evaluation.
    pub(super) fn value(&self, evaluation: &Evaluation, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Rate => evaluation.rate(self.target), // none where every answer was left out, for reasons that are told
            Quantity::Probability => evaluation.probability.get(self.target).copied(),
            Quantity::HeldOut => evaluation.probability_held_out.as_ref().map(|p| p[self.target]),
        }
    }

    /// The mean over several evaluations of one seed; absent where one of them lacks the quantity, or there is none.
    pub(super) fn pooled(&self, seed: u64, evaluations: &[&Evaluation], quantity: Quantity) -> Option<SeedValue> {
        let values: Vec<f64> = evaluations.iter().map(|e| self.value(e, quantity)).collect::<Option<_>>()?;
        let answers = if quantity == Quantity::Rate { evaluations.iter().map(|e| e.answers).sum() } else { 0 };
        (!values.is_empty()).then(|| SeedValue { seed, value: values.iter().sum::<f64>() / values.len() as f64, answers })
    }
}

fn check(asked: &ArmEvaluation, members: usize) -> Result<()> {
    let evaluation = &asked.evaluation;
    let exact = Some(&evaluation.probability).filter(|p| !p.is_empty());
    let lengths = std::iter::once(evaluation.chosen.len())
        .chain(exact.into_iter().chain(&evaluation.probability_held_out).map(Vec::len))
        .collect::<Vec<_>>();
    let place = || format!("the evaluation of arm `{}`, seed {}, model `{}`", asked.arm, asked.seed, asked.model);
    if lengths.iter().any(|l| *l != members) {
        return Err(Error::input(format!("{} counts {lengths:?} members, expected {members}", place())));
    }
    if evaluation.answers == 0 && evaluation.left_out.is_empty() {
        let error = Error::input(format!("{} holds no sampled answers", place()));
        return Err(error.hint("set `evaluate.samples_per_question` to at least 1"));
    }
    Ok(())
}

/// The mean of one arm's values with its t interval, cut to 0 to 1, where every such value lies.
pub(super) fn share_interval(by_seed: Vec<SeedValue>, confidence: f64) -> Result<Interval> {
    let sample = Sample::new(by_seed.iter().map(|s| s.value).collect())?;
    let ends = ends_of(&sample, &[&by_seed], confidence).map(|e| Ends { low: e.low.max(0.0), high: e.high.min(1.0) });
    Ok(interval(&sample, ends, by_seed))
}

/// The mean paired difference of two arms' values with its t interval.
pub(super) fn difference_interval(first: &[SeedValue], second: &[SeedValue], confidence: f64) -> Result<Interval> {
    let differences = paired(first, second)?.differences();
    let ends = ends_of(&differences, &[first, second], confidence);
    let by_seed = differences
        .values()
        .iter()
        .zip(first.iter().zip(second))
        .map(|(&value, (a, b))| SeedValue { seed: a.seed, value, answers: a.answers.min(b.answers) })
        .collect();
    Ok(interval(&differences, ends, by_seed))
}

/// Two arms' values as pairs; they must name the same seeds.
pub(super) fn paired(first: &[SeedValue], second: &[SeedValue]) -> Result<Paired> {
    debug_assert!(first.iter().map(|s| s.seed).eq(second.iter().map(|s| s.seed)), "pairs share their seeds");
    let pairs: Vec<(f64, f64)> = first.iter().zip(second).map(|(a, b)| (a.value, b.value)).collect();
    Paired::new(&pairs)
}

fn interval(sample: &Sample, ends: Option<Ends>, by_seed: Vec<SeedValue>) -> Interval {
    Interval { mean: sample.mean(), low: ends.map(|e| e.low), high: ends.map(|e| e.high), n: sample.n(), by_seed }
}

/// The t interval; where all seeds agree to the last digit it would be a point, however few answers each seed has, so its
/// width then comes from the answers.
fn ends_of(sample: &Sample, arms: &[&[SeedValue]], confidence: f64) -> Option<Ends> {
    let ends = sample.t_interval(confidence)?;
    if sample.sd() != Some(0.0) {
        return Some(ends);
    }
    let variance: f64 = arms.iter().flat_map(|arm| arm.iter()).map(counting_variance).sum();
    let half = normal_quantile(confidence) * variance.sqrt() / sample.n() as f64;
    Some(Ends { low: sample.mean() - half, high: sample.mean() + half })
}

/// The variance of a rate from so many answers, with one success and one failure added so that 0 of 10 is not certainty;
/// 0 where the value is exact.
fn counting_variance(seed: &SeedValue) -> f64 {
    if seed.answers == 0 {
        return 0.0;
    }
    let answers = seed.answers as f64;
    let p = (seed.value * answers + 1.0) / (answers + 2.0);
    p * (1.0 - p) / answers
}
