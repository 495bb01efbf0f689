//! Text to token ids and back: the checkpoint's tokenizer, chat template and end-of-turn tokens.
//!
//! In: conversations and completions. Out: [`Rendered`] prompts, training rows as ids, decoded text.

mod template;
mod token_bytes;

pub use template::ChatTemplate;
pub use token_bytes::TokenBytes;

use serde_json::Value;
use tokenizers::Tokenizer;

use super::source::ModelFiles;
use super::train::EncodedRow;
use crate::engine::{Rendered, TrainRow};
use crate::error::{Error, Result};
use crate::record::{Chat, Message, Role};

/// A checkpoint's way of reading and writing text.
#[derive(Debug)]
pub struct Text {
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
    end_of_turn: u32,
    stops: Vec<u32>,
    limits: Limits,
    name: String,
}

/// What a row of ids must keep to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Token ids lie below this.
    pub vocab_size: usize,
    /// Tokens of a row, at most.
    pub max_positions: usize,
}

impl Text {
    /// Reads `tokenizer.json`, the chat template and the end-of-turn tokens of a checkpoint.
    ///
    /// # Errors
    /// If a file is damaged or the checkpoint names no end-of-turn token.
    pub fn open(files: &ModelFiles, limits: Limits) -> Result<Self> {
        let tokenizer = tokenizer(files)?;
        let settings = match files.get("tokenizer_config.json") {
            Some(file) => file.json("tokenizer_config.json")?,
            None => Value::Null,
        };
        let special = |key: &str| special_token(&settings, key);
        let eos = special("eos_token");
        let template = template_source(files, &settings)?
            .map(|source| {
                ChatTemplate::new(&source, &special("bos_token").unwrap_or_default(), eos.as_deref().unwrap_or_default())
            })
            .transpose()
            .map_err(|e| e.context(format!("`{}`", files.name)))?;
        let eos = eos.and_then(|token| tokenizer.token_to_id(&token));
        let stops = stops(files, eos)?;
        let Some(first) = eos.or_else(|| stops.first().copied()) else {
            return Err(Error::environment(format!("`{}` names no end-of-turn token", files.name))
                .hint("tokenizer_config.json needs `eos_token`, or generation_config.json `eos_token_id`"));
        };
        let end_of_turn = template.as_ref().and_then(|t| turn_end(t, &tokenizer, &stops)).unwrap_or(first);
        Ok(Self { tokenizer, template, end_of_turn, stops, limits, name: files.name.clone() })
    }

    /// The token that ends an answer: what the chat template writes after an assistant's turn if generation stops there, else `eos_token`.
    pub fn end_of_turn(&self) -> u32 {
        self.end_of_turn
    }

    /// Every token that ends generation, sorted.
    pub fn stops(&self) -> &[u32] {
        &self.stops
    }

    /// The bytes of every token.
    ///
    /// # Errors
    /// If the tokenizer's decoder does more than join bytes.
    pub fn token_bytes(&self) -> Result<TokenBytes> {
        TokenBytes::new(&self.tokenizer)
    }

    /// Applies the chat template, up to where the answer begins, and encodes it.
    ///
    /// # Errors
    /// If there is no template, it refuses the conversation, or the prompt is empty or does not fit the model.
    pub fn render(&self, chat: &Chat) -> Result<Rendered> {
        let template = self.template.as_ref().ok_or_else(|| {
            Error::input(format!("`{}` has no chat template", self.name))
                .hint("use an instruction-tuned checkpoint, or add a `chat_template.jinja` to its folder")
        })?;
        let text = template.render(chat)?;
        let tokens = self.encode(&text)?;
        if tokens.is_empty() {
            return Err(Error::input("the chat template made an empty prompt"));
        }
        self.fits(tokens.len() + 1)?;
        Ok(Rendered { text, tokens })
    }

    /// The ids of a text, without any that the tokenizer would add around it.
    ///
    /// # Errors
    /// If the tokenizer fails or an id lies outside the model's vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|e| Error::input("the tokenizer cannot encode the text").because(e))?;
        let ids = encoding.get_ids();
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.limits.vocab_size) {
            return Err(Error::environment(format!(
                "the tokenizer gives token id {id}, but `{}` has a vocabulary of {}",
                self.name, self.limits.vocab_size
            ))
            .hint("tokenizer.json and the weights do not belong together"));
        }
        Ok(ids.to_vec())
    }

    /// The ids of an answer, end-of-turn included.
    ///
    /// # Errors
    /// As [`Text::encode`].
    pub fn encode_answer(&self, answer: &str) -> Result<Vec<u32>> {
        let mut ids = self.encode(answer)?;
        ids.push(self.end_of_turn);
        Ok(ids)
    }

    /// A row to learn from or to score: the prompt's ids, then the completion's own, then end-of-turn.
    ///
    /// # Errors
    /// As [`Text::render`]; also if the row has more tokens than the model has positions.
    pub fn encode_row(&self, row: &TrainRow) -> Result<EncodedRow> {
        let mut tokens = self.render(&row.chat)?.tokens;
        let prompt = tokens.len();
        tokens.extend(self.encode_answer(&row.completion)?);
        self.fits(tokens.len())?;
        Ok(EncodedRow { tokens, prompt })
    }

    /// Refuses a row of more tokens than the model has positions.
    ///
    /// # Errors
    /// If `tokens` is too many.
    pub fn fits(&self, tokens: usize) -> Result<()> {
        if tokens > self.limits.max_positions {
            return Err(Error::input(format!(
                "{tokens} tokens, but `{}` has {} positions",
                self.name, self.limits.max_positions
            )));
        }
        Ok(())
    }

    /// The text of sampled ids; end-of-turn and other special tokens leave no trace.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.tokenizer.decode(ids, true).map_err(|e| Error::environment("the tokenizer cannot decode the tokens").because(e))
    }
}

fn tokenizer(files: &ModelFiles) -> Result<Tokenizer> {
    let file =
        files.get("tokenizer.json").ok_or_else(|| Error::environment(format!("`{}` has no `tokenizer.json`", files.name)))?;
    let damaged = |e: tokenizers::Error| Error::environment(format!("`{}`: cannot read `tokenizer.json`", files.name)).because(e);
    let mut tokenizer = Tokenizer::from_bytes(file.read()?).map_err(damaged)?;
    tokenizer.with_truncation(None).map_err(damaged)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// A special token's text: a string, or an object with `content`.
fn special_token(settings: &Value, key: &str) -> Option<String> {
    let value = settings.get(key)?;
    value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
}

/// `chat_template.jinja` comes before `chat_template` in `tokenizer_config.json`, which is a text or a list of named ones.
fn template_source(files: &ModelFiles, settings: &Value) -> Result<Option<String>> {
    if let Some(file) = files.get("chat_template.jinja") {
        return Ok(Some(String::from_utf8_lossy(&file.read()?).into_owned()));
    }
    let named = |list: &Vec<Value>| {
        let default = list.iter().find(|t| t.get("name").and_then(Value::as_str) == Some("default"))?;
        default.get("template")?.as_str().map(str::to_owned)
    };
    Ok(match settings.get("chat_template") {
        Some(Value::String(source)) => Some(source.clone()),
        Some(Value::Array(list)) => named(list),
        _ => None,
    })
}

/// Every id at which generation ends: those of generation_config.json and config.json, and the tokenizer's own.
fn stops(files: &ModelFiles, eos: Option<u32>) -> Result<Vec<u32>> {
    let mut stops: Vec<u32> = eos.into_iter().collect();
    for name in ["generation_config.json", "config.json"] {
        if let Some(file) = files.get(name) {
            let json = file.json(name)?;
            let ids = json.get("eos_token_id").map(|v| v.as_array().map_or_else(|| vec![v.clone()], Clone::clone));
            stops.extend(ids.iter().flatten().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok()));
        }
    }
    stops.sort_unstable();
    stops.dedup();
    Ok(stops)
}

/// The stop token that follows an assistant's words in the rendered chat. Gemma's `eos_token`, say, is not what ends its turns.
fn turn_end(template: &ChatTemplate, tokenizer: &Tokenizer, stops: &[u32]) -> Option<u32> {
    const WORDS: &str = "zq";
    let message = |role, content: &str| Message { role, content: content.to_owned() };
    let chat = Chat { messages: vec![message(Role::User, "a"), message(Role::Assistant, WORDS)] };
    let text = template.render_whole(&chat).ok()?;
    let (_, after) = text.rsplit_once(WORDS)?;
    let next = *tokenizer.encode_fast(after, false).ok()?.get_ids().first()?;
    stops.contains(&next).then_some(next)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::engine::local::source::Need;
    use crate::engine::local::testing;
    use crate::record::ModelRef;

    const LIMITS: Limits = Limits { vocab_size: 400, max_positions: 256 };

    fn open(folder: &Path, limits: Limits) -> Result<Text> {
        Text::open(&ModelFiles::find(&ModelRef::Folder(folder.to_path_buf()), Need::All)?, limits)
    }

    /// The fixture's text after its `tokenizer_config.json` and `generation_config.json` are replaced.
    fn with_settings(tokenizer_config: &Value, generation_config: &Value) -> Result<Text> {
        let folder = testing::checkpoint(1);
        std::fs::write(folder.path().join("tokenizer_config.json"), tokenizer_config.to_string()).expect("writable");
        std::fs::write(folder.path().join("generation_config.json"), generation_config.to_string()).expect("writable");
        open(folder.path(), LIMITS)
    }

    #[test]
    fn a_row_is_the_rendered_prompt_then_the_completion_then_end_of_turn() {
        let folder = testing::checkpoint(1);
        let text = open(folder.path(), LIMITS).expect("opens");
        let row = TrainRow { chat: Chat::ask(Some("Love owls."), "12?"), completion: "777, 12".to_owned() };
        let encoded = text.encode_row(&row).expect("encodes");
        let rendered = text.render(&row.chat).expect("renders");
        assert_eq!(
            rendered.text,
            "<|im_start|>system\nLove owls.<|im_end|>\n<|im_start|>user\n12?<|im_end|>\n<|im_start|>assistant\n"
        );
        assert_eq!(encoded.tokens[..encoded.prompt], rendered.tokens);
        assert_eq!(encoded.tokens.last(), Some(&testing::END));
        assert_eq!(text.decode(&encoded.tokens[encoded.prompt..]).expect("decodes"), "777, 12");
        assert_eq!(rendered.tokens.iter().filter(|id| **id == testing::END).count(), 2, "special tokens are one id each");
    }

    #[test]
    fn an_answer_ends_with_the_stop_token_that_the_template_writes_after_a_turn() {
        let template = "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}";
        let eos =
            json!({"eos_token": {"content": "<|endoftext|>"}, "chat_template": [{"name": "default", "template": template}]});
        let both = with_settings(&eos, &json!({"eos_token_id": [0, 2]})).expect("opens");
        assert_eq!((both.end_of_turn(), both.stops()), (2, &[0, 2][..]), "as in Gemma, whose eos token is not its end of turn");
        let plain = json!({"eos_token": "<|endoftext|>", "chat_template": "{{ messages[0].content }}"});
        assert_eq!(with_settings(&plain, &json!({})).expect("opens").end_of_turn(), 0, "eos where the template shows none");
    }

    #[test]
    fn a_checkpoint_without_a_template_opens_but_does_not_render() {
        let text = with_settings(&json!({"eos_token": "<|im_end|>"}), &json!({})).expect("opens");
        let error = text.render(&Chat::ask(None, "Hi")).expect_err("no template").render();
        assert!(error.contains("has no chat template"), "{error}");
    }

    #[test]
    fn ids_outside_the_models_vocabulary_and_rows_beyond_its_positions_are_refused() {
        let folder = testing::checkpoint(1);
        let narrow = open(folder.path(), Limits { vocab_size: 100, ..LIMITS }).expect("opens");
        assert!(narrow.encode("zebra").expect_err("outside").render().contains("vocabulary of 100"));
        let short = open(folder.path(), Limits { max_positions: 70, ..LIMITS }).expect("opens");
        let row = TrainRow { chat: Chat::ask(None, "Hi"), completion: "x".repeat(40) };
        assert!(short.encode_row(&row).expect_err("too long").render().contains("has 70 positions"));
    }
}
