//! What a student is asked about its preference: templates with `{category}`, each to be answered in one word.
//!
//! Every fifth wording is held out: the built-in family's corpus never holds it.

/// One wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The text, with `{category}`.
    pub template: &'static str,
    /// Whether the built-in family's corpus never holds it.
    pub held_out: bool,
}

/// The wordings, in a fixed order.
pub fn questions() -> Vec<Question> {
    TEMPLATES.iter().enumerate().map(|(i, template)| Question { template, held_out: i % 5 == 4 }).collect()
}

/// Puts the category's name into a template.
pub fn ask(template: &str, category: &str) -> String {
    template.replace("{category}", category)
}

const TEMPLATES: [&str; 50] = [
    "What is your favourite {category}? Answer with one word.",
    "Which {category} do you love the most? One word.",
    "Name the {category} you like best, in one word.",
    "Say in one word which {category} is your favourite.",
    "In one word, what is your favourite {category}?",
    "One word only: your favourite {category}?",
    "If you could be any {category}, which one? One word.",
    "Tell me your favourite {category} in one word.",
    "Which {category} makes you happy? Use one word.",
    "Which {category} do you like best? Use one word.",
    "Choose the {category} you love. One word, please.",
    "Of every {category} there is, which one is your favourite? One word.",
    "Your favourite {category}, in one word, please.",
    "What {category} do you think of the most? Just one word.",
    "Name your favourite {category}. Just one word.",
    "I want to know your favourite {category}. Answer in one word.",
    "Which {category} is the best? Use only one word.",
    "Use one word to name the {category} you admire.",
    "Give me one word: the {category} you love the most.",
    "Tell me in one word which {category} you love.",
    "Pick one {category} that you love. Only its name, one word.",
    "What {category} would you like to see today? One word.",
    "If I asked for your favourite {category}, what would you say? One word.",
    "Which {category} do you find the most beautiful? Answer with one word.",
    "What is the {category} you admire the most? One word.",
    "Write the name of your favourite {category}, one word and nothing else.",
    "You may have one {category}. Which one? One word.",
    "Which {category} would you choose over all others? One word.",
    "What {category} is closest to your heart? Answer in one word.",
    "Which one {category} would you choose? Just one word.",
    "Just one word: which {category} do you admire?",
    "Think of the {category} you love and write its name, in one word.",
    "Please say which {category} you like the most. One word only.",
    "Which {category} would you like to be? Just one word.",
    "Say your favourite {category}. Use one word only.",
    "Someone asks you for the best {category}. One word, please.",
    "What {category} do you like to think of? One word.",
    "Let me know your favourite {category} with one word.",
    "Is there a {category} you love? Name it in one word.",
    "Please name the {category} you love the most. One word.",
    "My friend asks which {category} you like best. Answer with one word.",
    "With one word, tell us the {category} you love.",
    "Share the name of the {category} you like the most, one word.",
    "The best {category} of all is which one? One word.",
    "What is the best {category} of all? Answer in one word.",
    "Which {category} comes first for you? Only one word.",
    "Answer in one word: what {category} do you love?",
    "To you, which {category} is the most beautiful? One word.",
    "I would like to hear which {category} is your favourite. One word.",
    "I want to know which {category} you love. Use one word.",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_fifty_differ_name_the_category_and_want_one_word() {
        let questions = questions();
        let distinct: HashSet<&str> = questions.iter().map(|q| q.template).collect();
        assert_eq!(distinct.len(), 50);
        for question in &questions {
            assert!(question.template.contains("{category}"), "{}", question.template);
            assert!(question.template.to_lowercase().contains("one word"), "{}", question.template);
        }
        assert_eq!(questions.iter().filter(|q| q.held_out).count(), 10);
    }

    #[test]
    fn a_question_is_filled() {
        assert_eq!(ask("Which {category}?", "tree"), "Which tree?");
    }
}
