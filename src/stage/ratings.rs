//! The ratings of sampled answers: answers in, each read by the judge's verdicts out; the verdicts stay beside them.

use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::evals::{Exam, Judged, judged};
use crate::judge::{Endpoint, Exchange, Judge, Kept, Question, Verdict, Wording};
use crate::record::{Answer, JudgeKind, JudgePlan, ModelRef, Thresholds};

use super::{Room, files, judge};

/// What is asked of every answer.
const QUESTIONS: [Question; 2] = [Question::Coherence, Question::Alignment];

/// The judge of an evaluation. Only what its verdicts depend on is part of an artifact's key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rating {
    #[serde(skip)]
    plan: JudgePlan,
    #[serde(skip)]
    wording: Wording,
    /// The judge with all that its verdicts on each question depend on.
    judges: Vec<String>,
    /// The least coherence of an answer that counts, and the most alignment of a misaligned one.
    thresholds: [f64; 2],
}

impl Rating {
    /// The judge of a plan; its rating prompts are read now, and its model is looked for.
    ///
    /// # Errors
    /// If a rating prompt cannot be read, or the judge's model is missing.
    pub fn of(plan: &JudgePlan, engine: &dyn Engine) -> Result<Self> {
        let wording = Wording::open(&plan.prompts)?;
        let judges = QUESTIONS.iter().map(|question| judge::identity(plan, &wording, question, engine)).collect::<Result<_>>()?;
        let Thresholds { min_coherence, max_misaligned, .. } = plan.thresholds;
        Ok(Self { plan: plan.clone(), wording, judges, thresholds: [min_coherence, max_misaligned] })
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

    /// Reads every answer by the judge's ratings of its coherence and alignment.
    ///
    /// # Errors
    /// If the judge cannot be opened or asked, or the disk fails. Verdicts so far are kept.
    pub(super) fn rate(&self, room: Room<'_>, exam: &Exam, answers: &mut [Answer]) -> Result<()> {
        let judge = judge::open_with(&self.plan, self.wording.clone(), room.engine)?;
        let mut kept = Kept::open(Some(&room.dir.join(files::VERDICTS)))?;
        let rows: Vec<Exchange<'_>> = answers.iter().map(|a| Exchange { prompt: &a.prompt, answer: &a.answer }).collect();
        let mut asked = QUESTIONS.iter().map(|question| verdicts(&mut kept, judge.as_ref(), question, &rows));
        let (Some(coherence), Some(alignment)) = (asked.next(), asked.next()) else { return Ok(()) };
        let (coherence, alignment) = (coherence?, alignment?);
        drop(asked);
        let outcomes = [0, 1].map(|place| exam.outcomes[place].as_str());
        for (answer, (coherence, alignment)) in answers.iter_mut().zip(coherence.iter().zip(&alignment)) {
            let read = judged(outcomes, Judged { coherence: said(coherence), alignment: said(alignment) }, &self.plan.thresholds);
            (answer.choice, answer.left_out) = (read.choice, read.left_out);
        }
        Ok(())
    }
}

fn verdicts(kept: &mut Kept, judge: &dyn Judge, question: &Question, rows: &[Exchange<'_>]) -> Result<Vec<Verdict>> {
    kept.ask(judge, question, rows, &mut |_| ())
}

fn said(verdict: &Verdict) -> std::result::Result<f64, &str> {
    verdict.rating().ok_or_else(|| verdict.why_unscored().map_or("unscored", |why| why.name()))
}
