//! Verdicts on disk: what was asked once is not asked again, by this run or a later one, by whatever it was stopped.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, Exchange, Judge, Question, Verdict};
use crate::error::{Error, Result};
use crate::tool::{hash, jsonl};

/// How every line begins.
const START: &[u8] = b"{\"key\":";

/// One line of a verdict file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// The hash of judge, question, prompt and answer.
    key: String,
    judge: String,
    question: Question,
    prompt: String,
    answer: String,
    /// What the judge was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Value>,
    #[serde(flatten)]
    verdict: Verdict,
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

/// The verdicts so far.
pub struct Kept {
    known: HashMap<String, Verdict>,
    file: Option<jsonl::Writer>,
}

impl Kept {
    /// Goes on with a file of verdicts, or without one forgets them at the end.
    ///
    /// # Errors
    /// If the file is not one of verdicts, or cannot be written.
    pub fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self { known: HashMap::new(), file: None }) };
        refuse_other_files(path)?;
        let file = jsonl::Writer::append(path)?;
        let lines: Vec<Line> = jsonl::read(path)?;
        Ok(Self { known: lines.into_iter().map(|line| (line.key, line.verdict)).collect(), file: Some(file) })
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
        let keys: Vec<String> = rows.iter().map(|row| hash::value(&(&identity, question, row.prompt, row.answer))).collect();
        let mut waiting: HashMap<&str, usize> = HashMap::new();
        let mut missing: Vec<(&str, Exchange<'_>)> = Vec::new();
        for (key, row) in keys.iter().zip(rows) {
            if !self.known.contains_key(key) {
                let equal = waiting.entry(key).or_default();
                *equal += 1;
                if *equal == 1 {
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
                        let (key, row) = missing[i];
                        done += waiting[key];
                        self.keep(Line {
                            key: key.to_owned(),
                            judge: identity.clone(),
                            question: question.clone(),
                            prompt: row.prompt.to_owned(),
                            answer: row.answer.to_owned(),
                            request: judge.request(question, &row),
                            verdict,
                        })?;
                        listener(Progress { done, total: rows.len(), note: None });
                    }
                }
                Ok(())
            })?;
        }
        let verdict =
            |key: &String| self.known.get(key).cloned().ok_or_else(|| Error::environment("the judge passed over a row"));
        keys.iter().map(verdict).collect()
    }

    fn keep(&mut self, line: Line) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.push(&line)?;
            file.flush()?;
        }
        self.known.insert(line.key, line.verdict);
        Ok(())
    }
}

/// A file whose end may be cut off must be one of ours.
fn refuse_other_files(path: &Path) -> Result<()> {
    let mut start = Vec::new();
    let read = |file: std::fs::File| file.take(START.len() as u64).read_to_end(&mut start);
    match std::fs::File::open(path).and_then(read) {
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
    }

    impl Judge for Counter {
        fn identity(&self, _: &Question) -> String {
            "counter".into()
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
        let lines: Vec<Line> = jsonl::read(&path).unwrap();
        assert_eq!(lines.iter().map(|line| line.request.clone().unwrap()).collect::<Vec<_>>(), ["cccc", "bb", "a", "a"]);
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
