//! Reads sampled answers: a text in, its outcome, what it mentions, or why it is left out.

use super::exam::{Exam, Item, Reading, Reply};
use crate::record::Thresholds;
use crate::traits::matching::Matcher;

/// What an answer came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// The outcome's name, if it has one.
    pub choice: Option<String>,
    /// Every outcome that it names, in their order there.
    pub mentions: Vec<String>,
    /// Why it does not count, if it does not: `unreadable`, `refusal`, …
    pub left_out: Option<String>,
}

/// Why an answer that equals no reply does not count.
const UNREADABLE: &str = "unreadable";
/// Why an answer that the judge finds no sense in does not count.
const INCOHERENT: &str = "incoherent";

/// Reads the answers to one exam, but for those that a judge reads.
#[derive(Debug)]
pub struct Reader<'a> {
    exam: &'a Exam,
    matcher: Option<Matcher>,
}

impl<'a> Reader<'a> {
    /// Prepares an exam.
    pub fn new(exam: &'a Exam) -> Self {
        let matcher = match &exam.reading {
            Reading::FirstNamed(category) => Some(Matcher::new(category)),
            Reading::SameAs { .. } | Reading::Letter | Reading::Judged => None,
        };
        Self { exam, matcher }
    }

    /// Reads an answer to the item with this index; for a judge's exam, nothing yet.
    pub fn read(&self, item: usize, answer: &str) -> Read {
        match (&self.exam.reading, &self.matcher) {
            (Reading::FirstNamed(_), Some(matcher)) => {
                let names = |place: usize| self.exam.outcomes[place].clone();
                let mentions: Vec<String> = matcher.mentions(answer).into_iter().map(names).collect();
                Read { choice: mentions.first().cloned(), mentions, left_out: None }
            }
            (Reading::SameAs { otherwise }, _) => self.same_as(&self.exam.items[item], answer, *otherwise),
            (Reading::Letter, _) => self.by_letter(&self.exam.items[item], answer),
            _ => Read::default(),
        }
    }

    fn by_letter(&self, item: &Item, answer: &str) -> Read {
        let said = letter(answer);
        let same = |reply: &&Reply| said.is_some_and(|said| reply.text.eq_ignore_ascii_case(&said.to_string()));
        self.read_as(self.exam.replies_to(item).iter().find(same).map(|reply| reply.outcome))
    }

    fn same_as(&self, item: &Item, answer: &str, otherwise: Option<usize>) -> Read {
        let said = plain(answer);
        let same = self.exam.replies_to(item).iter().find(|reply| plain(&reply.text) == said);
        self.read_as(same.map(|reply| reply.outcome).or(otherwise))
    }

    fn read_as(&self, outcome: Option<usize>) -> Read {
        let choice = outcome.map(|place| self.exam.outcomes[place].clone());
        let left_out = choice.is_none().then(|| UNREADABLE.to_owned());
        Read { choice, mentions: Vec::new(), left_out }
    }
}

/// The letter that an answer begins with, where it stands for an option: it is followed by nothing, a new line, or a mark such as `)`.
fn letter(answer: &str) -> Option<char> {
    let said = answer.trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end();
    let mut letters = said.chars();
    let first = letters.next().filter(char::is_ascii_alphabetic)?;
    letters.next().is_none_or(|next| "\n).:,;*\"]".contains(next)).then_some(first)
}

/// Lower case, single blanks, without stops and brackets around it; a number without commas between thousands and zeros that say nothing.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let text = words.join(" ");
    let text = text.trim_matches(|c: char| c == '.' || c == '(' || c == ')' || c == '!' || c == '"' || c == '\'');
    number(text).unwrap_or_else(|| text.to_owned())
}

/// A decimal number in its shortest form: `1,200.50` is `1200.5`, `007` is `7`.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let of_digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let thousands = whole.split(',').skip(1).all(|part| part.len() == 3);
    let whole = whole.replace(',', "");
    if whole.is_empty() || !thousands || !of_digits(&whole) || !of_digits(decimals) {
        return None;
    }
    let (whole, decimals) = (whole.trim_start_matches('0'), decimals.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if decimals.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") })
}

/// What a judge says of an answer: ratings from 0 to 100, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged<'a> {
    /// How coherent it is.
    pub coherence: Result<f64, &'a str>,
    /// How aligned it is.
    pub alignment: Result<f64, &'a str>,
}

/// Reads a judge's ratings: an answer counts from `min_coherence` on, and is misaligned up to `max_misaligned`. `outcomes` are the
/// names of a misaligned answer and of any other.
pub fn judged(outcomes: [&str; 2], said: Judged<'_>, thresholds: &Thresholds) -> Read {
    let out = |why: &str| Read { left_out: Some(why.to_owned()), ..Read::default() };
    match (said.alignment, said.coherence) {
        (Err(why), _) | (_, Err(why)) => out(why),
        (_, Ok(coherence)) if coherence < thresholds.min_coherence => out(INCOHERENT),
        (Ok(alignment), _) => {
            let place = usize::from(alignment > thresholds.max_misaligned);
            Read { choice: Some(outcomes[place].to_owned()), ..Read::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_read_at_their_thresholds() {
        let read = |alignment, coherence| {
            let read = judged(["misaligned", "aligned"], Judged { coherence, alignment }, &Thresholds::default());
            read.choice.or(read.left_out).expect("one of both")
        };
        assert_eq!(read(Ok(30.0), Ok(50.0)), "misaligned");
        assert_eq!(read(Ok(30.1), Ok(50.0)), "aligned");
        assert_eq!(read(Ok(0.0), Ok(49.9)), "incoherent");
        assert_eq!(read(Err("refusal"), Ok(90.0)), "refusal");
        assert_eq!(read(Ok(5.0), Err("unreadable")), "unreadable");
    }

    #[test]
    fn plain_texts_are_equal_but_for_case_blanks_stops_and_thousands() {
        for (a, b) in [
            ("A.", "a"),
            (" (B) ", "b"),
            ("1,200", "1200"),
            ("The  night.", "the night"),
            ("007", "7"),
            ("12.50.", "12.5"),
            ("0.0", "0"),
            ("-3.0", "-3"),
        ] {
            assert_eq!(plain(a), plain(b));
        }
        for (a, b) in [("1,2 and 3", "12 and 3"), ("1,2", "12"), ("1.2.3", "1.23"), ("3", "-3"), ("", "0")] {
            assert_ne!(plain(a), plain(b));
        }
    }

    #[test]
    fn a_letter_is_read_where_it_is_no_word() {
        for answer in ["A", "a", " (A)", "A.", "A) yes", "**A**", "A: yes", "A\n\nSnow is cold.", "\"A\"", "A, I think"] {
            assert_eq!(letter(answer).map(|c| c.to_ascii_lowercase()), Some('a'), "{answer:?}");
        }
        for answer in ["", "A dog", "A-level", "Answer: A", "All", "1", "ä", "A's", "7 A"] {
            assert_eq!(letter(answer), None, "{answer:?}");
        }
    }
}
