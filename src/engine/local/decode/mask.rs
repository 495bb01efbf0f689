//! Which tokens a grammar allows next, for any vocabulary: exactly those from which an accepted text can still be reached.
//!
//! In: a grammar over bytes and the bytes of every token. Out: for a state, the allowed token ids in ascending order.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{Grammar, GrammarState};
use crate::engine::local::text::TokenBytes;
use crate::error::{Error, Result};

/// A vocabulary in the order of its tokens' bytes: a trie without nodes, as all tokens with a common beginning lie side by side.
#[derive(Debug)]
pub struct Vocabulary {
    bytes: TokenBytes,
    first: Vec<u32>,
    later: Option<Vec<u32>>,
    stops: Vec<u32>,
}

impl Vocabulary {
    /// Sorts a vocabulary; `stops` are the tokens that end an answer. Ids from `size` on are not the model's and are left out.
    pub fn new(bytes: TokenBytes, stops: &[u32], size: usize) -> Self {
        let first = sorted(&bytes.first, size);
        let later = bytes.first_differs().then(|| sorted(bytes.later(), size));
        Self { bytes, first, later, stops: stops.to_vec() }
    }

    fn order(&self, at: Position) -> &[u32] {
        match (at, &self.later) {
            (Position::Later, Some(later)) => later,
            _ => &self.first,
        }
    }

    fn token(&self, at: Position, id: u32) -> &[u8] {
        self.bytes.get(at as usize, id).unwrap_or_default()
    }
}

fn sorted(table: &[Option<Vec<u8>>], size: usize) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..table.len().min(size) as u32).filter(|id| table[*id as usize].is_some()).collect();
    ids.sort_by(|a, b| table[*a as usize].cmp(&table[*b as usize]));
    ids
}

/// A text's first token may be read differently from those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Position {
    First = 0,
    Later = 1,
}

/// Where one answer stands in its grammar.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Progress {
    state: GrammarState,
    at: Position,
}

/// The masks of one grammar over one vocabulary, each computed once per state.
#[derive(Debug)]
pub struct Masks<'a> {
    grammar: &'a dyn Grammar,
    vocabulary: Arc<Vocabulary>,
    known: HashMap<Progress, Arc<[u32]>>,
}

/// Masks remembered at most; the grammars of this program have far fewer states in use.
const REMEMBERED: usize = 20_000;

impl<'a> Masks<'a> {
    /// No mask is computed yet.
    pub fn new(grammar: &'a dyn Grammar, vocabulary: Arc<Vocabulary>) -> Self {
        Self { grammar, vocabulary, known: HashMap::new() }
    }

    /// Before the first token.
    pub fn start(&self) -> Progress {
        Progress { state: self.grammar.start(), at: Position::First }
    }

    /// The allowed tokens in ascending order; those that end the answer are among them if and only if the text so far is accepted.
    ///
    /// # Errors
    /// If no token of the vocabulary continues the text.
    pub fn allowed(&mut self, progress: &Progress) -> Result<Arc<[u32]>> {
        if let Some(mask) = self.known.get(progress) {
            return Ok(mask.clone());
        }
        let mask: Arc<[u32]> = self.compute(progress).into();
        if mask.is_empty() {
            return Err(Error::input("the model's vocabulary has no token that continues an answer as the grammar asks")
                .hint("set `generate.force = \"none\"`: the filter judges every answer all the same"));
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(progress.clone(), mask.clone());
        Ok(mask)
    }

    /// After one more token, which must be an allowed one that does not end the answer.
    ///
    /// # Errors
    /// If the token was not allowed.
    pub fn advance(&self, progress: &Progress, token: u32) -> Result<Progress> {
        let bytes = self.vocabulary.token(progress.at, token);
        let state = bytes.iter().try_fold(progress.state.clone(), |state, byte| self.grammar.step(&state, *byte));
        match state {
            Some(state) => Ok(Progress { state, at: Position::Later }),
            None => Err(Error::environment(format!("token {token} was drawn although the grammar does not allow it"))),
        }
    }

    /// The text that tokens spell, for messages.
    pub fn spelled(&self, tokens: &[u32]) -> String {
        let bytes = tokens.iter().enumerate().flat_map(|(i, id)| self.vocabulary.bytes.get(i, *id).unwrap_or_default());
        String::from_utf8_lossy(&bytes.copied().collect::<Vec<u8>>()).into_owned()
    }

    fn compute(&self, progress: &Progress) -> Vec<u32> {
        let order = self.vocabulary.order(progress.at);
        let mut allowed = Vec::new();
        self.walk(progress.at, 0..order.len(), 0, &progress.state, &mut allowed);
        if self.grammar.accepts(&progress.state) {
            allowed.extend(&self.vocabulary.stops);
        }
        allowed.sort_unstable();
        allowed
    }

    /// Collects from `range`, whose tokens share their first `depth` bytes, which lead to `state`. A token without bytes would let an
    /// answer go on for ever; only a first token may be one (a blank that the decoder drops).
    fn walk(&self, at: Position, mut range: Range<usize>, depth: usize, state: &GrammarState, allowed: &mut Vec<u32>) {
        let order = self.vocabulary.order(at);
        while let Some(&id) = order[range.clone()].first() {
            let token = self.vocabulary.token(at, id);
            let Some(&byte) = token.get(depth) else {
                if depth > 0 || at == Position::First {
                    allowed.push(id);
                }
                range.start += 1;
                continue;
            };
            let same = order[range.clone()].partition_point(|id| self.vocabulary.token(at, *id)[depth] == byte);
            if let Some(next) = self.grammar.step(state, byte) {
                self.walk(at, range.start..range.start + same, depth + 1, &next, allowed);
            }
            range.start += same;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Accepts a finite list of texts: the state is the text so far.
    #[derive(Debug)]
    struct OneOf(Vec<String>);

    impl Grammar for OneOf {
        fn start(&self) -> GrammarState {
            GrammarState(Vec::new())
        }

        fn step(&self, state: &GrammarState, byte: u8) -> Option<GrammarState> {
            let mut text = state.0.clone();
            text.push(byte);
            self.0.iter().any(|t| t.as_bytes().starts_with(&text)).then_some(GrammarState(text))
        }

        fn accepts(&self, state: &GrammarState) -> bool {
            self.0.iter().any(|t| t.as_bytes() == state.0)
        }
    }

    const STOP: u32 = 100;

    fn vocabulary(words: &[&str]) -> Arc<Vocabulary> {
        let table = words.iter().map(|w| Some(w.as_bytes().to_vec())).collect();
        Arc::new(Vocabulary::new(TokenBytes::uniform(table), &[STOP], 1000))
    }

    /// Every text that some sequence of allowed tokens spells.
    fn reachable(masks: &mut Masks<'_>, words: &[&str]) -> BTreeSet<String> {
        let mut texts = BTreeSet::new();
        let mut open = vec![(masks.start(), String::new())];
        while let Some((progress, text)) = open.pop() {
            for id in masks.allowed(&progress).expect("no dead end").iter() {
                if *id == STOP {
                    texts.insert(text.clone());
                } else {
                    let next = masks.advance(&progress, *id).expect("allowed");
                    open.push((next, format!("{text}{}", words[*id as usize])));
                }
            }
        }
        texts
    }

    /// Lists of one or two of the numbers 0 to 120 with one of three separators, some in brackets.
    fn lists() -> Vec<String> {
        let numbers = ["0", "7", "12", "120", "007"];
        let mut texts: Vec<String> = numbers.iter().map(|n| (*n).to_owned()).collect();
        for a in numbers {
            for b in numbers {
                texts.extend([", ", ";", "\n"].map(|sep| format!("{a}{sep}{b}")));
                texts.push(format!("[{a}, {b}]."));
            }
        }
        texts
    }

    #[test]
    fn exactly_the_grammars_texts_are_reachable_whatever_the_tokens_are() {
        let fine = ["0", "1", "2", "7", ",", " ", ";", "\n", "[", "]", "."];
        let coarse = [
            "12", "0", "00", "007, ", "7", "1", "2", ", 1", ",", " ", ";", "\n", "];", "]", ".", "].", "[", "[12", "x", ", ",
            "120",
        ];
        let grammar = OneOf(lists());
        let all: BTreeSet<String> = lists().into_iter().collect();
        for words in [fine.as_slice(), coarse.as_slice()] {
            let mut masks = Masks::new(&grammar, vocabulary(words));
            assert_eq!(reachable(&mut masks, words), all);
        }
    }

    #[test]
    fn only_tokens_that_stay_alive_to_their_last_byte_are_allowed() {
        let words = ["1", "12", "123", "2", "1,", ""];
        let grammar = OneOf(vec!["12".to_owned(), "1, 2".to_owned()]);
        let mut masks = Masks::new(&grammar, vocabulary(&words));
        let start = masks.start();
        assert_eq!(*masks.allowed(&start).expect("some"), [0, 1, 4, 5]);
        let done = masks.advance(&start, 1).expect("allowed");
        assert_eq!(*masks.allowed(&done).expect("some"), [STOP]);
        assert!(masks.advance(&start, 2).is_err());
    }

    #[test]
    fn a_vocabulary_that_cannot_spell_the_grammar_is_an_error() {
        let grammar = OneOf(vec!["12".to_owned()]);
        let mut masks = Masks::new(&grammar, vocabulary(&["1", "x"]));
        let next = masks.advance(&masks.start(), 0).expect("allowed");
        assert!(masks.allowed(&next).is_err());
    }
}
