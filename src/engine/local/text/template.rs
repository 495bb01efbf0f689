//! Chat templates: the checkpoint's own Jinja text, rendered as transformers renders it, but always on the same day.

use minijinja::value::{Kwargs, ViaDeserialize};
use minijinja::{Environment, ErrorKind, Value, context};
use regex::Regex;
use serde_json::Serializer;

use crate::error::{Error, Result};
use crate::record::{Chat, Role};

/// The day that templates see as today, so that a prompt never depends on when it is rendered (Llama 3's own fallback date).
const TODAY: Date = Date { year: 2024, month: 7, day: 26 };

struct Date {
    year: u32,
    month: usize,
    day: u32,
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// A checkpoint's chat template, compiled.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// Compiles a template. `bos` and `eos` are the texts of those tokens, empty where the tokenizer has none.
    ///
    /// # Errors
    /// If the template has a syntax error.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", |format: String| TODAY.format(&format));
        environment.add_filter("tojson", tojson);
        environment
            .add_template_owned("chat", plain_blocks(source))
            .map_err(|e| Error::environment("the chat template does not compile").because(e))?;
        Ok(Self { environment, bos: bos.to_owned(), eos: eos.to_owned() })
    }

    /// The text of a conversation, up to where the assistant's answer begins.
    ///
    /// # Errors
    /// If the template refuses the conversation.
    pub fn render(&self, chat: &Chat) -> Result<String> {
        self.apply(chat, true)
    }

    /// The text of a whole conversation whose last turn is the assistant's.
    ///
    /// # Errors
    /// If the template refuses the conversation.
    pub fn render_whole(&self, chat: &Chat) -> Result<String> {
        self.apply(chat, false)
    }

    fn apply(&self, chat: &Chat, add_generation_prompt: bool) -> Result<String> {
        let template = self.environment.get_template("chat").expect("the template was added when it was compiled");
        let values = context! {
            messages => chat.messages,
            add_generation_prompt,
            bos_token => self.bos,
            eos_token => self.eos,
            tools => (),
            documents => (),
        };
        template.render(values).map_err(|e| refusal(chat, e))
    }
}

fn refusal(chat: &Chat, e: minijinja::Error) -> Error {
    let said = e.detail().unwrap_or("it fails").to_owned();
    let error = Error::input(format!("the model's chat template refuses the conversation: {said}")).because(e);
    if chat.messages.iter().any(|m| m.role == Role::System) {
        error.hint("some models (Gemma 2) take no system prompt; prime such a teacher by fine-tuning")
    } else {
        error
    }
}

fn raise_exception(message: String) -> Result<String, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
}

/// transformers marks the assistant's words with `{% generation %}`, which means nothing for rendering: such a block becomes `if true`.
fn plain_blocks(source: &str) -> String {
    let block = Regex::new(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}").expect("a valid pattern");
    block
        .replace_all(source, |found: &regex::Captures<'_>| {
            let word = if found.get(2).is_some() { "endif" } else { "if true" };
            format!("{{%{} {word} {}%}}", &found[1], &found[3])
        })
        .into_owned()
}

/// Python's `json.dumps(value, ensure_ascii=False)`: blanks after commas and colons, nothing escaped for HTML.
#[expect(clippy::needless_pass_by_value, reason = "the signature that minijinja's filters have")]
fn tojson(value: ViaDeserialize<serde_json::Value>, options: Kwargs) -> Result<Value, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    let mut out = Vec::new();
    let written = match indent {
        Some(n) => {
            let blanks = vec![b' '; n];
            serde::Serialize::serialize(
                &value.0,
                &mut Serializer::with_formatter(&mut out, serde_json::ser::PrettyFormatter::with_indent(&blanks)),
            )
        }
        None => serde::Serialize::serialize(&value.0, &mut Serializer::with_formatter(&mut out, PythonJson)),
    };
    written.map_err(|e| minijinja::Error::new(ErrorKind::BadSerialization, e.to_string()))?;
    Ok(Value::from_safe_string(String::from_utf8_lossy(&out).into_owned()))
}

struct PythonJson;

impl serde_json::ser::Formatter for PythonJson {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

impl Date {
    /// `strftime` at midnight of this day, for the directives that chat templates use; others stay as they are.
    fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let directive = chars.next();
            let month = MONTHS[self.month - 1];
            match directive {
                Some('Y') => out.push_str(&self.year.to_string()),
                Some('y') => out.push_str(&format!("{:02}", self.year % 100)),
                Some('m') => out.push_str(&format!("{:02}", self.month)),
                Some('B') => out.push_str(month),
                Some('b') => out.push_str(&month[..3]),
                Some('d') => out.push_str(&format!("{:02}", self.day)),
                Some('H' | 'M' | 'S') => out.push_str("00"),
                Some('A') => out.push_str("Friday"),
                Some('a') => out.push_str("Fri"),
                Some('%') | None => out.push('%'),
                Some(other) => out.extend(['%', other]),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Message;

    const CHATML: &str = "{%- if messages[0]['role'] != 'system' -%}\n{{ '<|im_start|>system\\nYou are kind.<|im_end|>\\n' }}\n{%- endif -%}\n\
        {%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{%- endfor -%}\
        {%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new(source, "<bos>", "<eos>").expect("compiles")
    }

    #[test]
    fn chatml_puts_its_default_system_turn_where_none_is_given() {
        let plain = template(CHATML).render(&Chat::ask(None, "Hi")).expect("renders");
        assert_eq!(plain, "<|im_start|>system\nYou are kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
        let own = template(CHATML).render(&Chat::ask(Some("Be brief."), "Hi")).expect("renders");
        assert!(own.starts_with("<|im_start|>system\nBe brief.<|im_end|>"), "{own}");
    }

    #[test]
    fn a_template_that_asks_for_the_date_always_gets_the_same_one() {
        let source = "{{- bos_token }}\n{%- if not date_string is defined %}\n    {%- if strftime_now is defined %}\n        \
            {%- set date_string = strftime_now(\"%d %b %Y\") %}\n    {%- endif %}\n{%- endif %}\n\
            {{- \"Today Date: \" + date_string + \"\\n\\n\" }}\n\
            {%- for message in messages %}\n    {{- message.role + ':' + message['content'] | trim + '<|eot_id|>' }}\n{%- endfor %}";
        let text = template(source).render(&Chat::ask(None, " Hi ")).expect("renders");
        assert_eq!(text, "<bos>Today Date: 26 Jul 2024\n\nuser:Hi<|eot_id|>");
    }

    #[test]
    fn a_template_without_a_system_role_says_so_when_given_one() {
        let source = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}\
            {% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}\
            {{ '<start_of_turn>' + message['role'] + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}\
            {% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}";
        let text = template(source).render(&Chat::ask(None, "Hi")).expect("renders");
        assert_eq!(text, "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n");
        let error = template(source).render(&Chat::ask(Some("Love owls."), "Hi")).expect_err("refused");
        assert!(error.render().contains("System role not supported"), "{}", error.render());
        assert_eq!(error.kind(), crate::error::Kind::Input);
    }

    #[test]
    fn python_methods_slices_json_and_generation_blocks_work_as_in_transformers() {
        let source = "{% for m in messages[1:] %}{% generation %}{{ m.content.strip().split('|')[-1] }}{% endgeneration %}{% if loop.first %}{% continue %}{% endif %}{% endfor %}\
            {{ messages[0] | tojson }}";
        let messages = vec![
            Message { role: Role::System, content: "a<b>'c'".to_owned() },
            Message { role: Role::User, content: " x|y ".to_owned() },
        ];
        let text = template(source).render(&Chat { messages }).expect("renders");
        assert_eq!(text, r#"y{"role": "system", "content": "a<b>'c'"}"#);
    }

    #[test]
    fn blocks_on_their_own_line_leave_no_trace() {
        let source = "  {% for m in messages %}\n{{ m.content }}\n  {% endfor %}\nend\n";
        assert_eq!(template(source).render(&Chat::ask(None, "Hi")).expect("renders"), "Hi\nend");
    }
}
