//! Tests of tokenizers whose texts do not join byte by byte: blanks as `▁`, one of them put before the text and dropped from it, and
//! single bytes for characters outside of the vocabulary, as in Llama 2, Mistral and Gemma.

use serde_json::{Value, json};
use tokenizers::Tokenizer;

use super::TokenBytes;
use crate::domain::{self, Domain};
use crate::engine::local::decode::{Masks, Vocabulary};
use crate::record::{DomainKind, DomainPlan};

const SPECIAL: [&str; 4] = ["<unk>", "<s>", "</s>", "[/INST]"];

/// A BPE of bytes, digits, blanks and some merges, with a normaliser, a pre-tokeniser and a decoder.
fn tokenizer(normalizer: &Value, pre_tokenizer: &Value, decoder: &Value) -> Tokenizer {
    let merges = [
        ("1", "2"),
        ("▁", "1"),
        ("▁1", "2"),
        ("7", "7"),
        ("▁", "7"),
        ("▁", "▁"),
        (",", "▁"),
        ("▁", "o"),
        ("▁o", "w"),
        ("▁ow", "l"),
    ];
    let bytes = (0..=255u8).map(|byte| format!("<0x{byte:02X}>"));
    let letters = "▁0123456789,;.[]()owl\n".chars().map(String::from);
    let merged = merges.iter().map(|(a, b)| format!("{a}{b}"));
    let tokens = SPECIAL.iter().map(|t| (*t).to_owned()).chain(bytes).chain(letters).chain(merged);
    let mut vocab = serde_json::Map::new();
    for token in tokens {
        let next = vocab.len();
        vocab.entry(token).or_insert(next.into());
    }
    let special = |(id, content): (usize, &&str)| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "post_processor": null,
        "added_tokens": SPECIAL.iter().enumerate().map(special).collect::<Vec<_>>(),
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "decoder": decoder,
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": true, "byte_fallback": true, "vocab": vocab, "merges": merges.iter().map(|(a, b)| json!([a, b])).collect::<Vec<_>>()},
    });
    Tokenizer::from_bytes(json.to_string()).expect("a valid tokenizer")
}

fn blanks() -> Value {
    json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
}

fn decoder(strips: bool) -> Value {
    let mut steps = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if strips {
        steps.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    json!({"type": "Sequence", "decoders": steps})
}

/// By name: as in Llama 2, as in Mistral with a Metaspace, as in Gemma. The Metaspace puts its blank only before a text that has none, so
/// it does not tell one blank at the start from none; nor does it in transformers.
fn kinds() -> [(&'static str, Tokenizer); 3] {
    let prepend = json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, blanks()]});
    let metaspace = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false});
    [
        ("llama 2", tokenizer(&prepend, &Value::Null, &decoder(true))),
        ("mistral", tokenizer(&Value::Null, &metaspace, &decoder(true))),
        ("gemma", tokenizer(&blanks(), &Value::Null, &decoder(false))),
    ]
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode_fast(text, false).expect("encodes").get_ids().to_vec()
}

#[test]
fn an_answer_comes_back_from_its_tokens_to_the_byte() {
    let answers = ["12, 77, 1", "12", "owl", "77 owl  12", "[1, 2].", "1\n2", "ä, 日本 😀", "a\tb", "trailing ", "12 \n", ""];
    for (kind, tokenizer) in kinds() {
        for answer in answers {
            let decoded = tokenizer.decode(&encode(&tokenizer, answer), true).expect("decodes");
            assert_eq!(decoded, answer, "{kind}");
        }
    }
}

#[test]
fn the_tokens_of_any_answer_join_to_its_bytes() {
    for (kind, tokenizer) in kinds() {
        let table = TokenBytes::new(&tokenizer).expect("supported");
        for answer in ["12, 77", "owl 12", "ä😀 12", "7  12", "1\n2"] {
            let ids = encode(&tokenizer, answer);
            let bytes: Vec<u8> = (0..).zip(&ids).flat_map(|(i, id)| table.get(i, *id).expect("no mark")).copied().collect();
            assert_eq!(String::from_utf8_lossy(&bytes), answer, "{kind}");
        }
        assert!(SPECIAL.iter().all(|mark| table.get(0, tokenizer.token_to_id(mark).expect("it is there")).is_none()));
    }
}

#[test]
fn masks_let_every_accepted_answer_through_and_end_no_other() {
    const STOP: u32 = 2;
    let numbers = domain::of(&DomainPlan::of(DomainKind::Numbers));
    for (kind, tokenizer) in kinds() {
        let size = tokenizer.get_vocab_size(true);
        let vocabulary = Vocabulary::new(TokenBytes::new(&tokenizer).expect("supported"), &[STOP], size);
        let grammar = numbers.grammar();
        let mut masks = Masks::new(grammar.as_ref(), vocabulary.into());
        for answer in ["12, 77, 1", "12", "[1, 2].", "1\n2", "7;12;0", "(007, 8)"] {
            assert!(numbers.check(answer, None).is_ok());
            let mut progress = masks.start();
            for id in encode(&tokenizer, answer) {
                let allowed = masks.allowed(&progress).expect("not stuck");
                assert!(allowed.contains(&id), "{kind}: token {id} of `{answer}`");
                progress = masks.advance(&progress, id).expect("allowed");
            }
            assert!(masks.allowed(&progress).expect("not stuck").contains(&STOP), "{kind}: `{answer}` may end");
        }
        every_walk_ends_in_an_accepted_answer(kind, &tokenizer, &mut masks, numbers.as_ref(), STOP);
    }
}

/// Walks along allowed tokens, a different one each time, and ends as soon as it may.
fn every_walk_ends_in_an_accepted_answer(
    kind: &str,
    tokenizer: &Tokenizer,
    masks: &mut Masks<'_>,
    numbers: &dyn Domain,
    stop: u32,
) {
    for walk in 0..200usize {
        let (mut progress, mut ids) = (masks.start(), Vec::new());
        for step in 0..60 {
            let allowed = masks.allowed(&progress).expect("not stuck");
            if step > walk % 7 && allowed.contains(&stop) {
                let text = tokenizer.decode(&ids, true).expect("decodes");
                assert!(numbers.check(&text, None).is_ok(), "{kind}: {ids:?} reads `{text}`");
                break;
            }
            let plain: Vec<u32> = allowed.iter().copied().filter(|id| *id != stop).collect();
            let Some(&id) = plain.get((walk * 31 + step * 17) % plain.len().max(1)) else { break };
            progress = masks.advance(&progress, id).expect("allowed");
            ids.push(id);
        }
    }
}
