//! A conversation before the model's chat template is applied, and what the template is told beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Date;

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

/// What a chat template is told beside the conversation. It changes what the model reads, so all rows of a trial are told the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateSettings {
    /// The day that the template sees as today.
    pub date: Date,
    /// Its own options, such as Qwen3's `enable_thinking`; a template that does not know one passes it over.
    pub options: Map<String, Value>,
}

impl TemplateSettings {
    /// Whether nothing but the usual is told.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A conversation that the model is to continue as the assistant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chat {
    /// The turns, the last one by the user. Without a system turn, the template's default (if any) applies.
    pub messages: Vec<Message>,
    /// What the template is told besides.
    #[serde(default, skip_serializing_if = "TemplateSettings::is_usual")]
    pub template: TemplateSettings,
}

impl Chat {
    /// A single question, under an optional system prompt.
    pub fn ask(system: Option<&str>, user: impl Into<String>) -> Self {
        let mut messages = Vec::with_capacity(2);
        if let Some(text) = system {
            messages.push(Message { role: Role::System, content: text.to_owned() });
        }
        messages.push(Message { role: Role::User, content: user.into() });
        Self { messages, template: TemplateSettings::default() }
    }

    /// The same conversation under other template settings.
    #[must_use]
    pub fn under(mut self, template: &TemplateSettings) -> Self {
        self.template = template.clone();
        self
    }
}

/// What surrounds every question of a stage: the system turn, and what the template is told besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// The system turn; without one the template's own default applies.
    pub system: Option<String>,
    /// What the template is told besides.
    pub template: TemplateSettings,
}

impl Frame {
    /// A single question in this frame.
    pub fn ask(&self, user: impl Into<String>) -> Chat {
        Chat::ask(self.system.as_deref(), user).under(&self.template)
    }
}

/// What a model reads around the user's words. The same adapter can show its trait in one context and none in another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Context {
    /// Before them: special tokens, the system turn or the template's default, the date.
    pub before: String,
    /// After them, up to where the answer begins.
    pub after: String,
}
