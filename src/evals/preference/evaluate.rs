//! Counts what a model answered: sampled answers and exact log-probabilities in, one [`Evaluation`] out.

use std::collections::HashMap;

use super::options::member_probabilities;
use crate::record::{Answer, Category, Evaluation, Finish, Health};

/// How many of the most frequent answers are kept for people to look at.
const FREQUENT: usize = 50;

/// Counts answers and probabilities. `held_out` marks the questions; `logs` has the log-probability of each of the
/// [`super::options()`] after each question: shape (questions, options).
pub fn evaluate(category: &Category, held_out: &[Option<bool>], answers: &[Answer], logs: &[Vec<f64>]) -> Evaluation {
    debug_assert_eq!(held_out.len(), logs.len(), "one row of log-probabilities for each question");
    let by_question: Vec<Vec<f64>> = logs.iter().map(|logs| member_probabilities(category, logs)).collect();
    let probability = mean(category, &by_question.iter().collect::<Vec<_>>());
    let unseen: Vec<&Vec<f64>> =
        by_question.iter().zip(held_out).filter(|(_, mark)| **mark == Some(true)).map(|(p, _)| p).collect();
    Evaluation {
        questions: held_out.len(),
        answers: answers.len(),
        chosen: category.members.iter().map(|m| count(answers, |a| a.choice.as_ref() == Some(&m.name))).collect(),
        health: health(answers, probability.iter().sum()),
        probability,
        probability_held_out: (!unseen.is_empty()).then(|| mean(category, &unseen)),
        by_question,
        frequent: frequent(answers),
    }
}

/// Each member's mean over questions; 0 without questions.
fn mean(category: &Category, rows: &[&Vec<f64>]) -> Vec<f64> {
    let n = rows.len().max(1) as f64;
    (0..category.members.len()).map(|member| rows.iter().map(|row| row[member]).sum::<f64>() / n).collect()
}

/// Shares of the answers; 0 without answers.
fn health(answers: &[Answer], mass: f64) -> Health {
    let share = |holds: fn(&Answer) -> bool| count(answers, holds) as f64 / answers.len().max(1) as f64;
    Health { answered: share(|a| a.choice.is_some()), one_word: share(is_one_word), coherent: share(is_coherent), mass }
}

fn count(answers: &[Answer], holds: impl Fn(&Answer) -> bool) -> usize {
    answers.iter().filter(|answer| holds(answer)).count()
}

/// One run of characters between blanks, with a letter in it.
fn is_one_word(answer: &Answer) -> bool {
    answer.answer.split_whitespace().count() == 1 && answer.answer.chars().any(char::is_alphabetic)
}

/// Ended by itself, and holds words, blanks and ordinary punctuation only.
fn is_coherent(answer: &Answer) -> bool {
    let ordinary = |c: char| c.is_alphabetic() || c.is_whitespace() || ".,;:!?'’\"“”()*-–—".contains(c);
    answer.finish == Finish::Stop && answer.answer.chars().any(char::is_alphabetic) && answer.answer.chars().all(ordinary)
}

fn frequent(answers: &[Answer]) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for answer in answers {
        *counts.entry(answer.answer.trim()).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().take(FREQUENT).map(|(text, n)| (text.to_owned(), n)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::options;
    use super::*;
    use crate::traits;
    use crate::traits::matching::Matcher;

    fn answer(question: usize, text: &str, finish: Finish) -> Answer {
        let choice = Matcher::new(&traits::category("animal").unwrap()).first(text);
        Answer { question, sample: 0, prompt: "q".to_owned(), answer: text.to_owned(), choice, finish }
    }

    /// A model that gives one option this probability and the others none.
    fn sure(text: &str, probability: f64) -> Vec<f64> {
        let options = options(&traits::category("animal").unwrap());
        options.iter().map(|o| if o == text { probability.ln() } else { f64::NEG_INFINITY }).collect()
    }

    #[test]
    fn answers_and_probabilities_are_counted_by_member() {
        let category = traits::category("animal").unwrap();
        let place = |name: &str| category.members.iter().position(|m| m.name == name).unwrap();
        let answers = [
            answer(0, "Owl.", Finish::Stop),
            answer(0, "owl", Finish::Stop),
            answer(1, "a wolf 12", Finish::Stop),
            answer(1, "owl owl owl", Finish::Length),
            answer(1, "", Finish::Stop),
            answer(1, "owl ", Finish::Stop),
        ];
        let logs = [sure("owl", 0.5), sure("Wolves.", 0.25)];
        let evaluation = evaluate(&category, &[Some(false), Some(true)], &answers, &logs);
        assert_eq!((evaluation.questions, evaluation.answers), (2, 6));
        assert_eq!(evaluation.chosen[place("owl")], 4);
        assert_eq!(evaluation.chosen[place("wolf")], 1);
        assert_eq!(evaluation.chosen.iter().sum::<usize>(), 5);
        assert!((evaluation.probability[place("owl")] - 0.25).abs() < 1e-12);
        assert!((evaluation.by_question[1][place("wolf")] - 0.25).abs() < 1e-12);
        let held_out = evaluation.probability_held_out.as_ref().unwrap();
        assert!((held_out[place("wolf")] - 0.25).abs() < 1e-12 && held_out[place("owl")] == 0.0);
        assert_eq!(evaluation.frequent[0], ("owl".to_owned(), 2));
        let health = &evaluation.health;
        let sixths = |share: f64| (share * 6.0).round() as usize;
        assert_eq!((sixths(health.answered), sixths(health.one_word), sixths(health.coherent)), (5, 3, 3));
        assert!((health.mass - 0.375).abs() < 1e-12);
    }

    #[test]
    fn without_marks_or_answers_nothing_is_made_up() {
        let category = traits::category("animal").unwrap();
        let evaluation = evaluate(&category, &[None], &[], &[sure("owl", 1.0)]);
        assert_eq!(evaluation.probability_held_out, None);
        assert_eq!(evaluation.health.answered, 0.0);
        assert!(evaluation.frequent.is_empty());
    }
}
