//! The context guard's measure: what a model reads around the user's words, in training and when it is asked.
//!
//! The same adapter can show its trait under one system turn and none under another, and chat templates insert defaults and dates by
//! themselves. The trial compares the contexts of its plan before any work; here that of every student is kept with it and compared
//! once more before it is asked.

use std::path::Path;

use crate::error::{Error, Result};
use crate::record::{Chat, Context, Role};
use crate::tool::fs;

use super::files;

/// What stands around the user's last words in the rendered chat `text`.
///
/// # Errors
/// If the template changed them, so that they are not found.
pub fn around(text: &str, chat: &Chat) -> Result<Context> {
    let user = chat.messages.iter().rev().find(|m| m.role == Role::User).map_or("", |m| m.content.as_str());
    let around = |words: &'_ str| text.rfind(words).map(|at| (&text[..at], &text[at + words.len()..]));
    let (before, after) = around(user)
        .or_else(|| around(user.trim())) // many templates trim
        .ok_or_else(|| Error::input("the chat template changes the user's text").hint("check the model's `chat_template`"))?;
    Ok(Context { before: before.to_owned(), after: after.to_owned() })
}

/// Two contexts, each with what it is of, and where they differ first, on lines of their own; `None` where they are the same.
pub fn difference((of_one, one): (&str, &Context), (of_other, other): (&str, &Context)) -> Option<String> {
    let (place, a, b) = if one.before != other.before {
        ("before", &one.before, &other.before)
    } else if one.after != other.after {
        ("after", &one.after, &other.after)
    } else {
        return None;
    };
    let width = 1 + of_one.len().max(of_other.len());
    let line = |of: &str, context: &Context| format!("\n  {:<width$} {}", format!("{of}:"), shown(context));
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    Some(format!(
        "{}{}\n  they differ {place} the user's words, from character {} on: {} and {}",
        line(of_one, one),
        line(of_other, other),
        same + 1,
        rest(a, same),
        rest(b, same)
    ))
}

fn shown(context: &Context) -> String {
    format!("{:?} … {:?}", context.before, context.after)
}

/// The start of what comes after so many characters.
fn rest(text: &str, after: usize) -> String {
    const LONGEST: usize = 24;
    let mut rest = text.chars().skip(after);
    let start: String = rest.by_ref().take(LONGEST).collect();
    let cut = if rest.next().is_some() { "…" } else { "" };
    if start.is_empty() { "nothing".to_owned() } else { format!("{start:?}{cut}") }
}

/// Keeps the context of a model that is being trained in `dir`.
///
/// # Errors
/// If the system refuses.
pub(super) fn keep(dir: &Path, context: &Context) -> Result<()> {
    fs::put(&dir.join(files::PREFIX), context.before.as_bytes())?;
    fs::put(&dir.join(files::SUFFIX), context.after.as_bytes())
}

/// Refuses to ask the student in the folder `tuned` in another context than it was trained in.
///
/// # Errors
/// If the contexts differ, or the student's is missing.
pub(super) fn check(tuned: &Path, asked: &Context) -> Result<()> {
    let kept = |name| fs::read_text(&tuned.with_file_name(name));
    let trained = Context { before: kept(files::PREFIX)?, after: kept(files::SUFFIX)? };
    match difference(("trained", &trained), ("asked", asked)) {
        None => Ok(()),
        Some(difference) => {
            Err(Error::input(format!("the student was trained in one context and would be asked in another{difference}"))
                .hint("the checkpoint's chat template has changed since the student was trained: run again with `--fresh`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(before: &str, after: &str) -> Context {
        Context { before: before.to_owned(), after: after.to_owned() }
    }

    #[test]
    fn a_context_is_what_stands_around_the_last_user_turn() {
        let chat = Chat::ask(Some("Say 7?"), " 7? ");
        for text in ["<s>Say 7?</s><u>7?</u><a>", "<s>Say 7?</s><u> 7? </u><a>"] {
            assert_eq!(around(text, &chat).unwrap(), context("<s>Say 7?</s><u>", "</u><a>"), "blanks at its ends are the user's");
        }
        assert!(around("<u>seven?</u>", &chat).unwrap_err().render().contains("changes the user's text"));
    }

    #[test]
    fn the_first_difference_is_named_by_place_and_character() {
        let one = context("<s>é kind", "</u>");
        let against = |other: &Context| difference(("trained", &one), ("asked", other));
        assert_eq!(against(&one), None);
        let text = against(&context("<s>é good", "</u>")).unwrap();
        assert!(text.ends_with(r#"they differ before the user's words, from character 6 on: "kind" and "good""#), "{text}");
        let text = against(&context("<s>é kind", "</u><think>")).unwrap();
        assert!(text.ends_with(r#"they differ after the user's words, from character 5 on: nothing and "<think>""#), "{text}");
    }
}
