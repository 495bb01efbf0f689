//! Chat templates: the checkpoint's own Jinja text, rendered as transformers' `apply_chat_template` renders it, but always on the
//! day that the conversation says.
//!
//! | module | what it holds |
//! |---|---|
//! | `bounds`, [`super::apart`] | a template is somebody else's program: what it may take of time, memory and stack |
//! | [`filters`], [`methods`] | where Jinja2's and Python's meaning differs from minijinja's |
//! | [`python`] | values as Python spells them: printed, and as JSON |
//! | [`strftime`] | the date |
//!
//! `tests/fixtures/templates.py` renders templates and single expressions by transformers; a test compares every byte. Known to
//! differ, because minijinja leaves no way in: `~` spells `true`, `false` and `none` in lower case; `a and b` is false, not `a`, where
//! `a` is not true; `%` does not format texts; a tuple is printed as a list; a loop over `none` is empty, not an error; a slice
//! that goes backwards to 0 takes one item more.

mod arguments;
mod bounds;
mod filters;
mod methods;
mod python;
mod strftime;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, ErrorKind, context, functions};
use regex::Regex;

use bounds::LONGEST;

use super::apart::{Bounds, GivenUp, apart};
use crate::error::{Error, Result};
use crate::record::{Chat, Role};

/// The most bytes of a template. The longest known, those with tools and documents, have 20,000.
const LARGEST: usize = 1 << 20;

/// The most steps of a rendering: a thousand turns take a hundred thousand.
const STEPS: u64 = 2_000_000;

/// The longest conversations are rendered in milliseconds; the rest is for machines with much to do.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), memory: 1 << 30 };

/// The most calls within calls, of macros and included blocks.
const NESTED: usize = 200;

/// A checkpoint's chat template, compiled.
#[derive(Debug)]
pub struct ChatTemplate(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    environment: Environment<'static>,
    /// `bos_token` and its like, by name; those that the tokenizer lacks are undefined.
    tokens: BTreeMap<String, String>,
    /// Set once a rendering was given up: the next would be too.
    given_up: AtomicBool,
}

/// What the template itself said with `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

/// A rendering that was given up from outside.
#[derive(Debug, thiserror::Error)]
#[error("the model's chat template {0}")]
struct Endless(&'static str);

impl ChatTemplate {
    /// Compiles a template. `tokens` are the texts of the tokenizer's named special tokens.
    ///
    /// # Errors
    /// If the template has a syntax error, and the message shows the line; or if it is too long.
    pub fn new(source: &str, tokens: BTreeMap<String, String>) -> Result<Self> {
        if source.len() > LARGEST {
            return Err(Error::environment(format!("the chat template has {} bytes, expected at most {LARGEST}", source.len()))
                .hint("this is no template: fetch the checkpoint's files again"));
        }
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(STEPS));
        environment.set_recursion_limit(NESTED);
        environment.set_formatter(python::print);
        environment.set_unknown_method_callback(methods::call);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("namespace", namespace);
        bounds::install(&mut environment);
        filters::install(&mut environment);
        let source = plain_blocks(&source.replace("\r\n", "\n").replace('\r', "\n"));
        let (environment, compiled) = apart(BOUNDS, move || {
            let compiled = environment.add_template_owned("chat", source.clone()).map_err(|e| uncompiled(&source, &e));
            (environment, compiled)
        })
        .map_err(|e| Error::environment(endless(e).to_string()))?;
        compiled?;
        Ok(Self(Arc::new(Compiled { environment, tokens, given_up: AtomicBool::new(false) })))
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

    /// Whether a rendering was given up: the program had better end than try another.
    pub(super) fn given_up(&self) -> bool {
        self.0.given_up.load(Ordering::Relaxed)
    }

    fn apply(&self, chat: &Chat, add_generation_prompt: bool) -> Result<String, minijinja::Error> {
        let failed = |what: GivenUp| minijinja::Error::new(ErrorKind::InvalidOperation, "").with_source(endless(what));
        if self.given_up() {
            return Err(failed(GivenUp::Time));
        }
        let (compiled, chat) = (self.0.clone(), chat.clone());
        apart(BOUNDS, move || compiled.apply(&chat, add_generation_prompt)).unwrap_or_else(|what| {
            self.0.given_up.store(what != GivenUp::Panic, Ordering::Relaxed);
            Err(failed(what))
        })
    }

    /// What to tell the user: the template's own message, and the cure where a system turn is the trouble.
    fn refusal(&self, chat: &Chat, add_generation_prompt: bool, e: &minijinja::Error) -> Error {
        let error = match (below::<Raised>(e), below::<Endless>(e)) {
            (Some(said), _) => Error::input(format!("the model's chat template refuses the conversation: {said}")),
            (None, Some(endless)) => Error::input(endless.to_string()),
            (None, None) => failure(e),
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

impl Compiled {
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
        template.render_captured_to(values, &mut out)?;
        String::from_utf8(out.0).map_err(|e| minijinja::Error::new(ErrorKind::WriteFailure, "not UTF-8").with_source(e))
    }
}

/// What stands below an error, if it is one of ours.
fn below<T: std::error::Error + 'static>(e: &minijinja::Error) -> Option<&T> {
    let mut below = std::error::Error::source(e);
    while let Some(source) = below {
        if let Some(found) = source.downcast_ref() {
            return Some(found);
        }
        below = source.source();
    }
    None
}

/// Why a rendering was given up, for people. What panics inside minijinja (it does where an empty list is sliced backwards) is an error
/// like any other.
fn endless(what: GivenUp) -> Endless {
    Endless(match what {
        GivenUp::Time => "does not come to an end",
        GivenUp::Memory => "takes too much memory",
        GivenUp::Panic => "fails: the template engine gave up",
        GivenUp::NoThread => "cannot be run: the system has no thread for it",
    })
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
mod hostile;
#[cfg(test)]
mod tests;
