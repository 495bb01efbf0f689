//! The context guard: a student is asked in the very context that it was trained in.
//!
//! The same adapter can show its trait under one system turn and none under another, and chat templates insert defaults and dates by
//! themselves. So the text before the user's turn is kept with the student and compared before it is asked.

use std::path::Path;

use crate::engine::Model;
use crate::error::{Error, Result};
use crate::record::{Chat, Role};
use crate::tool::fs;

use super::files;

/// What the model reads before the user's turn.
///
/// # Errors
/// If the template refuses the chat, or loses the user's text.
pub(super) fn prefix(model: &dyn Model, chat: &Chat) -> Result<String> {
    let text = model.render(chat)?.text;
    let user = chat.messages.iter().find(|m| m.role == Role::User).map_or("", |m| m.content.trim());
    let before = text.find(user).map(|at| text[..at].to_owned());
    before.ok_or_else(|| Error::input("the chat template changes the user's text").hint("check the model's `chat_template`"))
}

/// Keeps the context of a student that is being trained in `dir`.
///
/// # Errors
/// If the system refuses.
pub(super) fn keep(dir: &Path, prefix: &str) -> Result<()> {
    fs::put(&dir.join(files::PREFIX), prefix.as_bytes())
}

/// Refuses to ask the student in the folder `tuned` in another context than it was trained in.
///
/// # Errors
/// If the contexts differ, or the student's is missing.
pub(super) fn check(tuned: &Path, asked: &str) -> Result<()> {
    let kept = tuned.with_file_name(files::PREFIX);
    let trained = fs::read_text(&kept)?;
    if trained == asked {
        return Ok(());
    }
    Err(Error::input(format!("the student was trained after {trained:?} and would be asked after {asked:?}")).hint(
        "a chat template that inserts the date changes overnight: fix the date in the template, or run again with `--fresh`",
    ))
}
