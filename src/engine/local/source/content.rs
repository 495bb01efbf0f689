//! Content hashes of files; those of large files are remembered from one start of the program to the next.
//!
//! A 7B checkpoint takes a disk and a core half a minute to hash, and every start needs its identity. A remembered hash stands as long as
//! the file's size, times and inode are what they were, and is not kept of a file that was written to a moment ago.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::tool::{fs, hash};

/// Smaller files are hashed at once.
const LARGE: u64 = 64 << 20;

/// A file that was changed less than this before it was hashed may change again within the same tick of its file system's clock.
const SETTLED: Duration = Duration::from_secs(3);

/// The hash of a file's content.
pub(super) fn hash(path: &Path) -> Result<String> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::io("read", path, e))?;
    match fs::user_cache() {
        Some(cache) if metadata.len() >= LARGE => Memory { folder: cache.join("subliminal/hashes") }.hash(path, &metadata),
        _ => hash::file(path),
    }
}

/// Where hashes are remembered: one small file each.
struct Memory {
    folder: PathBuf,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    state: String,
    hash: String,
}

impl Memory {
    fn hash(&self, path: &Path, metadata: &Metadata) -> Result<String> {
        let path = path.canonicalize().map_err(|e| Error::io("read", path, e))?;
        let state = state(metadata);
        let place = self.folder.join(format!("{}.json", hash::bytes(path.as_os_str().as_encoded_bytes())));
        if let Ok(known) = fs::read_json::<Entry>(&place)
            && known.path == path
            && known.state == state
        {
            return Ok(known.hash);
        }
        let settled = metadata.modified().is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > SETTLED));
        let hash = hash::file(&path)?;
        if settled {
            let entry = Entry { path, state, hash: hash.clone() };
            // a cache that cannot be written to only costs time at the next start
            let _ = fs::create_dir(&self.folder).and_then(|()| fs::put_json(&place, &entry));
        }
        Ok(hash)
    }
}

/// What changes when a file's content does.
fn state(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!("{} bytes, {:?}, {}", metadata.len(), modified.unwrap_or_default(), inode(metadata))
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("inode {} of {}, changed {}.{:09}", metadata.ino(), metadata.dev(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a file that looks as if it had been there for a while.
    fn write(path: &Path, content: &str) {
        std::fs::write(path, content).expect("writable");
        let earlier = SystemTime::now() - Duration::from_mins(1);
        let file = std::fs::File::options().write(true).open(path).expect("there");
        file.set_modified(earlier).expect("times can be set");
    }

    fn recall(memory: &Memory, path: &Path) -> String {
        memory.hash(path, &std::fs::metadata(path).expect("there")).expect("readable")
    }

    #[test]
    fn a_hash_is_remembered_until_the_file_changes() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (path, memory) = (dir.path().join("weights"), Memory { folder: dir.path().join("hashes") });
        write(&path, "one");
        assert_eq!(recall(&memory, &path), hash::bytes(b"one"));

        let kept = std::fs::read_dir(&memory.folder).expect("a folder").flatten().next().expect("one entry").path();
        let entry: Entry = fs::read_json(&kept).expect("JSON");
        fs::write_json(&kept, &Entry { hash: "remembered".into(), ..entry }).expect("writable");
        assert_eq!(recall(&memory, &path), "remembered", "the file is not read again");

        write(&path, "two"); // as long as before
        assert_eq!(recall(&memory, &path), hash::bytes(b"two"));
    }

    #[test]
    fn a_file_that_was_written_just_now_is_not_remembered() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (path, memory) = (dir.path().join("weights"), Memory { folder: dir.path().join("hashes") });
        std::fs::write(&path, "one").expect("writable");
        assert_eq!(recall(&memory, &path), hash::bytes(b"one"));
        assert!(!memory.folder.exists());
    }
}
