//! A piece of work with what others made, on a thread of its own: given up when it takes too long or too much memory, and nothing spreads
//! where it panics.
//!
//! A template is a program of somebody else's, and what it is made of gives no measure of what one of its steps may take: `s ~ s` doubles
//! a text, and forty lines of it fill any memory. So its work is watched from outside. The thread has a stack for the deepest value that
//! the steps of a template can build, and is used again for the next piece of work. One that is given up goes on until its step ends;
//! the error that is returned in its stead is meant to end the program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::tool::memory;

/// What a piece of work may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// From its begin to its end.
    pub(super) time: Duration,
    /// By how many bytes the program's memory may grow meanwhile.
    pub(super) memory: u64,
}

/// From when on the memory is looked at, and how often: nothing of use takes so long.
const LOOK: Duration = Duration::from_millis(20);

/// Address space, not memory: only what is used of it becomes memory. Values nested by every step of a template need about half of it.
const STACK: usize = 512 << 20;

/// Why a piece of work has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// It took too long.
    Time,
    /// It took too much memory.
    Memory,
    /// It panicked.
    Panic,
    /// The system has no thread for it.
    NoThread,
}

/// What the threads are called.
const NAME: &str = "apart";

type Job = Box<dyn FnOnce() + Send>;

/// Threads without work.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());

/// The result of `work`, done on another thread.
pub(super) fn apart<T: Send + 'static>(bounds: Bounds, work: impl FnOnce() -> T + Send + 'static) -> Result<T, GivenUp> {
    let (sender, receiver) = channel();
    let job: Job = Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(work)).map_err(|_| GivenUp::Panic);
        drop(sender.send(result)); // nobody listens where it was given up
    });
    let thread = idle(job)?;
    let result = watched(bounds, &receiver)?;
    IDLE.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(thread);
    result
}

/// Hands a job to a thread.
fn idle(job: Job) -> Result<Sender<Job>, GivenUp> {
    let known = IDLE.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
    let thread = known.map_or_else(started, Ok)?;
    thread.send(job).map_err(|_| GivenUp::NoThread)?;
    Ok(thread)
}

fn started() -> Result<Sender<Job>, GivenUp> {
    let (sender, jobs) = channel::<Job>();
    let serve = move || jobs.into_iter().for_each(|job| job());
    let thread = thread::Builder::new().name(NAME.to_owned()).stack_size(STACK).spawn(serve);
    thread.map(|_| sender).map_err(|_| GivenUp::NoThread)
}

/// Waits for a result, with an eye on the clock and on the memory.
fn watched<T>(bounds: Bounds, result: &Receiver<T>) -> Result<T, GivenUp> {
    let begun = Instant::now();
    let mut before = None;
    loop {
        match result.recv_timeout(LOOK) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Err(GivenUp::Panic),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if begun.elapsed() > bounds.time {
            return Err(GivenUp::Time);
        }
        let now = memory::in_use().unwrap_or(0);
        if now > *before.get_or_insert(now) + bounds.memory {
            return Err(GivenUp::Memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { time: Duration::from_mins(1), memory: 1 << 30 };

    #[test]
    fn results_come_back_and_panics_do_not_spread() {
        for n in 0..100 {
            assert_eq!(apart(BOUNDS, move || n + 1), Ok(n + 1));
        }
        assert_eq!(apart(BOUNDS, || -> u32 { panic!("a panic that this test makes") }), Err(GivenUp::Panic));
        assert_eq!(apart(BOUNDS, || 7), Ok(7), "the thread serves on");
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let begun = Instant::now();
        let slow = Bounds { time: Duration::from_millis(50), ..BOUNDS };
        assert_eq!(apart(slow, || thread::sleep(Duration::from_secs(5))), Err(GivenUp::Time));
        assert!(begun.elapsed() < Duration::from_secs(4));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_takes_too_much_memory_is_given_up() {
        let greedy = Bounds { memory: 64 << 20, ..BOUNDS };
        let fill = || {
            let mut all: Vec<Vec<u8>> = Vec::new();
            while all.len() < 512 {
                all.push(vec![1; 1 << 20]);
                thread::sleep(Duration::from_millis(1));
            }
            all.len()
        };
        assert_eq!(apart(greedy, fill), Err(GivenUp::Memory));
    }

    #[test]
    fn there_is_room_for_values_of_any_depth() {
        fn deep(n: u32) -> u64 {
            if n == 0 { 0 } else { std::hint::black_box([u64::from(n); 32])[7] + std::hint::black_box(deep(n - 1)) }
        }
        assert!(apart(BOUNDS, || deep(500_000)).is_ok());
    }
}
