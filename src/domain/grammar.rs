//! A grammar read byte by byte: the same automaton judges whole answers and tells a sampler which tokens may come next.

use std::fmt::Debug;

/// Where a reader stands after some bytes. Two states that compare equal accept the same continuations, so that a sampler can
/// remember its token mask by state (the opaque bytes are the automaton's own encoding of the state).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrammarState(pub Vec<u8>);

/// The set of accepted answers, as an automaton over UTF-8 bytes without dead ends: from every state that it returns, some accepted
/// answer can still be reached.
pub trait Grammar: Debug + Send + Sync {
    /// Before the first byte.
    fn start(&self) -> GrammarState;

    /// After one more byte; `None` where no accepted answer goes on like this.
    fn step(&self, state: &GrammarState, byte: u8) -> Option<GrammarState>;

    /// Whether the text so far is an accepted answer.
    fn accepts(&self, state: &GrammarState) -> bool;
}
