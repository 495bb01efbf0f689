//! The shuffled arm: what do the words of the reasoning alone carry? They are permuted among all places of all rows; every reasoning
//! keeps its length and its line breaks. The answers stay: a wrong answer under a question would be another treatment, not less of this
//! one.

use rand::seq::SliceRandom;

use super::form::Tags;
use crate::record::Sample;
use crate::tool::streams;

/// Permutes the words of all reasonings; answers that are not well set stay as they are.
pub(super) fn shuffle(rows: &[Sample], seed: u64, tags: &Tags) -> Vec<Sample> {
    let mut words: Vec<&str> =
        rows.iter().filter_map(|row| reasoning(&row.completion, tags)).flat_map(str::split_whitespace).collect();
    words.shuffle(&mut streams::named(seed, "shuffle", 0));
    let mut words = words.into_iter();
    rows.iter().map(|row| Sample { completion: refill(&row.completion, tags, &mut words), ..row.clone() }).collect()
}

fn reasoning<'a>(completion: &'a str, tags: &Tags) -> Option<&'a str> {
    tags.parse(completion).ok().map(|trace| trace.reasoning)
}

/// The answer with the words of its reasoning replaced, in order, by the next ones.
fn refill<'a>(completion: &str, tags: &Tags, words: &mut impl Iterator<Item = &'a str>) -> String {
    let Some(old) = reasoning(completion, tags) else { return completion.to_owned() };
    let mut new = String::with_capacity(old.len());
    for piece in old.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if !word.is_empty() {
            new.extend(words.next());
        }
        new.push_str(&piece[word.len()..]);
    }
    let tag = completion.find('>').map_or(0, |end| end + 1); // the first part begins after the first tag
    completion[..tag].to_owned() + &completion[tag..].replacen(old, &new, 1)
}

#[cfg(test)]
mod tests {
    use super::super::form::Trace;
    use super::*;
    use crate::record::Finish;

    fn tags() -> Tags {
        Tags::new(&crate::record::COT_TAGS.map(str::to_owned))
    }

    fn rows(traces: &[(&str, &str)]) -> Vec<Sample> {
        let row = |(id, (reasoning, answer)): (usize, &(&str, &str))| Sample {
            id: (id as u64).into(),
            prompt: format!("p{id}"),
            expected: None,
            completion: tags().render(Trace { reasoning, answer }),
            tokens: 3,
            finish: Finish::Stop,
        };
        traces.iter().enumerate().map(row).collect()
    }

    #[test]
    fn words_move_between_reasonings_while_answers_lengths_and_lines_stay() {
        let mut before = rows(&[("a b\nc  d", "1"), ("e", "2"), ("f g\n\nh", "3")]);
        before[1].prompt = "kept".to_owned();
        before.push(Sample { completion: "no tags: x y".to_owned(), ..before[0].clone() });
        let after = shuffle(&before, 3, &tags());
        let shape = |rows: &[Sample]| -> Vec<String> {
            rows.iter().map(|row| row.completion.replace(|c: char| ('a'..='h').contains(&c), "_")).collect()
        };
        assert_eq!(shape(&before)[..3], shape(&after)[..3]);
        assert_eq!(after[3].completion, "no tags: x y");
        let words = |rows: &[Sample]| {
            let mut all: Vec<String> = rows[..3]
                .iter()
                .flat_map(|row| {
                    reasoning(&row.completion, &tags()).unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
                })
                .collect();
            all.sort();
            all
        };
        assert_eq!(words(&before), words(&after));
        assert_ne!(before, after);
        assert_eq!(shuffle(&before, 3, &tags()), after);
        assert_ne!(shuffle(&before, 4, &tags()), after);
        let answers = |rows: &[Sample]| -> Vec<String> {
            rows[..3].iter().map(|row| tags().parse(&row.completion).unwrap().answer.to_owned()).collect()
        };
        assert_eq!(answers(&after), ["1", "2", "3"]);
    }
}
