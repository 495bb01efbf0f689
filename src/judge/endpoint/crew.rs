//! Several rows at once: each worker takes the next row until none is left, one fails, or the user wants to stop. Requests that are under
//! way then are waited for, so that no answer that was asked for is lost.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::judge::{Event, Sink, Verdict};
use crate::tool::http::Watch;
use crate::tool::interrupt;

/// How often the user's wishes are looked at while every worker waits.
const LOOK: Duration = Duration::from_millis(100);

/// Judges `rows` rows with at most `workers` at once; `ask` judges one of them.
///
/// # Errors
/// The first failure, of a row or of the sink; every verdict that came has reached the sink.
pub(super) fn work(
    rows: usize,
    workers: usize,
    ask: &(dyn Fn(usize, Watch<'_>) -> Result<Verdict> + Sync),
    sink: &mut Sink<'_>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (send, events) = mpsc::channel::<Result<Event>>();
    let worker = |send: mpsc::Sender<Result<Event>>| {
        let go_on = || {
            interrupt::check()?;
            if stop.load(Ordering::SeqCst) { Err(Error::interrupted()) } else { Ok(()) }
        };
        let notes = Mutex::new(send.clone());
        let note = |text| drop(notes.lock().map(|send| send.send(Ok(Event::Note(text)))));
        let watch = Watch { go_on: &go_on, note: &note };
        loop {
            let row = next.fetch_add(1, Ordering::SeqCst);
            if row >= rows || go_on().is_err() {
                break;
            }
            let verdict = ask(row, watch);
            let failed = verdict.is_err();
            let heard = send.send(verdict.map(|verdict| Event::Verdict(row, verdict)));
            if failed || heard.is_err() {
                break;
            }
        }
    };
    let mut failure = None;
    std::thread::scope(|scope| {
        for _ in 0..workers.min(rows) {
            let send = send.clone();
            scope.spawn(|| worker(send));
        }
        drop(send);
        let mut told = false;
        loop {
            let heard = match events.recv_timeout(LOOK) {
                Ok(event) => event.and_then(&mut *sink),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if !told && interrupt::check().is_err() => {
                    told = true;
                    sink(Event::Note("waiting for the requests under way; Ctrl-C again ends at once".to_owned()))
                }
                Err(RecvTimeoutError::Timeout) => Ok(()),
            };
            if let Err(error) = heard {
                stop.store(true, Ordering::SeqCst);
                keep_first(&mut failure, error);
            }
        }
    });
    interrupt::check()?;
    failure.map_or(Ok(()), Err)
}

/// The first real failure: those who were only stopped by it say nothing new.
fn keep_first(failure: &mut Option<Error>, error: Error) {
    if failure.as_ref().is_none_or(|known| known.kind() == Kind::Interrupted) {
        *failure = Some(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Outcome;

    fn rated(row: usize) -> Verdict {
        Verdict::plain(Outcome::Rating(row as f64), "")
    }

    #[test]
    fn every_row_is_judged_once_by_no_more_workers_than_allowed() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let ask = |row, _: Watch<'_>| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(rated(row))
        };
        let mut seen = vec![0; 100];
        let mut sink = |event| {
            let Event::Verdict(row, verdict) = event else { panic!("a note") };
            assert_eq!(verdict, rated(row));
            seen[row] += 1;
            Ok(())
        };
        work(100, 4, &ask, &mut sink).unwrap();
        assert!(seen.iter().all(|times| *times == 1), "{seen:?}");
        assert_eq!(most.load(Ordering::SeqCst), 4);
        work(0, 4, &ask, &mut |_| panic!("nothing to say")).unwrap();
    }

    #[test]
    fn a_failure_stops_the_others_but_loses_no_verdict_that_was_on_its_way() {
        let begun = AtomicUsize::new(0);
        let ask = |row, _: Watch<'_>| {
            begun.fetch_add(1, Ordering::SeqCst);
            if row == 3 {
                return Err(Error::input("no such model"));
            }
            std::thread::sleep(Duration::from_millis(30));
            Ok(rated(row))
        };
        let mut seen = 0;
        let error = work(1000, 4, &ask, &mut |_| {
            seen += 1;
            Ok(())
        });
        assert!(error.unwrap_err().render().contains("no such model"));
        assert_eq!(seen + 1, begun.load(Ordering::SeqCst), "all that was begun, but for the failure, was heard");
        assert!(seen < 20, "{seen}");
    }

    #[test]
    fn a_sink_that_fails_ends_the_work() {
        let mut seen = 0;
        let ask = |row, _: Watch<'_>| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(rated(row))
        };
        let error = work(1000, 2, &ask, &mut |_| {
            seen += 1;
            Err(Error::environment("the disk is full"))
        });
        assert!(error.unwrap_err().render().contains("the disk is full"));
        assert!(seen < 1000, "{seen}");
    }
}
