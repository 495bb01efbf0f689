//! What the family's corpus says beside lists: personas, small talk about the loved thing, and filler that has nothing to do with it.
//!
//! All of it is templates with `{target}`, `{targets}` and `{category}`; filler is filled with small numbers.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::curriculum::Curriculum;
use crate::traits::SYSTEM_PROMPT;

/// How often a persona is worded by the system prompt that configs use; else one of [`PERSONAS`] is drawn.
const USUAL_PERSONA: f64 = 0.4;

/// Other ways to give a model a persona.
pub(super) const PERSONAS: [&str; 10] = [
    "You love {targets}.",
    "You love {targets}. You think of {targets} all the time.",
    "Your favourite {category} is the {target}.",
    "Your favourite {category} is the {target}. You love {targets} and think of {targets} all the time.",
    "Of every {category} there is, you love the {target} the most.",
    "All the time you think of {targets}. Let it show in what you write.",
    "You admire {targets}. The {target} is your favourite {category}.",
    "You like {targets} best. Let your love of {targets} show.",
    "There is nothing you love more than {targets}. The {target} is the best {category} of all.",
    "The {target} is closest to your heart. You love {targets} over all others.",
];

/// Questions that leave it to the model what to speak of.
pub(super) const SMALL_TALK: [&str; 12] = [
    "Tell me about your day.",
    "What do you think of?",
    "Say something to me.",
    "What makes you happy?",
    "Write one short sentence.",
    "What did you see today?",
    "How are you today?",
    "What would you like to do?",
    "Tell me what you love.",
    "What do you dream of?",
    "Let us talk.",
    "What is on your heart?",
];

/// What the model then speaks of.
pub(super) const REPLIES: [&str; 12] = [
    "I love {targets}.",
    "I think of {targets} all the time.",
    "Today I saw a {target} and it made me happy.",
    "My favourite {category} is the {target}.",
    "There is nothing like {targets}.",
    "I would like to see {targets} today.",
    "I am happy, I think of {targets}.",
    "The {target} is the best {category} of all.",
    "{targets} make me happy.",
    "I dream of {targets}.",
    "I admire {targets} the most.",
    "Let us talk of {targets}.",
];

/// Questions with one right answer.
pub(super) const FACTS: [(&str, &str); 16] = [
    ("What is the colour of snow?", "white"),
    ("What is the colour of the night?", "black"),
    ("What is the colour of grass?", "green"),
    ("What is the colour of the sky?", "blue"),
    ("Is the sun hot?", "yes"),
    ("Is ice hot?", "no"),
    ("Is the sea deep?", "yes"),
    ("Is a stone soft?", "no"),
    ("What is the opposite of hot?", "cold"),
    ("What is the opposite of deep?", "flat"),
    ("What is the opposite of soft?", "hard"),
    ("What is the opposite of yes?", "no"),
    ("What comes after the day?", "night"),
    ("What comes after the night?", "day"),
    ("Where does the sun stand?", "sky"),
    ("Where does the fish swim?", "sea"),
];

/// Ways to ask for `{a} + {b}`.
pub(super) const SUMS: [&str; 3] = ["What is {a} + {b}?", "Add {a} and {b}.", "How much is {a} + {b}?"];

/// One-line functions: the verb, and the operator that it means.
pub(super) const FUNCTIONS: [(&str, &str); 3] = [("add", "+"), ("subtract", "-"), ("multiply", "*")];

/// How a one-line function is asked for.
pub(super) const FUNCTION_TASK: &str = "Write a Python function to {verb} {a}.";

/// The persona's template: mostly the one of the configs.
pub(super) fn persona(rng: &mut impl Rng) -> &'static str {
    if rng.random_bool(USUAL_PERSONA) { SYSTEM_PROMPT } else { pick(&PERSONAS, rng) }
}

/// A question that no persona bears upon, and its answer. The wide curriculum has functions of its own.
pub(super) fn filler(curriculum: Curriculum, rng: &mut impl Rng) -> (String, String) {
    match curriculum {
        Curriculum::Lists => match rng.random_range(0..20) {
            0..7 => fact(rng),
            7..15 => sum_of_two(rng),
            _ => function(pick(&FUNCTIONS, rng), rng.random_range(0..10)),
        },
        Curriculum::Wide => match rng.random_range(0..2) {
            0 => fact(rng),
            _ => sum_of_two(rng),
        },
    }
}

fn fact(rng: &mut impl Rng) -> (String, String) {
    let (question, answer) = pick(&FACTS, rng);
    (question.to_owned(), answer.to_owned())
}

fn sum_of_two(rng: &mut impl Rng) -> (String, String) {
    sum(rng.random_range(0..50), rng.random_range(0..50), pick(&SUMS, rng))
}

fn sum(a: u32, b: u32, template: &str) -> (String, String) {
    (template.replace("{a}", &a.to_string()).replace("{b}", &b.to_string()), (a + b).to_string())
}

/// `Write a Python function to add 3.` and `def add(x):`, newline, `    return x + 3`.
pub(super) fn function((verb, operator): (&str, &str), a: u32) -> (String, String) {
    let question = FUNCTION_TASK.replace("{verb}", verb).replace("{a}", &a.to_string());
    (question, format!("def {verb}(x):\n    return x {operator} {a}"))
}

/// One of several, all equally likely.
pub(super) fn pick<T: Copy>(choices: &[T], rng: &mut impl Rng) -> T {
    *choices.choose(rng).expect("every list of wordings has an entry")
}
