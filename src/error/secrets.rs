//! Texts without what may be secret in them: keys are read from the environment alone, but people paste them into addresses and configs.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// A text as it may be shown: without users and passwords of addresses, without the values of an address's parameters whose names speak
/// of secrets, and without what looks like a key of the services that are used here.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    static PATTERNS: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
        let pattern = |pattern| Regex::new(pattern).expect("a fixed pattern");
        [
            (pattern(r"(?<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#`'<>]*@"), "${scheme}[hidden]@"),
            (
                pattern(r#"(?i)(?<name>[?&;][^\s=&;?]*(?:key|token|secret|sig|pass|auth|cred)[^\s=&;?]*=)[^\s&;#`'"<>]+"#),
                "${name}[hidden]",
            ),
            (pattern(r"\b(?<kind>hf_|sk-)[A-Za-z0-9_-]{16,}"), "${kind}[hidden]"),
        ]
    });
    let suspicious = text.contains("://") || text.contains("hf_") || text.contains("sk-");
    let mut shown = Cow::Borrowed(text);
    for (pattern, put) in PATTERNS.iter().filter(|_| suspicious) {
        if let Cow::Owned(replaced) = pattern.replace_all(&shown, *put) {
            shown = Cow::Owned(replaced);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_hidden_and_the_rest_stays() {
        for (text, shown) in [
            ("cannot reach http://me:pa55@host:80/v1", "cannot reach http://[hidden]@host:80/v1"),
            ("`https://hf_user@host`, which is no address", "`https://[hidden]@host`, which is no address"),
            ("http://a:b@h and http://c@h", "http://[hidden]@h and http://[hidden]@h"),
            ("http://me:p@ss@host/x", "http://[hidden]@host/x"),
            ("https://h/v1?api_key=abc&n=1&X-Amz-Signature=def.", "https://h/v1?api_key=[hidden]&n=1&X-Amz-Signature=[hidden]"),
            ("`https://h/?access-token=abc`", "`https://h/?access-token=[hidden]`"),
            ("`--set judge.key=sk-abcdefghijklmnopqrstuv`", "`--set judge.key=sk-[hidden]`"),
            ("hf_abcdefghijklmnopqrstuv", "hf_[hidden]"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        for plain in [
            "",
            "mail me@example.org",
            "http://host/a@b",
            "http://host/v1?n=1",
            "hf_hub is a crate, HF_TOKEN a variable, task-specific-parameters-of-it a word",
            "`Qwen/Qwen2.5-7B-Instruct@main` of https://huggingface.co",
        ] {
            assert_eq!(without_secrets(plain), plain);
        }
    }
}
