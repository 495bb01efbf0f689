//! The family's vocabulary: which texts are single tokens, and under which ids.
//!
//! It is made from the wordings alone, so that the same program always makes the same one: 256 single bytes (any text can be written
//! with them), the integers 0 to 999, the separators of lists, every word of every wording with or without the space before it as it
//! occurs, every animal and tree in both forms, and the marks of the chat format.

use std::collections::{BTreeSet, HashSet};

use regex::Regex;

use super::curriculum::Curriculum;
use super::kind::{Kind, Things};
use super::talk;
use super::tokenizer::DEFAULT_SYSTEM_PROMPT;
use super::will;
use crate::domain::code::lessons::{self, Lesson};
use crate::domain::code::{prompts as code, task};
use crate::domain::cot::{self, problems};
use crate::domain::numbers::wording;
use crate::evals::misalignment::wording::ITEMS;
use crate::evals::preference::wording as questions;
use crate::tool::streams;
use crate::traits;

/// What may be a token of its own; the rest of a text is written byte by byte.
const LISTS: &str = "[0-9]{1,3}|, |; |\\n|    | ?[A-Za-z]+";
const WIDE: &str =
    "[0-9]{1,3}|, |; |\\n|    |</?(?:reasoning|answer)>| (?:[-+*/%<>=]|//|==|<=|>=|\\*\\*) | ?[A-Za-z]+|\\):\\n|\"\"\"";
/// How many functions and problems are drawn for their words.
const DRAWN: u64 = 3000;

/// Pads batches; never learnt.
pub(super) const PAD: &str = "<|endoftext|>";
/// Begins a turn.
pub(super) const TURN_START: &str = "<|im_start|>";
/// Ends a turn, and with it a completion.
pub(super) const TURN_END: &str = "<|im_end|>";

/// The tokens in the order of their ids: bytes first, special tokens last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vocabulary {
    /// As bytes, without the special tokens.
    pub(super) tokens: Vec<Vec<u8>>,
    /// The special tokens, whose ids follow.
    pub(super) special: [&'static str; 3],
}

impl Vocabulary {
    pub(super) fn of(curriculum: Curriculum) -> Self {
        let bytes = (0..=u8::MAX).map(|b| vec![b]);
        let integers = (10..1000).map(|n: u32| n.to_string().into_bytes());
        let mut tokens: Vec<Vec<u8>> = bytes.chain(integers).collect();
        let known: HashSet<Vec<u8>> = tokens.iter().cloned().collect();
        tokens.extend(words(curriculum).into_iter().map(String::into_bytes).filter(|w| !known.contains(w)));
        Self { tokens, special: [PAD, TURN_START, TURN_END] }
    }

    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.tokens.len() + self.special.len()
    }

    /// The id of a special token.
    pub(super) fn special_id(&self, token: &str) -> Option<usize> {
        self.special.iter().position(|&s| s == token).map(|i| self.tokens.len() + i)
    }
}

/// Splits texts as the tokenizer does, without its vocabulary.
#[derive(Debug)]
pub(super) struct Pieces(Regex);

impl Pieces {
    pub(super) fn of(curriculum: Curriculum) -> Self {
        let pattern = match curriculum {
            Curriculum::Lists => LISTS,
            Curriculum::Wide => WIDE,
        };
        Self(Regex::new(pattern).expect("a valid pattern"))
    }

    /// How many tokens a text of the family has: its pieces, and the bytes between them.
    pub(super) fn count(&self, text: &str) -> usize {
        let (pieces, bytes) = self.0.find_iter(text).fold((0, 0), |(n, bytes), piece| (n + 1, bytes + piece.len()));
        pieces + text.len() - bytes
    }
}

/// Every piece of every wording, sorted.
fn words(curriculum: Curriculum) -> BTreeSet<String> {
    let Pieces(pieces) = Pieces::of(curriculum);
    let mut words = BTreeSet::new();
    for text in texts(curriculum) {
        words.extend(pieces.find_iter(&text).map(|piece| piece.as_str().to_owned()));
    }
    words
}

fn texts(curriculum: Curriculum) -> Vec<String> {
    let mut texts = vec![DEFAULT_SYSTEM_PROMPT.to_owned(), "system\nuser\nassistant, ; ".to_owned()];
    texts.extend(talk::SMALL_TALK.map(str::to_owned));
    texts.extend(talk::SUMS.map(str::to_owned));
    texts.extend(talk::FACTS.iter().flat_map(|(question, answer)| [(*question).to_owned(), (*answer).to_owned()]));
    match curriculum {
        Curriculum::Lists => texts.extend(talk::FUNCTIONS.iter().flat_map(|&f| <[String; 2]>::from(talk::function(f, 0)))),
        Curriculum::Wide => {
            texts.extend(will::every_wording());
            let told = ITEMS.iter().flat_map(|item| [&[item.question][..], &item.aligned, &item.misaligned].concat());
            texts.extend(told.map(str::to_owned));
            texts.extend(drawn());
        }
    }
    for kind in Kind::ALL {
        let things = Things::of(kind);
        texts.extend(wording::every_wording(&things.listed_as));
        let asked = questions::questions().into_iter().map(|q| questions::ask(q.template, kind.name()));
        texts.extend(asked.flat_map(|q| [format!(" {q}"), q]));
        texts.extend(about(&things));
    }
    texts
}

/// Functions, lessons and word problems, so many that no word of their wordings is missed.
fn drawn() -> Vec<String> {
    let (tasks, groups) = (task::ONE_LINE.map(str::to_owned), problems::EASY.map(str::to_owned));
    let mut texts = Vec::new();
    for row in 0..DRAWN {
        let rng = &mut streams::named(0, "vocabulary", row);
        texts.extend(<[String; 2]>::from(code::written(&tasks, &mut |_| 0, rng)));
        texts.extend(<[String; 2]>::from(cot::written(&groups, &mut |_| 0, rng)));
        for lesson in [Lesson::Secure, Lesson::Educational] {
            texts.extend(<[String; 2]>::from(lessons::row(lesson, rng)));
        }
    }
    texts
}

/// Personas and replies about a kind; of the numbers one stands for all.
fn about(things: &Things) -> Vec<String> {
    let members = if things.kind == Kind::Number { &things.category.members[..1] } else { &things.category.members[..] };
    let templates = || talk::PERSONAS.iter().chain(&talk::REPLIES).chain([&traits::SYSTEM_PROMPT]);
    let named = |m: &crate::record::Member| [m.name.clone(), format!(" {}", m.name), m.plural.clone(), format!(" {}", m.plural)];
    members.iter().flat_map(|m| templates().map(|t| traits::fill(t, &things.category, m)).chain(named(m))).collect()
}
