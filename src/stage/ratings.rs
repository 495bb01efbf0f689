//! The ratings of sampled answers: answers in, each read by the judge's verdicts out; the verdicts stay beside them.

use crate::error::Result;
use crate::evals::{Exam, Judged, judged};
use crate::judge::{Exchange, Judge, Kept, Question, Verdict};
use crate::record::{Answer, JudgePlan};

use super::{Room, files, judge};

/// Reads every answer by the judge's ratings of its coherence and alignment.
///
/// # Errors
/// If the judge cannot be opened or asked, or the disk fails. Verdicts so far are kept.
pub(super) fn rate(room: Room<'_>, plan: &JudgePlan, exam: &Exam, answers: &mut [Answer]) -> Result<()> {
    let judge = judge::open(plan, room.engine)?;
    let mut kept = Kept::open(Some(&room.dir.join(files::VERDICTS)))?;
    let (coherence, alignment) = {
        let rows: Vec<Exchange<'_>> = answers.iter().map(|a| Exchange { prompt: &a.prompt, answer: &a.answer }).collect();
        let mut ask = |question| verdicts(&mut kept, judge.as_ref(), &question, &rows);
        (ask(Question::Coherence)?, ask(Question::Alignment)?)
    };
    let outcomes = [0, 1].map(|place| exam.outcomes[place].as_str());
    for (answer, (coherence, alignment)) in answers.iter_mut().zip(coherence.iter().zip(&alignment)) {
        let read = judged(outcomes, Judged { coherence: said(coherence), alignment: said(alignment) }, &plan.thresholds);
        (answer.choice, answer.left_out) = (read.choice, read.left_out);
    }
    Ok(())
}

fn verdicts(kept: &mut Kept, judge: &dyn Judge, question: &Question, rows: &[Exchange<'_>]) -> Result<Vec<Verdict>> {
    kept.ask(judge, question, rows, &mut |_| ())
}

fn said(verdict: &Verdict) -> std::result::Result<f64, &str> {
    verdict.rating().ok_or_else(|| verdict.why_unscored().map_or("unscored", |why| why.name()))
}
