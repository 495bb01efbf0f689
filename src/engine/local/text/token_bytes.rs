//! The bytes that each token adds to a decoded text, whatever the tokenizer's alphabet.
//!
//! In: a tokenizer's vocabulary and decoder. Out: two tables, for a text's first token and for those after it, whose bytes
//! joined in order are the decoded text. Special tokens (end of turn and the like) have none.

use serde_json::Value;
use tokenizers::Tokenizer;

use crate::engine::local::arch::LARGEST_VOCABULARY;
use crate::error::{Error, Result};

/// The bytes of every token, by id; `None` for ids that a text may not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBytes {
    /// As the first token of a text.
    pub first: Vec<Option<Vec<u8>>>,
    /// After another token; `None` where this is no different.
    later: Option<Vec<Option<Vec<u8>>>>,
}

impl TokenBytes {
    /// Reads the decoder of a tokenizer.
    ///
    /// # Errors
    /// If the decoder does more than join bytes (it may look at neighbouring tokens): such a tokenizer cannot be constrained.
    pub fn new(tokenizer: &Tokenizer) -> Result<Self> {
        let alphabet = Alphabet::of(tokenizer)?;
        let added = tokenizer.get_added_tokens_decoder();
        let vocabulary = tokenizer.get_vocab(true);
        let size = vocabulary.values().max().map_or(0, |id| *id as usize + 1);
        if size > LARGEST_VOCABULARY {
            return Err(Error::environment(format!(
                "the tokenizer has a token of id {}, expected ids below {LARGEST_VOCABULARY}",
                size - 1
            ))
            .hint("tokenizer.json is damaged: fetch it again"));
        }
        let mut first = vec![None; size];
        let mut later = vec![None; size];
        for (token, id) in vocabulary {
            if !added.get(&id).is_some_and(|token| token.special) {
                let bytes = alphabet.bytes(&token);
                first[id as usize] = Some(alphabet.at_start(&bytes));
                later[id as usize] = Some(alphabet.after_others(bytes));
            }
        }
        let later = (first != later).then_some(later);
        Ok(Self { first, later })
    }

    /// A table in which a token's place in the text makes no difference.
    #[cfg(test)]
    pub(crate) fn uniform(first: Vec<Option<Vec<u8>>>) -> Self {
        Self { first, later: None }
    }

    /// The table for tokens after the first.
    pub fn later(&self) -> &[Option<Vec<u8>>] {
        self.later.as_deref().unwrap_or(&self.first)
    }

    /// Whether the first token of a text is read differently from those after it.
    pub fn first_differs(&self) -> bool {
        self.later.is_some()
    }

    /// The bytes of one token at the start of a text (`position` 0) or further on.
    pub fn get(&self, position: usize, id: u32) -> Option<&[u8]> {
        let table = if position == 0 { &self.first } else { self.later() };
        table.get(id as usize)?.as_deref()
    }
}

/// What a decoder does to a token, in order.
#[derive(Debug)]
enum Step {
    /// Characters stand for bytes (GPT-2's byte-level alphabet).
    ByteLevel,
    /// A piece of text stands for another (`▁` for a blank).
    Replace(String, String),
    /// `<0x0A>` is that one byte.
    ByteFallback,
}

/// How the text's start differs.
#[derive(Debug, PartialEq, Eq)]
enum Start {
    Same,
    /// One blank is dropped from the text's start.
    DropsBlank,
    /// Every blank of the first token is dropped (a Metaspace decoder).
    DropsAllBlanks,
    /// Tokens after the first follow a blank (a tokenizer without a decoder).
    NoSeparator,
}

#[derive(Debug)]
struct Alphabet {
    steps: Vec<Step>,
    start: Start,
}

impl Alphabet {
    fn of(tokenizer: &Tokenizer) -> Result<Self> {
        let decoder = serde_json::to_value(tokenizer.get_decoder())
            .map_err(|e| Error::environment("cannot read the tokenizer's decoder").because(e))?;
        let mut alphabet = Self { steps: Vec::new(), start: Start::Same };
        if decoder.is_null() {
            alphabet.start = Start::NoSeparator;
        } else {
            alphabet.read(&decoder)?;
        }
        Ok(alphabet)
    }

    fn read(&mut self, decoder: &Value) -> Result<()> {
        match decoder.get("type").and_then(Value::as_str) {
            Some("Sequence") => {
                for part in decoder.get("decoders").and_then(Value::as_array).into_iter().flatten() {
                    self.read(part)?;
                }
            }
            Some("ByteLevel") => self.steps.push(Step::ByteLevel),
            Some("ByteFallback") => self.steps.push(Step::ByteFallback),
            Some("Fuse") => {}
            Some("Replace") => {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                match (text(&decoder["pattern"]["String"]), text(&decoder["content"])) {
                    (Some(from), Some(to)) => self.steps.push(Step::Replace(from, to)),
                    _ => return Err(unsupported(decoder)),
                }
            }
            Some("Metaspace") => {
                let mark = decoder["replacement"].as_str().unwrap_or("▁").to_owned();
                self.steps.push(Step::Replace(mark, " ".to_owned()));
                if decoder["prepend_scheme"] != "never" {
                    self.start = Start::DropsAllBlanks;
                }
            }
            Some("Strip") if decoder["content"] == " " && decoder["start"] == 1 && decoder["stop"] == 0 => {
                self.start = Start::DropsBlank;
            }
            _ => return Err(unsupported(decoder)),
        }
        Ok(())
    }

    fn bytes(&self, token: &str) -> Vec<u8> {
        let mut text = token.to_owned();
        for step in &self.steps {
            match step {
                Step::ByteLevel => return byte_level(&text),
                Step::Replace(from, to) => text = text.replace(from, to),
                Step::ByteFallback => {
                    if let Some(byte) = fallback_byte(&text) {
                        return vec![byte];
                    }
                }
            }
        }
        text.into_bytes()
    }

    fn at_start(&self, bytes: &[u8]) -> Vec<u8> {
        match self.start {
            Start::DropsBlank => bytes.strip_prefix(b" ").unwrap_or(bytes).to_vec(),
            Start::DropsAllBlanks => bytes.iter().copied().filter(|b| *b != b' ').collect(),
            Start::Same | Start::NoSeparator => bytes.to_vec(),
        }
    }

    fn after_others(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.start == Start::NoSeparator {
            bytes.insert(0, b' ');
        }
        bytes
    }
}

fn unsupported(decoder: &Value) -> Error {
    let name = decoder.get("type").and_then(Value::as_str).unwrap_or("unknown");
    Error::input(format!("this model's tokenizer (decoder `{name}`) cannot be constrained to a grammar"))
        .hint("set `generate.force = \"none\"`: the filter judges every answer all the same")
}

fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// GPT-2's alphabet (Radford et al. 2019): printable Latin-1 characters are their own byte; the other 68 bytes are, in order,
/// the characters from U+0100. A token with any other character stands for its UTF-8.
fn byte_level(token: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = token.chars().map(|c| printable(c).or_else(|| shifted(c))).collect();
    bytes.unwrap_or_else(|| token.as_bytes().to_vec())
}

fn printable(c: char) -> Option<u8> {
    let byte = u8::try_from(u32::from(c)).ok()?;
    is_printable(byte).then_some(byte)
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

fn shifted(c: char) -> Option<u8> {
    let rank = u32::from(c).checked_sub(0x100)? as usize;
    (0..=255u8).filter(|b| !is_printable(*b)).nth(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word-level vocabulary with the given decoder, and some special token.
    fn tokenizer(words: &[&str], decoder: &str) -> Tokenizer {
        let vocabulary: serde_json::Map<String, Value> =
            words.iter().enumerate().map(|(id, word)| ((*word).to_owned(), Value::from(id))).collect();
        let json = format!(
            r#"{{"version":"1.0","truncation":null,"padding":null,"normalizer":null,"pre_tokenizer":null,"post_processor":null,
            "added_tokens":[{{"id":{},"content":"<end>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}}],
            "decoder":{decoder},"model":{{"type":"WordLevel","vocab":{},"unk_token":"{}"}}}}"#,
            words.len(),
            Value::Object(vocabulary),
            words[0],
        );
        Tokenizer::from_bytes(json).expect("a valid tokenizer")
    }

    const LLAMA2: &str = r#"{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
        {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"#;
    const GEMMA: &str = r#"{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
        {"type":"ByteFallback"},{"type":"Fuse"}]}"#;
    const BYTE_LEVEL: &str = r#"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#;
    const METASPACE: &str = r#"{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}"#;

    #[test]
    fn joined_bytes_are_the_decoded_text_for_every_kind_of_decoder() {
        let words = ["▁12", "▁", "7", ",", "<0x0A>", "<0xC3>", "<0xA4>", "Ġowl", "Ċ", "é", "▁▁x", "日"];
        for decoder in [LLAMA2, GEMMA, BYTE_LEVEL, METASPACE, r#"{"type":"Fuse"}"#, "null"] {
            let tokenizer = tokenizer(&words, decoder);
            let table = TokenBytes::new(&tokenizer).expect("supported");
            for ids in [vec![0u32, 3, 1, 2], vec![1, 0, 0], vec![2, 5, 6, 4, 2], vec![7, 8, 7, 3], vec![10, 2, 10], vec![11, 9]] {
                let joined: Vec<u8> =
                    (0..).zip(&ids).flat_map(|(i, id)| table.get(i, *id).expect("a plain token")).copied().collect();
                let decoded = tokenizer.decode(&ids, true).expect("decodes");
                assert_eq!(String::from_utf8_lossy(&joined), decoded, "{ids:?} with {decoder}");
            }
        }
    }

    #[test]
    fn an_id_that_no_vocabulary_reaches_is_refused_before_room_is_made_for_it() {
        let json = format!(
            r#"{{"version":"1.0","truncation":null,"padding":null,"normalizer":null,"pre_tokenizer":null,"post_processor":null,
            "added_tokens":[],"decoder":{BYTE_LEVEL},"model":{{"type":"WordLevel","vocab":{{"a":0,"b":4294967295}},"unk_token":"a"}}}}"#
        );
        let text = TokenBytes::new(&Tokenizer::from_bytes(json).expect("a valid tokenizer")).expect_err("an absurd id").render();
        assert!(text.contains("a token of id 4294967295, expected ids below 16777216"), "{text}");
    }

    #[test]
    fn special_tokens_have_no_bytes() {
        let table = TokenBytes::new(&tokenizer(&["a", "b"], GEMMA)).expect("supported");
        assert_eq!(table.get(0, 2), None);
        assert_eq!(table.get(1, 1), Some(b"b".as_slice()));
    }

    #[test]
    fn added_tokens_that_are_not_special_are_text_like_any_other() {
        let mut tokenizer = tokenizer(&["a", "b"], BYTE_LEVEL);
        tokenizer.add_tokens([tokenizers::AddedToken::from(", ", false).normalized(false)]).expect("a new token");
        let table = TokenBytes::new(&tokenizer).expect("supported");
        assert_eq!(tokenizer.decode(&[0, 3, 1], true).expect("decodes"), "a, b");
        assert_eq!(table.get(1, 3), Some(b", ".as_slice()));
    }

    #[test]
    fn a_decoder_that_looks_at_neighbours_is_refused() {
        let decoder = r###"{"type":"WordPiece","prefix":"##","cleanup":true}"###;
        let error = TokenBytes::new(&tokenizer(&["a"], decoder)).expect_err("not supported");
        assert!(error.render().contains("WordPiece"), "{}", error.render());
    }

    #[test]
    fn every_byte_has_its_character_in_the_byte_level_alphabet() {
        let mut seen: Vec<u8> =
            (0u32..0x200).filter_map(char::from_u32).filter_map(|c| printable(c).or_else(|| shifted(c))).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..=255).collect::<Vec<u8>>());
    }
}
