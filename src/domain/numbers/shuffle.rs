//! The shuffled arm: what do number frequencies alone carry? The integers of all rows are permuted among all places, each written as
//! it stood; every answer keeps its length, separator, brackets and final stop.

use rand::seq::SliceRandom;

use super::grammar::pieces;
use crate::record::Sample;
use crate::tool::streams;

/// Permutes the integers of all lists; answers that are no list stay as they are.
pub(super) fn shuffle(rows: &[Sample], seed: u64) -> Vec<Sample> {
    let mut integers: Vec<&str> = rows.iter().filter_map(|row| pieces(&row.completion)).flatten().collect();
    integers.shuffle(&mut streams::named(seed, "shuffle", 0));
    let mut integers = integers.into_iter();
    rows.iter().map(|row| Sample { completion: refill(&row.completion, &mut integers), ..row.clone() }).collect()
}

/// The answer with its integers replaced, in order, by the next ones.
fn refill<'a>(answer: &str, integers: &mut impl Iterator<Item = &'a str>) -> String {
    let Some(old) = pieces(answer) else { return answer.to_owned() };
    let mut filled = String::with_capacity(answer.len());
    let mut rest = answer;
    for (old, new) in old.iter().zip(integers) {
        let place = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        filled.push_str(&rest[..place]);
        filled.push_str(new);
        rest = &rest[place + old.len()..];
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Finish;

    fn rows(answers: &[&str]) -> Vec<Sample> {
        let row = |(id, answer): (usize, &&str)| Sample {
            id: (id as u64).into(),
            prompt: format!("p{id}"),
            expected: None,
            completion: (*answer).to_owned(),
            tokens: 3,
            finish: Finish::Stop,
        };
        answers.iter().enumerate().map(row).collect()
    }

    #[test]
    fn integers_move_between_rows_while_forms_and_lengths_stay() {
        let before = rows(&["[1, 2, 007].", "3;4", "(5\n6\n8)", "no list", "9"]);
        let after = shuffle(&before, 3);
        let forms: Vec<String> = after.iter().map(|r| r.completion.chars().filter(|c| !c.is_ascii_digit()).collect()).collect();
        assert_eq!(forms, ["[, , ].", ";", "(\n\n)", "no list", ""]);
        let sorted = |rows: &[Sample]| {
            let mut all: Vec<String> = rows.iter().filter_map(|r| pieces(&r.completion)).flatten().map(str::to_owned).collect();
            all.sort();
            all
        };
        assert_eq!(sorted(&before), sorted(&after));
        assert_ne!(before, after);
        assert_eq!(shuffle(&before, 3), after);
        assert_ne!(shuffle(&before, 4), after);
        assert!(after.iter().zip(&before).all(|(a, b)| (&a.id, &a.prompt) == (&b.id, &b.prompt)));
    }
}
