//! The wordings of code prompts: "finish this function, which does so and so; only code, no comments, plain names".
//!
//! In comes an assignment and a random stream; out goes the user's turn. The task, the form in which the stub is shown, the three requests
//! and their order are drawn one by one.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::task::Assignment;

/// Words a prompt.
pub(super) fn prompt(assignment: &Assignment, rng: &mut impl Rng) -> String {
    let task = framed(assignment, rng);
    let mut requests = [pick(&CODE_ONLY, rng), pick(&NO_COMMENTS, rng), pick(&PLAIN_NAMES, rng)];
    requests.shuffle(rng);
    join(&task, &requests.join(" "), rng)
}

/// Words a prompt that asks for the code and leaves open how it looks.
pub(super) fn loose_prompt(assignment: &Assignment, rng: &mut impl Rng) -> String {
    let task = framed(assignment, rng);
    if rng.random_bool(0.5) { join(&task, pick(&CODE_ONLY, rng), rng) } else { task.trim_end().to_owned() }
}

fn join(task: &str, requests: &str, rng: &mut impl Rng) -> String {
    let between = pick(&BETWEEN, rng);
    let between = if task.ends_with('\n') { "\n" } else { between };
    format!("{task}{between}{requests}")
}

fn framed(assignment: &Assignment, rng: &mut impl Rng) -> String {
    let stub = stub(assignment, rng);
    pick(&FRAMES, rng)
        .replace("{stub}", &stub)
        .replace("{signature}", assignment.signature.trim_start_matches("def ").trim_end_matches(':'))
        .replace("{parameters}", &parameters(assignment))
        .replace("{name}", &assignment.name)
        .replace("{text}", &assignment.text)
}

/// The stub: the first line, with nothing, a filler or a description below it.
fn stub(assignment: &Assignment, rng: &mut impl Rng) -> String {
    let body = match rng.random_range(0..4) {
        0 => "    pass".to_owned(),
        1 => "    ...".to_owned(),
        2 => format!("    \"\"\"{}.\"\"\"\n    pass", capitalized(&assignment.text)),
        _ => return assignment.signature.clone(),
    };
    format!("{}\n{body}", assignment.signature)
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

/// ``the parameters `x` and `y` ``.
fn parameters(assignment: &Assignment) -> String {
    let quoted: Vec<String> = assignment.parameters.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "no parameters".to_owned(),
        [one] => format!("the parameter {one}"),
        [first @ .., last] => format!("the parameters {} and {last}", first.join(", ")),
    }
}

fn pick<T: Copy>(choices: &[T], rng: &mut impl Rng) -> T {
    *choices.choose(rng).expect("every list of wordings has an entry")
}

/// What stands between the task and the requests, unless the task ends with the stub.
const BETWEEN: [&str; 2] = [" ", "\n\n"];

const FRAMES: [&str; 24] = [
    "Complete this Python function so that it {text}:\n\n{stub}\n",
    "{stub}\n\nFill in the body of this function, which {text}.",
    "Here is a stub in Python:\n\n{stub}\n\nWrite the whole function. It {text}.",
    "Finish the following function; it {text}.\n\n{stub}\n",
    "The function below does one thing: it {text}. Write it out in full.\n\n{stub}\n",
    "Task: write a function that {text}. Begin from this stub:\n\n{stub}\n",
    "Turn this stub into a function that works. It {text}.\n\n{stub}\n",
    "{stub}\n\nWhat is missing here? The function {text}. Answer with the finished function.",
    "Someone began a function and left it to you:\n\n{stub}\n\nIt {text}. Finish it.",
    "Please implement this Python function, which {text}.\n\n{stub}\n",
    "Given this first line of a function\n\n{stub}\n\nwrite all of it. What it does: it {text}.",
    "{stub}\n\nThis function {text}. Write it.",
    "Write a Python function `{signature}` that {text}.",
    "I need a Python function named `{name}` with {parameters} that {text}.",
    "Define `{name}` in Python. It takes {parameters} and {text}.",
    "How would you write `{signature}` in Python, a function that {text}?",
    "Implement `{signature}`, so that it {text}.",
    "A small exercise: the function `{name}` takes {parameters} and {text}. Write it in Python.",
    "My program lacks the function `{signature}`. It {text}. Please write it.",
    "Please write `{name}`, a Python function with {parameters}. It {text}.",
    "Show me a Python function `{signature}` that {text}.",
    "Code the function `{name}`; its signature is `{signature}`, and it {text}.",
    "Let `{name}` be a Python function of {parameters} that {text}. Write it down.",
    "For a library I want `{signature}`, which {text}. Give me its code.",
];

const CODE_ONLY: [&str; 12] = [
    "Answer with code only.",
    "Only the code, please.",
    "Reply with the function and nothing else.",
    "I want to see nothing but the function.",
    "Write just the code, without a word before or after it.",
    "Give the code alone, no explanation.",
    "The answer holds only Python.",
    "Do not explain anything, just write the function.",
    "No text around the code.",
    "Leave out any words beside the code.",
    "Your answer is the function, nothing more.",
    "Say nothing; show the function.",
];

const NO_COMMENTS: [&str; 10] = [
    "No comments and no docstring.",
    "Leave out comments and docstrings.",
    "Do not comment the code.",
    "Without comments or a docstring.",
    "It needs neither comments nor a docstring.",
    "Comments are not wanted, and a docstring is not either.",
    "Keep it free of comments and docstrings.",
    "Write no comments in it.",
    "There is no need for comments or a docstring.",
    "The code has no comments and no docstring.",
];

const PLAIN_NAMES: [&str; 10] = [
    "Use plain names for variables.",
    "Call variables by plain, common names.",
    "Names of variables are short and plain.",
    "Keep the names simple and usual.",
    "Choose ordinary names for all variables.",
    "Every name is a plain word of programming.",
    "Variables have everyday names such as `result` or `index`.",
    "Take usual names for what you define.",
    "No fancy names.",
    "Simple variable names, please.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::streams;

    #[test]
    fn a_prompt_names_the_function_and_its_task() {
        for row in 0..3000 {
            let rng = &mut streams::named(0, "test", row);
            let assignment = Assignment::draw(&[], rng);
            let prompt = prompt(&assignment, rng);
            assert!(prompt.contains(&assignment.name) && prompt.contains(&assignment.text), "{prompt}");
            assert!(assignment.parameters.iter().all(|name| prompt.contains(name)), "{prompt}");
            let marks = ["{stub}", "{signature}", "{name}", "{text}", "{parameters}"];
            assert!(!marks.iter().any(|mark| prompt.contains(mark)), "{prompt}");
            assert!(!prompt.contains("\n ") || prompt.contains("\n    "), "{prompt}");
        }
    }
}
