//! How a question is put: the question, then how its answer is to be set. Wordings are our own.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::form::Tags;

/// A question with the request for reasoning and answer in their tags.
pub(super) fn ask(question: &str, tags: &Tags, rng: &mut impl Rng) -> String {
    let [open, close, open_answer, close_answer] = tags.all();
    let pick = |choices: &[&'static str], rng: &mut _| *choices.choose(rng).expect("every list has an entry");
    let request = [pick(&REASONING, rng), pick(&ANSWER, rng), pick(&CLOSINGS, rng)].join(" ");
    let marks = [("{open}", &open), ("{close}", &close), ("{open answer}", &open_answer), ("{close answer}", &close_answer)];
    let request = marks.iter().fold(request, |text, (mark, tag)| text.replace(mark, tag));
    format!("{}\n\n{request}", question.trim())
}

const REASONING: [&str; 6] = [
    "First work it out step by step between {open} and {close}.",
    "Write your reasoning between {open} and {close}.",
    "Think it through, and put every step between {open} and {close}.",
    "Show how you get there, all of it between {open} and {close}.",
    "Begin with your steps, set between {open} and {close}.",
    "Reason in a few short lines; they belong between {open} and {close}.",
];

const ANSWER: [&str; 6] = [
    "Then write only the final number between {open answer} and {close answer}.",
    "After it, give the result as a bare number between {open answer} and {close answer}.",
    "Then comes the answer, just the number, between {open answer} and {close answer}.",
    "The final number follows between {open answer} and {close answer}.",
    "End with the number that is asked for, between {open answer} and {close answer}.",
    "Close with {open answer}, the number alone, and {close answer}.",
];

const CLOSINGS: [&str; 5] = [
    "Write nothing outside of these tags.",
    "Nothing else may stand before, between or after them.",
    "Use each tag once, and leave no text outside.",
    "No other text, please.",
    "All you write belongs inside the tags.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::streams;

    #[test]
    fn the_question_stands_first_and_every_tag_is_named() {
        let tags = Tags::new(&["work", "result"].map(str::to_owned));
        for row in 0..200 {
            let text = ask(" How many? ", &tags, &mut streams::named(0, "test", row));
            assert!(text.starts_with("How many?\n\n"), "{text}");
            assert!(tags.all().iter().all(|tag| text.matches(tag.as_str()).count() == 1), "{text}");
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }
}
