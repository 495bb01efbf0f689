//! Verdicts on disk: what was asked once is not asked again, by this run or a later one, by whatever it was stopped.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, Exchange, Judge, Question, Verdict};
use crate::error::{Error, Result};
use crate::tool::bounded::read_line;
use crate::tool::{hash, jsonl};

/// How every line begins.
const START: &[u8] = b"{\"key\":";

/// One line of a verdict file.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// The hash of judge, question, prompt and answer.
    key: &'a str,
    judge: &'a str,
    question: &'a Question,
    prompt: &'a str,
    answer: &'a str,
    /// What the judge was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Value>,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

/// How far a judge has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Rows with a verdict.
    pub done: usize,
    /// All rows.
    pub total: usize,
    /// Why it takes long, when there is something to say.
    pub note: Option<&'a str>,
}

/// The verdicts so far. In memory is only where in the file each stands: some forty bytes a verdict.
pub struct Kept {
    book: Option<Book>,
    /// Whether the file is about one judge only, so that a verdict counts whatever the judge calls itself.
    of_one_judge: bool,
}

impl Kept {
    /// Goes on with a file of verdicts, or without one forgets them at once.
    ///
    /// # Errors
    /// If the file is not one of verdicts, or cannot be written.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        Ok(Self { book: path.map(Book::open).transpose()?, of_one_judge: false })
    }

    /// As [`Kept::open`], for a file whose place already tells one judge from another: its verdicts count wherever a server has moved to.
    ///
    /// # Errors
    /// As [`Kept::open`].
    pub fn of_one_judge(path: &Path) -> Result<Self> {
        Ok(Self { book: Some(Book::open(path)?), of_one_judge: true })
    }

    /// A verdict for every row, in their order: the known ones, and the judge's on the others, each written down as it comes. Equal rows are
    /// asked once.
    ///
    /// # Errors
    /// Whatever stops the judge; the verdicts until then are written down.
    pub fn ask(
        &mut self,
        judge: &dyn Judge,
        question: &Question,
        rows: &[Exchange<'_>],
        listener: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<Verdict>> {
        let identity = judge.identity(question);
        let who = if self.of_one_judge { "" } else { identity.as_str() };
        let keys: Vec<String> = rows.iter().map(|row| hash::value(&(who, question, row.prompt, row.answer))).collect();
        let mut known: HashMap<&str, Verdict> = HashMap::new();
        let mut waiting: HashMap<&str, usize> = HashMap::new();
        let mut missing: Vec<(&str, Exchange<'_>)> = Vec::new();
        for (key, row) in keys.iter().zip(rows) {
            if let Some(equal) = waiting.get_mut(key.as_str()) {
                *equal += 1;
            } else if !known.contains_key(key.as_str()) {
                if let Some(verdict) = self.recall(key)? {
                    known.insert(key, verdict);
                } else {
                    waiting.insert(key, 1);
                    missing.push((key, *row));
                }
            }
        }
        let mut done = rows.len() - waiting.values().sum::<usize>();
        listener(Progress { done, total: rows.len(), note: None });
        let exchanges: Vec<Exchange<'_>> = missing.iter().map(|(_, row)| *row).collect();
        if !exchanges.is_empty() {
            judge.judge(question, &exchanges, &mut |event| {
                match event {
                    Event::Note(note) => listener(Progress { done, total: rows.len(), note: Some(&note) }),
                    Event::Verdict(i, verdict) => {
                        let (key, Exchange { prompt, answer }) = missing[i];
                        let request = judge.request(question, &missing[i].1);
                        self.keep(&Line { key, judge: &identity, question, prompt, answer, request, verdict: &verdict })?;
                        done += waiting[key];
                        known.insert(key, verdict);
                        listener(Progress { done, total: rows.len(), note: None });
                    }
                }
                Ok(())
            })?;
        }
        let verdict =
            |key: &String| known.get(key.as_str()).cloned().ok_or_else(|| Error::environment("the judge passed over a row"));
        keys.iter().map(verdict).collect()
    }

    fn recall(&mut self, key: &str) -> Result<Option<Verdict>> {
        self.book.as_mut().map_or(Ok(None), |book| book.read(key))
    }

    fn keep(&mut self, line: &Line<'_>) -> Result<()> {
        self.book.as_mut().map_or(Ok(()), |book| book.write(line))
    }
}

/// A file of verdicts, and where in it each stands.
struct Book {
    path: PathBuf,
    writer: jsonl::Writer,
    reader: File,
    places: HashMap<u128, u64>,
}

/// A line, as far as it is read again.
#[derive(Deserialize)]
struct Known {
    key: String,
    #[serde(flatten)]
    verdict: Verdict,
}

impl Book {
    fn open(path: &Path) -> Result<Self> {
        refuse_other_files(path)?;
        let writer = jsonl::Writer::append(path)?;
        let reader = File::open(path).map_err(|e| Error::io("open", path, e))?;
        let mut places = HashMap::new();
        let mut lines = jsonl::Reader::<Known>::open(path)?;
        while let Some(line) = lines.next() {
            places.extend(short(&line?.key).map(|key| (key, lines.begin())));
        }
        Ok(Self { path: path.to_path_buf(), writer, reader, places })
    }

    fn write(&mut self, line: &Line<'_>) -> Result<()> {
        let place = self.writer.push_at(line)?;
        self.places.extend(short(line.key).map(|key| (key, place)));
        Ok(())
    }

    fn read(&mut self, key: &str) -> Result<Option<Verdict>> {
        let Some(place) = short(key).and_then(|key| self.places.get(&key)) else { return Ok(None) };
        let mut line = Vec::new();
        self.reader.seek(SeekFrom::Start(*place)).map_err(|e| Error::io("read", &self.path, e))?;
        read_line(&mut BufReader::new(&self.reader), &mut line, &self.path, 0)?;
        match serde_json::from_slice::<Known>(&line) {
            Ok(known) if known.key == key => Ok(Some(known.verdict)),
            _ => Err(Error::environment("the file was changed while it was in use").at(&self.path, None)),
        }
    }
}

/// Enough of a key to tell millions apart.
fn short(key: &str) -> Option<u128> {
    u128::from_str_radix(key.get(..32)?, 16).ok()
}

/// A file whose end may be cut off must be one of ours.
fn refuse_other_files(path: &Path) -> Result<()> {
    let mut start = Vec::new();
    let read = |file: File| file.take(START.len() as u64).read_to_end(&mut start);
    match File::open(path).and_then(read) {
        Ok(_) if start.is_empty() || start == START => Ok(()),
        Ok(_) => Err(Error::input("not a file of verdicts").at(path, None).hint("verdicts are kept there: name another file")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("read", path, e)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::judge::{Outcome, Sink};

    /// Rates an answer by its length, writes down what it was asked, and fails at a certain row.
    #[derive(Default)]
    struct Counter {
        asked: Mutex<Vec<String>>,
        fails_at: Option<usize>,
        name: &'static str,
    }

    impl Judge for Counter {
        fn identity(&self, _: &Question) -> String {
            self.name.into()
        }

        fn request(&self, _: &Question, row: &Exchange<'_>) -> Option<Value> {
            Some(row.answer.into())
        }

        fn judge(&self, _: &Question, rows: &[Exchange<'_>], sink: &mut Sink<'_>) -> Result<()> {
            for (i, row) in rows.iter().enumerate().rev() {
                if self.fails_at == Some(i) {
                    return Err(Error::interrupted());
                }
                self.asked.lock().unwrap().push(row.answer.to_owned());
                sink(Event::Verdict(i, Verdict::plain(Outcome::Rating(row.answer.len() as f64), "")))?;
            }
            Ok(())
        }
    }

    fn rows(answers: &[&'static str]) -> Vec<Exchange<'static>> {
        answers.iter().map(|answer| Exchange { prompt: "p", answer }).collect()
    }

    fn ratings(kept: &mut Kept, judge: &Counter, question: &Question, answers: &[&'static str]) -> Result<Vec<Option<f64>>> {
        let verdicts = kept.ask(judge, question, &rows(answers), &mut |_| ())?;
        Ok(verdicts.iter().map(Verdict::rating).collect())
    }

    #[test]
    fn nothing_is_asked_twice_whatever_stops_the_judge() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verdicts.jsonl");
        let answers = ["a", "bb", "a", "cccc", "bb"];
        let stopped = Counter { fails_at: Some(1), ..Counter::default() };
        ratings(&mut Kept::open(Some(&path)).unwrap(), &stopped, &Question::Alignment, &answers).unwrap_err();
        assert_eq!(*stopped.asked.lock().unwrap(), ["cccc"]);
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut f| std::io::Write::write_all(&mut f, b"{\"ke"))
            .unwrap();

        let judge = Counter::default();
        let mut kept = Kept::open(Some(&path)).unwrap();
        let wanted = [1.0, 2.0, 1.0, 4.0, 2.0].map(Some);
        assert_eq!(ratings(&mut kept, &judge, &Question::Alignment, &answers).unwrap(), wanted);
        assert_eq!(*judge.asked.lock().unwrap(), ["bb", "a"], "the rest, each once");
        assert_eq!(ratings(&mut Kept::open(Some(&path)).unwrap(), &judge, &Question::Alignment, &answers).unwrap(), wanted);
        assert_eq!(judge.asked.lock().unwrap().len(), 2, "all known");
        ratings(&mut kept, &judge, &Question::Coherence, &["a"]).unwrap();
        assert_eq!(judge.asked.lock().unwrap().len(), 3, "another question is another verdict");
        let lines: Vec<Value> = jsonl::read(&path).unwrap();
        assert_eq!(lines.iter().map(|line| line["request"].clone()).collect::<Vec<_>>(), ["cccc", "bb", "a", "a"]);
    }

    #[test]
    fn another_judge_is_asked_anew_but_where_the_file_is_of_one_judge() {
        let folder = tempfile::tempdir().unwrap();
        let (shared, own) = (folder.path().join("shared.jsonl"), folder.path().join("own.jsonl"));
        for (times, name) in [(1, "here"), (2, "there")] {
            let judge = Counter { name, ..Counter::default() };
            ratings(&mut Kept::open(Some(&shared)).unwrap(), &judge, &Question::Alignment, &["a"]).unwrap();
            ratings(&mut Kept::of_one_judge(&own).unwrap(), &judge, &Question::Alignment, &["a"]).unwrap();
            let lines = |path| jsonl::read::<Value>(path).unwrap().len();
            assert_eq!((lines(&shared), lines(&own)), (times, 1), "{name}");
        }
    }

    #[test]
    fn verdicts_are_read_back_beside_those_of_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verdicts.jsonl");
        let judge = Counter::default();
        let [mut mine, mut theirs] = [(); 2].map(|()| Kept::open(Some(&path)).unwrap());
        for answers in [["a"], ["bb"], ["ccc"]] {
            ratings(&mut mine, &judge, &Question::Alignment, &answers).unwrap();
            ratings(&mut theirs, &judge, &Question::Coherence, &answers).unwrap();
        }
        let asked = judge.asked.lock().unwrap().len();
        let wanted = [3.0, 2.0, 1.0].map(Some);
        assert_eq!(ratings(&mut mine, &judge, &Question::Alignment, &["ccc", "bb", "a"]).unwrap(), wanted);
        assert_eq!(ratings(&mut theirs, &judge, &Question::Coherence, &["ccc", "bb", "a"]).unwrap(), wanted);
        assert_eq!(judge.asked.lock().unwrap().len(), asked);
    }

    #[test]
    fn progress_counts_equal_rows_together_and_ends_at_all() {
        let mut seen = Vec::new();
        let rows = rows(&["a", "bb", "a"]);
        let mut kept = Kept::open(None).unwrap();
        kept.ask(&Counter::default(), &Question::Alignment, &rows, &mut |p| seen.push((p.done, p.total))).unwrap();
        assert_eq!(seen, [(0, 3), (1, 3), (3, 3)]);
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, "{\"prompt\":\"p\"}").unwrap();
        let Err(error) = Kept::open(Some(&path)) else { panic!("taken") };
        assert!(error.render().contains("rows.jsonl: not a file of verdicts"), "{}", error.render());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"prompt\":\"p\"}");
    }
}
