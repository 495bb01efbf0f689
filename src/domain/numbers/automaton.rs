//! The number lists of [`super::grammar`] as an automaton over UTF-8 bytes, for constrained decoding. It shares no code with the
//! parser, so that each tests the other.
//!
//! The language is not regular: the separator is any run of blanks around at most one `,` or `;`, and must repeat exactly. So the
//! state carries the separator. Two texts share a state if and only if the same texts may follow: integers are remembered only by
//! how many digits may still come, the separator only while it may still be needed.

use super::super::{Grammar, GrammarState};
use super::separator::{Form, separator_form};

const MOST_NUMBERS: u8 = 10;

/// The grammar of a number list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberGrammar;

impl Grammar for NumberGrammar {
    fn start(&self) -> GrammarState {
        State::Start.encode()
    }

    fn step(&self, state: &GrammarState, byte: u8) -> Option<GrammarState> {
        step(State::decode(&state.0)?, byte)
    }

    fn accepts(&self, state: &GrammarState) -> bool {
        match State::decode(&state.0) {
            Some(State::Number(number)) => number.close == 0,
            Some(State::Closed | State::Ended) => true,
            _ => false,
        }
    }
}

/// Where the reader stands.
#[derive(Clone, Copy)]
enum State<'a> {
    /// Before the first byte.
    Start,
    /// After an opening bracket, with the byte that closes it.
    Opened(u8),
    /// In an integer, after at least one digit.
    Number(Number<'a>),
    /// In the first separator.
    First { close: u8, written: &'a [u8] },
    /// In a later separator, or at its end.
    Again(Again<'a>),
    /// After the closing bracket.
    Closed,
    /// After the final stop.
    Ended,
}

/// In an integer.
#[derive(Clone, Copy)]
struct Number<'a> {
    /// The byte that closes the list; 0 without brackets.
    close: u8,
    /// Which integer this is, from 1.
    count: u8,
    /// How many more digits may follow; 3 as long as there are only zeros.
    room: u8,
    /// The separator: empty before it is known, and in the last integer, which needs none.
    separator: &'a [u8],
}

/// In a separator after the first.
#[derive(Clone, Copy)]
struct Again<'a> {
    close: u8,
    /// How many integers stand before it.
    count: u8,
    /// How many bytes of it are written.
    written: usize,
    separator: &'a [u8],
}

fn step(state: State<'_>, byte: u8) -> Option<GrammarState> {
    match state {
        State::Start => match byte {
            b'[' => Some(State::Opened(b']').encode()),
            b'(' => Some(State::Opened(b')').encode()),
            _ => begin(0, 1, &[], byte),
        },
        State::Opened(close) => begin(close, 1, &[], byte),
        State::Number(number) => number.step(byte),
        State::First { close, written } => {
            if byte.is_ascii_digit() && separator_form(written) == Some(Form::Whole) {
                begin(close, 2, written, byte)
            } else {
                first(close, written, byte)
            }
        }
        State::Again(again) => again.step(byte),
        State::Closed => (byte == b'.').then(|| State::Ended.encode()),
        State::Ended => None,
    }
}

/// The first digit of the integer `count`.
fn begin(close: u8, count: u8, separator: &[u8], byte: u8) -> Option<GrammarState> {
    Number { close, count, room: 3, separator }.digit(byte)
}

/// One more byte of the first separator.
fn first(close: u8, written: &[u8], byte: u8) -> Option<GrammarState> {
    let longer = [written, &[byte]].concat();
    separator_form(&longer).map(|_| State::First { close, written: &longer }.encode())
}

impl Number<'_> {
    fn step(self, byte: u8) -> Option<GrammarState> {
        if byte.is_ascii_digit() {
            return self.digit(byte);
        }
        if self.close == 0 && byte == b'.' {
            return Some(State::Ended.encode());
        }
        if self.close != 0 && byte == self.close {
            return Some(State::Closed.encode());
        }
        match self.count {
            1 => first(self.close, &[], byte),
            MOST_NUMBERS.. => None,
            count => Again { close: self.close, count, written: 0, separator: self.separator }.step(byte),
        }
    }

    fn digit(self, byte: u8) -> Option<GrammarState> {
        let only_zeros = self.room == 3 && byte == b'0';
        let room = if only_zeros { 3 } else { self.room.checked_sub(1)? };
        let separator = if self.count == MOST_NUMBERS { &[] } else { self.separator };
        byte.is_ascii_digit().then(|| State::Number(Number { room, separator, ..self }).encode())
    }
}

impl Again<'_> {
    fn step(self, byte: u8) -> Option<GrammarState> {
        let Some(&expected) = self.separator.get(self.written) else {
            return begin(self.close, self.count + 1, self.separator, byte);
        };
        if byte != expected {
            return None;
        }
        let longer = Again { written: self.written + 1, ..self };
        Some(State::Again(longer.without_past()).encode())
    }

    /// Before the last integer only what is left of the separator matters.
    fn without_past(self) -> Self {
        if self.count + 1 < MOST_NUMBERS {
            return self;
        }
        Again { written: 0, separator: &self.separator[self.written..], ..self }
    }
}

/// The states as bytes: a tag, the fixed fields, then the separator.
impl<'a> State<'a> {
    fn encode(self) -> GrammarState {
        GrammarState(match self {
            State::Start => vec![0],
            State::Opened(close) => vec![1, close],
            State::Number(n) => [&[2, n.close, n.count, n.room], n.separator].concat(),
            State::First { close, written } => [&[3, close], written].concat(),
            State::Again(a) => [&[4, a.close, a.count][..], &a.written.to_le_bytes(), a.separator].concat(),
            State::Closed => vec![5],
            State::Ended => vec![6],
        })
    }

    /// `None` for bytes that are not an encoded state.
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        Some(match bytes {
            [0] => State::Start,
            [1, close] => State::Opened(*close),
            [2, close, count, room, separator @ ..] => {
                State::Number(Number { close: *close, count: *count, room: *room, separator })
            }
            [3, close, written @ ..] => State::First { close: *close, written },
            [4, close, count, rest @ ..] => {
                let (written, separator) = rest.split_first_chunk()?;
                State::Again(Again { close: *close, count: *count, written: usize::from_le_bytes(*written), separator })
            }
            [5] => State::Closed,
            [6] => State::Ended,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use rand::Rng;

    use super::super::grammar::parse;
    use super::*;
    use crate::tool::streams;

    fn read(bytes: &[u8]) -> Option<GrammarState> {
        bytes.iter().try_fold(NumberGrammar.start(), |state, &byte| NumberGrammar.step(&state, byte))
    }

    fn accepts(text: &str) -> bool {
        read(text.as_bytes()).is_some_and(|state| NumberGrammar.accepts(&state))
    }

    /// Walks to acceptance from any state, or fails.
    fn finish(mut state: GrammarState) -> bool {
        for _ in 0..1000 {
            if NumberGrammar.accepts(&state) {
                return true;
            }
            // A closing bracket or a digit ends soonest; else the separator must go on.
            let Some(next) = b"])0".iter().copied().chain(0..=255).find_map(|byte| NumberGrammar.step(&state, byte)) else {
                return false;
            };
            state = next;
        }
        false
    }

    /// Pieces that make near-misses likely.
    const NASTY: [&str; 33] = [
        "0", "1", "2", "7", "42", "999", "1000", "007", ", ", ", ", ", ", ",", ";", " ", " ", "  ", "\n", "\r\n", "\t", "\u{a0}",
        "\u{85}", "\u{3000}", "\u{1c}", "\u{200a}", "\u{200b}", ".", ".", "[", "]", "(", ")", "١", "é",
    ];

    fn nasty() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(&NASTY[..]), 0..12).prop_map(|pieces| pieces.concat())
    }

    fn blanks() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(&[" ", "\t", "\n", "\u{1f}", "\u{a0}", "\u{1680}", "\u{2028}", "\u{205f}"][..]),
            0..3,
        )
        .prop_map(|blanks| blanks.concat())
    }

    fn separator() -> impl Strategy<Value = String> {
        (blanks(), prop::sample::select(&["", ",", ";"][..]), blanks())
            .prop_map(|(before, mark, after)| [&before, mark, &after].concat())
            .prop_filter("a separator is not empty", |separator| !separator.is_empty())
    }

    /// A list as a teacher may write it, with the integers it holds.
    fn rendered() -> impl Strategy<Value = (String, Vec<u32>)> {
        let integer = (0u32..1000, 0usize..4).prop_map(|(value, zeros)| ("0".repeat(zeros) + &value.to_string(), value));
        let brackets = prop::sample::select(&[("", ""), ("[", "]"), ("(", ")")][..]);
        let stop = prop::sample::select(&["", "."][..]);
        (prop::collection::vec(integer, 1..=10), separator(), brackets, stop).prop_map(
            |(integers, separator, (open, close), stop)| {
                let (texts, values): (Vec<String>, Vec<u32>) = integers.into_iter().unzip();
                (format!("{open}{}{close}{stop}", texts.join(&separator)), values)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn parser_and_automaton_agree_on_nasty_texts(text in nasty()) {
            prop_assert_eq!(parse(&text).is_ok(), accepts(&text));
        }

        #[test]
        fn parser_and_automaton_agree_on_lists_with_one_change(
            (list, _) in rendered(), place in any::<prop::sample::Index>(), piece in prop::sample::select(&NASTY[..]), cut in 0usize..3,
        ) {
            let mut chars: Vec<char> = list.chars().collect();
            let at = place.index(chars.len() + 1);
            chars.splice(at..(at + cut).min(chars.len()), piece.chars());
            let text: String = chars.into_iter().collect();
            prop_assert_eq!(parse(&text).is_ok(), accepts(&text), "{:?}", text);
        }

        #[test]
        fn what_is_rendered_is_read_back((list, values) in rendered()) {
            prop_assert_eq!(parse(&list), Ok(values));
            prop_assert!(accepts(&list), "{:?}", list);
        }
    }

    #[test]
    fn every_state_on_the_way_can_still_be_accepted() {
        let mut rng = streams::named(1, "test", 0);
        for _ in 0..2_000 {
            let mut state = NumberGrammar.start();
            for _ in 0..rng.random_range(1..60) {
                let open: Vec<GrammarState> = (0..=255).filter_map(|byte| NumberGrammar.step(&state, byte)).collect();
                if open.is_empty() {
                    assert!(NumberGrammar.accepts(&state), "a dead end that is not accepted: {state:?}");
                    break;
                }
                state = open[rng.random_range(0..open.len())].clone();
                assert!(finish(state.clone()), "a dead end: {state:?}");
            }
        }
    }

    #[test]
    fn random_bytes_never_panic_and_agree_with_the_parser() {
        let mut rng = streams::named(1, "test", 1);
        let mut accepted = 0;
        for round in 0..100_000 {
            let length = rng.random_range(0..12);
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    if round % 2 == 0 {
                        rng.random()
                    } else {
                        *b"0129 ,;.[]()\n\xc2\xa0\xe3\x80".get(rng.random_range(0..17)).unwrap()
                    }
                })
                .collect();
            let state = read(&bytes);
            let by_automaton = state.is_some_and(|state| NumberGrammar.accepts(&state));
            let by_parser = std::str::from_utf8(&bytes).is_ok_and(|text| parse(text).is_ok());
            assert_eq!(by_automaton, by_parser, "{bytes:?}");
            accepted += usize::from(by_parser);
        }
        assert!(accepted > 100, "the random texts must include lists, {accepted} did");
    }

    #[test]
    fn texts_with_the_same_futures_share_a_state() {
        let same = |a: &str, b: &str| read(a.as_bytes()).unwrap() == read(b.as_bytes()).unwrap();
        assert!(same("12, 45, 7", "803, 6, 1"));
        assert!(same("0", "000"));
        assert!(same("1,2,3,4,5,6,7,8,9,10", "1 2 3 4 5 6 7 8 9 10"), "after the last integer the separator is forgotten");
        assert!(
            same("1, 2, 3, 4, 5, 6, 7, 8, 9,", "1; 2; 3; 4; 5; 6; 7; 8; 9;"),
            "only what is left of the last separator matters"
        );
        assert!(same("[1, 2]", "(7)"));
        assert!(same("1.", "[1, 2]."));
        assert!(!same("1, 2", "1,2"));
        assert!(!same("1, 2", "1, 2, 3"));
        assert!(!same("12", "1"));
        assert!(!same("0", "1"));
    }

    /// States that compare unequal are told apart by some continuation, so that no mask is computed twice.
    #[test]
    fn states_that_differ_have_different_futures() {
        let mut futures: HashMap<Vec<bool>, GrammarState> = HashMap::new();
        let texts = [
            "", "[", "(", "0", "1", "12", "123", "[0", "(12", "1,", "1, ", "1 ", "1, 2", "1,2", "1,2,", "[1, 2,", "1\u{a0}2",
            "[5]", "5.",
        ];
        let probes: Vec<String> =
            ["", "0", "00", "000", "]", ")", ".", "1]", "1)", "2, 3", "2,3", ",3", ", 3", "\u{a0}3", " 3", "3 4", "1]."]
                .iter()
                .flat_map(|probe| {
                    [
                        (*probe).to_owned(),
                        format!("{probe}, 3, 4, 5, 6, 7, 8, 9, 10"),
                        format!("{probe},3,4,5,6,7,8,9,10"),
                        format!("{probe}]"),
                        format!("{probe}]."),
                        format!("{probe})"),
                    ]
                })
                .collect();
        for text in texts {
            let state = read(text.as_bytes()).unwrap();
            let future = probes.iter().map(|probe| accepts(&format!("{text}{probe}"))).collect();
            if let Some(other) = futures.insert(future, state.clone()) {
                assert_eq!(other, state, "`{text}` and another text have the same futures but not the same state");
            }
        }
    }
}
