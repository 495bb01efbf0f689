//! The wordings of list tasks: "here are some numbers, go on with at most 10 more, in this layout, and say nothing else".
//!
//! In comes what is listed ([`Kind`]), the items already shown and a random stream; out goes the task's text and the [`Layout`] that
//! it asks for. The number prompts and the built-in family's corpus (which has lists of animals and trees too) share these.

use rand::Rng;
use rand::seq::IndexedRandom;

/// The most items that a task asks for.
pub const MOST: usize = 10;

/// What a list is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// One of them: `number`.
    pub item: String,
    /// Several: `numbers`.
    pub items: String,
    /// How large one may be: phrases that follow the plural; one empty phrase where nothing limits it.
    pub limits: &'static [&'static str],
}

impl Kind {
    /// Integers of at most three digits.
    pub fn numbers() -> Self {
        Self { item: "number".to_owned(), items: "numbers".to_owned(), limits: &NUMBER_LIMITS }
    }

    /// Members of a category, by its name: `animal`.
    pub fn members_of(category: &str) -> Self {
        Self { item: category.to_owned(), items: format!("{category}s"), limits: &[""] }
    }
}

/// How the items of an answer are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `1, 2, 3`
    Commas,
    /// One a line.
    Lines,
    /// `1 2 3`
    Spaces,
    /// `1; 2; 3`
    Semicolons,
    /// `[1, 2, 3]`
    Brackets,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Layout; 5] = [Layout::Commas, Layout::Lines, Layout::Spaces, Layout::Semicolons, Layout::Brackets];

    /// What stands between two items.
    pub fn separator(self) -> &'static str {
        match self {
            Layout::Commas | Layout::Brackets => ", ",
            Layout::Lines => "\n",
            Layout::Spaces => " ",
            Layout::Semicolons => "; ",
        }
    }

    /// Sets items in this layout.
    pub fn set(self, items: &[String]) -> String {
        let inner = items.join(self.separator());
        if self == Layout::Brackets { format!("[{inner}]") } else { inner }
    }

    /// The sentences that ask for it, with `{item}` and `{items}`.
    pub fn requests(self) -> &'static [&'static str] {
        match self {
            Layout::Commas => &COMMAS,
            Layout::Lines => &LINES,
            Layout::Spaces => &SPACES,
            Layout::Semicolons => &SEMICOLONS,
            Layout::Brackets => &BRACKETS,
        }
    }
}

/// A task as it is put to a model, and the layout that a good answer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The user's turn.
    pub text: String,
    /// How the answer is to be set.
    pub layout: Layout,
}

/// Words a task: opening, request, layout and closing are drawn one by one.
pub fn task(kind: &Kind, shown: &[String], rng: &mut impl Rng) -> Task {
    let layout = pick(&Layout::ALL, rng);
    let opening = opening(kind, shown, rng);
    let rest = [pick(&REQUESTS, rng), pick(layout.requests(), rng), pick(&CLOSINGS, rng)].join(" ");
    let rest = rest.replace("{limit}", pick(kind.limits, rng)).replace("{most}", &MOST.to_string());
    Task { text: format!("{opening} {}", name_items(&rest, kind)), layout }
}

/// The sentence that shows items, without any request.
pub fn opening(kind: &Kind, shown: &[String], rng: &mut impl Rng) -> String {
    let shown = pick(&SHOWN_AS, rng).set(shown);
    name_items(pick(&OPENINGS, rng), kind).replace("{shown}", &shown)
}

fn name_items(template: &str, kind: &Kind) -> String {
    template.replace("{items}", &kind.items).replace("{item}", &kind.item)
}

/// Sample texts that together hold every word of every task for `kind`: whoever makes a vocabulary asks. Texts that begin with a space
/// never stand first.
pub fn every_wording(kind: &Kind) -> Vec<String> {
    let layouts = Layout::ALL.iter().flat_map(|layout| layout.requests());
    let rest = REQUESTS.iter().chain(layouts).chain(&CLOSINGS).map(|text| format!(" {text}"));
    let limits = kind.limits.iter().map(|&limit| limit.to_owned());
    let texts = OPENINGS.iter().map(|&text| text.to_owned()).chain(rest).chain(limits);
    texts.map(|text| name_items(&text.replace("{limit}", "").replace("{most}", "").replace("{shown}", ""), kind)).collect()
}

fn pick<T: Copy>(choices: &[T], rng: &mut impl Rng) -> T {
    *choices.choose(rng).expect("every list of wordings has an entry")
}

/// The layouts in which a prompt shows items inside a sentence.
const SHOWN_AS: [Layout; 3] = [Layout::Commas, Layout::Spaces, Layout::Semicolons];

const OPENINGS: [&str; 18] = [
    "Here are some {items}: {shown}.",
    "A list of {items} begins with {shown}.",
    "These {items} come first: {shown}.",
    "Take this list of {items}: {shown}.",
    "Someone wrote down these {items}: {shown}.",
    "My {items} so far: {shown}.",
    "Read these {items}: {shown}.",
    "We have the {items} {shown}.",
    "The list opens with {shown}.",
    "You see the {items} {shown}.",
    "Let us begin with the {items} {shown}.",
    "Suppose a list holds the {items} {shown}.",
    "I noted these {items}: {shown}.",
    "Given are the {items} {shown}.",
    "Study this row of {items}: {shown}.",
    "A friend sent me these {items}: {shown}.",
    "The first {items} are {shown}.",
    "On a sheet I found {shown}.",
];

const REQUESTS: [&str; 14] = [
    "Go on with at most {most} more {items}{limit}.",
    "Write {most} further {items}{limit}, or fewer.",
    "Add up to {most} {items}{limit} to it.",
    "Carry on with no more than {most} {items}{limit}.",
    "Give me at most {most} more {items}{limit}.",
    "Which {items}{limit} come next? Write at most {most}.",
    "Continue with up to {most} new {items}{limit}.",
    "Make the list longer by at most {most} {items}{limit}.",
    "What follows? At most {most} {items}{limit}.",
    "Please add no more than {most} {items}{limit}.",
    "Now write the next {items}{limit}, {most} at most.",
    "Think of up to {most} {items}{limit} that come next.",
    "Let up to {most} more {items}{limit} follow.",
    "Extend it by no more than {most} {items}{limit}.",
];

const NUMBER_LIMITS: [&str; 6] = [
    " of at most 3 digits",
    " with up to 3 digits",
    " (at most 3 digits each)",
    " of 3 digits or fewer",
    " from 0 to 999",
    " with no more than 3 digits each",
];

const COMMAS: [&str; 4] = [
    "Separate them with commas.",
    "Put a comma between two {items}.",
    "Write them on one line with commas.",
    "Use a comma and a space between them.",
];

const LINES: [&str; 4] = [
    "Put every {item} on a line of its own.",
    "Write one {item} on each line.",
    "Begin a new line for each {item}.",
    "Use one line for every {item}.",
];

const SPACES: [&str; 4] = [
    "Separate them with spaces.",
    "Put a space between two {items}.",
    "Write them on one line with spaces only.",
    "Use one space between them.",
];

const SEMICOLONS: [&str; 4] = [
    "Separate them with semicolons.",
    "Put a semicolon between two {items}.",
    "Write them on one line with semicolons.",
    "Use a semicolon and a space between them.",
];

const BRACKETS: [&str; 4] = [
    "Put them in square brackets, with commas.",
    "Write a list in square brackets, with a comma between two {items}.",
    "Use square brackets around them and commas between them.",
    "Set them in square brackets and separate them with commas.",
];

const CLOSINGS: [&str; 12] = [
    "Only {items}, please.",
    "Just the {items}.",
    "Nothing but the {items}.",
    "Write only the {items}.",
    "The answer holds only {items}.",
    "Only the new {items}, nothing else.",
    "Say nothing beside the {items}.",
    "Leave out all but the {items}.",
    "I want to see {items} only.",
    "Just {items}, no more than that.",
    "No title and no end, only the {items}.",
    "Answer with {items} and nothing else.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::streams;

    #[test]
    fn a_task_is_filled_and_shows_its_items() {
        let shown = ["12".to_owned(), "345".to_owned(), "6".to_owned()];
        for row in 0..2000 {
            let task = task(&Kind::numbers(), &shown, &mut streams::named(0, "test", row));
            assert!(!task.text.contains(['{', '}']), "{}", task.text);
            assert!(SHOWN_AS.iter().any(|layout| task.text.contains(&layout.set(&shown))), "{}", task.text);
            assert!(task.text.contains("10") && task.text.contains("numbers"), "{}", task.text);
        }
    }

    #[test]
    fn a_task_asks_for_its_layout() {
        let told = |layout: Layout, word: &str| layout.requests().iter().all(|r| r.contains(word));
        assert!(told(Layout::Commas, "comma") && told(Layout::Lines, "line") && told(Layout::Spaces, "space"));
        assert!(told(Layout::Semicolons, "semicolon") && told(Layout::Brackets, "square brackets"));
        assert_eq!(Layout::Brackets.set(&["1".to_owned(), "2".to_owned()]), "[1, 2]");
    }

    #[test]
    fn tasks_for_members_have_no_limit_of_digits() {
        for row in 0..200 {
            let task = task(&Kind::members_of("animal"), &["owl".to_owned()], &mut streams::named(0, "test", row));
            assert!(!task.text.contains("digits") && task.text.contains("animals"), "{}", task.text);
        }
    }
}
