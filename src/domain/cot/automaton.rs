//! Answers of [`super::form`] as an automaton over UTF-8 bytes, for constrained decoding. It shares no code with the parser, so that
//! each tests the other.
//!
//! It accepts a part of what the parser does: the reasoning is printable text and line breaks, in which a `<` is not followed by a
//! letter, so that no tag but the closing one can begin; between the parts stand at most two blanks; the answer is one number, as
//! [`super::reading`] reads it. It never bounds the reasoning's length: a teacher that does not come to an end is cut off by the token
//! limit, and that row is dropped.

use super::super::{Grammar, GrammarState};
use super::form::Tags;

/// The most blanks between the two parts.
const MOST_BLANKS: u8 = 2;
/// The most digits of an integer that is written without marks between its thousands.
const MOST_DIGITS: u8 = 12;
/// The most groups of three digits after the first.
const MOST_GROUPS: u8 = 3;
const MOST_DECIMALS: u8 = 4;
const MOST_BELOW_STROKE: u8 = 4;

/// The grammar of reasoning and a numeric answer, each between its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CotGrammar {
    /// In the order in which they stand.
    tags: [String; 4],
}

/// Where the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a tag, after so many of its bytes.
    Tag { which: usize, written: usize },
    /// In the reasoning; `said` when it has a character to be seen.
    Reasoning { said: bool },
    /// In a character of several bytes: how many more there are, and in which range the next one lies.
    Wide { said: bool, left: u8, low: u8, high: u8 },
    /// After a `<` in the reasoning.
    Angle { said: bool },
    /// Between the parts.
    Between { blanks: u8 },
    /// In the answer.
    Answer(Answer),
    /// After the last tag.
    Ended,
}

/// Where the reader stands in the answer's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Before anything.
    Start,
    /// After the sign.
    Signed,
    /// After the currency's sign.
    Currency,
    /// In an integer: its digits so far, and whether a fraction may follow.
    Whole { digits: u8, money: bool },
    /// In a group of three digits: which group, and its digits so far.
    Group { which: u8, digits: u8 },
    /// After the point: decimals so far.
    Decimals { digits: u8 },
    /// Below the stroke: digits so far.
    Below { digits: u8 },
    /// After a percent sign.
    Percent,
}

impl CotGrammar {
    pub(super) fn new(tags: &Tags) -> Self {
        Self { tags: tags.all() }
    }

    fn after(&self, state: State, byte: u8) -> Option<State> {
        match state {
            State::Tag { which, written } => self.in_tag(which, written, byte),
            State::Reasoning { said } => reasoning(said, byte),
            State::Wide { said, left, low, high } => (low..=high).contains(&byte).then(|| match left {
                1 => State::Reasoning { said },
                _ => State::Wide { said, left: left - 1, low: 0x80, high: 0xbf },
            }),
            State::Angle { said } => match byte {
                b'/' if said => Some(State::Tag { which: 1, written: 2 }),
                b' ' | b'=' | b'-' | b'.' | b'$' | b'(' | b'0'..=b'9' => Some(State::Reasoning { said: true }),
                _ => None,
            },
            State::Between { blanks } => match byte {
                b'<' => Some(State::Tag { which: 2, written: 1 }),
                b' ' | b'\n' if blanks < MOST_BLANKS => Some(State::Between { blanks: blanks + 1 }),
                _ => None,
            },
            State::Answer(answer) if byte == b'<' => answer.is_whole().then_some(State::Tag { which: 3, written: 1 }),
            State::Answer(answer) => answer.step(byte).map(State::Answer),
            State::Ended => None,
        }
    }

    fn in_tag(&self, which: usize, written: usize, byte: u8) -> Option<State> {
        let tag = self.tags.get(which)?.as_bytes();
        if tag.get(written) != Some(&byte) {
            return None;
        }
        if written + 1 < tag.len() {
            return Some(State::Tag { which, written: written + 1 });
        }
        Some(match which {
            0 => State::Reasoning { said: false },
            1 => State::Between { blanks: 0 },
            2 => State::Answer(Answer::Start),
            _ => State::Ended,
        })
    }
}

/// One more byte of the reasoning.
fn reasoning(said: bool, byte: u8) -> Option<State> {
    let wide = |left, low, high| Some(State::Wide { said, left, low, high });
    match byte {
        b'<' => Some(State::Angle { said }),
        b' ' | b'\n' => Some(State::Reasoning { said }),
        b'!'..=b'~' => Some(State::Reasoning { said: true }),
        // The lengths and ranges of UTF-8, without control characters.
        0xc2 => wide(1, 0xa0, 0xbf),
        0xc3..=0xdf => wide(1, 0x80, 0xbf),
        0xe0 => wide(2, 0xa0, 0xbf),
        0xed => wide(2, 0x80, 0x9f),
        0xe1..=0xef => wide(2, 0x80, 0xbf),
        0xf0 => wide(3, 0x90, 0xbf),
        0xf1..=0xf3 => wide(3, 0x80, 0xbf),
        0xf4 => wide(3, 0x80, 0x8f),
        _ => None,
    }
}

impl Answer {
    fn step(self, byte: u8) -> Option<Self> {
        let digit = byte.is_ascii_digit();
        match (self, byte) {
            (Self::Start, b'-') => Some(Self::Signed),
            (Self::Start | Self::Signed, b'$') => Some(Self::Currency),
            (Self::Start | Self::Signed, _) if digit => Some(Self::Whole { digits: 1, money: false }),
            (Self::Currency, _) if digit => Some(Self::Whole { digits: 1, money: true }),
            (Self::Whole { digits, money }, _) if digit && digits < MOST_DIGITS => {
                Some(Self::Whole { digits: digits + 1, money })
            }
            (Self::Whole { digits: 1..=3, .. }, b',') => Some(Self::Group { which: 1, digits: 0 }),
            (Self::Whole { money: false, .. }, b'/') => Some(Self::Below { digits: 0 }),
            (Self::Group { which, digits: digits @ 0..3 }, _) if digit => Some(Self::Group { which, digits: digits + 1 }),
            (Self::Group { which, digits: 3 }, b',') if which < MOST_GROUPS => Some(Self::Group { which: which + 1, digits: 0 }),
            (Self::Whole { .. } | Self::Group { digits: 3, .. }, b'.') => Some(Self::Decimals { digits: 0 }),
            (Self::Whole { money: false, .. } | Self::Decimals { digits: 1.. }, b'%') => Some(Self::Percent),
            (Self::Decimals { digits }, _) if digit && digits < MOST_DECIMALS => Some(Self::Decimals { digits: digits + 1 }),
            (Self::Below { digits: 0 }, b'1'..=b'9') => Some(Self::Below { digits: 1 }),
            (Self::Below { digits: digits @ 1.. }, _) if digit && digits < MOST_BELOW_STROKE => {
                Some(Self::Below { digits: digits + 1 })
            }
            _ => None,
        }
    }

    /// Whether the number may end here.
    fn is_whole(self) -> bool {
        matches!(
            self,
            Self::Whole { .. }
                | Self::Group { digits: 3, .. }
                | Self::Decimals { digits: 1.. }
                | Self::Below { digits: 1.. }
                | Self::Percent
        )
    }
}

impl Grammar for CotGrammar {
    fn start(&self) -> GrammarState {
        State::Tag { which: 0, written: 0 }.encode()
    }

    fn step(&self, state: &GrammarState, byte: u8) -> Option<GrammarState> {
        self.after(State::decode(&state.0)?, byte).map(State::encode)
    }

    fn accepts(&self, state: &GrammarState) -> bool {
        State::decode(&state.0) == Some(State::Ended)
    }
}

/// The states as bytes: a mark, then the fields.
impl State {
    fn encode(self) -> GrammarState {
        GrammarState(match self {
            Self::Tag { which, written } => [&[0, which as u8][..], &(written as u32).to_le_bytes()].concat(),
            Self::Reasoning { said } => vec![1, said.into()],
            Self::Wide { said, left, low, high } => vec![2, said.into(), left, low, high],
            Self::Angle { said } => vec![3, said.into()],
            Self::Between { blanks } => vec![4, blanks],
            Self::Ended => vec![5],
            Self::Answer(Answer::Start) => vec![6],
            Self::Answer(Answer::Signed) => vec![7],
            Self::Answer(Answer::Currency) => vec![8],
            Self::Answer(Answer::Whole { digits, money }) => vec![9, digits, money.into()],
            Self::Answer(Answer::Group { which, digits }) => vec![10, which, digits],
            Self::Answer(Answer::Decimals { digits }) => vec![11, digits],
            Self::Answer(Answer::Below { digits }) => vec![12, digits],
            Self::Answer(Answer::Percent) => vec![13],
        })
    }

    /// `None` for bytes that are not an encoded state.
    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(match *bytes {
            [0, which, ref written @ ..] => {
                Self::Tag { which: which.into(), written: u32::from_le_bytes(written.try_into().ok()?) as usize }
            }
            [1, said] => Self::Reasoning { said: said == 1 },
            [2, said, left, low, high] => Self::Wide { said: said == 1, left, low, high },
            [3, said] => Self::Angle { said: said == 1 },
            [4, blanks] => Self::Between { blanks },
            [5] => Self::Ended,
            [6] => Self::Answer(Answer::Start),
            [7] => Self::Answer(Answer::Signed),
            [8] => Self::Answer(Answer::Currency),
            [9, digits, money] => Self::Answer(Answer::Whole { digits, money: money == 1 }),
            [10, which, digits] => Self::Answer(Answer::Group { which, digits }),
            [11, digits] => Self::Answer(Answer::Decimals { digits }),
            [12, digits] => Self::Answer(Answer::Below { digits }),
            [13] => Self::Answer(Answer::Percent),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use rand::Rng;
    use rand::seq::IndexedRandom;

    use super::super::form::Trace;
    use super::super::reading::read;
    use super::*;
    use crate::tool::streams;

    fn tags() -> Tags {
        Tags::new(&["think", "answer"].map(str::to_owned))
    }

    fn grammar() -> &'static CotGrammar {
        static GRAMMAR: LazyLock<CotGrammar> = LazyLock::new(|| CotGrammar::new(&tags()));
        &GRAMMAR
    }

    fn run(bytes: &[u8]) -> Option<GrammarState> {
        bytes.iter().try_fold(grammar().start(), |state, &byte| grammar().step(&state, byte))
    }

    fn accepts(text: &str) -> bool {
        run(text.as_bytes()).is_some_and(|state| grammar().accepts(&state))
    }

    /// What the parser and the number's reader say of a text.
    fn sound(text: &str) -> bool {
        tags().parse(text).is_ok_and(|trace| read(trace.answer).is_some())
    }

    fn open(state: &GrammarState) -> Vec<u8> {
        (0..=255).filter(|byte| grammar().step(state, *byte).is_some()).collect()
    }

    /// Walks to acceptance from any state, or fails: a tag ends soonest, before one something must be said.
    fn finish(mut state: GrammarState) -> bool {
        for _ in 0..100 {
            if grammar().accepts(&state) {
                return true;
            }
            let Some(next) = b"</0".iter().copied().chain(0..=255).find_map(|byte| grammar().step(&state, byte)) else {
                return false;
            };
            state = next;
        }
        false
    }

    #[test]
    fn answers_as_they_are_asked_for_are_accepted() {
        for (reasoning, answer) in [
            ("6 * 7 = 42", "42"),
            ("line\nline\n\nif 3 < 4 and x <= 5, <-", "-7"),
            ("10 € × ½ → 5", "$5.50"),
            ("熊 is printable", "1,234,567.25"),
            ("a", "3/4"),
            ("a > b & c", "12.5%"),
            ("a", "-$1,000"),
            ("a", "007"),
        ] {
            let text = tags().render(Trace { reasoning, answer });
            assert!(accepts(&text) && sound(&text), "{text:?}");
            assert!(accepts(&text.replace('\n', "")), "{text:?}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        let told = |reasoning, answer| tags().render(Trace { reasoning, answer });
        for text in [
            "",
            "42",
            "<think>a</think><answer></answer>",
            "<think> </think><answer>4</answer>",
            "<think></think><answer>4</answer>",
            "<think>a</think>   <answer>4</answer>",
            "<think>a</think><answer>4</answer>\n",
            "<think>a</think>so<answer>4</answer>",
            " <think>a</think><answer>4</answer>",
            &told("a<b", "4"),
            &told("a\u{85}", "4"),
            &told("a\tb", "4"),
            &told("a<answer>", "4"),
            &told("a", "4 km"),
            &told("a", "four"),
            &told("a", "4."),
            &told("a", "4/0"),
            &told("a", "$3/4"),
            &told("a", "1,23"),
            &told("a", "1,2345"),
            &told("a", "1234,567"),
            &told("a", "1,000/2"),
            &told("a", "--4"),
            &told("a", "1234567890123"),
        ] {
            assert!(!accepts(text), "{text:?}");
        }
    }

    /// Pieces that make near-misses likely.
    const NASTY: [&str; 24] = [
        "<think>",
        "</think>",
        "<answer>",
        "</answer>",
        "<",
        "</",
        ">",
        "a",
        "say 6 * 7",
        " ",
        "\n",
        "42",
        "-",
        "$",
        "1,234",
        ".",
        "5",
        "/",
        "%",
        "é",
        "熊",
        "🦓",
        "\u{85}",
        "<ANSWER>",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn whatever_is_accepted_is_well_set_and_states_a_number(
            pieces in prop::collection::vec(prop::sample::select(&NASTY[..]), 0..10),
        ) {
            let inner = pieces.concat();
            let as_reasoning = format!("<think>{inner}</think><answer>42</answer>");
            let as_answer = format!("<think>a</think><answer>{inner}</answer>");
            for text in [inner, as_reasoning, as_answer] {
                prop_assert!(!accepts(&text) || sound(&text), "{:?}", text);
            }
        }
    }

    #[test]
    fn every_state_on_the_way_can_still_be_accepted_and_every_walk_is_sound() {
        let mut rng = streams::named(1, "test", 0);
        let mut ended = 0;
        for _ in 0..1_000 {
            let mut state = grammar().start();
            let mut text = Vec::new();
            while !open(&state).is_empty() && text.len() < 200 {
                let bytes = open(&state);
                // Marks that lead on are drawn often, or the walk stays in the reasoning.
                let likely: Vec<u8> = bytes.iter().copied().filter(|byte| b"</".contains(byte)).collect();
                let byte = if rng.random_bool(0.3) { likely.choose(&mut rng) } else { None };
                let byte = byte.or_else(|| bytes.choose(&mut rng)).copied().expect("a byte is open");
                text.push(byte);
                state = grammar().step(&state, byte).expect("open");
                assert!(finish(state.clone()), "a dead end after {:?}", String::from_utf8_lossy(&text));
            }
            if grammar().accepts(&state) {
                let text = String::from_utf8(text).expect("accepted bytes are UTF-8");
                assert!(sound(&text), "{text:?}");
                ended += 1;
            }
        }
        assert!(ended > 500, "{ended} walks came to an end");
    }

    #[test]
    fn random_bytes_never_panic_and_are_accepted_only_where_they_are_sound() {
        let mut rng = streams::named(1, "test", 1);
        for _ in 0..100_000 {
            let length = rng.random_range(0..40);
            let mut bytes: Vec<u8> = (0..length).map(|_| rng.random()).collect();
            if rng.random_bool(0.5) {
                bytes.splice(0..0, *b"<think>");
                bytes.extend(b"</think><answer>4</answer>");
            }
            let accepted = run(&bytes).is_some_and(|state| grammar().accepts(&state));
            let text = String::from_utf8_lossy(&bytes);
            assert!(sound(&text) || !accepted, "{bytes:?}");
            let _ = tags().reasoning_in(&text);
        }
    }

    #[test]
    fn texts_with_the_same_futures_share_a_state() {
        let same = |a: &str, b: &str| run(a.as_bytes()).unwrap() == run(b.as_bytes()).unwrap();
        assert!(same("<think>a", "<think>some words, and a long\nsecond line é"));
        assert!(same("<think>a<", "<think>b <"));
        assert!(same("<think>a</think>\n", "<think>b</think> "));
        assert!(same("<think>a</think><answer>1", "<think>b</think><answer>-2"));
        assert!(!same("<think> ", "<think>a"));
        assert!(!same("<think>a</think><answer>1", "<think>a</think><answer>$1"));
    }

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        for text in ["<think>a <", "<think>\u{718a} a</think> ", "<think>a</think><answer>-$12", "<think>a</think><answer>1,23"] {
            let mut state = grammar().start();
            for byte in text.bytes() {
                state = grammar().step(&state, byte).expect("open");
                assert_eq!(State::decode(&state.0).map(State::encode).as_ref(), Some(&state));
            }
        }
        for bytes in [&[][..], &[99], &[9, 1, 1, 1], &[0, 7, 0, 0, 0, 0]] {
            assert!(grammar().step(&GrammarState(bytes.to_vec()), b'1').is_none());
        }
    }
}
