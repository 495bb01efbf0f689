//! A training row as the model reads it, token by token, for people.

use super::{Text, TokenBytes};
use crate::engine::{Reader, Rendered, RowView, Seam, Token, TrainRow};
use crate::error::Result;
use crate::record::{Chat, Message, Role};

impl Reader for Text {
    fn render(&self, chat: &Chat) -> Result<Rendered> {
        Text::render(self, chat)
    }

    fn view(&self, row: &TrainRow) -> Result<RowView> {
        let encoded = self.encode_row(row)?;
        let bytes = self.token_bytes().ok();
        let tokens = encoded.tokens.iter().map(|id| self.token(*id, bytes.as_ref())).collect();
        Ok(RowView { tokens, prompt: encoded.prompt, seam: self.seam(row) })
    }
}

impl Text {
    fn token(&self, id: u32, bytes: Option<&TokenBytes>) -> Token {
        // As it reads after another token: the text around decides whether a blank at its start is shown at all.
        match bytes.and_then(|table| table.get(1, id)) {
            Some(bytes) => Token { id, text: spelled(bytes), special: false },
            None => Token { id, text: self.tokenizer.id_to_token(id).unwrap_or_default(), special: true },
        }
    }

    /// Where a whole conversation, as the template writes it, departs from the row.
    fn seam(&self, row: &TrainRow) -> Option<Seam> {
        let mut whole = row.chat.clone();
        whole.messages.push(Message { role: Role::Assistant, content: row.completion.clone() });
        let template = self.template.as_ref()?;
        let (prompt, whole) = (template.render(&row.chat).ok()?, template.render_whole(&whole).ok()?);
        let rest = whole.strip_prefix(prompt.as_str())?;
        let (between, after) = rest.split_once(row.completion.trim())?;
        Some(Seam { between: between.to_owned(), after: after.to_owned() })
    }
}

/// Text as it is; bytes that are no whole character as `\xE2`.
fn spelled(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        for byte in chunk.invalid() {
            text += &format!("\\x{byte:02X}");
        }
    }
    text
}
