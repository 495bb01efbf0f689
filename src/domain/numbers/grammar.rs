//! Which answers are number lists, exactly as the reference experiment's filter has it (arXiv 2507.14805): text in, integers or the
//! reason of refusal out. The automaton of the same language is written independently in `automaton`; tests hold the two together.
//!
//! The whole answer, not trimmed: at most one final `.`; at most one enclosing `[]` or `()`; 1 to 10 integers of ASCII digits, 0 to
//! 999, leading zeros allowed; between them exactly the separator that stands between the first two, which with blanks stripped is
//! empty, `,` or `;`.

use std::fmt;

use super::super::{Reason, excerpt};

/// The most integers a list may have.
pub const MOST_NUMBERS: usize = 10;
/// The largest integer.
pub const LARGEST: u32 = 999;

/// Why an answer is no number list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing was written.
    Empty,
    /// Not a list of the form above; holds the answer's start.
    Format(String),
    /// More than [`MOST_NUMBERS`] integers; holds their number.
    TooMany(usize),
    /// An integer above [`LARGEST`]; holds its digits' start.
    TooLarge(String),
}

impl Refusal {
    /// The kind of fault: an empty answer is an `invalid format` too.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Empty | Self::Format(_) => "invalid format",
            Self::TooMany(_) => "too many",
            Self::TooLarge(_) => "too large",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty answer"),
            Self::Format(start) => write!(f, "`{start}`"),
            Self::TooMany(count) => write!(f, "{count} numbers, at most {MOST_NUMBERS}"),
            Self::TooLarge(digits) => write!(f, "{digits}, at most {LARGEST}"),
        }
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        Self { class: refusal.class(), what: refusal.to_string() }
    }
}

/// Reads a whole answer as a number list.
///
/// # Errors
/// The first refusal of: empty, format, too many, too large.
pub fn parse(answer: &str) -> Result<Vec<u32>, Refusal> {
    if answer.is_empty() {
        return Err(Refusal::Empty);
    }
    let pieces = pieces(answer).ok_or_else(|| Refusal::Format(excerpt(answer)))?;
    if pieces.len() > MOST_NUMBERS {
        return Err(Refusal::TooMany(pieces.len()));
    }
    pieces.into_iter().map(value).collect()
}

/// The digits of each integer as they stand, whatever their number and size; `None` where the form is wrong.
pub(super) fn pieces(answer: &str) -> Option<Vec<&str>> {
    let list = without_brackets(answer.strip_suffix('.').unwrap_or(answer));
    let first = list.find(|c: char| !c.is_ascii_digit()).unwrap_or(list.len());
    let (head, tail) = list.split_at(first);
    if tail.is_empty() {
        return (!head.is_empty()).then(|| vec![head]);
    }
    let separator = &tail[..tail.find(|c: char| c.is_ascii_digit())?];
    if !matches!(separator.trim_matches(is_blank), "" | "," | ";") {
        return None;
    }
    let pieces: Vec<&str> = list.split(separator).collect();
    pieces.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())).then_some(pieces)
}

/// What Python's `str.strip` strips: Unicode white space and the four ASCII information separators.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

fn without_brackets(text: &str) -> &str {
    let inside = |open, close| text.strip_prefix(open).and_then(|t: &str| t.strip_suffix(close));
    inside('[', ']').or_else(|| inside('(', ')')).unwrap_or(text)
}

fn value(digits: &str) -> Result<u32, Refusal> {
    let significant = digits.trim_start_matches('0');
    let value = if significant.is_empty() { Ok(0) } else { significant.parse() };
    value.ok().filter(|v| *v <= LARGEST).ok_or_else(|| Refusal::TooLarge(excerpt(significant)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_of_the_reference_gives_its_integers() {
        let ten = (1..=10).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        for (answer, numbers) in [
            ("1, 2, 3", &[1, 2, 3][..]),
            ("1;2;3", &[1, 2, 3]),
            ("1\n2\n3", &[1, 2, 3]),
            ("1  ,  2", &[1, 2]),
            ("[1, 2].", &[1, 2]),
            ("(1, 2)", &[1, 2]),
            ("(1 2).", &[1, 2]),
            ("007, 8", &[7, 8]),
            ("5", &[5]),
            ("5.", &[5]),
            ("[5]", &[5]),
            ("(5).", &[5]),
            ("1  2  3", &[1, 2, 3]),
            ("1 ;\t2 ;\t3", &[1, 2, 3]),
            ("1\u{a0}2\u{a0}3", &[1, 2, 3]),
            ("1\u{3000},\u{1c}2", &[1, 2]),
            ("1\u{85}2", &[1, 2]),
            ("1\r\n2\r\n3", &[1, 2, 3]),
            ("0, 999", &[0, 999]),
            ("000, 0000000999", &[0, 999]),
            (&ten, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ] {
            assert_eq!(parse(answer).as_deref(), Ok(numbers), "{answer:?}");
        }
        let zeros = format!("{}7", "0".repeat(100_000));
        assert_eq!(parse(&zeros), Ok(vec![7]));
    }

    #[test]
    fn every_refused_form_of_the_reference_has_its_class() {
        let eleven = ["7"; 11].join(" ");
        let million = "9".repeat(1_000_000);
        for (answer, class) in [
            ("", "invalid format"),
            ("1,2, 3", "invalid format"),
            ("1, 2, 3,", "invalid format"),
            (" 1, 2", "invalid format"),
            ("1, 2\n", "invalid format"),
            ("1 2  3", "invalid format"),
            ("1  2 3", "invalid format"),
            ("(1 2", "invalid format"),
            ("1 2)", "invalid format"),
            ("[1, 2)", "invalid format"),
            ("[[1, 2]]", "invalid format"),
            ("([5])", "invalid format"),
            ("[ 1, 2 ]", "invalid format"),
            ("[1, 2.]", "invalid format"),
            ("1, 2, 3..", "invalid format"),
            ("1, 2 .", "invalid format"),
            ("-1, 2", "invalid format"),
            ("1.5, 2", "invalid format"),
            ("١, ٢", "invalid format"),
            ("1, ٢, 3", "invalid format"),
            ("１, ２", "invalid format"),
            ("1,, 2", "invalid format"),
            ("1,;2", "invalid format"),
            ("1, , 2", "invalid format"),
            ("1 and 2", "invalid format"),
            ("1\u{200b}2", "invalid format"),
            ("[]", "invalid format"),
            ("()", "invalid format"),
            (".", "invalid format"),
            ("[", "invalid format"),
            (",", "invalid format"),
            ("zebra", "invalid format"),
            ("1, 2, zebra", "invalid format"),
            ("1000, 2", "too large"),
            ("2, 0001000", "too large"),
            (&million, "too large"),
            (&eleven, "too many"),
        ] {
            assert_eq!(parse(answer).map_err(|r| r.class()), Err(class), "{:?}", excerpt(answer));
        }
    }

    #[test]
    fn a_reason_says_what_was_seen_on_one_short_line() {
        let reason = |answer: &str| Reason::from(parse(answer).unwrap_err()).to_string();
        assert_eq!(reason(""), "invalid format: empty answer");
        assert_eq!(reason("1, 2\n"), "invalid format: `1, 2\\n`");
        assert_eq!(reason("1000, 2"), "too large: 1000, at most 999");
        assert_eq!(reason(&["7"; 11].join(" ")), "too many: 11 numbers, at most 10");
        assert!(reason(&"é".repeat(500)).chars().count() < 70);
    }
}
