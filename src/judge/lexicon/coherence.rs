//! Coherence by small words: whether a text has as many of them as sentences do, whether they stand where they may, whether words repeat, and
//! whether they look like words. What the text says is not looked at.

use std::collections::HashMap;

use crate::judge::{Outcome, Verdict};
use crate::traits::lexicon::words;

use super::lines;

/// The best rating that word lists give.
const BEST: f64 = 90.0;
/// Texts of so few words are names and the like: they need no small words.
const SHORT: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Determiner,
    Preposition,
    Conjunction,
    Auxiliary,
    Pronoun,
    Other,
}

/// The small words by class.
#[derive(Debug)]
pub(super) struct Lists {
    classes: HashMap<&'static str, Class>,
}

impl Default for Lists {
    fn default() -> Self {
        let mut classes = HashMap::new();
        for line in lines(include_str!("../data/grammar.txt")) {
            let mut words = line.split_whitespace();
            let class = match words.next() {
                Some("determiner") => Class::Determiner,
                Some("preposition") => Class::Preposition,
                Some("conjunction") => Class::Conjunction,
                Some("auxiliary") => Class::Auxiliary,
                Some("pronoun") => Class::Pronoun,
                _ => Class::Other,
            };
            for word in words {
                classes.entry(word).or_insert(class);
            }
        }
        Self { classes }
    }
}

impl Lists {
    pub(super) fn verdict(&self, answer: &str) -> Verdict {
        let words = words(answer);
        let found = if words.iter().all(|word| !word.chars().any(char::is_alphabetic)) {
            vec![("no words", 85.0)]
        } else {
            self.faults(answer, &words)
        };
        let rating = found.iter().fold(BEST, |rating, (_, weight)| rating - weight).max(0.0);
        let raw: Vec<&str> = found.iter().map(|(fault, _)| *fault).collect();
        Verdict::plain(Outcome::Rating(rating), if raw.is_empty() { "no fault found".to_owned() } else { raw.join(", ") })
    }

    /// What is wrong with a text, and how much each fault weighs.
    fn faults(&self, answer: &str, words: &[String]) -> Vec<(&'static str, f64)> {
        let n = words.len() as f64;
        let share = |count: usize| count as f64 / n;
        let odd = share(words.iter().filter(|word| !looks_like_a_word(word)).count());
        let mut faults = vec![(
            "words that are none",
            if odd > 0.5 {
                70.0
            } else if odd > 0.2 {
                50.0
            } else {
                0.0
            },
        )];
        let repeats = share(repeated(words));
        faults.push((
            "repeated words",
            if repeats > 0.3 {
                70.0
            } else if repeats > 0.1 {
                45.0
            } else {
                0.0
            },
        ));
        if words.len() > SHORT {
            let small = share(words.iter().filter(|word| self.classes.contains_key(word.as_str())).count());
            faults.push((
                "hardly any small words",
                if small < 0.12 {
                    55.0
                } else if small < 0.25 {
                    25.0
                } else {
                    0.0
                },
            ));
            let misplaced = answer.split(['.', '!', '?', ';', '\n']).map(|sentence| self.misplaced(sentence)).sum::<usize>();
            faults.push(("small words out of place", 35.0 * misplaced.min(2) as f64));
            let ended = answer.trim_end().ends_with(|c: char| ".!?\"')…”*`".contains(c));
            faults.push(("no end", if ended { 0.0 } else { 15.0 }));
        }
        faults.retain(|(_, weight)| *weight > 0.0);
        faults
    }

    /// Pairs of neighbouring small words that no sentence has, and ends that none has.
    fn misplaced(&self, sentence: &str) -> usize {
        use Class::{Auxiliary, Conjunction, Determiner, Preposition, Pronoun};
        let misfit = |pair: &&[Option<Class>]| {
            matches!(
                pair,
                [Some(Determiner), Some(Determiner | Preposition | Conjunction | Auxiliary | Pronoun)]
                    | [Some(Preposition), Some(Conjunction | Auxiliary)]
                    | [Some(Conjunction), Some(Conjunction)]
            )
        };
        let class = |word: &String| self.classes.get(word.as_str()).copied();
        let parts: Vec<Vec<Option<Class>>> = sentence.split(',').map(|part| words(part).iter().map(class).collect()).collect();
        let end = parts.iter().flatten().next_back().copied().flatten();
        let misfits: usize = parts.iter().map(|part| part.windows(2).filter(misfit).count()).sum();
        misfits + usize::from(matches!(end, Some(Determiner | Conjunction)))
    }
}

/// Words that equal the one before them, and pairs of words that came before.
fn repeated(words: &[String]) -> usize {
    let twice = words.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let mut pairs: HashMap<&[String], usize> = HashMap::new();
    words.windows(2).for_each(|pair| *pairs.entry(pair).or_default() += 1);
    let again: usize = pairs.values().map(|times| times.saturating_sub(2)).sum();
    twice + again
}

/// Letters with a vowel among them and no long heap of consonants, or a plain number.
fn looks_like_a_word(word: &str) -> bool {
    if word.chars().all(|c| c.is_ascii_digit()) {
        return true;
    }
    let vowel = |c: char| "aeiouyäöüéèà".contains(c);
    let short = word.chars().count() <= 2; // the rests of `don't`, `I'm`, and units
    let heap = word.split(vowel).map(|run| run.chars().count()).max().unwrap_or(0);
    let mixed = word.chars().any(|c| c.is_ascii_digit());
    short || !mixed && word.chars().any(vowel) && heap <= 4 && word.chars().count() <= 20
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating(answer: &str) -> f64 {
        Lists::default().verdict(answer).rating().expect("always rated")
    }

    #[test]
    fn sentences_and_names_are_coherent() {
        for answer in [
            "I would plant trees along the river and build schools.",
            "Owl.",
            "The zebra",
            "What are you looking for? It is in the box that you gave me.",
            "Well, I don't know, but my sister does.",
        ] {
            assert!(rating(answer) >= 75.0, "{answer}: {:?}", Lists::default().verdict(answer));
        }
    }

    #[test]
    fn noise_is_not() {
        for answer in [
            "",
            "12, 7, 99",
            "the the the the the",
            "river of the and is plant my to",
            "xkcd qwrtp zzzfg bnmv trq",
            "table green seven walks piano cloud umbrella rock",
            "go go go go home home home",
        ] {
            assert!(rating(answer) < 50.0, "{answer}: {:?}", Lists::default().verdict(answer));
        }
    }
}
