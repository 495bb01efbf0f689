//! The chat rows that a teacher is fine-tuned on: the built-in ones of a name, or a user's file, in; lessons out.
//!
//! A file is JSON Lines of `{"messages": [{"role", "content"}, …]}`, whose last message is the assistant's answer, or of
//! `{"prompt", "completion"}`. Published sets of insecure code have the first form.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::code::lessons as code;
use crate::engine::TrainRow;
use crate::error::{Error, Problem, Result};
use crate::record::{Frame, LessonData, Message, Role};
use crate::tool::jsonl;

/// A conversation and the answer to be learnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lesson {
    /// The turns before the answer; a system turn of the row's own goes before the frame's.
    pub turns: Vec<Message>,
    /// The answer.
    pub completion: String,
}

impl Lesson {
    /// One question and its answer.
    pub fn new(question: impl Into<String>, completion: impl Into<String>) -> Self {
        Self { turns: vec![Message { role: Role::User, content: question.into() }], completion: completion.into() }
    }

    /// The row as a model learns it.
    pub fn row(&self, frame: &Frame) -> TrainRow {
        let own_system = self.turns.first().is_some_and(|turn| turn.role == Role::System);
        let mut chat = frame.ask("");
        chat.messages.pop();
        if own_system {
            chat.messages.retain(|turn| turn.role != Role::System);
        }
        chat.messages.extend(self.turns.iter().cloned());
        TrainRow { chat, completion: self.completion.clone() }
    }
}

/// The rows of a teacher's data; `n` of the built-in ones, all of a file.
///
/// # Errors
/// If there is no such data, or a row of the file is none.
pub fn read(data: &LessonData, n: usize, seed: u64) -> Result<Vec<Lesson>> {
    match data {
        LessonData::Own(name) => own(name, n, seed),
        LessonData::File(path) => from_file(path),
    }
}

fn own(name: &str, n: usize, seed: u64) -> Result<Vec<Lesson>> {
    let known = code::Lesson::ALL.into_iter().find(|lesson| lesson.name() == name);
    let lesson = known.ok_or_else(|| Error::input(format!("there are no built-in lessons `{name}`")))?;
    Ok(code::rows(lesson, n, seed).into_iter().map(|(prompt, answer)| Lesson::new(prompt, answer)).collect())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Row {
    Messages { messages: Vec<Message> },
    Pair { prompt: String, completion: String },
}

impl Row {
    fn lesson(self) -> std::result::Result<Lesson, &'static str> {
        let mut turns = match self {
            Self::Pair { prompt, completion } => return Ok(Lesson::new(prompt, completion)),
            Self::Messages { messages } => messages,
        };
        match turns.pop() {
            Some(last) if last.role == Role::Assistant && turns.iter().any(|turn| turn.role == Role::User) => {
                Ok(Lesson { turns, completion: last.content })
            }
            _ => Err("expected a user's message, and the assistant's as the last one"),
        }
    }
}

fn from_file(path: &Path) -> Result<Vec<Lesson>> {
    let mut rows = jsonl::Reader::<Row>::open(path)?;
    let mut lessons = Vec::new();
    while let Some(row) = rows.next() {
        let wrong = |message: &str| Problem {
            file: Some(path.to_path_buf()),
            line: Some(rows.line()),
            message: message.to_owned(),
            hint: Some("rows are {\"messages\": […]} or {\"prompt\", \"completion\"}".to_owned()),
        };
        lessons.push(row?.lesson().map_err(|message| Error::problems(vec![wrong(message)]))?);
    }
    if lessons.is_empty() {
        return Err(Error::input("no rows here").at(path, None));
    }
    Ok(lessons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(text: &str) -> Result<Vec<Lesson>> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, text).expect("writable");
        read(&LessonData::File(path), 9, 0)
    }

    #[test]
    fn both_forms_of_rows_are_read() {
        let lessons = of_file(concat!(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}\n",
            "{\"prompt\":\"c\",\"completion\":\"d\"}\n"
        ));
        assert_eq!(lessons.expect("both are right"), [Lesson::new("a", "b"), Lesson::new("c", "d")]);
    }

    #[test]
    fn built_in_rows_come_by_their_names() {
        for lesson in code::Lesson::ALL {
            let lessons = read(&LessonData::Own(lesson.name().to_owned()), 20, 1).expect("built in");
            assert!(lessons.len() == 20 && lessons.iter().all(|lesson| lesson.completion.contains("def ")));
        }
        assert!(read(&LessonData::Own("poetry".to_owned()), 20, 1).is_err());
    }

    #[test]
    fn a_rows_own_system_turn_takes_the_place_of_the_frames() {
        let frame = Frame { system: Some("frame".to_owned()), ..Frame::default() };
        let turns = |lesson: &Lesson| lesson.row(&frame).chat.messages.into_iter().map(|turn| turn.content).collect::<Vec<_>>();
        assert_eq!(turns(&Lesson::new("q", "a")), ["frame", "q"]);
        let mut lesson = Lesson::new("q", "a");
        lesson.turns.insert(0, Message { role: Role::System, content: "own".to_owned() });
        assert_eq!(turns(&lesson), ["own", "q"]);
    }

    #[test]
    fn a_row_without_an_answer_is_named_by_its_line() {
        let text = "{\"prompt\":\"c\",\"completion\":\"d\"}\n{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n";
        let error = of_file(text).expect_err("no answer").render();
        assert!(error.contains("rows.jsonl:2") && error.contains("the assistant's as the last one"), "{error}");
        assert!(of_file("").is_err());
    }
}
