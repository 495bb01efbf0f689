//! One file into the cache: under a lock, from where an earlier attempt stopped, checked, and only then put in place.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::Repo;
use sha2::{Digest, Sha256};

use super::cache::RepoCache;
use super::connection::{Metadata, Online, PAUSES};
use super::progress::{Progress, say};
use super::refusal::{Asked, Refusal};
use crate::error::{Error, Result};
use crate::tool::{fs, interrupt};

/// Bytes between two looks at whether the user wants to stop.
const CHUNK: usize = 1 << 16;

/// A file that is to be in the cache.
pub(super) struct Wanted<'a> {
    /// What the Hub says of it.
    pub(super) metadata: &'a Metadata,
    /// The repository at the commit.
    pub(super) repo: &'a Repo,
    /// The commit.
    pub(super) commit: &'a str,
    /// What the user asked for, for messages.
    pub(super) asked: &'a Asked<'a>,
}

/// Fetches a file unless the cache has it, and returns where it lies. With `thorough`, what the cache has is checked first.
pub(super) fn obtain(online: &Online, cache: &RepoCache, wanted: &Wanted<'_>, thorough: bool) -> Result<PathBuf> {
    let Wanted { metadata, commit, asked, .. } = wanted;
    let blob = cache.blob(&metadata.etag);
    fs::create_dir(blob.parent().unwrap_or(cache.root()))?;
    let _held = lock(&cache.lock(&metadata.etag), asked.file)?;
    let placed = cache.get(commit, asked.file).unwrap_or_else(|| blob.clone());
    if placed.is_file() && !is_sound(&placed, metadata, thorough)? {
        say(&format!("`{}` in the cache is damaged: it is fetched again", asked.file));
        fs::remove_file(&placed)?;
        let _ = std::fs::remove_file(&blob); // the placed file may have been a link to it
    }
    if !placed.is_file() {
        let partial = cache.partial(&metadata.etag);
        let url = online.url(wanted.repo, asked.file);
        Transfer { online, url, wanted, partial: &partial }.run()?;
        std::fs::rename(&partial, &blob).map_err(|e| Error::io("put in place", &blob, e))?;
    }
    cache.link(commit, asked.file, &metadata.etag)
}

/// Waits until nobody else fetches this blob. The lock ends with the file that is returned.
fn lock(path: &Path, file: &str) -> Result<File> {
    fs::create_dir(path.parent().unwrap_or(path))?;
    let lock = OpenOptions::new().create(true).append(true).open(path).map_err(|e| Error::io("open", path, e))?;
    let mut told = false;
    while let Err(TryLockError::WouldBlock) = lock.try_lock() {
        interrupt::check()?;
        if !told {
            say(&format!("another process fetches `{file}`: waiting for it"));
            told = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(lock) // a file system without locks: two processes may then fetch the same file, and what they make of it is checked
}

/// Whether a file is as long as the Hub says and, if `thorough`, has the hash that the Hub names.
fn is_sound(path: &Path, metadata: &Metadata, thorough: bool) -> Result<bool> {
    let length = std::fs::metadata(path).map_err(|e| Error::io("read", path, e))?.len();
    Ok(length == metadata.size && (!thorough || sha256_differs(path, metadata)?.is_none()))
}

/// The file's SHA-256 where the Hub names another; `None` where it is the same or the Hub names none.
fn sha256_differs(path: &Path, metadata: &Metadata) -> Result<Option<String>> {
    if metadata.etag.len() != 64 || !metadata.etag.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(None); // a small file: its tag is git's
    }
    let failed = |e| Error::io("read", path, e);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        interrupt::check()?;
        match file.read(&mut chunk).map_err(failed)? {
            0 => break,
            read => hasher.update(&chunk[..read]),
        }
    }
    let found = format!("{:x}", hasher.finalize());
    Ok((found != metadata.etag.to_lowercase()).then_some(found))
}

/// A download into a partial file.
struct Transfer<'a> {
    online: &'a Online,
    url: String,
    wanted: &'a Wanted<'a>,
    partial: &'a Path,
}

/// Why an attempt ended early.
enum Cut {
    /// It may go on after a pause.
    Refused(Refusal),
    /// It may not.
    Failed(Error),
}

impl Transfer<'_> {
    /// Fills the partial file to the last byte and checks it. Attempts that bring something are repeated for as long as they do.
    fn run(&self) -> Result<()> {
        let size = self.wanted.metadata.size;
        let mut progress = Progress::begin(self.wanted.asked.file, self.length()?.min(size), size);
        let (mut fruitless, mut from_scratch) = (0, self.length()? == 0);
        loop {
            interrupt::check()?;
            let before = self.length()?;
            let cut = self.attempt(before, &mut progress);
            let after = self.length()?;
            if cut.is_ok() && after == size {
                match sha256_differs(self.partial, self.wanted.metadata)? {
                    None => break,
                    Some(found) if from_scratch => return Err(self.damaged(&found)),
                    Some(_) => from_scratch = true, // what an earlier attempt left was not the beginning of this file
                }
                fs::remove_file(self.partial)?;
                continue;
            }
            let refusal = match cut {
                Ok(()) => Refusal::Network(format!("the connection ended after {after} of {size} bytes")),
                Err(Cut::Refused(refusal)) if refusal.may_pass() => refusal,
                Err(Cut::Refused(refusal)) => return Err(refusal.error(self.wanted.asked, self.online)),
                Err(Cut::Failed(error)) => return Err(error),
            };
            fruitless = if after > before { 0 } else { fruitless + 1 };
            match PAUSES.get(fruitless) {
                Some(pause) => std::thread::sleep(*pause),
                None => return Err(refusal.error(self.wanted.asked, self.online)),
            }
        }
        progress.end();
        Ok(())
    }

    /// The bytes that are there.
    fn length(&self) -> Result<u64> {
        match std::fs::metadata(self.partial) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
            metadata => metadata.map(|m| m.len()).map_err(|e| Error::io("read", self.partial, e)),
        }
    }

    /// Appends what the server sends from byte `from` on, until the file is whole or the connection ends.
    fn attempt(&self, mut from: u64, progress: &mut Progress) -> Result<(), Cut> {
        let size = self.wanted.metadata.size;
        let failed = |e| Cut::Failed(Error::io("write", self.partial, e));
        let mut file = OpenOptions::new().create(true).append(true).open(self.partial).map_err(failed)?;
        if from > size {
            file.set_len(0).map_err(failed)?;
            from = 0;
        }
        if from == size {
            return Ok(());
        }
        let answer = self.online.bytes(&self.url, from).map_err(|refusal| match refusal {
            Refusal::Status(416) => {
                Cut::Refused(Refusal::Odd(format!("its file ends before byte {from} of the {size} that it promised")))
            }
            other => Cut::Refused(other),
        })?;
        match (answer.status(), answer.header("content-range")) {
            (206, Some(range)) if range.trim().starts_with(&format!("bytes {from}-")) => {}
            (206, range) => {
                let range = range.unwrap_or("none");
                return Err(Cut::Refused(Refusal::Odd(format!("asked for bytes from {from} on, it sends the range `{range}`"))));
            }
            _ => {
                file.set_len(0).map_err(failed)?; // the server knows no ranges and begins anew
                from = 0;
            }
        }
        let (mut reader, mut chunk) = (answer.into_reader().take(size - from + 1), vec![0; CHUNK]);
        loop {
            interrupt::check().map_err(Cut::Failed)?;
            let read = match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Cut::Refused(Refusal::Network(e.to_string()))),
            };
            file.write_all(&chunk[..read]).map_err(failed)?;
            from += read as u64;
            progress.at(from);
        }
        if from > size {
            file.set_len(0).map_err(failed)?;
            return Err(Cut::Refused(Refusal::Odd(format!("it sends more than the {size} bytes that it promised"))));
        }
        file.sync_all().map_err(failed)
    }

    fn damaged(&self, found: &str) -> Error {
        let _ = fs::remove_file(self.partial); // it is of no use to anybody
        let Asked { repo, file, .. } = self.wanted.asked;
        let promised = &self.wanted.metadata.etag;
        Error::environment(format!("`{file}` of `{repo}` arrived damaged: its SHA-256 is {found}, the Hub says {promised}"))
            .hint("run the same command again; if it comes out the same, something between here and the Hub changes files")
    }
}
