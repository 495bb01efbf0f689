//! Chat templates: the checkpoint's own Jinja text, rendered as transformers' `apply_chat_template` renders it, but always on the
//! day that the conversation says.
//!
//! | module | what it holds |
//! |---|---|
//! | [`filters`], [`methods`] | where Jinja2's and Python's meaning differs from minijinja's |
//! | [`python`] | values as Python spells them: printed, and as JSON |
//! | [`strftime`] | the date |
//!
//! `tests/fixtures/templates.py` renders templates and single expressions by transformers; a test compares every byte. Known to
//! differ, because minijinja leaves no way in: `~` spells `true`, `false` and `none` in lower case; `a and b` is false, not `a`, where
//! `a` is not true; `%` does not format texts; a tuple is printed as a list; a loop over `none` is empty, not an error; a slice
//! that goes backwards to 0 takes one item more.

mod arguments;
mod filters;
mod methods;
mod python;
mod strftime;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, ErrorKind, context, functions};
use regex::Regex;

use crate::error::{Error, Result};
use crate::record::{Chat, Role};

/// The most bytes of a rendered conversation.
const LONGEST: usize = 16 << 20;

/// The most steps of a rendering: loops within loops over long conversations take far fewer.
const STEPS: u64 = 20_000_000;

/// A checkpoint's chat template, compiled.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    /// `bos_token` and its like, by name; those that the tokenizer lacks are undefined.
    tokens: BTreeMap<String, String>,
}

/// What the template itself said with `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

impl ChatTemplate {
    /// Compiles a template. `tokens` are the texts of the tokenizer's named special tokens.
    ///
    /// # Errors
    /// If the template has a syntax error; the message shows the line.
    pub fn new(source: &str, tokens: BTreeMap<String, String>) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(STEPS));
        environment.set_formatter(python::print);
        environment.set_unknown_method_callback(methods::call);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("namespace", namespace);
        filters::install(&mut environment);
        let source = plain_blocks(&source.replace("\r\n", "\n").replace('\r', "\n"));
        environment.add_template_owned("chat", source.clone()).map_err(|e| uncompiled(&source, &e))?;
        Ok(Self { environment, tokens })
    }

    /// The text of a conversation, up to where the assistant's answer begins.
    ///
    /// # Errors
    /// If the template refuses the conversation, fails, or does not come to an end.
    pub fn render(&self, chat: &Chat) -> Result<String> {
        self.apply(chat, true).map_err(|e| self.refusal(chat, true, &e))
    }

    /// The text of a whole conversation whose last turn is the assistant's.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`].
    pub fn render_whole(&self, chat: &Chat) -> Result<String> {
        self.apply(chat, false).map_err(|e| self.refusal(chat, false, &e))
    }

    fn apply(&self, chat: &Chat, add_generation_prompt: bool) -> Result<String, minijinja::Error> {
        let template = self.environment.get_template("chat")?;
        let day = chat.template.date;
        let told = context! {
            messages => chat.messages,
            add_generation_prompt,
            tools => (),
            documents => (),
            strftime_now => Value::from_function(move |format: String| strftime::format(day, &format)),
        };
        // The settings come before the tokens, as a keyword argument of transformers does.
        let values = context! { ..told, ..Value::from_serialize(&chat.template.options), ..Value::from_serialize(&self.tokens) };
        let mut out = Bounded(Vec::new());
        guarded(|| template.render_captured_to(values, &mut out).map(drop))?;
        String::from_utf8(out.0).map_err(|e| minijinja::Error::new(ErrorKind::WriteFailure, "not UTF-8").with_source(e))
    }

    /// What to tell the user: the template's own message, and the cure where a system turn is the trouble.
    fn refusal(&self, chat: &Chat, add_generation_prompt: bool, e: &minijinja::Error) -> Error {
        let error = match said(e) {
            Some(said) => Error::input(format!("the model's chat template refuses the conversation: {said}")),
            None => failure(e),
        };
        let has_system = chat.messages.iter().any(|m| m.role == Role::System);
        let mut without = chat.clone();
        without.messages.retain(|m| m.role != Role::System);
        if has_system && self.apply(&without, add_generation_prompt).is_ok() {
            return error.hint(
                "without the system prompt it takes it, as Gemma 2's does: leave system prompts out, and prime a teacher by \
                 fine-tuning (`teacher.prime = \"fine-tune\"`)",
            );
        }
        error.hint(
            "the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja",
        )
    }
}

/// What panics inside minijinja (it does where an empty list is sliced backwards) is an error like any other.
fn guarded(render: impl FnOnce() -> Result<(), minijinja::Error>) -> Result<(), minijinja::Error> {
    let panicked = |_| Err(minijinja::Error::new(ErrorKind::InvalidOperation, "the template engine gave up"));
    catch_unwind(AssertUnwindSafe(render)).unwrap_or_else(panicked)
}

/// The message of a `raise_exception`.
fn said(e: &minijinja::Error) -> Option<&str> {
    let mut below = std::error::Error::source(e);
    while let Some(source) = below {
        if let Some(Raised(message)) = source.downcast_ref() {
            return Some(message);
        }
        below = source.source();
    }
    None
}

/// A template that fails without meaning to.
fn failure(e: &minijinja::Error) -> Error {
    let line = e.line().map_or_else(String::new, |line| format!(" in line {line}"));
    match e.kind() {
        ErrorKind::OutOfFuel => Error::input(format!("the model's chat template does not come to an end within {STEPS} steps")),
        ErrorKind::WriteFailure => Error::input(format!("the model's chat template writes more than {} MiB", LONGEST >> 20)),
        kind => {
            let detail = e.detail().map_or_else(String::new, |detail| format!(": {detail}"));
            Error::input(format!("the model's chat template fails{line}: {kind}{detail}"))
        }
    }
}

fn uncompiled(source: &str, e: &minijinja::Error) -> Error {
    const WIDEST: usize = 100;
    let detail = e.detail().map_or_else(|| e.kind().to_string(), str::to_owned);
    let place = e.line().and_then(|number| Some((number, source.lines().nth(number.checked_sub(1)?)?)));
    let place = place.map_or_else(String::new, |(number, line)| {
        let shown: String = line.trim().chars().take(WIDEST).collect();
        format!(" in line {number}, `{shown}`")
    });
    Error::environment(format!("the chat template does not compile{place}: {detail}"))
        .hint("the template is the checkpoint's: see `chat_template` of its tokenizer_config.json, or its chat_template.jinja")
}

fn raise_exception(message: String) -> Result<String, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
}

/// A namespace from a mapping, from names with values, or from both.
#[expect(clippy::needless_pass_by_value, reason = "the signature that minijinja's functions have")]
fn namespace(mapping: Option<Value>, names: Kwargs) -> Result<Value, minijinja::Error> {
    let named = names.args().map(|name| Ok((Value::from(name), names.peek::<Value>(name)?)));
    let named = named.collect::<Result<Vec<_>, minijinja::Error>>()?;
    let all: Value = mapping.iter().flat_map(python::pairs).chain(named).collect();
    functions::namespace(Some(all))
}

/// transformers marks the assistant's words with `{% generation %}`, which changes nothing but the scope of variables: so does `with`.
fn plain_blocks(source: &str) -> String {
    let pattern = r"(?s)(?<kept>\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{#.*?#\})|\{%(?<open>[-+]?)\s*(?<end>end)?generation\s*(?<close>[-+]?)%\}";
    Regex::new(pattern)
        .expect("a fixed pattern")
        .replace_all(source, |found: &regex::Captures<'_>| {
            let end = found.name("end").map_or("", |end| end.as_str());
            found.name("kept").map_or_else(
                || format!("{{%{} {end}with {}%}}", &found["open"], &found["close"]),
                |kept| kept.as_str().to_owned(),
            )
        })
        .into_owned()
}

/// Keeps what is written, up to a limit.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
