//! What comes from outside is read up to a limit: whole files, and lines of files that may be of any size.
//!
//! The limits are far above what anything of use needs. They are there so that a wrong path (`/dev/zero`, a weights file, an archive) or
//! a hostile file ends in a message and not in a machine without memory.

use std::io::{BufRead, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// The most bytes of a line of JSON Lines. A prompt of a million tokens, the longest context of any model, has less than 10 MB.
pub const LONGEST_LINE: usize = 64 << 20;

/// The most bytes of a text or JSON file that is read as a whole: reports, adapters' settings, lists of words, questions. The report of a
/// hundred runs has a few MB.
pub const LARGEST_TEXT: usize = 64 << 20;

/// The most bytes of a config. A list of ten thousand members has less than half of it.
pub const LARGEST_CONFIG: usize = 1 << 20;

/// The most bytes of a checkpoint's small files. The largest tokenizer known, of a vocabulary of 262,144, has 33 MB.
pub const LARGEST_MODEL_FILE: usize = 256 << 20;

/// Reads a whole file of at most `limit` bytes. What has no size of its own, a pipe or a device, is read no further than that.
///
/// # Errors
/// If it cannot be read or is larger.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let failed = |e| Error::io("read", path, e);
    let file = std::fs::File::open(path).map_err(failed)?;
    let expected = file.metadata().map_or(0, |about| about.len());
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(limit).min(limit));
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() <= limit {
        return Ok(bytes);
    }
    let size = if expected > limit as u64 { format!("{expected} bytes") } else { format!("more than {limit} bytes") };
    Err(Error::input(format!("the file has {size}, expected at most {limit}"))
        .at(path, None)
        .hint("check the path: no file of this kind is so large"))
}

/// Appends the next line, its end included, and says how many bytes it has; 0 at the end of the file. `number` is the line's, from 1.
///
/// # Errors
/// If the system refuses, or the line is longer than [`LONGEST_LINE`].
pub fn read_line(lines: &mut impl BufRead, into: &mut Vec<u8>, path: &Path, number: usize) -> Result<usize> {
    read_line_within(lines, into, path, number, LONGEST_LINE)
}

fn read_line_within(lines: &mut impl BufRead, into: &mut Vec<u8>, path: &Path, number: usize, limit: usize) -> Result<usize> {
    let read = lines.take(limit as u64 + 1).read_until(b'\n', into).map_err(|e| Error::io("read", path, e))?;
    if read <= limit || into.last() == Some(&b'\n') {
        return Ok(read);
    }
    Err(Error::input(format!("the line is longer than {limit} bytes"))
        .at(path, number)
        .hint("JSON Lines has one object a line: a file of one long line is another format, `jq -c .[]` takes an array apart"))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn a_line_is_read_up_to_the_limit_and_no_further() {
        let place = Path::new("rows.jsonl");
        let mut rest = BufReader::with_capacity(4, &b"12345\n123456\n1234567\n"[..]);
        let mut line = Vec::new();
        assert_eq!(read_line_within(&mut rest, &mut line, place, 1, 6).unwrap(), 6);
        assert_eq!(read_line_within(&mut rest, &mut line, place, 2, 6).unwrap(), 7, "the line end does not count");
        assert_eq!(line, b"12345\n123456\n");
        let text = read_line_within(&mut rest, &mut line, place, 3, 6).unwrap_err().render();
        assert!(text.contains("rows.jsonl:3: the line is longer than 6 bytes"), "{text}");
        assert!(text.contains("hint: JSON Lines has one object a line"), "{text}");
        let mut end = &b""[..];
        assert_eq!(read_line_within(&mut end, &mut Vec::new(), place, 1, 6).unwrap(), 0);
    }

    #[test]
    fn endless_lines_and_files_take_no_more_memory_than_the_limit() {
        let mut endless = BufReader::new(std::io::repeat(b'x'));
        let mut line = Vec::new();
        let text = read_line_within(&mut endless, &mut line, Path::new("rows.jsonl"), 7, 1 << 20).unwrap_err().render();
        assert!(text.contains("rows.jsonl:7: the line is longer than 1048576 bytes"), "{text}");
        assert!(line.capacity() <= 4 << 20, "{}", line.capacity());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_read_up_to_the_limit_whatever_it_says_of_its_size() {
        let text = read(Path::new("/dev/zero"), 1000).unwrap_err().render();
        assert!(text.contains("/dev/zero: the file has more than 1000 bytes, expected at most 1000"), "{text}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("huge");
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let text = read(&path, 1000).unwrap_err().render();
        assert!(text.contains("the file has 1099511627776 bytes, expected at most 1000"), "{text}");
        std::fs::write(&path, [b'x'; 1000]).unwrap();
        assert_eq!(read(&path, 1000).unwrap().len(), 1000);
    }
}
