//! A conversation before the model's chat template is applied.

use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions above the conversation.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, without any template markup.
    pub content: String,
}

/// A conversation that the model is to continue as the assistant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chat {
    /// The turns, the last one by the user. Without a system turn, the template's default (if any) applies.
    pub messages: Vec<Message>,
}

impl Chat {
    /// A single question, under an optional system prompt.
    pub fn ask(system: Option<&str>, user: impl Into<String>) -> Self {
        let mut messages = Vec::with_capacity(2);
        if let Some(text) = system {
            messages.push(Message { role: Role::System, content: text.to_owned() });
        }
        messages.push(Message { role: Role::User, content: user.into() });
        Self { messages }
    }
}
