//! A trial's progress for scripts: one JSON object a line on standard error.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::pace::Pace;
use super::progress::{Event, JobLabel, Observer};

/// The least time between two lines on the progress of one job.
const APART: Duration = Duration::from_millis(200);

/// Writes events.
#[derive(Default)]
pub struct Events {
    running: Mutex<HashMap<usize, (Pace, Option<Instant>)>>,
}

impl Events {
    fn advanced(&self, job: &JobLabel, progress: crate::stage::Progress) -> Option<Value> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (pace, last) = running.entry(job.index).or_insert_with(|| (Pace::new(), None));
        let told = pace.hear(progress);
        let due = last.is_none_or(|last| last.elapsed() >= APART) || told.done == told.total;
        due.then(|| {
            *last = Some(Instant::now());
            of(job, "advanced", told)
        })
    }

    fn ended(&self, job: &JobLabel) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.index);
    }
}

impl Observer for Events {
    fn notice(&self, event: Event<'_>) {
        let line = match event {
            Event::Planned { jobs } => Some(json!({"event": "planned", "jobs": jobs})),
            Event::Started(job) => {
                self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(job.index, (Pace::new(), None));
                Some(of(job, "started", ()))
            }
            Event::Waiting(job) => Some(of(job, "waiting", ())),
            Event::Advanced(job, progress) => self.advanced(job, progress),
            Event::Cached(job) => Some(of(job, "cached", ())),
            Event::Finished { job, done, seconds } => {
                self.ended(job);
                Some(of(job, "finished", json!({"rows": done.rows, "tokens": done.tokens, "seconds": seconds})))
            }
            Event::Failed(job) => {
                self.ended(job);
                Some(of(job, "failed", ()))
            }
            Event::Warning(text) => Some(json!({"event": "warning", "text": text})),
        };
        if let Some(line) = line {
            let _ = writeln!(std::io::stderr(), "{line}"); // nobody is left to tell when standard error is gone
        }
    }
}

/// An event of one job, with what there is to say of it.
fn of(job: &JobLabel, event: &str, more: impl Serialize) -> Value {
    let mut line = json!({
        "event": event,
        "job": job.index,
        "stage": job.stage,
        "arm": job.arm,
        "seed": job.seed,
        "model": job.model,
    });
    if let (Some(line), Ok(Value::Object(more))) = (line.as_object_mut(), serde_json::to_value(more)) {
        line.extend(more);
    }
    line
}
