//! Which process this is, among all that share a folder, be they on this machine or another.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process, told apart from every other one; what the system does not say is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// This start of this machine.
    boot: Option<String>,
    /// The set of processes that the number below is counted in: a container has its own.
    namespace: Option<String>,
    /// Its number and, because numbers are used again, when it was started.
    number: u32,
    started: Option<String>,
}

impl Process {
    /// The one that asks.
    pub fn this() -> Self {
        let number = std::process::id();
        let namespace = fs::read_link("/proc/self/ns/pid").ok().map(|link| link.to_string_lossy().into_owned());
        Self { boot: boot(), namespace, number, started: started(number) }
    }

    /// Whether it ran under the same start of the same kernel as this one, whose file locks the two then share.
    pub fn is_of_this_kernel(&self) -> bool {
        self.boot == boot()
    }

    /// Whether it has ended for certain: it was one of this machine's that can be seen from here, and is there no more.
    pub fn has_ended(&self) -> bool {
        let this = Self::this();
        let seen = self.boot.is_some() && self.boot == this.boot && self.namespace == this.namespace;
        seen && self.started.is_some() && started(self.number) != self.started
    }
}

fn boot() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

/// When a process was started, in the kernel's ticks; absent where it is not there or the system does not say.
fn started(number: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1; // the name may hold blanks and parentheses
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    let running = !matches!(state, "Z" | "X"); // ended, and only not yet asked after
    running.then(|| fields.nth(18).map(str::to_owned)).flatten()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn an_ended_process_is_told_from_a_running_one_and_from_one_that_cannot_be_seen() {
        let this = Process::this();
        assert!(this.is_of_this_kernel() && !this.has_ended());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Process { number: child.id(), started: started(child.id()), ..this.clone() };
        assert!(!other.has_ended());
        child.kill().unwrap();
        while started(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert!(other.has_ended(), "ended, though nobody has asked after it yet");
        child.wait().unwrap();
        assert!(other.has_ended());
        let reused = Process { started: Some("1".to_owned()), ..this.clone() };
        assert!(reused.has_ended(), "its number belongs to another process now");
        let elsewhere = Process { boot: Some("another".to_owned()), ..other.clone() };
        assert!(!elsewhere.is_of_this_kernel() && !elsewhere.has_ended());
        assert!(!Process { namespace: None, ..other }.has_ended(), "of a container");
    }
}
