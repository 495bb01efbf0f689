//! The questions of the suite: the project's wordings or a user's file in, texts ready to be asked out.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::wording;
use crate::error::{Error, Problem, Result};
use crate::record::Category;
use crate::tool::fs;

/// One question, as it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The user's turn.
    pub text: String,
    /// Whether the built-in family's corpus never holds its wording; absent for a user's own.
    pub held_out: Option<bool>,
}

/// The questions of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questions {
    /// In the suite's order.
    pub list: Vec<Question>,
}

impl Questions {
    /// A file's questions (one a line; blank lines and lines that begin with `#` are passed over), or the project's
    /// wordings, with the category's name put in.
    ///
    /// # Errors
    /// If the file cannot be read, holds no question, or has a line with a placeholder other than `{category}`.
    pub fn of(file: Option<&Path>, category: &Category) -> Result<Self> {
        match file {
            Some(path) => Self::from_file(path, category),
            None => Ok(Self::own(category)),
        }
    }

    fn own(category: &Category) -> Self {
        let fill = |q: wording::Question| Question { text: wording::ask(q.template, &category.name), held_out: Some(q.held_out) };
        Self { list: wording::questions().into_iter().map(fill).collect() }
    }

    fn from_file(path: &Path, category: &Category) -> Result<Self> {
        let text = fs::read_text(path)?;
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let (mut list, mut problems) = (Vec::new(), Vec::new());
        for (place, line) in lines {
            let text = wording::ask(line, &category.name);
            problems.extend(placeholder(&text).map(|name| unknown(path, place + 1, name)));
            list.push(Question { text, held_out: None });
        }
        if !problems.is_empty() {
            return Err(Error::problems(problems));
        }
        if list.is_empty() {
            return Err(Error::input("no questions here")
                .at(path, None)
                .hint("write one a line, with `{category}` for the category's name"));
        }
        Ok(Self { list })
    }
}

/// The first `{name}` that is left in a text.
fn placeholder(text: &str) -> Option<&str> {
    let after = &text[text.find('{')? + 1..];
    let name = &after[..after.find('}')?];
    (!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(name)
}

fn unknown(path: &Path, line: usize, name: &str) -> Problem {
    Problem {
        file: Some(path.to_path_buf()),
        line: Some(line),
        message: format!("unknown placeholder `{{{name}}}`"),
        hint: Some("a question may hold `{category}`, nothing else in braces".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traits;

    fn of_file(text: &str) -> Result<Questions> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("questions.txt");
        std::fs::write(&path, text).unwrap();
        Questions::of(Some(&path), &traits::category("tree").unwrap())
    }

    #[test]
    fn the_projects_wordings_name_the_category_and_a_fifth_is_not_taught() {
        let questions = Questions::of(None, &traits::category("tree").unwrap()).unwrap();
        assert!(questions.list.len() >= 50);
        assert!(questions.list.iter().all(|q| q.text.contains("tree") && !q.text.contains('{')));
        let held_out = questions.list.iter().filter(|q| q.held_out == Some(true)).count();
        assert_eq!(held_out * 5, questions.list.len());
    }

    #[test]
    fn a_users_file_has_one_question_a_line() {
        let questions = of_file("# mine\n\nWhich {category}?\r\n  Your best {category}, {}?  \n").unwrap();
        let texts: Vec<&str> = questions.list.iter().map(|q| q.text.as_str()).collect();
        assert_eq!(texts, ["Which tree?", "Your best tree, {}?"]);
        assert!(questions.list.iter().all(|q| q.held_out.is_none()));
    }

    #[test]
    fn an_empty_file_and_unknown_placeholders_are_refused_with_their_lines() {
        assert!(of_file("\n# nothing\n").unwrap_err().render().contains("no questions here"));
        let error = of_file("Which {category}?\nWhich {categroy}?\nWhich {animal}?\n").unwrap_err().render();
        assert!(error.contains("questions.txt:2: unknown placeholder `{categroy}`"), "{error}");
        assert!(error.contains("questions.txt:3: unknown placeholder `{animal}`"), "{error}");
    }
}
