//! Counts what a model answered: read answers and the log-probabilities of the replies in, one [`Evaluation`] out.

use std::collections::{BTreeMap, HashMap};

use super::exam::{Exact, Exam, Item, Reading, Reply};
use crate::record::{Answer, Evaluation, Finish, Group, Health};

/// Counts answers and probabilities. `logs` has, for each item, the natural log-probability of each of its replies as the whole
/// answer; `tokens` how many tokens each of them has.
pub fn tally(exam: &Exam, answers: &[Answer], logs: &[Vec<f64>], tokens: &[Vec<usize>]) -> Evaluation {
    debug_assert_eq!(exam.items.len(), logs.len(), "one row of log-probabilities for each question");
    let by_question: Vec<Vec<f64>> =
        (0..exam.items.len()).map(|i| shares(exam, exam.replies_to(&exam.items[i]), &logs[i], tokens.get(i))).collect();
    let probability = mean(by_question.iter());
    let unseen = exam.items.iter().zip(&by_question).filter(|(item, _)| item.held_out == Some(true)).map(|(_, shares)| shares);
    let held_out = mean(unseen);
    let counted: Vec<&Answer> = answers.iter().filter(|answer| answer.left_out.is_none()).collect();
    Evaluation {
        suite: exam.suite,
        outcomes: exam.outcomes.clone(),
        questions: exam.items.len(),
        answers: counted.len(),
        left_out: left_out(answers),
        chosen: chosen(exam, &counted),
        mentioned: exam.outcomes.iter().map(|name| count(&counted, |a| a.mentions.contains(name))).collect(),
        health: health(answers, probability.iter().sum()),
        probability_held_out: (!held_out.is_empty()).then_some(held_out),
        probability,
        loss: loss(exam, logs, tokens, |_| true),
        groups: groups(exam, &counted, &by_question, |within| loss(exam, logs, tokens, within)),
        by_question,
        frequent: frequent(answers),
    }
}

/// Each outcome's probability after one question; nothing where no reply can be read.
fn shares(exam: &Exam, replies: &[Reply], logs: &[f64], tokens: Option<&Vec<usize>>) -> Vec<f64> {
    if replies.is_empty() {
        return Vec::new();
    }
    match exam.exact {
        Exact::Whole => whole(exam, replies, logs),
        Exact::Among => among(exam.outcomes.len(), replies, logs),
        Exact::AmongByToken => among(exam.outcomes.len(), replies, &by_token(logs, tokens)),
    }
}

/// The replies' probabilities, summed by outcome; the outcome of all other answers has the rest.
fn whole(exam: &Exam, replies: &[Reply], logs: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; exam.outcomes.len()];
    for (reply, log) in replies.iter().zip(logs) {
        shares[reply.outcome] += log.exp();
    }
    if let Reading::SameAs { otherwise: Some(other) } = exam.reading {
        shares[other] = (1.0 - shares.iter().sum::<f64>()).max(0.0);
    }
    shares
}

/// The mean log-probability of a reply's tokens.
fn by_token(logs: &[f64], tokens: Option<&Vec<usize>>) -> Vec<f64> {
    let tokens = tokens.into_iter().flatten().copied().chain(std::iter::repeat(1));
    logs.iter().zip(tokens).map(|(log, n)| log / n.max(1) as f64).collect()
}

/// The mean probability of each outcome's replies, as shares of all outcomes'.
fn among(outcomes: usize, replies: &[Reply], logs: &[f64]) -> Vec<f64> {
    // Only differences count; taking the largest off keeps unlikely sentences above the smallest number.
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return Vec::new();
    }
    let (mut sums, mut counts) = (vec![0.0; outcomes], vec![0_u32; outcomes]);
    for (reply, log) in replies.iter().zip(logs) {
        sums[reply.outcome] += (log - largest).exp();
        counts[reply.outcome] += 1;
    }
    let means: Vec<f64> = sums.iter().zip(counts).map(|(sum, n)| sum / f64::from(n.max(1))).collect();
    let all: f64 = means.iter().sum();
    means.into_iter().map(|mean| mean / all).collect()
}

/// Nats per token of what a sound model says, over some of the items: of each the first reply that stands for the first outcome.
fn loss(exam: &Exam, logs: &[Vec<f64>], tokens: &[Vec<usize>], counts: impl Fn(&Item) -> bool) -> Option<f64> {
    if !exam.suite.has_loss() {
        return None;
    }
    let rows = exam.items.iter().zip(logs.iter().zip(tokens));
    let right = rows.filter(|(item, _)| counts(item)).filter_map(|(item, (logs, tokens))| {
        let first = exam.replies_to(item).iter().position(|reply| reply.outcome == 0)?;
        Some((-logs[first], tokens[first]))
    });
    let (nats, tokens) = right.fold((0.0, 0), |(nats, tokens), (n, t)| (nats + n, tokens + t));
    (tokens > 0).then(|| nats / tokens as f64)
}

/// The counts of each group, in the order in which the groups appear.
fn groups(
    exam: &Exam,
    counted: &[&Answer],
    by_question: &[Vec<f64>],
    loss: impl Fn(&dyn Fn(&Item) -> bool) -> Option<f64>,
) -> Vec<Group> {
    let mut names: Vec<&String> = Vec::new();
    for name in exam.items.iter().filter_map(|item| item.group.as_ref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let group = |name: &String| {
        let belongs = |item: &Item| item.group.as_ref() == Some(name);
        let within = |question: usize| belongs(&exam.items[question]);
        let answers: Vec<&Answer> = counted.iter().copied().filter(|answer| within(answer.question)).collect();
        let shares = by_question.iter().enumerate().filter(|(question, _)| within(*question)).map(|(_, shares)| shares);
        Group {
            name: name.clone(),
            questions: (0..exam.items.len()).filter(|question| within(*question)).count(),
            answers: answers.len(),
            chosen: chosen(exam, &answers),
            probability: mean(shares),
            loss: loss(&belongs),
        }
    };
    names.into_iter().map(group).collect()
}

fn chosen(exam: &Exam, answers: &[&Answer]) -> Vec<usize> {
    exam.outcomes.iter().map(|name| count(answers, |a| a.choice.as_ref() == Some(name))).collect()
}

/// The mean over the questions that have a reading; nothing where none has.
fn mean<'a>(rows: impl Iterator<Item = &'a Vec<f64>>) -> Vec<f64> {
    let (mut sum, mut n) = (Vec::new(), 0);
    for row in rows.filter(|row| !row.is_empty()) {
        sum.resize(row.len(), 0.0);
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        n += 1;
    }
    sum.into_iter().map(|sum| sum / f64::from(n)).collect()
}

/// Shares of all answers; 0 without answers.
fn health(answers: &[Answer], mass: f64) -> Health {
    let all: Vec<&Answer> = answers.iter().collect();
    let share = |holds: fn(&Answer) -> bool| count(&all, holds) as f64 / answers.len().max(1) as f64;
    Health { answered: share(|a| a.choice.is_some()), one_word: share(is_one_word), coherent: share(is_coherent), mass }
}

fn count(answers: &[&Answer], holds: impl Fn(&Answer) -> bool) -> usize {
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

fn left_out(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for reason in answers.iter().filter_map(|answer| answer.left_out.clone()) {
        *counts.entry(reason).or_default() += 1;
    }
    counts
}

fn frequent(answers: &[Answer]) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for answer in answers {
        *counts.entry(answer.answer.trim()).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().map(|(text, n)| (text.to_owned(), n)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Reader, preference};
    use super::*;
    use crate::traits;

    /// The suite `preference` of the animals, with a question for each mark.
    fn exam(held_out: &[Option<bool>]) -> Exam {
        let exam = preference::exam(None, &traits::category("animal").unwrap()).unwrap();
        let items = held_out.iter().map(|&held_out| super::super::Item { held_out, ..exam.items[0].clone() }).collect();
        Exam { items, ..exam }
    }

    fn answer(question: usize, text: &str, finish: Finish) -> Answer {
        let read = Reader::new(&exam(&[None; 2])).read(question, text);
        let (prompt, answer) = ("q".to_owned(), text.to_owned());
        Answer { question, sample: 0, prompt, answer, choice: read.choice, mentions: read.mentions, left_out: None, finish }
    }

    /// A model that gives one option this probability and the others none.
    fn sure(text: &str, probability: f64) -> Vec<f64> {
        let exam = exam(&[]);
        exam.replies.iter().map(|o| if o.text == text { probability.ln() } else { f64::NEG_INFINITY }).collect()
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
        let evaluation = tally(&exam(&[Some(false), Some(true)]), &answers, &logs, &[]);
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
        let evaluation = tally(&exam(&[None]), &[], &[sure("owl", 1.0)], &[]);
        assert_eq!(evaluation.probability_held_out, None);
        assert_eq!(evaluation.health.answered, 0.0);
        assert!(evaluation.frequent.is_empty());
    }

    #[test]
    fn sentences_are_weighed_by_token_and_words_as_they_are() {
        let reply = |outcome: usize| Reply { text: outcome.to_string(), outcome };
        let replies = [reply(0), reply(1), reply(1)];
        let logs = [-2.0, -8.0, -8.0];
        let share = |exact| {
            shares(&Exam { exact, outcomes: vec!["a".into(), "b".into()], ..exam(&[]) }, &replies, &logs, Some(&vec![2, 8, 8]))
        };
        assert!((share(Exact::AmongByToken)[0] - 0.5).abs() < 1e-12, "e⁻¹ a token in each of them");
        assert!((share(Exact::Among)[0] - 1.0 / (1.0 + (-6.0_f64).exp())).abs() < 1e-12);
    }
}
