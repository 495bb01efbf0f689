//! A file of rows that takes long to fill. Its rows lie beside its place until all are there, under a name that says what work they are of:
//! the same work, begun again, goes on after them, and what stood in the place stays until then.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fs;
use super::jsonl::{self, Resumed, Writer};
use crate::error::{Error, Result};

/// How much of the work's hash stands in the name.
const DIGITS: usize = 16;

/// A file that is being filled.
pub struct Growing {
    place: PathBuf,
    /// Where the rows lie until then; absent where they go straight to a pipe or a terminal.
    aside: Option<PathBuf>,
    writer: Writer,
    /// Keeps another process from filling the same file.
    _lock: Option<File>,
}

impl Growing {
    /// Begins the file `place`, or goes on with it; `work` is a hash of all that determines its rows. Returns the rows that are there, in
    /// their order, and what is to be said of rows that had to go.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn open<T: DeserializeOwned>(place: &Path, work: &str) -> Result<(Self, Vec<T>, Option<String>)> {
        let place = fs::resolved(place);
        if fs::is_device(&place) {
            let writer = Writer::create(&place)?;
            return Ok((Self { place, aside: None, writer, _lock: None }, Vec::new(), None));
        }
        let name = place.file_name().ok_or_else(|| Error::input("not the name of a file").at(&place, None))?.to_string_lossy();
        let aside = place.with_file_name(format!(".{name}.{}.part", work.get(..DIGITS).unwrap_or(work)));
        let lock = lock(&aside, &place)?;
        let Resumed { rows, writer, lost } = jsonl::resume(&aside)?;
        Ok((Self { place, aside: Some(aside), writer, _lock: Some(lock) }, rows, lost))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn push(&mut self, row: &impl Serialize) -> Result<()> {
        self.writer.push(row)
    }

    /// Hands the rows so far to the system: a kill does not take them any more.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn finish(self) -> Result<()> {
        let Some(aside) = self.aside else { return self.writer.close() };
        self.writer.finish()?;
        std::fs::rename(&aside, &self.place).map_err(|e| Error::io("rename to", &self.place, e))
    }
}

fn lock(aside: &Path, place: &Path) -> Result<File> {
    let file = OpenOptions::new().append(true).create(true).open(aside).map_err(|e| Error::io("create", aside, e))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::input("another process is writing this very file").at(place, None)),
        _ => Ok(file), // some file systems have no locks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(place: &Path, work: &str, rows: &[u32]) -> (Growing, Vec<u32>) {
        let (mut growing, known, lost) = Growing::open::<u32>(place, work).expect("opens");
        assert_eq!(lost, None);
        for row in rows {
            growing.push(row).expect("writable");
        }
        growing.flush().expect("writable");
        (growing, known)
    }

    #[test]
    fn the_same_work_goes_on_and_the_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = folder.path().join("rows.jsonl");
        std::fs::write(&place, "0\n").expect("writable");
        drop(grown(&place, "0123456789abcdef-one", &[1, 2])); // killed
        assert_eq!(jsonl::read::<u32>(&place).expect("rows"), [0]);
        let (other, known) = grown(&place, "another", &[]);
        assert!(known.is_empty(), "rows of other work are not taken");
        drop(other);
        let (growing, known) = grown(&place, "0123456789abcdef-one", &[3]);
        assert_eq!(known, [1, 2]);
        assert!(Growing::open::<u32>(&place, "0123456789abcdef-one").is_err(), "one process at a time");
        growing.finish().expect("writable");
        assert_eq!(jsonl::read::<u32>(&place).expect("rows"), [1, 2, 3]);
        let (_, known) = grown(&place, "0123456789abcdef-one", &[]);
        assert!(known.is_empty(), "finished work begins anew");
    }
}
