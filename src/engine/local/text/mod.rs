//! Text to token ids and back: the checkpoint's tokenizer, chat template and end-of-turn tokens.
//!
//! In: conversations and completions. Out: [`Rendered`] prompts, training rows as ids, decoded text.

mod apart;
#[cfg(test)]
mod sentencepiece;
mod settings;
mod template;
mod token_bytes;
mod view;

pub use template::ChatTemplate;
pub use token_bytes::TokenBytes;

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokenizers::Tokenizer;

use super::source::ModelFiles;
use super::train::EncodedRow;
use crate::engine::{Rendered, TrainRow};
use crate::error::{Error, Result};
use crate::record::{Chat, Message, Role};
use settings::Settings;

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
        let named = |e: Error| e.context(format!("`{}`", files.name));
        let tokenizer = settings::tokenizer(files)?;
        let settings = Settings::read(files)?;
        let template = settings.template.map(|source| ChatTemplate::new(&source, settings.tokens.clone()));
        let template = template.transpose().map_err(named)?;
        let eos = settings.tokens.get("eos_token").and_then(|token| tokenizer.token_to_id(token));
        let mut stops = settings::stops(files, eos)?;
        stops.retain(|id| (*id as usize) < limits.vocab_size); // no others can be drawn
        let Some(first) = eos.or_else(|| stops.first().copied()) else {
            return Err(Error::environment(format!("`{}` names no end-of-turn token", files.name))
                .hint("tokenizer_config.json needs `eos_token`, or generation_config.json `eos_token_id`"));
        };
        let end_of_turn = template.as_ref().and_then(|t| turn_end(t, &tokenizer, &stops)).unwrap_or(first);
        if template.as_ref().is_some_and(ChatTemplate::given_up) {
            return Err(named(Error::input("the chat template does not come to an end, or takes too much memory")));
        }
        if end_of_turn as usize >= limits.vocab_size {
            return Err(outside(&files.name, end_of_turn, limits));
        }
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
        let text = self.template()?.render(chat).map_err(|e| e.context(format!("`{}`", self.name)))?;
        let tokens = self.encode(&text)?;
        if tokens.is_empty() {
            return Err(Error::input("the chat template made an empty prompt"));
        }
        self.fits(tokens.len() + 1)?;
        Ok(Rendered { text, tokens })
    }

    fn template(&self) -> Result<&ChatTemplate> {
        self.template.as_ref().ok_or_else(|| {
            Error::input(format!("`{}` has no chat template", self.name))
                .hint("use an instruction-tuned checkpoint, or add a `chat_template.jinja` to its folder")
        })
    }

    /// The ids of a text, without any that the tokenizer would add around it.
    ///
    /// # Errors
    /// If the tokenizer fails or an id lies outside the model's vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = guarded(|| self.tokenizer.encode_fast(text, false))
            .map_err(|e| Error::input("the tokenizer cannot encode the text").because(e))?;
        let ids = encoding.get_ids();
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.limits.vocab_size) {
            return Err(outside(&self.name, *id, self.limits));
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
        guarded(|| self.tokenizer.decode(ids, true))
            .map_err(|e| Error::environment("the tokenizer cannot decode the tokens").because(e))
    }
}

/// The tokenizers' library panics on settings of `tokenizer.json` that it did not expect; to us that is an error like any other.
fn guarded<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> tokenizers::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the settings in tokenizer.json do not go together".into()))
}

fn outside(name: &str, id: u32, limits: Limits) -> Error {
    Error::environment(format!("the tokenizer gives token id {id}, but `{name}` has a vocabulary of {}", limits.vocab_size))
        .hint("tokenizer.json and the weights do not belong together")
}

/// The stop token that follows an assistant's words in the rendered chat. Gemma's `eos_token`, say, is not what ends its turns.
fn turn_end(template: &ChatTemplate, tokenizer: &Tokenizer, stops: &[u32]) -> Option<u32> {
    const WORDS: &str = "zq";
    let mut chat = Chat::ask(None, "a");
    chat.messages.push(Message { role: Role::Assistant, content: WORDS.to_owned() });
    let text = template.render_whole(&chat).ok()?;
    let (_, after) = text.rsplit_once(WORDS)?;
    let next = *guarded(|| tokenizer.encode_fast(after, false)).ok()?.get_ids().first()?;
    stops.contains(&next).then_some(next)
}

#[cfg(test)]
mod tests;
