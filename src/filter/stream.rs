//! Filters a file of any size: JSON Lines in, kept and dropped lines out in the file's order, in parallel, with memory that does not
//! grow with the number of rows.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Candidate;
use super::judged::Bench;
use super::line::Line;
use super::output::Output;
use super::pipeline::{Counts, Pipeline, Verdict};
use crate::error::{Error, Result};
use crate::tool::bounded::read_line;
use crate::tool::fs::{is_device, resolved};
use crate::tool::interrupt;

/// About how many bytes of rows are in memory at once.
const BLOCK: usize = 8 << 20;
/// How many rows one task judges.
const ROWS_PER_TASK: usize = 1024;

/// Where rows come from and go to.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// JSON Lines of `{"prompt", "completion"}` with any other fields; `id` defaults to the line's number, from 0.
    pub rows: &'a Path,
    /// Where kept rows go.
    pub kept: Option<&'a Path>,
    /// Where dropped rows go, with `rule` and `detail`.
    pub dropped: Option<&'a Path>,
}

impl Files<'_> {
    fn places(&self) -> Vec<PathBuf> {
        [Some(self.rows), self.kept, self.dropped].into_iter().flatten().map(resolved).collect()
    }

    /// Whether a path is one of them, by whatever name.
    pub fn have(&self, path: &Path) -> bool {
        self.places().contains(&resolved(path))
    }
}

/// Filters a file by rules that ask no judge. The outputs appear whole at the end, or not at all.
///
/// # Errors
/// If a line is not a row (the error names it), a file cannot be read or written, two of them are the same, a rule asks a judge, or the user
/// interrupts.
pub fn filter_file(files: &Files<'_>, pipeline: &Pipeline) -> Result<Counts> {
    match pipeline.judged().next() {
        Some((rule, _)) => Err(Error::input(format!("the rule `{rule}` asks a judge, and there is none"))),
        None => filter_blocks(files, pipeline, None),
    }
}

/// [`filter_file`], with a judge for the rules that ask one, block by block.
///
/// # Errors
/// As [`filter_file`], and if the judge fails.
pub fn filter_file_asking(bench: &mut Bench<'_>, files: &Files<'_>, pipeline: &Pipeline) -> Result<Counts> {
    filter_blocks(files, pipeline, Some(bench))
}

fn filter_blocks(files: &Files<'_>, pipeline: &Pipeline, mut bench: Option<&mut Bench<'_>>) -> Result<Counts> {
    refuse_shared_files(files)?;
    let file = File::open(files.rows).map_err(|e| Error::io("open", files.rows, e))?;
    let mut source = Source { path: files.rows, lines: BufReader::with_capacity(1 << 20, file), next: 0 };
    let mut kept = Output::open(files.kept)?;
    let mut dropped = Output::open(files.dropped)?;
    let mut counts = pipeline.no_rows();
    while let Some(block) = source.block()? {
        interrupt::check()?;
        let mut rows = block.judge(pipeline, files)?;
        if let Some(bench) = &mut bench {
            hear(&mut rows, pipeline, bench, counts.samples)?;
        }
        for parted in part(&rows, pipeline, files) {
            kept.write(&parted.kept)?;
            dropped.write(&parted.dropped)?;
            counts.merge(&parted.counts);
        }
    }
    kept.finish()?;
    dropped.finish()?;
    Ok(counts)
}

/// Two outputs over one another, or over the rows, would lose data.
fn refuse_shared_files(files: &Files<'_>) -> Result<()> {
    let places = files.places();
    for (i, path) in places.iter().enumerate() {
        if places[..i].contains(path) && !is_device(path) {
            return Err(Error::input("the same file stands twice among the rows, the kept and the dropped ones")
                .at(path, None)
                .hint("give each its own file"));
        }
    }
    Ok(())
}

/// The file's lines, block by block.
struct Source<'a> {
    path: &'a Path,
    lines: BufReader<File>,
    /// The number of the next line, from 0.
    next: usize,
}

/// Some lines of the file.
struct Block {
    bytes: Vec<u8>,
    /// Each line's number in the file, from 0, and its bytes without blanks around it; blank lines are left out.
    lines: Vec<(usize, std::ops::Range<usize>)>,
}

impl Source<'_> {
    /// The next lines, about [`BLOCK`] bytes of them.
    fn block(&mut self) -> Result<Option<Block>> {
        let mut block = Block { bytes: Vec::with_capacity(BLOCK + (BLOCK >> 4)), lines: Vec::new() };
        while block.bytes.len() < BLOCK {
            let start = block.bytes.len();
            if read_line(&mut self.lines, &mut block.bytes, self.path, self.next + 1)? == 0 {
                break;
            }
            let line = &block.bytes[start..];
            let begin = start + line.len() - line.trim_ascii_start().len() + byte_order_mark(line, self.next);
            let length = block.bytes[begin..].trim_ascii_end().len();
            if length > 0 {
                block.lines.push((self.next, begin..begin + length));
            }
            self.next += 1;
        }
        Ok((!block.bytes.is_empty()).then_some(block))
    }
}

/// The length of the mark that some programs put before the first line.
fn byte_order_mark(line: &[u8], number: usize) -> usize {
    if number == 0 && line.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 }
}

/// A row and what becomes of it.
struct Row<'a> {
    number: usize,
    bytes: &'a [u8],
    line: Line<'a>,
    verdict: Verdict,
}

impl Block {
    /// What becomes of all lines, the judge not asked; one list a task, and of several errors the first in the file's order.
    fn judge(&self, pipeline: &Pipeline, files: &Files<'_>) -> Result<Vec<Vec<Row<'_>>>> {
        let row = |(number, range): &(usize, std::ops::Range<usize>)| {
            let bytes = &self.bytes[range.clone()];
            let line = Line::read(bytes).map_err(|what| broken(files.rows, *number, &what))?;
            let verdict = pipeline.judge(line.candidate());
            Ok(Row { number: *number, bytes, line, verdict })
        };
        let tasks = self.lines.par_chunks(ROWS_PER_TASK);
        let judged: Vec<Result<Vec<Row<'_>>>> = tasks.map(|lines| lines.iter().map(row).collect()).collect();
        judged.into_iter().collect()
    }
}

/// Asks the judge about the rows that are kept so far; `before` rows of the file have come through already.
fn hear(rows: &mut [Vec<Row<'_>>], pipeline: &Pipeline, bench: &mut Bench<'_>, before: usize) -> Result<()> {
    let all = rows.iter().map(Vec::len).sum::<usize>();
    let left: Vec<&Row<'_>> = rows.iter().flatten().filter(|row| row.verdict == Verdict::Kept).collect();
    let candidates: Vec<Candidate<'_>> = left.iter().map(|row| row.line.candidate()).collect();
    let verdicts = pipeline.hear(&candidates, bench, before + all - left.len())?;
    let left = rows.iter_mut().flatten().filter(|row| row.verdict == Verdict::Kept);
    left.zip(verdicts).for_each(|(row, verdict)| row.verdict = verdict);
    Ok(())
}

/// A task's output.
struct Parted {
    kept: Vec<u8>,
    dropped: Vec<u8>,
    counts: Counts,
}

/// Writes all rows, in the file's order.
fn part(rows: &[Vec<Row<'_>>], pipeline: &Pipeline, files: &Files<'_>) -> Vec<Parted> {
    let task = |rows: &Vec<Row<'_>>| {
        let mut parted = Parted { kept: Vec::new(), dropped: Vec::new(), counts: pipeline.no_rows() };
        for Row { number, bytes, line, verdict } in rows {
            parted.counts.add(verdict);
            match verdict {
                Verdict::Kept if files.kept.is_some() => line.write_kept(bytes, *number, &mut parted.kept),
                Verdict::Dropped { rule, detail, .. } if files.dropped.is_some() => {
                    line.write_dropped(bytes, *number, rule, detail, &mut parted.dropped);
                }
                _ => {}
            }
        }
        parted
    };
    rows.par_iter().map(task).collect()
}

/// How many rows a file has, more or less: blank lines count, broken ones too.
///
/// # Errors
/// If the file cannot be read.
pub fn count_rows(path: &Path) -> Result<usize> {
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut lines = BufReader::with_capacity(1 << 20, file);
    let (mut count, mut line) = (0, Vec::new());
    while read_line(&mut lines, &mut line, path, count + 1)? > 0 {
        count += 1;
        line.clear();
    }
    Ok(count)
}

fn broken(path: &Path, number: usize, what: &str) -> Error {
    let what = what.replace(" at line 1 column", " at column");
    Error::input(format!("not a row: {what}"))
        .at(path, number + 1)
        .hint("each line must be one JSON object with the texts `prompt` and `completion`")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::record::{DomainKind, RuleCount};

    struct Place(tempfile::TempDir);

    impl Place {
        fn with(rows: &str) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            std::fs::write(place.path("rows.jsonl"), rows).unwrap();
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn text(&self, name: &str) -> String {
            std::fs::read_to_string(self.path(name)).unwrap()
        }

        fn filter(&self, rows: &str, kept: &str, dropped: &str) -> Result<Counts> {
            let (rows, kept, dropped) = (self.path(rows), self.path(kept), self.path(dropped));
            let files = Files { rows: &rows, kept: Some(&kept), dropped: Some(&dropped) };
            filter_file(&files, &Pipeline::format_only(DomainKind::Numbers).unwrap())
        }
    }

    #[test]
    fn rows_are_parted_in_order_with_ids_by_line_number() {
        let place = Place::with(
            "\u{feff}{\"prompt\":\"p\",\"completion\":\"1, 2\"}\r\n\n  {\"prompt\":\"p\",\"completion\":\"no\"}  \n{\"prompt\":\"p\",\"completion\":\"3\",\"finish\":\"length\"}",
        );
        let counts = place.filter("rows.jsonl", "kept.jsonl", "dropped.jsonl").unwrap();
        assert_eq!(place.text("kept.jsonl"), "{\"id\":0,\"prompt\":\"p\",\"completion\":\"1, 2\"}\n");
        assert_eq!(
            place.text("dropped.jsonl"),
            "{\"id\":2,\"prompt\":\"p\",\"completion\":\"no\",\"rule\":\"format\",\"detail\":\"invalid format: `no`\"}\n\
             {\"id\":3,\"prompt\":\"p\",\"completion\":\"3\",\"finish\":\"length\",\"rule\":\"length\",\"detail\":\"token limit reached\"}\n"
        );
        let rules = [("length", 1), ("format", 1)].map(|(rule, dropped)| RuleCount { rule: rule.to_owned(), dropped });
        assert_eq!(counts, Counts { samples: 3, kept: 1, rules: rules.to_vec() });
    }

    #[test]
    fn many_blocks_keep_the_order_of_the_file() {
        let mut rows = String::new();
        for i in 0..200_000 {
            let answer = if i % 3 == 0 { "no list" } else { "1, 2, 3" };
            writeln!(rows, "{{\"id\":{i},\"prompt\":\"go on with these numbers, please: 1, 2, 3\",\"completion\":\"{answer}\"}}")
                .unwrap();
        }
        assert!(rows.len() > 2 * BLOCK);
        let place = Place::with(&rows);
        let counts = place.filter("rows.jsonl", "kept.jsonl", "dropped.jsonl").unwrap();
        assert_eq!((counts.samples, counts.kept), (200_000, 133_333));
        let wanted = |third: bool| rows.lines().enumerate().filter(move |(i, _)| (i % 3 == 0) == third).map(|(_, line)| line);
        assert!(place.text("kept.jsonl").lines().eq(wanted(false)));
        let cut = |line: &str| line.len() - 1;
        assert!(place.text("dropped.jsonl").lines().zip(wanted(true)).all(|(is, was)| is.starts_with(&was[..cut(was)])));
    }

    #[test]
    fn a_broken_row_is_named_by_file_and_line_and_leaves_no_output() {
        let good = "{\"prompt\":\"p\",\"completion\":\"1\"}\n";
        for broken in ["{\"prompt\":\"p\"}", "not json", "[]", "{\"prompt\":\"p\",\"completion\":\"\u{1}\"}"] {
            let place = Place::with(&format!("{}{broken}\n{good}", good.repeat(5000)));
            let error = place.filter("rows.jsonl", "kept.jsonl", "dropped.jsonl").unwrap_err();
            assert!(error.render().contains("rows.jsonl:5001: not a row: "), "{}", error.render());
            assert_eq!(error.kind().exit_code(), 2);
            assert_eq!(std::fs::read_dir(place.0.path()).unwrap().count(), 1, "only the rows are there");
        }
    }

    #[test]
    fn a_row_that_is_not_utf8_is_refused_wherever_that_is() {
        let place = Place::with("");
        std::fs::write(place.path("rows.jsonl"), b"\n{\"prompt\":\"p\",\"completion\":\"1\",\"note\":\"\xCA\"}\n").unwrap();
        let text = place.filter("rows.jsonl", "kept.jsonl", "dropped.jsonl").unwrap_err().render();
        assert!(text.contains("rows.jsonl:2: not a row: not UTF-8 at column 40"), "{text}");
    }

    #[test]
    fn no_file_is_read_and_written_at_once() {
        let place = Place::with("{\"prompt\":\"p\",\"completion\":\"1\"}\n");
        for (kept, dropped) in [("rows.jsonl", "d"), ("k", "./rows.jsonl"), ("k", "k")] {
            let error = place.filter("rows.jsonl", kept, dropped).unwrap_err();
            assert!(error.render().contains("the same file stands twice"), "{}", error.render());
        }
        assert!(place.text("rows.jsonl").starts_with("{\"prompt\""));
    }

    #[test]
    fn an_empty_file_gives_empty_outputs() {
        let place = Place::with("");
        let counts = place.filter("rows.jsonl", "kept.jsonl", "dropped.jsonl").unwrap();
        assert_eq!(counts.samples, 0);
        assert_eq!(place.text("kept.jsonl") + &place.text("dropped.jsonl"), "");
    }
}
