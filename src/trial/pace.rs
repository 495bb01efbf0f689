//! How fast a job goes and how long it will take, from what it tells.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::stage::Progress;

/// A job under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    began: Instant,
    /// What an earlier attempt had done.
    before: usize,
    heard: bool,
}

/// What can be said of a job at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Told {
    /// Rows made, or optimiser steps taken.
    pub(super) done: usize,
    /// How many there will be; 0 where that is not known yet.
    pub(super) total: usize,
    /// Tokens a second since the job began here; 0 where no model runs.
    pub(super) tokens_per_second: f64,
    /// The last optimiser step's loss, nats a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loss: Option<f64>,
    /// Seconds that the rest will take at this pace; absent before the first unit of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seconds_left: Option<f64>,
}

impl Pace {
    /// A job that begins now.
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), before: 0, heard: false }
    }

    /// What a piece of progress means.
    pub(super) fn hear(&mut self, progress: Progress) -> Told {
        if !std::mem::replace(&mut self.heard, true) {
            self.before = progress.done;
        }
        self.told(progress, self.began.elapsed())
    }

    fn told(&self, Progress { done, total, tokens, loss }: Progress, elapsed: Duration) -> Told {
        let seconds = elapsed.as_secs_f64();
        let here = done.saturating_sub(self.before);
        let left = total.saturating_sub(done) as f64;
        Told {
            done,
            total,
            tokens_per_second: if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 },
            loss,
            seconds_left: (here > 0).then(|| seconds * left / here as f64),
        }
    }
}

impl Told {
    /// The loss, the pace and the rest, for people; each where it is known.
    pub(super) fn text(&self) -> String {
        let loss = self.loss.map(|loss| format!("loss {loss:.3}"));
        let pace = (self.tokens_per_second > 0.0).then(|| format!("{:.0} tokens/s", self.tokens_per_second));
        let left = self.seconds_left.filter(|_| self.done < self.total).map(|s| format!("{} left", duration(s)));
        [loss, pace, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: usize, done: usize, loss: Option<f64>, seconds: u64) -> Told {
        let pace = Pace { before, heard: true, ..Pace::new() };
        pace.told(Progress { done, total: 1000, tokens: 20 * (done - before), loss }, Duration::from_secs(seconds))
    }

    #[test]
    fn the_rest_is_told_by_the_pace_of_this_attempt() {
        assert_eq!(told(0, 250, None, 60).text(), "83 tokens/s, 3 min 00 s left");
        assert_eq!(told(500, 750, Some(2.3456), 5).text(), "loss 2.346, 1000 tokens/s, 5 s left");
        assert_eq!(told(500, 500, None, 5).text(), "", "nothing is known before the first unit of work");
        assert_eq!(told(0, 1000, None, 10).text(), "2000 tokens/s", "nothing is left");
        assert_eq!(told(0, 1, None, 60).seconds_left.map(duration).as_deref(), Some("16 h 39 min"));
    }

    #[test]
    fn what_an_earlier_attempt_had_done_is_not_counted_as_fast() {
        let mut pace = Pace::new();
        let progress = |done| Progress { done, total: 100, ..Progress::default() };
        assert_eq!(pace.hear(progress(90)).seconds_left, None);
        assert!(pace.hear(progress(91)).seconds_left.is_some());
        assert_eq!(pace.before, 90);
    }
}
