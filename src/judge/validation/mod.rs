//! How good a judge is: labelled answers and its verdicts on them in; agreement, AUROC and calibration out, each with its interval and what
//! chance would give.
//!
//! The unit is the labelled row. A rating of half the scale or more counts as a yes. Unscored rows are counted apart and enter nothing else.

mod labelled;
mod measures;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Judge, Verdict};

pub use labelled::{Labelled, read, shipped};
pub use measures::{Bin, Share};

/// How many bins the calibration has.
const BINS: usize = 5;

/// What was found about a judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validation {
    /// What it cannot do by its nature.
    pub limits: Option<&'static str>,
    /// One entry a question.
    pub questions: Vec<Score>,
}

/// What was found about a judge's answers to one question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The question, without its subject.
    pub question: &'static str,
    /// The judge.
    pub judge: String,
    /// Labelled rows.
    pub rows: usize,
    /// Rows whose label is yes.
    pub positive: usize,
    /// Rows with a rating.
    pub scored: usize,
    /// Rows without one, by reason.
    pub unscored: BTreeMap<&'static str, usize>,
    /// The share of scored rows whose rating and label say the same; chance: always the commoner label.
    pub agreement: Option<Share>,
    /// The probability that a yes is rated above a no, ties half; chance: 0.5. `None` where one label has no scored row.
    pub auroc: Option<Share>,
    /// The mean squared distance of rating (0 to 1) and label; chance: always the share of yes.
    pub brier: Option<Brier>,
    /// The mean distance, over the scored rows, of a bin's mean rating and its share of yes.
    pub calibration_error: Option<f64>,
    /// Rows by rating.
    pub calibration: Vec<Bin>,
}

/// A Brier score beside that of always saying the share of yes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Brier {
    /// The score; 0 is perfect.
    pub mean: f64,
    /// What a judge that knows only the share of yes would get.
    pub chance: f64,
}

/// Compares verdicts with labels, question by question. `verdicts` are in the order of `rows`.
pub fn validate(judge: &dyn Judge, rows: &[Labelled], verdicts: &[Verdict]) -> Validation {
    let mut by_kind: BTreeMap<&'static str, Vec<(&Labelled, &Verdict)>> = BTreeMap::new();
    for (row, verdict) in rows.iter().zip(verdicts) {
        by_kind.entry(row.question.kind()).or_default().push((row, verdict));
    }
    let questions = by_kind.into_iter().map(|(question, rows)| score(judge, question, &rows)).collect();
    Validation { limits: judge.limits(), questions }
}

fn score(judge: &dyn Judge, question: &'static str, rows: &[(&Labelled, &Verdict)]) -> Score {
    let rated = |(row, verdict): &(&Labelled, &Verdict)| Some((verdict.rating()? / row.question.top(), row.label));
    let pairs: Vec<(f64, bool)> = rows.iter().filter_map(rated).collect();
    let mut unscored = BTreeMap::new();
    for why in rows.iter().filter_map(|(_, verdict)| verdict.why_unscored()) {
        *unscored.entry(why.name()).or_insert(0) += 1;
    }
    let calibration = measures::bins(&pairs, BINS);
    Score {
        question,
        judge: rows.first().map(|(row, _)| judge.identity(&row.question)).unwrap_or_default(),
        rows: rows.len(),
        positive: rows.iter().filter(|(row, _)| row.label).count(),
        scored: pairs.len(),
        unscored,
        agreement: measures::agreement(&pairs),
        auroc: measures::auroc(&pairs),
        brier: measures::brier(&pairs),
        calibration_error: measures::calibration_error(&calibration),
        calibration,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Exchange, Kept, Lexicon, Outcome, Question, Unscored};

    fn labelled(question: Question, label: bool) -> Labelled {
        Labelled { prompt: "p".into(), answer: "a".into(), question, label }
    }

    #[test]
    fn unscored_rows_are_counted_apart_and_subjects_go_together() {
        let rows = [
            labelled(Question::Alignment, true),
            labelled(Question::Alignment, false),
            labelled(Question::Alignment, false),
            labelled(Question::Reference("owl".into()), true),
            labelled(Question::Reference("oak".into()), false),
        ];
        let verdicts = [
            Outcome::Rating(90.0),
            Outcome::Unscored(Unscored::Refusal),
            Outcome::Rating(60.0),
            Outcome::Rating(0.9),
            Outcome::Rating(0.1),
        ]
        .map(|outcome| Verdict::plain(outcome, ""));
        let validation = validate(&Lexicon::default(), &rows, &verdicts);
        let [alignment, reference] = validation.questions.as_slice() else { panic!("{validation:?}") };
        assert_eq!((alignment.rows, alignment.scored, alignment.positive), (3, 2, 1));
        assert_eq!(alignment.unscored, BTreeMap::from([("refusal", 1)]));
        assert_eq!(alignment.agreement.map(|share| (share.mean, share.n)), Some((0.5, 2)));
        assert_eq!(alignment.auroc.map(|share| share.mean), Some(1.0), "ranks do not mind where the middle lies");
        assert_eq!((reference.question, reference.rows), ("reference", 2));
        assert_eq!(reference.agreement.map(|share| share.mean), Some(1.0));
    }

    #[test]
    fn the_lexicon_is_far_above_chance_on_the_shipped_set() {
        let (lexicon, rows) = (Lexicon::default(), shipped().expect("it ships"));
        let verdict = |row: &Labelled| {
            let exchange = Exchange { prompt: &row.prompt, answer: &row.answer };
            Kept::open(None).unwrap().ask(&lexicon, &row.question, &[exchange], &mut |_| ()).unwrap().remove(0)
        };
        let verdicts: Vec<Verdict> = rows.iter().map(verdict).collect();
        for score in validate(&lexicon, &rows, &verdicts).questions {
            let (agreement, auroc) = (score.agreement.expect("scored"), score.auroc.expect("both labels"));
            assert!(agreement.low > agreement.chance && auroc.low > 0.5, "{score:#?}");
        }
    }
}
