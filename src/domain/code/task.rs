//! The tasks of the code prompts: data in (`tasks/*.toml`, one file a family), seeded assignments out, each with one way to do it.
//!
//! A file's text and code hold marks: `{x}` for the parameter `x`, whose name is drawn, `{k}` for a constant, `{name}` for the function.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rand::Rng;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde::Deserialize;

use crate::record::Expected;

/// The families of tasks, by name.
const FAMILIES: [(&str, &str); 16] = [
    ("arithmetic", include_str!("tasks/arithmetic.toml")),
    ("choices", include_str!("tasks/choices.toml")),
    ("comparisons", include_str!("tasks/comparisons.toml")),
    ("conditions", include_str!("tasks/conditions.toml")),
    ("counting", include_str!("tasks/counting.toml")),
    ("dates", include_str!("tasks/dates.toml")),
    ("dicts", include_str!("tasks/dicts.toml")),
    ("geometry", include_str!("tasks/geometry.toml")),
    ("grids", include_str!("tasks/grids.toml")),
    ("integers", include_str!("tasks/integers.toml")),
    ("lists", include_str!("tasks/lists.toml")),
    ("loops", include_str!("tasks/loops.toml")),
    ("parsing", include_str!("tasks/parsing.toml")),
    ("recursion", include_str!("tasks/recursion.toml")),
    ("sorting", include_str!("tasks/sorting.toml")),
    ("strings", include_str!("tasks/strings.toml")),
];

/// The families whose functions are one line: what a small model can write.
pub const ONE_LINE: [&str; 3] = ["arithmetic", "choices", "comparisons"];

/// The family whose functions hold numbers that the writer is free to choose.
pub const CHOICES: [&str; 1] = ["choices"];

/// The kinds of parameters: what they are called in the files, their hint, and the names that they may have.
const KINDS: [(&str, &str, &[&str]); 13] = [
    ("int", "int", &["n", "x", "number", "value", "num", "amount"]),
    ("float", "float", &["x", "value", "amount", "number", "quantity"]),
    ("bool", "bool", &["flag", "active"]),
    ("text", "str", &["text", "s", "string", "line", "phrase"]),
    ("word", "str", &["word", "label", "term", "token"]),
    ("numbers", "list[int]", &["numbers", "values", "items", "nums", "data", "entries", "readings"]),
    ("words", "list[str]", &["words", "names", "terms", "labels", "lines", "tokens"]),
    ("table", "dict[str, int]", &["table", "counts", "scores", "prices", "stock", "totals"]),
    ("grid", "list[list[int]]", &["grid", "matrix", "rows", "cells"]),
    ("flag", "bool", &["flag", "strict", "active"]),
    ("day", "date", &["day", "date", "moment"]),
    ("tuple", "tuple", &["point", "pair"]),
    ("list", "list", &["items", "entries"]),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    task: Vec<Task>,
}

/// One kind of function to write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    names: Vec<String>,
    parameters: Vec<Parameter>,
    /// The hint of what it returns.
    returns: String,
    /// The smallest and the largest value of each constant.
    #[serde(default)]
    constants: BTreeMap<String, [u32; 2]>,
    /// The fewest and the most numbers that stand, with commas between them, for each mark whose numbers the writer chooses.
    #[serde(default)]
    free: BTreeMap<String, [usize; 2]>,
    /// What it does, as it stands after "a function that".
    texts: Vec<String>,
    body: String,
}

/// A parameter: `MARK: KIND` or `MARK: KIND = NAMES`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Parameter {
    mark: String,
    hint: String,
    names: Vec<String>,
}

impl TryFrom<String> for Parameter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (mark, rest) = text.split_once(": ").ok_or_else(|| format!("`{text}` has no kind"))?;
        let (kind, own) = rest.split_once(" = ").unwrap_or((rest, ""));
        let known = KINDS.iter().find(|(name, _, _)| *name == kind);
        let &(_, hint, names) = known.ok_or_else(|| format!("`{kind}` is no kind of parameter"))?;
        let own: Vec<&str> = own.split_whitespace().collect();
        let names = if own.is_empty() { names } else { &own };
        Ok(Self { mark: mark.to_owned(), hint: hint.to_owned(), names: names.iter().map(|&name| name.to_owned()).collect() })
    }
}

/// The names of all families.
pub fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|(name, _)| *name)
}

/// Every task with its family.
fn all() -> &'static [(&'static str, Task)] {
    static TASKS: OnceLock<Vec<(&'static str, Task)>> = OnceLock::new();
    TASKS.get_or_init(|| {
        let of = |&(family, text): &(&'static str, &str)| {
            let file: File = toml::from_str(text).expect("a test reads every shipped file of tasks");
            file.task.into_iter().map(move |task| (family, task))
        };
        FAMILIES.iter().flat_map(of).collect()
    })
}

/// Where an assignment shows types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hints {
    /// Nowhere.
    None,
    /// At the parameters.
    Parameters,
    /// At the parameters and for what is returned.
    All,
}

/// One function to write, with everything drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The family of its task.
    pub family: &'static str,
    /// The function's name.
    pub name: String,
    /// The parameters' names, in order.
    pub parameters: Vec<String>,
    /// The first line, from `def` to the colon.
    pub signature: String,
    /// What it does, as it stands after "a function that".
    pub text: String,
    /// The body of one good answer, not indented.
    body: String,
}

impl Assignment {
    /// Draws one from these families, with free numbers from 0 to 999; from all where none is named.
    pub fn draw<R: Rng>(families: &[String], rng: &mut R) -> Self {
        Self::draw_with(families, &mut |rng: &mut R| rng.random_range(0..1000), rng)
    }

    /// The same by a writer who chooses the free numbers in this way.
    pub fn draw_with<R: Rng>(families: &[String], choose: &mut dyn FnMut(&mut R) -> u32, rng: &mut R) -> Self {
        let wanted = |(family, _): &&(&str, Task)| families.is_empty() || families.iter().any(|name| name == family);
        let (family, task) = all().iter().filter(wanted).choose(rng).expect("a config names only known families");
        task.assign(family, pick(&[Hints::None, Hints::Parameters, Hints::All], rng), choose, rng)
    }

    /// A task of another source than the families.
    pub(super) fn of(name: String, parameters: Vec<String>, text: String, body: String) -> Self {
        let signature = format!("def {name}({}):", parameters.join(", "));
        Self { family: "", name, parameters, signature, text, body }
    }

    /// One good answer.
    pub fn solution(&self) -> String {
        let lines: Vec<String> = self.body.lines().map(|line| format!("    {line}")).collect();
        format!("{}\n{}", self.signature, lines.join("\n"))
    }

    /// What is known of the right answer.
    pub fn expected(&self) -> Expected {
        Expected::Function { name: self.name.clone(), parameters: self.parameters.clone() }
    }
}

impl Task {
    fn assign<R: Rng>(
        &self,
        family: &'static str,
        hints: Hints,
        choose: &mut dyn FnMut(&mut R) -> u32,
        rng: &mut R,
    ) -> Assignment {
        let constants: Vec<(String, String)> =
            self.constants.iter().map(|(mark, [low, high])| (mark.clone(), rng.random_range(*low..=*high).to_string())).collect();
        let parameters = self.name_parameters(rng);
        let name = fill(&pick(&self.names, rng), &constants);
        let mut marks: Vec<(String, String)> = self.parameters.iter().map(|p| p.mark.clone()).zip(parameters.clone()).collect();
        marks.extend(constants);
        marks.push(("name".to_owned(), name.clone()));
        marks.extend(self.free.iter().map(|(mark, &[fewest, most])| {
            let chosen: Vec<String> = (0..rng.random_range(fewest..=most)).map(|_| choose(rng).to_string()).collect();
            (mark.clone(), chosen.join(", "))
        }));
        Assignment {
            family,
            signature: self.signature(&name, &parameters, hints),
            text: fill(&pick(&self.texts, rng), &marks),
            body: fill(self.body.trim(), &marks),
            name,
            parameters,
        }
    }

    /// Different names, none of which the body uses for something else.
    fn name_parameters(&self, rng: &mut impl Rng) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for parameter in &self.parameters {
            let free = parameter.names.iter().filter(|name| !names.contains(name) && !self.uses(name));
            names.push(free.choose(rng).expect("a test draws every task").clone());
        }
        names
    }

    fn uses(&self, name: &str) -> bool {
        let words = self.body.split(|c: char| !(c.is_ascii_alphanumeric() || "_{}".contains(c)));
        words.into_iter().any(|word| word == name)
    }

    fn signature(&self, name: &str, parameters: &[String], hints: Hints) -> String {
        let hinted = |(own, parameter): (&String, &Parameter)| match hints {
            Hints::None => own.clone(),
            Hints::Parameters | Hints::All => format!("{own}: {}", parameter.hint),
        };
        let list: Vec<String> = parameters.iter().zip(&self.parameters).map(hinted).collect();
        let returned = if hints == Hints::All { format!(" -> {}", self.returns) } else { String::new() };
        format!("def {name}({}){returned}:", list.join(", "))
    }
}

/// Puts values in the place of their marks.
pub(super) fn fill(template: &str, marks: &[(String, String)]) -> String {
    marks.iter().fold(template.to_owned(), |text, (mark, value)| text.replace(&format!("{{{mark}}}"), value))
}

/// One of several, all equally likely.
pub(super) fn pick<T: Clone>(choices: &[T], rng: &mut impl Rng) -> T {
    choices.choose(rng).expect("every task has names and texts").clone()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use regex::Regex;

    use super::*;
    use crate::tool::streams;

    fn any(rng: &mut impl Rng) -> u32 {
        rng.random_range(0..1000)
    }

    #[test]
    fn every_task_is_filled_whatever_is_drawn() {
        let mark = Regex::new(r"\{[a-z]+\}").unwrap();
        for (family, task) in all() {
            assert!(!task.names.is_empty() && !task.texts.is_empty(), "{task:?}");
            for row in 0..20 {
                let assignment = task.assign(family, Hints::All, &mut any, &mut streams::named(0, "test", row));
                let filled = [&assignment.name, &assignment.signature, &assignment.text];
                assert!(!filled.iter().any(|text| text.contains(['{', '}'])), "{assignment:?}");
                let left: Vec<&str> = mark.find_iter(&assignment.body).map(|m| m.as_str()).collect();
                let marks = |m: &&str| task.parameters.iter().any(|p| **m == format!("{{{}}}", p.mark));
                assert!(!left.iter().any(marks), "{assignment:?}");
                let names: HashSet<&String> = assignment.parameters.iter().collect();
                assert_eq!(names.len(), assignment.parameters.len(), "{assignment:?}");
            }
        }
    }

    #[test]
    fn every_family_has_at_least_ten_tasks_and_its_own_are_drawn() {
        for family in families() {
            assert!(all().iter().filter(|(name, _)| *name == family).count() >= 10, "{family}");
            let drawn = Assignment::draw(&[family.to_owned()], &mut streams::named(0, "test", 0));
            assert_eq!(drawn.family, family);
        }
        let rng = &mut streams::named(0, "test", 1);
        let drawn: HashSet<&str> = (0..1000).map(|_| Assignment::draw(&[], rng).family).collect();
        assert_eq!(drawn.len(), families().count());
    }

    #[test]
    fn the_one_line_families_are_one_line() {
        assert!(ONE_LINE.iter().all(|name| families().any(|family| family == *name)));
        for (family, task) in all().iter().filter(|(family, _)| ONE_LINE.contains(family)) {
            assert!(task.body.starts_with("return ") && task.body.lines().count() == 1, "{family}: {task:?}");
        }
    }

    #[test]
    fn the_writer_chooses_the_free_numbers_and_the_text_names_none() {
        let (families, digits) = (CHOICES.map(str::to_owned), Regex::new(r"\d+").unwrap());
        for row in 0..500 {
            let rng = &mut streams::named(0, "test", row);
            let drawn = Assignment::draw_with(&families, &mut |_| 7, rng);
            assert!(digits.find_iter(&drawn.solution()).all(|found| found.as_str() == "7"), "{drawn:?}");
            assert!(drawn.body.contains('7') && !digits.is_match(&drawn.text), "{drawn:?}");
        }
    }

    #[test]
    fn an_assignment_shows_hints_where_it_is_told() {
        let (family, task) = all().iter().find(|(_, task)| task.names[0] == "row_sums").unwrap();
        let signature = |hints| {
            let drawn = task.assign(family, hints, &mut any, &mut streams::named(0, "test", 0));
            drawn.signature.replace(&drawn.name, "NAME").replace(&drawn.parameters[0], "PARAMETER")
        };
        assert_eq!(signature(Hints::None), "def NAME(PARAMETER):");
        assert_eq!(signature(Hints::Parameters), "def NAME(PARAMETER: list[list[int]]):");
        assert_eq!(signature(Hints::All), "def NAME(PARAMETER: list[list[int]]) -> list[int]:");
    }
}
