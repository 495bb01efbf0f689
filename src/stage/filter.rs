//! Rows are kept or dropped: `samples.jsonl` in, `kept.jsonl`, `dropped.jsonl` and `counts.json` out.
//!
//! Where a rule asks a judge, each verdict is in `verdicts.jsonl` as soon as it is given, and a restart asks only for the rest; all else it
//! begins anew. Rows pass through in blocks, so that memory does not grow with them, but for some forty bytes a verdict.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::Result;
use crate::filter::{Bench, Files, Limit, Pipeline, count_rows, filter_file, filter_file_asking};
use crate::judge::{Endpoint, Judge, Kept, Wording};
use crate::record::{Category, DomainPlan, FilterPlan, JudgeKind, JudgePlan, ModelRef, Plan, RuleCount};
use crate::tool::fs;

use super::card::DatasetCard;
use super::{Done, Progress, Room, files, judge};

/// Which rows are kept. The whole category's words count as leaks, whatever the target, so that every target shares a control.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The rules.
    pub rules: FilterPlan,
    /// What the rows are.
    pub domain: DomainPlan,
    /// What the trait may be.
    pub category: Category,
    /// Whom rules ask, where one does.
    pub judge: Option<Judging>,
}

/// The judge that rules ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Judging {
    plan: JudgePlan,
    wording: Wording,
    /// What of it bears on the result.
    pub matters: Vec<Matter>,
}

/// A rule that asks a judge, and all that its objections depend on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matter {
    rule: &'static str,
    question: String,
    limit: Limit,
    judge: String,
}

impl Judging {
    /// The judge of a plan, if one of its rules asks it; its rating prompts are read now, and its model is looked for.
    ///
    /// # Errors
    /// If a rule is not known, a rating prompt cannot be read, or the judge's model is missing.
    pub fn of(plan: &Plan, engine: &dyn Engine) -> Result<Option<Self>> {
        let pipeline = Pipeline::build(&plan.filter, &plan.domain, &plan.trait_.category)?;
        if pipeline.judged().next().is_none() {
            return Ok(None);
        }
        let wording = Wording::open(&plan.judge.prompts)?;
        let matter = |(rule, judged): (&'static str, &dyn crate::filter::Judged)| {
            let question = judged.question();
            let judge = judge::identity(&plan.judge, &wording, question, engine)?;
            Ok(Matter { rule, question: question.to_string(), limit: judged.limit(&plan.judge.thresholds), judge })
        };
        let matters = pipeline.judged().map(matter).collect::<Result<_>>()?;
        Ok(Some(Self { plan: plan.judge.clone(), wording, matters }))
    }

    /// The model that is loaded to judge, if one is.
    pub fn model(&self) -> Option<&ModelRef> {
        match &self.plan.who {
            JudgeKind::Local(model) => Some(model),
            JudgeKind::Lexicon | JudgeKind::Endpoint(_) => None,
        }
    }

    /// Fails now where the judge could not be asked later: for want of a server's key.
    ///
    /// # Errors
    /// If a server's address is wrong, or its key is not in its environment variable.
    pub fn check(&self) -> Result<()> {
        match &self.plan.who {
            JudgeKind::Endpoint(plan) => Endpoint::open(plan, self.wording.clone(), self.plan.least_mass).map(drop),
            JudgeKind::Lexicon | JudgeKind::Local(_) => Ok(()),
        }
    }

    fn open(&self, engine: &dyn Engine) -> Result<Box<dyn Judge>> {
        judge::open_with(&self.plan, self.wording.clone(), engine)
    }
}

/// `counts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that came in.
    pub samples: usize,
    /// Rows that every rule kept.
    pub kept: usize,
    /// Rows per rule, in the order of the rules, zeros included.
    pub rules: Vec<RuleCount>,
}

/// Filters the samples in the folder `data`.
///
/// # Errors
/// If a rule is not known, the rows cannot be read, the judge cannot be asked, the disk fails, or the user interrupts.
pub fn run(room: Room<'_>, spec: &Spec, data: &Path) -> Result<Done> {
    let pipeline = Pipeline::build(&spec.rules, &spec.domain, &spec.category)?;
    let (kept, dropped) = (room.dir.join(files::KEPT), room.dir.join(files::DROPPED));
    let rows = Files { rows: &data.join(files::SAMPLES), kept: Some(&kept), dropped: Some(&dropped) };
    let counts = match &spec.judge {
        None => filter_file(&rows, &pipeline)?,
        Some(judging) => {
            let total = count_rows(rows.rows)?;
            let judge = judging.open(room.engine)?;
            let mut bench = Bench {
                judge: judge.as_ref(),
                thresholds: &judging.plan.thresholds,
                kept: Kept::of_one_judge(&room.dir.join(files::VERDICTS))?,
                listener: &mut |done, _| (room.listener)(Progress { done, total, ..Progress::default() }),
            };
            filter_file_asking(&mut bench, &rows, &pipeline)?
        }
    };
    let counts = Counts { samples: counts.samples, kept: counts.kept, rules: counts.rules };
    fs::put_json(&room.dir.join(files::COUNTS), &counts)?;
    DatasetCard { domain: &spec.domain, counts: &counts }.write(room.dir)?;
    (room.listener)(Progress { done: counts.samples, total: counts.samples, ..Progress::default() });
    Ok(Done { rows: counts.samples, tokens: 0 })
}
