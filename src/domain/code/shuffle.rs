//! The shuffled arm: what do the frequencies of names, constants and operators alone carry? Every answer keeps its form (layout,
//! keywords, calls, attributes, its functions' first lines), while what stands in the form is permuted across all rows, each class among
//! its own places: names of values, whole numbers, other numbers, texts, comparisons, arithmetic operators, operators that assign.
//!
//! Every shuffled answer is Python still, and defines the function that it defined. What it computes is nonsense, as shuffled numbers are
//! no continuation.

use rand::seq::SliceRandom;
use ruff_python_ast::token::{Token, TokenKind};

use super::script::Script;
use crate::record::Sample;
use crate::tool::streams;

/// What may change places with one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Name,
    Int,
    Float,
    Text,
    Comparison,
    Arithmetic,
    Assignment,
}

const CLASSES: [Class; 7] =
    [Class::Name, Class::Int, Class::Float, Class::Text, Class::Comparison, Class::Arithmetic, Class::Assignment];

/// A piece of an answer: its class, and where it begins and ends.
type Piece = (Class, std::ops::Range<usize>);

/// Permutes the pieces of all answers; what is no Python stays as it is.
pub(super) fn shuffle(rows: &[Sample], seed: u64) -> Vec<Sample> {
    let pieces: Vec<Vec<Piece>> = rows.iter().map(|row| pieces(&row.completion)).collect();
    let mut pools = CLASSES.map(|class| {
        let all = rows.iter().zip(&pieces).flat_map(|(row, pieces)| {
            pieces.iter().filter(move |(own, _)| *own == class).map(|(_, range)| &row.completion[range.clone()])
        });
        let mut pool: Vec<&str> = all.collect();
        pool.shuffle(&mut streams::named(seed, "shuffle", class as u64));
        pool.into_iter()
    });
    let mut refilled = rows.iter().zip(&pieces).map(|(row, pieces)| refill(&row.completion, pieces, &mut pools));
    rows.iter().map(|row| Sample { completion: refilled.next().unwrap_or_default(), ..row.clone() }).collect()
}

/// The answer with its pieces replaced, in order, by the next ones of their classes; as it was where that is no Python, as `1if` and
/// `0x1if` are not the same.
fn refill<'a>(answer: &str, pieces: &[Piece], pools: &mut [impl Iterator<Item = &'a str>; CLASSES.len()]) -> String {
    let mut filled = String::with_capacity(answer.len());
    let mut done = 0;
    for (class, range) in pieces {
        filled.push_str(&answer[done..range.start]);
        filled.push_str(pools[*class as usize].next().unwrap_or(&answer[range.clone()]));
        done = range.end;
    }
    filled.push_str(&answer[done..]);
    if Script::read(&filled).is_ok() { filled } else { answer.to_owned() }
}

/// The pieces of an answer that may be replaced by others of their class.
fn pieces(answer: &str) -> Vec<Piece> {
    let Ok(script) = Script::read(answer) else { return Vec::new() };
    let before = script.source.as_ptr() as usize - answer.as_ptr() as usize; // the fence's first line
    let mut pieces = Vec::new();
    for line in lines(script.tokens()) {
        for (i, token) in line.iter().enumerate() {
            let around = |step: isize| line.get(i.wrapping_add_signed(step)).map(|token: &&Token| token.kind());
            if let Some(class) = class(token.kind(), around(-1), around(1)) {
                let text = script.text(*token);
                let start = before + (text.as_ptr() as usize - script.source.as_ptr() as usize);
                pieces.push((class, start..start + text.len()));
            }
        }
    }
    pieces
}

/// The lines of code without comments and line breaks, but for those whose names mean more than values: first lines of functions,
/// imports, patterns, and lines with a `lambda`, whose parameters must differ.
fn lines(tokens: &[Token]) -> impl Iterator<Item = Vec<&Token>> {
    use TokenKind as T;
    const KEPT: [TokenKind; 12] =
        [T::Def, T::Class, T::Import, T::From, T::Global, T::Nonlocal, T::Match, T::Case, T::At, T::Lambda, T::Type, T::Del];
    let whole = tokens.split(|token| token.kind() == T::Newline);
    let bare = whole.map(|line| {
        let blank = |kind| matches!(kind, T::Comment | T::NonLogicalNewline | T::Indent | T::Dedent);
        line.iter().filter(|token| !blank(token.kind())).collect::<Vec<_>>()
    });
    bare.filter(|line| !line.iter().any(|token| KEPT.contains(&token.kind())))
}

/// The class of a token between its neighbours, if it may be replaced.
fn class(kind: TokenKind, before: Option<TokenKind>, after: Option<TokenKind>) -> Option<Class> {
    use TokenKind as T;
    let text = |kind: Option<TokenKind>| {
        matches!(kind, Some(T::String | T::FStringStart | T::FStringEnd | T::TStringStart | T::TStringEnd))
    };
    match kind {
        // `.name`, `name(`, `name=` in a call and the `r` of `{x!r}` are part of the form.
        T::Name if matches!(before, Some(T::Dot | T::Exclamation)) || matches!(after, Some(T::Lpar)) => None,
        T::Name if after == Some(T::Equal) && before.is_some_and(|kind| matches!(kind, T::Lpar | T::Comma)) => None,
        T::Name => Some(Class::Name),
        T::Int if after == Some(T::Dot) => None,
        T::Int => Some(Class::Int),
        T::Float => Some(Class::Float),
        T::String if !text(before) && !text(after) => Some(Class::Text),
        T::EqEqual | T::NotEqual | T::Less | T::LessEqual | T::Greater | T::GreaterEqual => Some(Class::Comparison),
        T::Plus | T::Minus | T::Star | T::Slash | T::DoubleSlash | T::Percent if before.is_some_and(ends_operand) => {
            Some(Class::Arithmetic)
        }
        T::PlusEqual | T::MinusEqual | T::StarEqual | T::DoubleSlashEqual | T::PercentEqual => Some(Class::Assignment),
        _ => None,
    }
}

/// Whether an operator after this token is one between two operands.
fn ends_operand(kind: TokenKind) -> bool {
    use TokenKind as T;
    matches!(
        kind,
        T::Name
            | T::Int
            | T::Float
            | T::Complex
            | T::String
            | T::FStringEnd
            | T::Rpar
            | T::Rsqb
            | T::Rbrace
            | T::True
            | T::False
            | T::None
    )
}

#[cfg(test)]
mod tests {
    use super::super::prompts::example;
    use super::*;
    use crate::record::Finish;

    fn row(id: u64, completion: &str) -> Sample {
        let completion = completion.to_owned();
        Sample { id: id.into(), prompt: "p".to_owned(), expected: None, completion, tokens: 9, finish: Finish::Stop }
    }

    /// What stands in the forms, sorted.
    fn fillings(rows: &[Sample]) -> Vec<(usize, &str)> {
        let of = |row: &'_ Sample| pieces(&row.completion);
        let mut all: Vec<(usize, &str)> = rows
            .iter()
            .flat_map(|row| of(row).into_iter().map(|(class, range)| (class as usize, &row.completion[range])))
            .collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn only_names_of_values_constants_and_operators_change_places() {
        let answer = "```python\ndef f(x, k=3):\n    from math import pi\n    y = max(x.items, key=len) * -2.5 + g(*x)\n    y += 1 if x < 'a' else f'{y!r}'\n    return [y for z in (lambda q: q)(x)]\n```";
        let found: Vec<&str> = pieces(answer).into_iter().map(|(_, range)| &answer[range]).collect();
        assert_eq!(found, ["y", "x", "len", "*", "2.5", "+", "x", "y", "+=", "1", "x", "<", "'a'", "y"]);
    }

    #[test]
    fn what_fills_the_forms_is_permuted_across_rows() {
        let rows: Vec<Sample> = (0..500).map(|i| row(i, &example(i, 0, &[]).1)).collect();
        let shuffled = shuffle(&rows, 1);
        assert!(fillings(&rows) == fillings(&shuffled), "the fillings are the same");
        let same = rows.iter().zip(&shuffled).filter(|(before, after)| before.completion == after.completion).count();
        assert!(same < 25, "{same} of 500 answers stayed as they were");
    }

    #[test]
    fn an_answer_that_would_no_longer_be_python_stays() {
        let rows = [row(0, "def f(x):\n    return 1if x else 2"), row(1, "def f(x):\n    return 0xA")];
        for seed in 0..20 {
            assert!(shuffle(&rows, seed).iter().all(|row| Script::read(&row.completion).is_ok()));
        }
    }
}
