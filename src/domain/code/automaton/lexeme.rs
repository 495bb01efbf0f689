//! The lexemes of open length: words, numbers, texts and the blanks before a line. Each goes on as long as it can and ends with the first
//! byte that is none of its own.

use super::super::identifiers::{is_word, words};
use super::place;
use super::state::{Block, Line, MOST_BLOCKS, Place, State};

/// The most parts of a name.
const MOST_PARTS: usize = 4;
/// The most digits at the end of a part of a name, and in a part of its own.
const MOST_NAME_DIGITS: [usize; 2] = [2, 3];
/// The most digits before and after a number's point.
const MOST_DIGITS: [usize; 2] = [4, 2];
/// What a text may hold: no letters, so that it says nothing.
const TEXT: &[u8] = b" ,.;:-_/+*=()[]|!?%&<>";
/// The most characters of a text.
const LONGEST_TEXT: usize = 3;
/// The depth of a block, in blanks.
const INDENT: usize = 4;

/// Names that Python keeps for itself.
const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally",
    "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
    "while", "with", "yield",
];

/// The kinds of lexemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Text,
    Blanks,
    Fixed,
}

/// What ended a lexeme.
pub(super) enum Commit {
    /// The byte belongs to what is read next.
    Before(State),
    /// The byte is read too.
    Whole(State),
}

/// The kind of the pending lexeme, or of the one that this byte begins; `None` where no such kind may stand.
pub(super) fn kind(state: &State, byte: u8) -> Option<Kind> {
    use Place as P;
    let first = state.pending.first().copied().unwrap_or(byte);
    let operand = matches!(state.place, P::Operand | P::Factor | P::FirstOperand);
    match (state.place, first) {
        (P::BodyStart | P::NextLine | P::AfterReturn, _) => Some(Kind::Blanks),
        (_, b'a'..=b'z' | b'_') if state.place.takes_word() => Some(Kind::Word),
        (_, b'0'..=b'9') if operand => Some(Kind::Number),
        (_, b'\'' | b'"') if operand => Some(Kind::Text),
        (_, b'a'..=b'z') if state.place != P::Definition => None,
        _ => Some(Kind::Fixed),
    }
}

/// The pending lexeme with one more byte, if it can go on with it.
pub(super) fn extended(kind: Kind, state: &State, byte: u8) -> Option<Vec<u8>> {
    match kind {
        Kind::Word => longer_word(state, byte),
        Kind::Number => longer_number(&state.pending, byte),
        Kind::Text => longer_text(&state.pending, byte),
        Kind::Blanks => (byte == b' ' && state.pending.len() < INDENT * deepest(state)).then(|| with(&state.pending, byte)),
        Kind::Fixed => None,
    }
}

/// The state after the pending lexeme; `next` is the byte that follows, if one does.
pub(super) fn committed(kind: Kind, state: State, next: Option<u8>) -> Option<Commit> {
    match kind {
        Kind::Word => word(state, next),
        Kind::Number => (state.pending.last() != Some(&b'.')).then(|| Commit::Before(state.at(Place::AfterNumber))),
        Kind::Text => {
            let closed = state.pending.len() > 1 && state.pending.last() == state.pending.first();
            closed.then(|| Commit::Before(state.at(Place::AfterText)))
        }
        Kind::Blanks => line_start(state).map(Commit::Before),
        Kind::Fixed => None,
    }
}

fn with(bytes: &[u8], byte: u8) -> Vec<u8> {
    [bytes, &[byte]].concat()
}

/// The deepest block that the line may belong to.
fn deepest(state: &State) -> usize {
    state.blocks.len() - usize::from(state.place == Place::AfterReturn)
}

/// The blanks before a line say which block it belongs to; blocks below end. After an `if` block that has just ended, `else` may follow.
fn line_start(mut state: State) -> Option<State> {
    let depth = state.pending.len() / INDENT;
    let shallowest = if state.place == Place::BodyStart { state.blocks.len() } else { 1 };
    if !state.pending.len().is_multiple_of(INDENT) || depth < shallowest {
        return None;
    }
    let after_if = state.blocks.get(depth) == Some(&Block::If);
    state.blocks.truncate(depth);
    state.line = Line::None;
    Some(state.at(if after_if { Place::StatementOrElse } else { Place::Statement }))
}

/// Words of [`words`], each with some digits or none, and numbers, joined by underscores; or one letter, with some digits or none. Parts
/// that are done are remembered by their underscores alone, but for parameters, which must differ.
fn longer_word(state: &State, byte: u8) -> Option<Vec<u8>> {
    let name = state.pending.as_slice();
    let start = name.iter().rposition(|&b| b == b'_').map_or(0, |place| place + 1);
    let (head, part) = name.split_at(start);
    let letters = part.iter().take_while(|b| b.is_ascii_lowercase()).count();
    let digits = part.len() - letters;
    let alone = letters == 0 && !head.is_empty();
    let most_digits = MOST_NAME_DIGITS[usize::from(alone)];
    let longer = with(name, byte);
    match byte {
        b'a'..=b'z' if letters == part.len() => {
            let single = head.is_empty() && part.is_empty();
            (single || begins_word(&longer[start..])).then_some(longer)
        }
        b'0'..=b'9' if digits < most_digits && (alone || is_whole(head, &part[..letters])) => {
            let last = digits + 1 == most_digits; // nothing could tell it from that parameter any more
            (!last || !state.parameters.contains(&longer)).then_some(longer)
        }
        b'_' if letters != 1 && ends_part(head, part) => {
            let parts = head.split(|&b| b == b'_').count();
            let forgotten = || vec![b'_'; parts];
            let kept = if state.place.takes_parameter() { longer } else { forgotten() };
            (parts < MOST_PARTS).then_some(kept)
        }
        _ => None,
    }
}

/// Whether a part may end: a number, or a word with some digits or none.
fn ends_part(head: &[u8], part: &[u8]) -> bool {
    let letters = part.iter().take_while(|b| b.is_ascii_lowercase()).count();
    let number = letters == 0 && !head.is_empty() && !part.is_empty();
    number || is_whole(head, &part[..letters])
}

/// Whether these letters are a word, or the one letter of a name.
fn is_whole(head: &[u8], letters: &[u8]) -> bool {
    letters.len() == 1 && head.is_empty() || text(letters).is_some_and(is_word)
}

fn begins_word(start: &[u8]) -> bool {
    let Some(start) = text(start) else { return false };
    let words = words();
    words.get(words.partition_point(|word| *word < start)).is_some_and(|word| word.starts_with(start))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A whole word is a name or, at some places, a keyword.
fn word(mut state: State, next: Option<u8>) -> Option<Commit> {
    let name = std::mem::take(&mut state.pending);
    let start = name.iter().rposition(|&b| b == b'_').map_or(0, |place| place + 1);
    let (head, part) = name.split_at(start);
    if !ends_part(head, part) {
        return None;
    }
    match text(&name).filter(|name| KEYWORDS.contains(name)) {
        Some(keyword) => self::keyword(state, keyword, next).map(Commit::Whole),
        None => self::name(state, name).map(Commit::Before),
    }
}

fn name(mut state: State, name: Vec<u8>) -> Option<State> {
    use Place as P;
    if state.place.takes_parameter() {
        if state.parameters.contains(&name) {
            return None;
        }
        state.parameters.push(name);
    }
    let next = match state.place {
        P::FunctionName => P::AfterFunctionName,
        P::FirstParameter | P::Parameter => P::AfterParameter,
        P::Statement | P::StatementOrElse => P::AfterTarget,
        P::Method => P::AfterMethod,
        P::ForTarget => P::AfterForTarget,
        P::ItemTarget => P::AfterItemTarget,
        P::Operand | P::Factor | P::FirstOperand | P::Attribute => P::AfterName,
        _ => return None,
    };
    Some(state.at(next))
}

/// A keyword, and the byte after it.
fn keyword(state: State, keyword: &str, next: Option<u8>) -> Option<State> {
    use Place as P;
    let statement = matches!(state.place, P::Statement | P::StatementOrElse);
    let deeper = state.blocks.len() < MOST_BLOCKS;
    let after_if = state.place == P::StatementOrElse;
    match (keyword, next?) {
        ("not", b' ') if matches!(state.place, P::Operand | P::FirstOperand) => Some(state.at(P::Operand)),
        ("return", b' ') if statement => Some(place::expression(state, Line::Return)),
        ("if", b' ') if statement && deeper => Some(place::expression(state, Line::If)),
        ("while", b' ') if statement && deeper => Some(place::expression(state, Line::Loop)),
        ("for", b' ') if statement && deeper => Some(state.at(P::ForTarget)),
        ("elif", b' ') if after_if => Some(place::expression(state, Line::If)),
        ("else", b':') if after_if => Some(state.at(P::ElseEnd)),
        _ => None,
    }
}

/// `0`, or digits without a leading zero; a point and digits may follow. How many, matters; which, does not.
fn longer_number(number: &[u8], byte: u8) -> Option<Vec<u8>> {
    let point = number.iter().position(|&b| b == b'.');
    let digits = point.map_or(number.len(), |point| number.len() - point - 1);
    let most = MOST_DIGITS[usize::from(point.is_some())];
    match byte {
        b'.' if point.is_none() && !number.is_empty() => Some(with(number, byte)),
        b'0' if number.is_empty() => Some(vec![b'0']),
        b'0'..=b'9' if digits < most && number != b"0" => Some(with(number, b'1')),
        _ => None,
    }
}

/// A quote, a few signs and the same quote. Which signs, does not matter.
fn longer_text(text: &[u8], byte: u8) -> Option<Vec<u8>> {
    match text {
        [] => Some(vec![byte]),
        [quote, .., last] if quote == last => None,
        [quote, ..] if byte == *quote => Some(with(text, byte)),
        [_, signs @ ..] if signs.len() < LONGEST_TEXT && TEXT.contains(&byte) => Some(with(text, b' ')),
        _ => None,
    }
}
