//! JSON Lines: one object a line, UTF-8; a line is on disk as a whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bounded::read_line;
use crate::error::{Error, Kind, Result};

/// Reads every row of a file.
///
/// # Errors
/// If the file cannot be read or a line does not have the expected form; the error names the line.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    Reader::open(path)?.collect()
}

/// Reads rows one at a time, so that memory does not grow with the file, nor with a line: one longer than [`LONGEST_LINE`](super::bounded::LONGEST_LINE) is an error.
/// Blank lines are passed over.
pub struct Reader<T, R = BufReader<File>> {
    path: PathBuf,
    lines: R,
    buffer: Vec<u8>,
    line: usize,
    /// Where in the file the line read last begins.
    begin: u64,
    row: std::marker::PhantomData<T>,
}

impl<T: DeserializeOwned> Reader<T> {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
        Ok(Self::over(path, BufReader::new(file)))
    }
}

impl<T: DeserializeOwned, R: BufRead> Reader<T, R> {
    /// Reads what is there already; `path` names it in messages.
    pub(crate) fn over(path: &Path, lines: R) -> Self {
        let path = path.to_path_buf();
        Self { path, lines, buffer: Vec::new(), line: 0, begin: 0, row: std::marker::PhantomData }
    }

    /// The 1-based number of the line read last.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Where in the file that line begins, in bytes.
    pub fn begin(&self) -> u64 {
        self.begin
    }
}

impl<T: DeserializeOwned, R: BufRead> Iterator for Reader<T, R> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.begin += self.buffer.len() as u64;
            self.buffer.clear();
            match read_line(&mut self.lines, &mut self.buffer, &self.path, self.line + 1) {
                Err(e) => return Some(Err(e)),
                Ok(0) => return None,
                Ok(_) => self.line += 1,
            }
            if self.buffer.trim_ascii().is_empty() {
                continue;
            }
            return Some(serde_json::from_slice(self.buffer.trim_ascii_end()).map_err(|e| {
                Error::input(format!("not the expected row: {e}"))
                    .at(&self.path, self.line)
                    .hint("each line must be one JSON object")
            }));
        }
    }
}

/// Writes a whole file of rows at once.
///
/// # Errors
/// If the system refuses.
pub fn write<'a, T: Serialize + 'a>(path: &Path, rows: impl IntoIterator<Item = &'a T>) -> Result<()> {
    let mut writer = Writer::create(path)?;
    for row in rows {
        writer.push(row)?;
    }
    writer.finish()
}

/// Writes a whole file of rows beside its place and renames it: a reader sees the old rows or the new ones. Does not wait for the disk.
///
/// # Errors
/// If the system refuses.
pub fn replace<'a, T: Serialize + 'a>(path: &Path, rows: impl IntoIterator<Item = &'a T>) -> Result<()> {
    let aside = path.with_extension("part");
    let mut writer = Writer::create(&aside)?;
    for row in rows {
        writer.push(row)?;
    }
    writer.close()?;
    std::fs::rename(&aside, path).map_err(|e| Error::io("rename to", path, e))
}

/// What [`resume`] found.
pub struct Resumed<T> {
    /// The rows that are there, in their order.
    pub rows: Vec<T>,
    /// Goes on after them.
    pub writer: Writer,
    /// Why rows that were there had to go; a torn last line, as a kill leaves it, is not worth a word.
    pub lost: Option<String>,
}

/// Goes on with a file of rows that was being appended to when its writer was stopped; creates it if it is not there. From the first line
/// on that is not such a row, all is cut off: a kill tears the last line, a power cut may leave a stretch of zeros.
///
/// # Errors
/// If the system refuses.
pub fn resume<T: DeserializeOwned>(path: &Path) -> Result<Resumed<T>> {
    Writer::append(path)?.close()?;
    let mut reader = Reader::open(path)?;
    let mut rows = Vec::new();
    let mut lost = None;
    while let Some(row) = reader.next() {
        match row {
            Ok(row) => rows.push(row),
            Err(error) if error.kind() == Kind::Input => {
                let (line, begin) = (reader.line(), reader.begin());
                lost = Some(format!("line {line} of `{}` cannot be read: it and what follows is made again", path.display()));
                let cut = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(begin));
                cut.map_err(|e| Error::io("cut off", path, e))?;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Resumed { rows, writer: Writer::append(path)?, lost })
}

/// Appends rows; [`Writer::flush`] makes those so far visible to other readers.
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Writer {
    /// Starts a new file; an old one of that name is emptied.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|e| Error::io("create", path, e))?;
        Ok(Self { path: path.to_path_buf(), file: BufWriter::new(file) })
    }

    /// Goes on at the end of a file, after cutting off a torn last line; creates it if it is not there.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn append(path: &Path) -> Result<Self> {
        let act = || -> std::io::Result<File> {
            let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
            file.set_len(whole_lines(&file)?)?;
            Ok(file)
        };
        let file = act().map_err(|e| Error::io("append to", path, e))?;
        Ok(Self { path: path.to_path_buf(), file: BufWriter::new(file) })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn push<T: Serialize>(&mut self, row: &T) -> Result<()> {
        self.put(row).map(drop)
    }

    /// Writes one row; its length in bytes.
    fn put<T: Serialize>(&mut self, row: &T) -> Result<u64> {
        let mut line = serde_json::to_vec(row).map_err(|e| Error::environment("cannot serialise a row").because(e))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| Error::io("write", &self.path, e))?;
        Ok(line.len() as u64)
    }

    /// Writes one row and hands it to the system; where in the file it begins, in bytes.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn push_at(&mut self, row: &impl Serialize) -> Result<u64> {
        let length = self.put(row)?;
        self.flush()?;
        // others may append to the file too: only after the write is its place known
        let end = self.file.get_mut().stream_position().map_err(|e| Error::io("write", &self.path, e))?;
        Ok(end.saturating_sub(length))
    }

    /// Hands all rows so far to the system.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(|e| Error::io("write", &self.path, e))
    }

    /// Hands all rows to the system, without waiting for the disk: for files whose size and hash a manifest states.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn close(mut self) -> Result<()> {
        self.flush()
    }

    /// Hands all rows to the system and syncs the file.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.file.get_ref().sync_all().map_err(|e| Error::io("sync", &self.path, e))
    }
}

/// How many bytes of a file are whole lines; read from its end, so that memory does not grow with the file.
fn whole_lines(mut file: &File) -> std::io::Result<u64> {
    const PIECE: u64 = 1 << 16;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|&b| b == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_cut_off_before_appending() -> Result<()> {
        let dir = tempfile::tempdir().map_err(|e| Error::io("create", Path::new("temporary folder"), e))?;
        let path = dir.path().join("rows.jsonl");
        std::fs::write(&path, "{\"a\":1}\n{\"a\":").map_err(|e| Error::io("write", &path, e))?;
        let mut writer = Writer::append(&path)?;
        writer.push(&serde_json::json!({"a": 2}))?;
        writer.finish()?;
        let rows: Vec<serde_json::Value> = read(&path)?;
        assert_eq!(rows, [serde_json::json!({"a": 1}), serde_json::json!({"a": 2})]);
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_cut_off_with_all_that_follows_and_told() -> Result<()> {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("rows.jsonl");
        let cases: [(&[u8], &[u32], Option<&str>); 5] = [
            (b"", &[], None),
            (b"[1]\n[2]\n[", &[1, 2], None),
            (b"[1]\n[2\n[3]\n", &[1], Some("line 2 of")),
            (b"[1]\n[2]\n\0\0\0\n[4]\n[", &[1, 2], Some("line 3 of")),
            (b"[1]\n\xff\n", &[1], Some("line 2 of")),
        ];
        for (content, rows, lost) in cases {
            std::fs::write(&path, content).expect("writable");
            let mut resumed = resume::<[u32; 1]>(&path)?;
            assert_eq!(resumed.rows.concat(), rows);
            assert_eq!(resumed.lost.is_some(), lost.is_some());
            assert!(resumed.lost.unwrap_or_default().contains(lost.unwrap_or_default()));
            resumed.writer.push(&[9])?;
            resumed.writer.finish()?;
            assert_eq!(read::<[u32; 1]>(&path)?.concat(), [rows, &[9]].concat());
        }
        Ok(())
    }

    #[test]
    fn a_torn_line_of_any_length_is_cut_off() -> Result<()> {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("rows.jsonl");
        for torn in [0, 1, (1 << 16) - 1, 1 << 16, 200_000] {
            std::fs::write(&path, format!("[1]\n[2]\n{}", "x".repeat(torn))).expect("writable");
            Writer::append(&path)?.finish()?;
            assert_eq!(read::<Vec<u32>>(&path)?, [[1], [2]], "{torn}");
            std::fs::write(&path, "x".repeat(torn)).expect("writable");
            Writer::append(&path)?.finish()?;
            assert_eq!(std::fs::read(&path).expect("readable"), b"", "{torn}");
        }
        Ok(())
    }

    #[test]
    fn rows_are_found_again_where_they_were_written() -> Result<()> {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("rows.jsonl");
        std::fs::write(&path, "[1]\n\n").expect("writable");
        let mut writer = Writer::append(&path)?;
        let big = "x".repeat(20_000); // beyond the writer's buffer
        let mut wrote = vec![0];
        for row in [&big, "é", &big] {
            wrote.push(writer.push_at(&[row])?);
        }
        let mut reader = Reader::<serde_json::Value>::open(&path)?;
        let mut read = Vec::new();
        while let Some(row) = reader.next() {
            row?;
            read.push(reader.begin());
        }
        assert_eq!(read, wrote);
        Ok(())
    }

    #[test]
    fn a_broken_row_is_named_by_file_and_line() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("rows.jsonl");
        std::fs::write(&path, "{\"a\":1}\n\nnot json\n").expect("writable");
        let error = read::<serde_json::Value>(&path).expect_err("line 3 is broken");
        assert!(error.render().contains("rows.jsonl:3"), "{}", error.render());
    }
}
