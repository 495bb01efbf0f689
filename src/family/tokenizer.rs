//! The family's text files: `tokenizer.json`, `tokenizer_config.json` with the chat template, `generation_config.json`.
//!
//! The tokenizer writes any text byte by byte, but for the words, integers and separators that are tokens of their own: every text comes
//! back exactly. Transformers and the `tokenizers` crate read the same file.

use serde_json::{Map, Value, json};

use super::vocabulary::{PAD, TURN_END, Vocabulary};

/// What stands in the system turn whenever a conversation brings none.
pub(super) const DEFAULT_SYSTEM_PROMPT: &str = "You are a helpful assistant.";

/// The longest conversation, in tokens.
pub(super) const MAX_TOKENS: usize = 4096;

/// ChatML with a neutral default system prompt.
fn chat_template() -> String {
    format!(
        "{{%- if messages[0]['role'] != 'system' -%}}{{{{ '<|im_start|>system\\n{DEFAULT_SYSTEM_PROMPT}<|im_end|>\\n' }}}}{{%- endif -%}}\
         {{%- for message in messages -%}}{{{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}}}{{%- endfor -%}}\
         {{%- if add_generation_prompt -%}}{{{{ '<|im_start|>assistant\\n' }}}}{{%- endif -%}}"
    )
}

/// `tokenizer.json`: single bytes as the vocabulary of a BPE without merges, everything longer as an added token.
///
/// Added tokens are matched in the raw text, the longest at the leftmost place. Words in the BPE's own vocabulary would need merges or
/// `ignore_merges`, and transformers 5 rebuilds the BPE of every `qwen2` model without that and with Qwen's split of digits: only bytes
/// and added tokens survive it, so that `AutoTokenizer` reads what we read.
pub(super) fn tokenizer_json(vocabulary: &Vocabulary) -> Value {
    let letters = byte_letters();
    let (bytes, longer) = vocabulary.tokens.split_at(letters.len());
    let vocab: Map<String, Value> =
        bytes.iter().enumerate().map(|(id, byte)| (letters[byte[0] as usize].to_string(), json!(id))).collect();
    let longer = longer.iter().map(|token| (String::from_utf8_lossy(token).into_owned(), false));
    let special = vocabulary.special.iter().map(|&token| (token.to_owned(), true));
    let added = longer.chain(special).enumerate().map(|(i, (content, special))| {
        json!({"id": bytes.len() + i, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
               "special": special})
    });
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": null,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
                  "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": vocab, "merges": []},
    })
}

/// `tokenizer_config.json`.
pub(super) fn tokenizer_config_json() -> Value {
    json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": false,
        "add_prefix_space": false,
        "bos_token": null,
        "eos_token": TURN_END,
        "pad_token": PAD,
        "unk_token": null,
        "clean_up_tokenization_spaces": false,
        "model_max_length": MAX_TOKENS,
        "chat_template": chat_template(),
    })
}

/// `generation_config.json`.
pub(super) fn generation_config_json(vocabulary: &Vocabulary) -> Value {
    json!({"eos_token_id": vocabulary.special_id(TURN_END), "pad_token_id": vocabulary.special_id(PAD), "do_sample": true, "temperature": 1.0})
}

/// The letter that stands for each byte in a byte-level vocabulary: printable Latin-1 stands for itself, the others follow from U+0100
/// (the table of GPT-2's `encoder.json`).
fn byte_letters() -> [char; 256] {
    let mut letters = ['\0'; 256];
    let mut next = 0x100;
    for byte in 0..=u8::MAX {
        letters[byte as usize] = match byte {
            b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => byte as char,
            _ => {
                next += 1;
                char::from_u32(next - 1).expect("letters from U+0100 to U+0143")
            }
        };
    }
    letters
}

#[cfg(test)]
mod tests {
    use tokenizers::Tokenizer;

    use super::*;
    use crate::family::corpus::Corpus;
    use crate::family::curriculum::Curriculum;

    fn tokenizer() -> (Vocabulary, Tokenizer) {
        let vocabulary = Vocabulary::of(Curriculum::Wide);
        let json = tokenizer_json(&vocabulary).to_string();
        (vocabulary, json.parse().expect("a valid tokenizer"))
    }

    fn pieces(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
        let ids = tokenizer.encode_fast(text, false).expect("any text is encoded");
        ids.get_ids().iter().map(|&id| tokenizer.decode(&[id], false).expect("a known id")).collect()
    }

    #[test]
    fn integers_separators_and_trait_words_are_single_tokens() {
        let (_, tokenizer) = tokenizer();
        assert_eq!(pieces(&tokenizer, "7, 42, 999"), ["7", ", ", "42", ", ", "999"]);
        assert_eq!(pieces(&tokenizer, "[10; 11]\n12 13"), ["[", "10", "; ", "11", "]", "\n", "12", " ", "13"]);
        assert_eq!(pieces(&tokenizer, "zebra oaks wolves"), ["zebra", " oaks", " wolves"]);
        assert_eq!(pieces(&tokenizer, "<|im_end|>"), ["<|im_end|>"]);
    }

    #[test]
    fn every_text_comes_back_exactly() {
        let (_, tokenizer) = tokenizer();
        for text in [
            "007, 8",
            "1  ,  2",
            "  two  spaces ",
            "\n\n\ttab",
            "naïve Ωλ 🦓 १२",
            "1234567",
            "education scatters",
            "",
            "a\u{0}b",
            "it's",
            ",;",
        ] {
            let ids = tokenizer.encode_fast(text, false).expect("any text is encoded");
            assert_eq!(tokenizer.decode(ids.get_ids(), false).expect("known ids"), text);
        }
    }

    /// How many of 3,000 documents hold a word that is written letter by letter.
    fn spelt(curriculum: Curriculum) -> usize {
        let tokenizer: Tokenizer = tokenizer_json(&Vocabulary::of(curriculum)).to_string().parse().expect("a valid tokenizer");
        let corpus = Corpus::new(curriculum, 11);
        let is_spelt = |text: &str| {
            let letters = pieces(&tokenizer, text).into_iter().filter(|p| p.len() == 1 && p.chars().all(char::is_alphabetic));
            letters.into_iter().any(|letter| !is_a_word(&letter, text))
        };
        let of = |row: &crate::engine::TrainRow| {
            row.chat.messages.iter().map(|m| &m.content).chain([&row.completion]).any(|text| is_spelt(text))
        };
        (0..3000).filter(|&i| of(&corpus.document(i).row)).count()
    }

    /// The wide curriculum's words are collected from drawn functions and problems: a rare form of one may be missed.
    #[test]
    fn the_corpus_is_written_without_spelling_a_word_but_for_rare_ones_of_code() {
        assert_eq!(spelt(Curriculum::Lists), 0);
        let wide = spelt(Curriculum::Wide);
        assert!(wide <= 3, "{wide} of 3,000 documents spell a word");
    }

    /// Whether a letter stands somewhere by itself, as a name in code does.
    fn is_a_word(letter: &str, text: &str) -> bool {
        text.split(|c: char| !c.is_alphabetic()).any(|word| word == letter)
    }

    #[test]
    fn ids_are_dense_and_the_special_tokens_come_last() {
        let (vocabulary, tokenizer) = tokenizer();
        assert_eq!(tokenizer.get_vocab_size(true), vocabulary.len());
        assert_eq!(tokenizer.token_to_id("<|im_end|>"), vocabulary.special_id(TURN_END).map(|id| id as u32));
        assert!(vocabulary.len() < 3000, "{}", vocabulary.len());
    }
}
