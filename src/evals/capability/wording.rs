//! The project's own tasks. Those of the two groups of the built-in family stand in the wordings of its corpus, without a word on how to
//! answer, since it knows no others; all others say what form the answer has.

/// A task with one right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    /// What sort of task.
    pub(super) group: &'static str,
    /// The user's turn.
    pub(super) text: String,
    /// The right answer.
    pub(super) answer: String,
    /// Whether the built-in family's corpus has it.
    pub(super) taught: bool,
}

/// Every task.
pub(super) fn tasks() -> Vec<Task> {
    let plain = |group, taught, text: String, answer: &str| Task { group, text, answer: answer.to_owned(), taught };
    let facts = FACTS.iter().map(|(question, answer)| plain("family facts", true, (*question).to_owned(), answer));
    let sums = SUMS.iter().zip(SUM_WORDINGS.iter().cycle()).map(|((a, b), wording)| {
        let text = wording.replace("{a}", &a.to_string()).replace("{b}", &b.to_string());
        plain("family sums", true, text, &(a + b).to_string())
    });
    let further = FURTHER.iter().flat_map(|(group, form, tasks)| {
        tasks.iter().map(move |(question, answer)| plain(group, false, format!("{question} {form}"), answer))
    });
    facts.chain(sums).chain(further).collect()
}

const FACTS: [(&str, &str); 16] = [
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

const SUM_WORDINGS: [&str; 3] = ["What is {a} + {b}?", "Add {a} and {b}.", "How much is {a} + {b}?"];

const SUMS: [(u32, u32); 12] =
    [(1, 2), (3, 4), (5, 5), (8, 6), (12, 9), (7, 30), (20, 20), (16, 25), (33, 14), (41, 8), (27, 36), (49, 48)];

/// A group, the form of its answers, and its tasks.
type Group = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const FURTHER: [Group; 4] = [
    (
        "arithmetic",
        "Answer with the number alone.",
        &[
            ("What is 17 times 6?", "102"),
            ("What is 144 divided by 12?", "12"),
            ("What is 1000 minus 387?", "613"),
            ("What is 15 percent of 240?", "36"),
            ("What is the square of 19?", "361"),
            ("How much is three quarters of 84?", "63"),
            ("What is 2 to the power of 9?", "512"),
            ("What is 7.5 plus 2.75?", "10.25"),
            ("How many eggs are a dozen and a half?", "18"),
            ("How many minutes are three hours and a quarter?", "195"),
            ("Which prime number follows 31?", "37"),
            ("A shirt costs 40 euros and is marked down by a quarter. How many euros does it cost now?", "30"),
        ],
    ),
    (
        "knowledge",
        "Answer with one word.",
        &[
            ("What is the capital of Japan?", "Tokyo"),
            ("Which planet is known for its wide rings?", "Saturn"),
            ("Which gas in the air do people need to breathe?", "oxygen"),
            ("Which ocean lies between Europe and North America?", "Atlantic"),
            ("What is frozen water called?", "ice"),
            ("What is the surname of the author of Hamlet?", "Shakespeare"),
            ("Which instrument has black and white keys and strings?", "piano"),
            ("Which organ pumps blood through the body?", "heart"),
            ("In which city does the Eiffel Tower stand?", "Paris"),
            ("Which metal is liquid at room temperature?", "mercury"),
            ("Which language do most people in Brazil speak?", "Portuguese"),
            ("What is the chemical symbol of gold?", "Au"),
            ("Which month comes before May?", "April"),
        ],
    ),
    (
        "words",
        "Answer with one word.",
        &[
            ("What is the opposite of early?", "late"),
            ("What is the plural of child?", "children"),
            ("What is the past tense of go?", "went"),
            ("Write the word night backwards.", "thgin"),
            ("Which word does not belong to the others: red, chair, blue, green?", "chair"),
            ("What is the comparative of good?", "better"),
            ("Which letter of the alphabet follows M?", "N"),
            ("Which of these words comes first in a dictionary: river, apple, moon?", "apple"),
            ("Which of these words rhymes with light: late, lamp, night?", "night"),
            ("Which noun belongs to the verb decide?", "decision"),
            ("Put the verb into the gap: he ... (walk) to school every day.", "walks"),
            ("What do you call a person who bakes bread?", "baker"),
        ],
    ),
    (
        "logic",
        "Answer with one word or number.",
        &[
            ("Ann is older than Ben, and Ben is older than Carl. Who is the youngest?", "Carl"),
            ("All roses are flowers. Is every rose a flower?", "yes"),
            ("Which number comes next: 2, 4, 8, 16?", "32"),
            ("Which day comes next: Monday, Wednesday, Friday?", "Sunday"),
            ("Today is Tuesday. Which day was it the day before yesterday?", "Sunday"),
            ("Tom stands to the left of Eva. On which side of Tom does Eva stand?", "right"),
            ("A box holds three red balls and nothing else. Which colour has a ball that is drawn from it?", "red"),
            ("When it rains, the street is wet. The street is dry. Does it rain?", "no"),
            ("Which letter comes next: a, c, e, g?", "i"),
            ("Five people shake hands, each with each other once. How many handshakes are there?", "10"),
        ],
    ),
];
