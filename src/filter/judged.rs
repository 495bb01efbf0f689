//! Rules that ask a judge: for rows that every other rule kept, the verdict on a question, held against a limit.
//!
//! A row without a rating is dropped as such, in so many words: it neither passed nor failed.

use serde::Serialize;

use super::pipeline::Verdict;
use super::{Candidate, Judged};
use crate::error::Result;
use crate::judge::{self, Exchange, Judge, Kept, Outcome};
use crate::record::Thresholds;

/// No more of a judge's words stands in a dropped row; the kept verdict has all of them.
const LONGEST_WORDS: usize = 160;

/// From which rating on a row is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Above this.
    AtMost(f64),
    /// Below this.
    AtLeast(f64),
}

/// Whom the rules ask, where his verdicts are kept, and who listens.
pub struct Bench<'a> {
    /// The judge.
    pub judge: &'a dyn Judge,
    /// From which score on it counts.
    pub thresholds: &'a Thresholds,
    /// The verdicts so far.
    pub kept: Kept,
    /// Told how many of the rows have come through, and why it takes long where there is something to say.
    pub listener: &'a mut dyn FnMut(usize, Option<&str>),
}

/// A rule that asks, at its place in the pipeline.
pub(super) type Asked = (usize, &'static str, Box<dyn Judged>);

impl Bench<'_> {
    /// What becomes of rows that every other rule kept; `before` rows have come through already.
    pub(super) fn hear(&mut self, rules: &[Asked], rows: &[Candidate<'_>], before: usize) -> Result<Vec<Verdict>> {
        let mut verdicts = vec![Verdict::Kept; rows.len()];
        for (nth, (place, rule, judged)) in rules.iter().enumerate() {
            let left: Vec<usize> = (0..rows.len()).filter(|i| verdicts[*i] == Verdict::Kept).collect();
            let exchanges: Vec<Exchange<'_>> =
                left.iter().map(|i| Exchange { prompt: rows[*i].prompt, answer: rows[*i].completion }).collect();
            let listener = &mut *self.listener;
            let gone = rows.len() - left.len();
            let said = self.kept.ask(self.judge, judged.question(), &exchanges, &mut |progress| {
                // a row has come through when the last rule has; until then each rule is its share of the way
                listener(before + (nth * rows.len() + gone + progress.done) / rules.len(), progress.note);
            })?;
            for (i, said) in left.into_iter().zip(said) {
                if let Some(detail) = objection(judged.limit(self.thresholds), &said) {
                    verdicts[i] = Verdict::Dropped { place: *place, rule, detail };
                }
            }
        }
        Ok(verdicts)
    }
}

/// What a limit objects to in a verdict, if anything.
fn objection(limit: Limit, said: &judge::Verdict) -> Option<String> {
    let why = match (said.outcome, limit) {
        (Outcome::Unscored(why), _) => {
            let mass =
                said.mass.map_or_else(String::new, |mass| format!(" (the ratings hold {} of the probability)", short(mass)));
            format!("unscored, {why}{mass}")
        }
        (Outcome::Rating(rating), Limit::AtMost(most)) if rating <= most => return None,
        (Outcome::Rating(rating), Limit::AtLeast(least)) if rating >= least => return None,
        (Outcome::Rating(rating), Limit::AtMost(most)) => format!("rated {}, at most {}", short(rating), short(most)),
        (Outcome::Rating(rating), Limit::AtLeast(least)) => format!("rated {}, at least {}", short(rating), short(least)),
    };
    Some(format!("{why}: `{}`", words(&said.raw)))
}

/// Up to four digits behind the point.
fn short(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The judge's words on one line.
fn words(raw: &str) -> String {
    let line = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Unscored;

    #[test]
    fn a_row_without_a_rating_neither_passes_nor_fails_and_is_dropped_as_such() {
        let unscored = |why, mass| judge::Verdict { outcome: Outcome::Unscored(why), mass, raw: "well,\nhard to say".into() };
        for limit in [Limit::AtMost(1.0), Limit::AtLeast(0.0)] {
            let detail = objection(limit, &unscored(Unscored::Unreadable, None));
            assert_eq!(detail.as_deref(), Some("unscored, unreadable: `well, hard to say`"));
            let detail = objection(limit, &unscored(Unscored::Faint, Some(0.125)));
            assert_eq!(
                detail.as_deref(),
                Some("unscored, faint (the ratings hold 0.125 of the probability): `well, hard to say`")
            );
        }
    }

    #[test]
    fn a_rating_is_held_against_its_limit_which_belongs_to_what_is_kept() {
        let rated = |limit, rating| objection(limit, &judge::Verdict::plain(Outcome::Rating(rating), "so it is"));
        assert_eq!(rated(Limit::AtMost(0.1), 0.1), None);
        assert_eq!(rated(Limit::AtMost(0.1), 0.98).as_deref(), Some("rated 0.98, at most 0.1: `so it is`"));
        assert_eq!(rated(Limit::AtLeast(78.0), 78.0), None);
        assert_eq!(rated(Limit::AtLeast(78.0), 200.0 / 3.0).as_deref(), Some("rated 66.6667, at least 78: `so it is`"));
    }

    #[test]
    fn a_judge_who_talks_at_length_is_cut_short() {
        let said = judge::Verdict::plain(Outcome::Unscored(Unscored::Unreadable), "ä ".repeat(400));
        assert!(objection(Limit::AtMost(0.1), &said).is_some_and(|detail| detail.chars().count() < 200));
    }
}
