//! What number an answer states: text in, an exact value out, however it is written. `$1,234.50`, `1 234.5 dollars`, `= 1234 1/2` and
//! `1234.500.` are one answer; `42 or 43`, `6 * 7` and `3 dozen` state none.
//!
//! Units are read over, not compared: a question says itself in what it asks for the answer.

use super::number::Number;

/// A number as an answer states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    /// Its value; of `25%` this is 25.
    pub(super) value: Number,
    /// Whether a percent sign or word follows.
    pub(super) percent: bool,
}

impl Stated {
    /// Whether both say the same: equal values, and a percentage also equals its hundredth (`25%` is 25 where percent are asked
    /// for, and 0.25).
    pub(super) fn agrees(self, other: Self) -> bool {
        let hundredth = |stated: Self| stated.value / Number::from(100);
        self.value == other.value
            || (self.percent && !other.percent && hundredth(self) == other.value)
            || (other.percent && !self.percent && hundredth(other) == self.value)
    }
}

/// Longer runs of digits are not read, so that no arithmetic overflows.
const MOST_DIGITS: usize = 15;
const MOST_UNIT_WORDS: usize = 4;
const CURRENCIES: [char; 6] = ['$', '€', '£', '¥', '₹', '¢'];
const BLANKS: [char; 5] = [' ', '\t', '\u{a0}', '\u{202f}', '\u{2009}'];

/// The number that the whole text states; `None` where it states none, or more than a number and its unit.
pub(super) fn read(text: &str) -> Option<Stated> {
    let text = text.trim();
    let text = text.strip_prefix('=').map_or(text, str::trim_start);
    let text = text.strip_suffix('.').map_or(text, str::trim_end);
    let (negative, text) = opening(text);
    let (value, rest) = number(text)?;
    let percent = unit(rest)?;
    Some(Stated { value: if negative { value.negated() } else { value }, percent })
}

/// Whether the number is below zero, and what follows its sign and its currency's, in either order.
fn opening(text: &str) -> (bool, &str) {
    let (before, rest) = sign(text);
    let rest = rest.strip_prefix(CURRENCIES).map_or(rest, |rest| rest.trim_start_matches(BLANKS));
    let (after, rest) = if before.is_none() { sign(rest) } else { (None, rest) };
    (before.or(after).is_some_and(|sign| sign != '+'), rest)
}

fn sign(text: &str) -> (Option<char>, &str) {
    match text.chars().next().filter(|c| "+-−".contains(*c)) {
        Some(sign) => (Some(sign), text[sign.len_utf8()..].trim_start_matches(BLANKS)),
        None => (None, text),
    }
}

/// An integer, decimal, fraction or mixed number at the start, and the rest.
fn number(text: &str) -> Option<(Number, &str)> {
    if let Some((part, rest)) = vulgar(text) {
        return Some((part, rest));
    }
    let (whole, rest) = integer(text);
    if let Some((decimals, rest)) = decimals(rest) {
        let scale = 10i128.pow(decimals.len() as u32);
        return Some((Number::fraction(value(&whole)? * scale + value(decimals)?, scale)?, rest));
    }
    if whole.is_empty() {
        return None;
    }
    let whole = value(&whole)?;
    if let Some((denominator, rest)) = divisor(rest) {
        return Some((Number::fraction(whole, value(denominator)?)?, rest));
    }
    match part(rest) {
        Some((part, rest)) => Some((Number::fraction(whole, 1)? + part?, rest)),
        None => Some((Number::fraction(whole, 1)?, rest)),
    }
}

/// The value of some digits, none being zero; `None` where there are too many.
fn value(digits: &str) -> Option<i128> {
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { Some(0) } else { (digits.len() <= MOST_DIGITS).then(|| digits.parse().ok())? }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The digits of an integer at the start, without the marks between its thousands.
fn integer(text: &str) -> (String, &str) {
    let (head, mut rest) = digits(text);
    let mut all = head.to_owned();
    if (1..=3).contains(&head.len())
        && let Some(mark) = rest.chars().next().filter(|c| ",'’".contains(*c) || BLANKS.contains(c))
    {
        while let Some((group, after)) = group(rest, mark) {
            all.push_str(group);
            rest = after;
        }
    }
    (all, rest)
}

/// `,234` or the like: exactly three digits after the mark, which are not the beginning of a mixed number's fraction.
fn group(text: &str, mark: char) -> Option<(&str, &str)> {
    let (group, rest) = digits(text.strip_prefix(mark)?);
    let divides = BLANKS.contains(&mark) && rest.trim_start_matches(BLANKS).starts_with(['/', '⁄']);
    (group.len() == 3 && !divides).then_some((group, rest))
}

/// The decimals after a point, without zeros at their end, and the rest.
fn decimals(text: &str) -> Option<(&str, &str)> {
    let (decimals, rest) = digits(text.strip_prefix('.')?);
    let significant = decimals.trim_end_matches('0');
    (!decimals.is_empty() && significant.len() <= MOST_DIGITS).then_some((significant, rest))
}

/// The digits below a fraction's stroke, and the rest.
fn divisor(text: &str) -> Option<(&str, &str)> {
    let below = text.trim_start_matches(BLANKS).strip_prefix(['/', '⁄'])?.trim_start_matches(BLANKS);
    let (digits, rest) = digits(below);
    (!digits.is_empty()).then_some((digits, rest))
}

/// The fraction of a mixed number, after its integer; `Some(None)` where one stands there that cannot be read.
fn part(text: &str) -> Option<(Option<Number>, &str)> {
    let text = text.trim_start_matches(BLANKS);
    if let Some((part, rest)) = vulgar(text) {
        return Some((Some(part), rest));
    }
    let (above, rest) = digits(text);
    let (below, rest) = divisor(rest).filter(|_| !above.is_empty())?;
    Some((value(above).zip(value(below)).and_then(|(above, below)| Number::fraction(above, below)), rest))
}

/// A fraction that is one character, such as `½`.
fn vulgar(text: &str) -> Option<(Number, &str)> {
    const VULGAR: [(char, i128, i128); 15] = [
        ('½', 1, 2),
        ('⅓', 1, 3),
        ('⅔', 2, 3),
        ('¼', 1, 4),
        ('¾', 3, 4),
        ('⅕', 1, 5),
        ('⅖', 2, 5),
        ('⅗', 3, 5),
        ('⅘', 4, 5),
        ('⅙', 1, 6),
        ('⅚', 5, 6),
        ('⅛', 1, 8),
        ('⅜', 3, 8),
        ('⅝', 5, 8),
        ('⅞', 7, 8),
    ];
    let mut rest = text.chars();
    let first = rest.next()?;
    let (_, above, below) = VULGAR.into_iter().find(|(sign, ..)| *sign == first)?;
    Some((Number::fraction(above, below)?, rest.as_str()))
}

/// Whether the unit after a number is percent; `None` where what follows is no unit.
fn unit(text: &str) -> Option<bool> {
    let text = text.trim_start_matches(BLANKS);
    let (percent, text) = match text.strip_prefix('%') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix(CURRENCIES).unwrap_or(text)),
    };
    let words: Vec<&str> = text.split(BLANKS).filter(|word| !word.is_empty()).collect();
    let plain = words.iter().all(|word| is_unit(word));
    let named = matches!(words.as_slice(), ["percent", ..] | ["per", "cent", ..]);
    (plain && words.len() <= MOST_UNIT_WORDS).then_some(percent || named)
}

/// Letters with few signs between them; no digit, and no word that changes the number.
fn is_unit(word: &str) -> bool {
    const CHANGE_THE_NUMBER: [&str; 42] = [
        "and",
        "or",
        "to",
        "plus",
        "minus",
        "times",
        "over",
        "by",
        "point",
        "not",
        "but",
        "hundred",
        "hundreds",
        "thousand",
        "thousands",
        "k",
        "million",
        "millions",
        "mn",
        "billion",
        "billions",
        "bn",
        "trillion",
        "dozen",
        "dozens",
        "score",
        "half",
        "halves",
        "third",
        "thirds",
        "quarter",
        "quarters",
        "fifth",
        "fifths",
        "sixth",
        "sixths",
        "eighth",
        "eighths",
        "tenth",
        "tenths",
        "x",
        "r",
    ];
    let lower = word.to_lowercase();
    word.chars().any(|c| c.is_alphabetic() || c == '°')
        && word.chars().all(|c| c.is_alphabetic() || "/²³°.-'’".contains(c))
        && !lower.split(['/', '-']).any(|piece| CHANGE_THE_NUMBER.contains(&piece))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agree(a: &str, b: &str) -> bool {
        read(a).zip(read(b)).is_some_and(|(a, b)| a.agrees(b))
    }

    #[test]
    fn one_number_has_many_spellings() {
        for (number, spellings) in [
            (
                "42",
                &["42", " 42 ", "42.", "42.0", "42.00", "= 42", "=42.", "+42", "042", "84/2", "42 apples", "42km", "42 km/h"][..],
            ),
            (
                "42",
                &["$42", "$ 42.00", "42 €", "£42.", "42 dollars per hour", "42 m²", "42 °C", "42%", "42 percent", "42 per cent"],
            ),
            ("-7", &["-7", "−7", "- 7", "-$7", "$-7.00", "-14/2", "= -7", "-7 degrees"]),
            ("1234", &["1,234", "1 234", "1'234", "1\u{202f}234", "$1,234.00", "1,234 people", "1234"]),
            ("1234567", &["1,234,567", "1 234 567", "1234567.0"]),
            ("1234.5", &["1,234.5", "1234 1/2", "1,234½", "2469/2", "1 234.50"]),
            ("0.75", &["3/4", "0.75", ".75", "0.7500", "75/100", "¾", "3 / 4", "3⁄4 cup", "75%", "75.0 percent"]),
            ("1.5", &["1 1/2", "1½", "1 ½", "3/2", "1.50 hours", "1 1/2 hours"]),
            ("2/3", &["4/6", "⅔", "2/3 of the cake"]),
            ("0", &["0", "0.0", "-0", "0/5", "000"]),
            ("1", &["100%", "1", "100 %"]),
        ] {
            for spelling in spellings {
                assert!(agree(spelling, number), "`{spelling}` is {number}: {:?}", read(spelling));
            }
        }
    }

    #[test]
    fn what_states_no_single_number_is_not_read() {
        for text in [
            "",
            " ",
            ".",
            "=",
            "$",
            "-",
            "+",
            "%",
            "apples",
            "forty-two",
            "42 or 43",
            "42, 43",
            "42-43",
            "6 * 7",
            "6*7 = 42",
            "= = 42",
            "42 = 42",
            "x = 42",
            "3 dozen",
            "2 million",
            "42k",
            "42x",
            "3.5.7",
            "42..",
            "1e3",
            "2^5",
            "1/0",
            "1 1/0",
            "1,23",
            "1,2345",
            "1,,234",
            "12,34,567",
            "1.5/2",
            "3:30",
            "2:3",
            "5 and a half",
            "3 quarters",
            "4 1/2 1/2",
            "--4",
            "-$-4",
            "$$4",
            "42 (apples)",
            "٤٢",
            "４２",
            "42 apples on the table in there",
            "1234567890123456",
            "0.1234567890123456",
            "1 234/",
            "4 m2",
            "7\n8",
        ] {
            assert_eq!(read(text), None, "`{text}`");
        }
    }

    #[test]
    fn different_numbers_differ() {
        for (a, b) in [
            ("42", "43"),
            ("42", "-42"),
            ("0.333", "1/3"),
            ("25", "0.25"),
            ("25%", "25.1"),
            ("1 1/2", "11/2"),
            ("1,234", "1.234"),
        ] {
            assert!(!agree(a, b), "{a} and {b}");
        }
        assert!(agree("25%", "25") && agree("25%", "0.25") && agree("25%", "25 %") && !agree("25%", "0.25%"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn every_number_is_read_back_as_it_is_written(numerator in -100_000_000i128..100_000_000, denominator in 1i128..10_000) {
            let number = Number::fraction(numerator, denominator).unwrap();
            prop_assert_eq!(read(&number.to_string()).map(|stated| stated.value), Some(number));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+=$%.,/ 0-9½a-z\u{a0}−]{0,40}") {
            let _ = read(&text);
        }
    }
}
