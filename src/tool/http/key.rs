//! A secret from the environment. It reaches the `Authorization` header and nothing that is shown or written.

use std::fmt;

use crate::error::{Error, Result};

/// Shorter texts are stand-ins for servers that want no key (`none`, `x`): to hide them would spoil ordinary text.
const SHORTEST_SECRET: usize = 8;

/// A secret, and the environment variable that holds it.
pub struct Key {
    name: String,
    secret: String,
}

/// Only the variable's name.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

/// Whether a text can be a variable's name: capitals, digits and `_`, so that hardly any key is taken for one.
pub fn is_name(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && text.chars().all(inside)
}

impl Key {
    /// Reads the variable.
    ///
    /// # Errors
    /// If it is not set, empty, or holds what no header can.
    pub fn from_env(name: &str) -> Result<Self> {
        if !is_name(name) {
            // not repeated: it may be the key itself
            return Err(Error::input("the key's place is not the name of an environment variable")
                .hint("name the variable that holds the key, in capitals, for example `OPENAI_API_KEY`"));
        }
        Self::new(name, &std::env::var(name).unwrap_or_default())
    }

    /// A secret as its variable gives it; blanks around it are left out.
    pub(super) fn new(name: &str, secret: &str) -> Result<Self> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(Error::environment(format!("the environment variable `{name}` is not set"))
                .hint(format!("put the key into it: export {name}=...")));
        }
        if !secret.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Error::environment(format!("the environment variable `{name}` holds what cannot be a key"))
                .hint("a key is letters, digits and signs, without blanks"));
        }
        Ok(Self { name: name.to_owned(), secret: secret.to_owned() })
    }

    /// The variable's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header that carries it.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.secret)
    }

    /// A text of the service's, which may repeat the key, without it.
    pub fn hide(&self, text: &str) -> String {
        if self.secret.len() < SHORTEST_SECRET {
            return text.to_owned();
        }
        text.replace(&self.secret, &format!("[{}]", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_neither_shown_nor_repeated() {
        let key = Key::new("JUDGE_KEY", " secret-12345\n").unwrap();
        assert_eq!(format!("{key:?}"), "Key(JUDGE_KEY)");
        assert_eq!(key.hide("wrong key: secret-12345."), "wrong key: [JUDGE_KEY].");
        assert_eq!(Key::new("K", "1").unwrap().hide("100"), "100", "a stand-in hides nothing");
    }

    #[test]
    fn what_is_no_key_or_no_name_is_refused_without_being_repeated() {
        let broken = Key::new("JUDGE_KEY", "sec\u{7}ret").unwrap_err().render();
        assert!(broken.contains("JUDGE_KEY") && !broken.contains("ret`"), "{broken}");
        let pasted = Key::from_env("sk-abcdef").unwrap_err().render();
        assert!(!pasted.contains("sk-abcdef"), "{pasted}");
        let absent = Key::from_env("NO_SUCH_VARIABLE_AT_ALL").unwrap_err();
        assert!(absent.render().contains("export NO_SUCH_VARIABLE_AT_ALL=..."));
        assert_eq!(absent.kind().exit_code(), 3);
    }
}
