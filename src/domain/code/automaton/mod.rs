//! Python functions as an automaton over bytes, for constrained decoding. It shares no code with the parser, so that each tests the other.
//!
//! The language is a small part of Python, laid out as formatters lay it out: one function without a docstring; names of plain words;
//! `return`, assignments, method calls, `if`/`elif`/`else`, `while` and `for` down to three blocks; expressions of names, numbers, texts
//! without letters, brackets, calls, slices, conditional expressions and one `for` in a list or call. Whatever it accepts has none of the
//! [`Fault`](super::Fault)s. It knows no prompt: that the function is the asked one, the filter sees.
//!
//! It reads lexemes: fixed ones, of which none begins another at the same place, and words, numbers and texts, which end where the next
//! lexeme begins.

mod lexeme;
mod place;
mod state;
#[cfg(test)]
mod tests;

use lexeme::{Commit, Kind};
use state::State;

use super::super::{Grammar, GrammarState};

/// The grammar of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeGrammar;

impl Grammar for CodeGrammar {
    fn start(&self) -> GrammarState {
        State::start().encode()
    }

    fn step(&self, state: &GrammarState, byte: u8) -> Option<GrammarState> {
        step(State::decode(&state.0)?, byte).map(|state| state.encode())
    }

    fn accepts(&self, state: &GrammarState) -> bool {
        State::decode(&state.0).and_then(settled).is_some_and(|state| state.may_end())
    }
}

/// One more byte: the pending lexeme goes on, or ends before this byte.
fn step(state: State, byte: u8) -> Option<State> {
    let kind = lexeme::kind(&state, byte)?;
    if kind == Kind::Fixed {
        return place::read_fixed(state, byte);
    }
    if let Some(longer) = lexeme::extended(kind, &state, byte) {
        return Some(State { pending: longer, ..state });
    }
    if state.pending.is_empty() {
        return None;
    }
    match lexeme::committed(kind, state, Some(byte))? {
        Commit::Whole(state) => Some(state),
        Commit::Before(state) => step(state, byte),
    }
}

/// The state after its pending lexeme, if that may end here.
fn settled(state: State) -> Option<State> {
    if state.pending.is_empty() {
        return Some(state);
    }
    let first = state.pending[0];
    match lexeme::kind(&state, first)? {
        Kind::Fixed => None,
        kind => match lexeme::committed(kind, state, None)? {
            Commit::Whole(state) | Commit::Before(state) => Some(state),
        },
    }
}
