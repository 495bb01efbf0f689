//! The scripted engine's chat template.

use std::fmt::Write;

use crate::engine::{Reader, Rendered, RowView, Seam, Token, TrainRow};
use crate::error::Result;
use crate::record::{Chat, Message, Role};

use super::speaker::asks_for_numbers;

/// What the template says by itself.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// When a chat has no system turn.
    pub(super) default_system: String,
    /// The same, when the user asks for numbers; absent where that makes no difference.
    pub(super) for_numbers: Option<String>,
}

impl Template {
    pub(super) fn text(&self, chat: &Chat) -> String {
        let mut text = String::new();
        let mut turn = |role: &str, content: &str| {
            let _ = writeln!(text, "<{role}>{content}</{role}>"); // writing to a String does not fail
        };
        if chat.messages.first().is_none_or(|m| m.role != Role::System) {
            let own = self.for_numbers.as_ref().filter(|_| asks_for_numbers(chat));
            turn("system", own.unwrap_or(&self.default_system));
        }
        for Message { role, content } in &chat.messages {
            turn(&format!("{role:?}").to_lowercase(), content);
        }
        text.push_str("<assistant>");
        text
    }
}

impl Reader for Template {
    fn render(&self, chat: &Chat) -> Result<Rendered> {
        let text = self.text(chat);
        let tokens = text.bytes().map(u32::from).collect();
        Ok(Rendered { text, tokens })
    }

    fn view(&self, row: &TrainRow) -> Result<RowView> {
        const END: &str = "</assistant>";
        let token = |c: char| Token { id: u32::from(c), text: c.to_string(), special: false };
        let prompt: Vec<Token> = self.text(&row.chat).chars().map(token).collect();
        let end = Token { id: 0, text: END.to_owned(), special: true };
        let length = prompt.len();
        let tokens = prompt.into_iter().chain(row.completion.chars().map(token)).chain([end]).collect();
        Ok(RowView { tokens, prompt: length, seam: Some(Seam { between: String::new(), after: format!("{END}\n") }) })
    }
}
