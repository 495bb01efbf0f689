//! Who builds an artifact: one process at a time, whatever file system the store lies on.
//!
//! Two things together make a lock. The first is the system's lock on a file, which the system releases when its holder dies. Some
//! network file systems have none, and some keep it from other machines; so the second is a lease, a file that names its holder and that
//! the holder changes every few seconds. A lease left by a process that has died is taken over: at once where that can be known, and where
//! its holder was on another machine once it has not changed for a minute of one's own clock.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::tool::process::Process;

/// How often a holder changes its leases.
const BEAT: Duration = Duration::from_secs(5);
/// How long a lease of another machine must not have changed before its holder counts as dead. Network file systems may show a file's old
/// content for up to a minute.
const SILENT: Duration = Duration::from_secs(75);

/// The locks of a store.
#[derive(Debug)]
pub(super) struct Locks {
    folder: PathBuf,
    process: Process,
    /// How long a silent holder is waited for.
    patience: Duration,
    /// Leases of others, as they were seen last, and since when.
    seen: Mutex<HashMap<PathBuf, (String, Instant)>>,
    held: Arc<Held>,
}

/// The leases that this process holds, kept alive by a thread.
#[derive(Debug, Default)]
struct Held {
    state: Mutex<Leases>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Leases {
    of: HashMap<PathBuf, Lease>,
    beats: bool,
    closed: bool,
}

/// What a lease file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    holder: Process,
    /// The file system that the holder's half of the lock lies on, as its kernel numbers them; absent where the system has no locks.
    /// Two mounts of one folder are two of them, and need not share locks.
    device: Option<u64>,
    /// Tells this lease from an earlier one of the same process.
    nonce: u64,
    beat: u64,
}

/// The right to build one artifact, until this is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    lease: PathBuf,
    nonce: u64,
    held: Arc<Held>,
    /// The file itself stays: were it removed, a waiting process would hold the lock of a file that is gone.
    _system: File,
}

impl Locks {
    /// The locks in a folder, which is there.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, process: Process::this(), patience: SILENT, seen: Mutex::default(), held: Arc::default() }
    }

    /// The lock of a key, unless another holds it.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn try_lock(&self, key: &str) -> Result<Option<Lock>> {
        let path = self.folder.join(key);
        let file = File::create(&path).map_err(|e| Error::io("create", &path, e))?;
        let system = match file.try_lock() {
            Ok(()) => Some(device(&file).map_err(|e| Error::io("look at", &path, e))?),
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) if has_no_locks(&e) => None,
            Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path, e)),
        };
        self.lease(key, file, system)
    }

    /// The second half of a lock; `system` is the device on which the first was taken, where that is worth something.
    fn lease(&self, key: &str, file: File, system: Option<u64>) -> Result<Option<Lock>> {
        let lease = self.folder.join(format!("{key}.lease"));
        let mine = Lease { holder: self.process.clone(), device: system, nonce: rand::rng().random(), beat: 0 };
        let taken = create(&lease, &mine)? || (self.remove_dead(&lease, mine.nonce, system)? && create(&lease, &mine)?);
        if !taken {
            return Ok(None);
        }
        let nonce = mine.nonce;
        Held::hold(&self.held, lease.clone(), mine);
        Ok(Some(Lock { lease, nonce, held: Arc::clone(&self.held), _system: file }))
    }

    /// Removes a lease whose holder has died; whether it did.
    fn remove_dead(&self, lease: &Path, nonce: u64, system: Option<u64>) -> Result<bool> {
        let Some(text) = read(lease)? else { return Ok(true) };
        if !self.is_dead(lease, &text, system) {
            return Ok(false);
        }
        let aside = lease.with_extension(format!("{nonce:016x}.dead"));
        match std::fs::rename(lease, &aside) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false), // somebody was faster
            other => other.map_err(|e| Error::io("rename", lease, e))?,
        }
        if read(&aside)?.as_deref() == Some(&text) {
            std::fs::remove_file(&aside).map_err(|e| Error::io("remove", &aside, e))?;
            return Ok(true);
        }
        // Somebody was faster, and this is the new holder's: it goes back.
        std::fs::rename(&aside, lease).map_err(|e| Error::io("rename to", lease, e))?;
        Ok(false)
    }

    fn is_dead(&self, lease: &Path, text: &str, system: Option<u64>) -> bool {
        let known: Option<Lease> = serde_json::from_str(text).ok();
        let let_go = |lease: &Lease| {
            let shares_locks = system.is_some() && lease.device == system && lease.holder.is_of_this_kernel();
            shares_locks || lease.holder.has_ended()
        };
        if known.is_some_and(|lease| let_go(&lease)) {
            return true;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, since) = seen.entry(lease.to_path_buf()).or_insert_with(|| (text.to_owned(), Instant::now()));
        if last != text {
            (*last, *since) = (text.to_owned(), Instant::now());
        }
        since.elapsed() >= self.patience
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.held.leases().closed = true;
        self.held.changed.notify_all();
    }
}

impl Lock {
    /// Whether nobody has taken the artifact over, as happens to a process that was suspended for long.
    pub(super) fn still_held(&self) -> bool {
        names(&self.lease, self.nonce)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.held.leases().of.remove(&self.lease);
        if self.still_held() {
            let _ = std::fs::remove_file(&self.lease); // a lease that stays is taken for a dead process's, which it soon is
        }
    }
}

impl Held {
    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a lease alive.
    fn hold(this: &Arc<Self>, path: PathBuf, lease: Lease) {
        let mut leases = this.leases();
        leases.of.insert(path, lease);
        if !std::mem::replace(&mut leases.beats, true) {
            let held = Arc::clone(this);
            std::thread::spawn(move || held.beat());
        }
    }

    /// Changes every lease that is held, now and then, until the store is closed.
    fn beat(&self) {
        let mut leases = self.leases();
        while !leases.closed {
            leases = self.changed.wait_timeout(leases, BEAT).unwrap_or_else(PoisonError::into_inner).0;
            for (path, lease) in &mut leases.of {
                lease.beat += 1;
                if names(path, lease.nonce) {
                    let _ = rewrite(path, lease); // a full disk ends the job by itself; until then others wait for a minute
                }
            }
        }
    }
}

/// The number of the file system that a file lies on.
fn device(file: &File) -> std::io::Result<u64> {
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::dev(&file.metadata()?));
    #[cfg(not(unix))]
    return file.metadata().map(|_| 0);
}

/// Whether a failed lock means that this file system has none.
fn has_no_locks(error: &std::io::Error) -> bool {
    const NO_LOCK_SERVICE: i32 = if cfg!(target_os = "linux") { 37 } else { 77 }; // ENOLCK
    error.kind() == ErrorKind::Unsupported || error.raw_os_error() == Some(NO_LOCK_SERVICE)
}

/// Creates a lease file; `false` if there is one.
fn create(path: &Path, lease: &Lease) -> Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text(lease).as_bytes()).map(|()| true).map_err(|e| Error::io("write", path, e)),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(Error::io("create", path, e)),
    }
}

fn rewrite(path: &Path, lease: &Lease) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text(lease).as_bytes())
}

/// A lease as a line of always the same length, so that it can be written over.
fn text(lease: &Lease) -> String {
    let json = serde_json::to_string(lease).expect("plain data serialises to JSON");
    format!("{json:<320}\n")
}

fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

fn names(path: &Path, nonce: u64) -> bool {
    let lease = read(path).ok().flatten().and_then(|text| serde_json::from_str::<Lease>(&text).ok());
    lease.is_some_and(|lease| lease.nonce == nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Locks as a file system without any has them; patient for as long as a test may wait.
    fn locks(folder: &Path, process: &Process) -> Locks {
        let mut locks = Locks::new(folder.to_path_buf());
        (locks.process, locks.patience) = (process.clone(), Duration::from_millis(300));
        locks
    }

    fn take(locks: &Locks) -> Option<Lock> {
        let file = File::create(locks.folder.join("k")).unwrap();
        locks.lease("k", file, None).unwrap()
    }

    /// A process of another machine.
    fn elsewhere() -> Process {
        let mut json = serde_json::to_value(Process::this()).unwrap();
        json["boot"] = "elsewhere".into();
        serde_json::from_value(json).unwrap()
    }

    /// A process of this machine that has ended.
    fn ended() -> Process {
        let mut json = serde_json::to_value(Process::this()).unwrap();
        json["started"] = "1".into();
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn one_process_at_a_time_with_or_without_the_systems_locks() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = [(); 2].map(|()| locks(folder.path(), &Process::this()));
        let lock = take(&one).expect("free");
        assert!(take(&two).is_none() && lock.still_held());
        drop(lock);
        assert!(take(&two).is_some());
        let lock = one.try_lock("k").unwrap().expect("free");
        assert!(two.try_lock("k").unwrap().is_none());
        drop(lock);
        assert!(two.try_lock("k").unwrap().is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_an_ended_process_of_this_machine_left_is_taken_over_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let dead = take(&locks(folder.path(), &ended())).expect("free");
        let lock = take(&locks(folder.path(), &Process::this())).expect("its holder has ended");
        assert!(lock.still_held() && !dead.still_held());
        drop(dead);
        assert!(lock.still_held(), "the old holder removes only what is its own");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_free_system_lock_ends_a_lease_of_the_same_mount_but_not_of_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let of = |device: u64| {
            let file = File::create(folder.path().join("k")).unwrap();
            locks(folder.path(), &Process::this()).lease("k", file, Some(device)).unwrap()
        };
        let held = of(1).expect("free");
        assert!(of(2).is_none() && held.still_held(), "its lock is not seen from here");
        let taken = of(1).expect("its lock is free, so its holder is gone");
        assert!(taken.still_held() && !held.still_held());
    }

    #[test]
    fn a_holder_on_another_machine_is_waited_for_while_its_lease_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, mine) = (locks(folder.path(), &elsewhere()), locks(folder.path(), &Process::this()));
        let lock = take(&theirs).expect("free");
        let mut lease: Lease = serde_json::from_str(&read(&lock.lease).unwrap().unwrap()).unwrap();
        for beat in 1..5 {
            assert!(take(&mine).is_none(), "beat {beat}");
            std::thread::sleep(Duration::from_millis(150));
            lease.beat = beat;
            rewrite(&lock.lease, &lease).unwrap();
        }
        let silent_since = Instant::now();
        let taken = loop {
            if let Some(lock) = take(&mine) {
                break lock;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(silent_since.elapsed() >= Duration::from_millis(280), "{:?}", silent_since.elapsed());
        assert!(taken.still_held() && !lock.still_held());
    }

    #[test]
    fn a_lease_is_changed_in_place_and_keeps_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let locks = locks(folder.path(), &Process::this());
        let lock = take(&locks).expect("free");
        let before = read(&lock.lease).unwrap().unwrap();
        let mut lease: Lease = serde_json::from_str(&before).unwrap();
        lease.beat = u64::MAX;
        rewrite(&lock.lease, &lease).unwrap();
        let after = read(&lock.lease).unwrap().unwrap();
        assert!(after != before && after.len() == before.len());
        assert!(lock.still_held());
    }

    #[test]
    fn only_one_of_many_takes_over_what_a_dead_process_left() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..20 {
            let dead = take(&locks(folder.path(), &ended())).expect("free");
            std::mem::forget(dead); // as a killed process does
            let holders = std::thread::scope(|scope| {
                let race = || scope.spawn(|| take(&locks(folder.path(), &Process::this())));
                let all = [race(), race(), race(), race()];
                all.into_iter().filter_map(|one| one.join().unwrap()).collect::<Vec<_>>()
            });
            assert!(holders.iter().filter(|lock| lock.still_held()).count() <= 1, "{holders:?}");
            drop(holders);
            drop(take(&locks(folder.path(), &Process::this())));
        }
    }
}
