//! The most memory that this process held while a piece of work ran, where the system tells: Linux.
//!
//! The system keeps one mark of the most memory for the whole process. Where it rose during the work, it is the answer; else what was in use
//! is looked at twenty times a second. The mark is not reset: whoever started this process reads it too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::memory;

const APART: Duration = Duration::from_millis(50);

/// Pieces of work under way.
static RUNNING: Mutex<Running> = Mutex::new(Running { next: 0, marks: Vec::new(), looked_at: false });

struct Running {
    next: u64,
    /// Each with the most memory that was seen in use since it began.
    marks: Vec<(u64, u64)>,
    /// Whether a thread looks at them.
    looked_at: bool,
}

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    fn look(&mut self) {
        let used = memory::in_use().unwrap_or(0);
        self.marks.iter_mut().for_each(|(_, mark)| *mark = used.max(*mark));
    }
}

/// A piece of work, from its beginning until it is dropped. Work that runs side by side shares the process's memory: each counts all of it.
pub struct Peak {
    id: u64,
    /// The process's mark when it began.
    before: u64,
}

impl Peak {
    /// Work begins.
    pub fn begin() -> Self {
        let mut running = running();
        running.next += 1;
        let id = running.next;
        running.marks.push((id, 0));
        running.look();
        if !std::mem::replace(&mut running.looked_at, true) {
            std::thread::spawn(keep_looking);
        }
        Self { id, before: memory::most_in_use().unwrap_or(0) }
    }

    /// The most bytes that the process held since. `None` where the system does not say.
    pub fn end(self) -> Option<u64> {
        let now = memory::most_in_use()?;
        if now > self.before {
            return Some(now);
        }
        let mut running = running();
        running.look();
        running.marks.iter().find(|(id, _)| *id == self.id).map(|(_, mark)| *mark)
    }
}

impl Drop for Peak {
    fn drop(&mut self) {
        running().marks.retain(|(id, _)| *id != self.id);
    }
}

/// Looks until no work is under way.
fn keep_looking() {
    loop {
        std::thread::sleep(APART);
        let mut running = running();
        if running.marks.is_empty() {
            running.looked_at = false;
            return;
        }
        running.look();
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_of_its_own_work_and_of_what_ran_beside_it() {
        const MIB: u64 = 1 << 20;
        let fill = |mib: u64| {
            let held = std::hint::black_box(vec![1_u8; (mib * MIB) as usize]);
            std::thread::sleep(4 * APART);
            held.len()
        };
        let around = Peak::begin();
        let [first, again] = [(); 2].map(|()| {
            let large = Peak::begin();
            fill(600);
            large.end().expect("Linux tells")
        });
        let small = Peak::begin();
        fill(8);
        let small = small.end().expect("Linux tells");
        // other tests allocate beside this one, but not so much at once
        assert!(first > small + 300 * MIB && again > small + 300 * MIB, "{first}, {again} and {small}");
        assert!(around.end().expect("Linux tells") >= first);
    }
}
