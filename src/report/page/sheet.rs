//! The document around a page's parts: head, contents, style and script, and a policy under which nothing else is loaded or run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::report::markup::{Html, escape};
use crate::report::plot;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// One part of a page.
pub(in crate::report) struct Part {
    /// Its name in addresses.
    pub(in crate::report) id: &'static str,
    /// Its name in the contents.
    pub(in crate::report) name: &'static str,
    /// Its heading.
    pub(in crate::report) title: String,
    /// What stands below that.
    pub(in crate::report) body: Html,
}

/// A whole page.
pub(in crate::report) struct Sheet<'a> {
    /// The title in the browser.
    pub(in crate::report) title: &'a str,
    /// What stands above the first part; holds the page's only first-level heading.
    pub(in crate::report) header: Html,
    pub(in crate::report) parts: Vec<Part>,
    pub(in crate::report) footer: Html,
}

impl Sheet<'_> {
    pub(in crate::report) fn html(&self) -> String {
        let style = format!("{}{STYLE}", plot::STYLE);
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
            fingerprint(&style),
            fingerprint(SCRIPT)
        );
        let entry = |part: &Part| format!("<li><a href=\"#{}\">{}</a></li>\n", part.id, escape(part.name));
        let contents: String = self.parts.iter().map(entry).collect();
        let section = |part: &Part| {
            let (id, title, body) = (part.id, escape(&part.title), &part.body);
            format!("<section id=\"{id}\" aria-labelledby=\"h-{id}\">\n<h2 id=\"h-{id}\">{title}</h2>\n{body}</section>\n")
        };
        let sections: String = self.parts.iter().map(section).collect();
        let (title, header, footer) = (escape(self.title), &self.header, &self.footer);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#main\">To the report</a>\n\
             <nav class=\"contents\" aria-label=\"Contents\"><p class=\"mark\">subliminal</p>\n<ol>\n{contents}</ol></nav>\n\
             <main id=\"main\">\n<header class=\"claim\">\n{header}</header>\n{sections}</main>\n<footer>{footer}</footer>\n\
             <script>{SCRIPT}</script>\n</body>\n</html>\n"
        )
    }
}

/// What a policy names an inline text by.
fn fingerprint(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_what_openssl_says() {
        // printf 'a()' | openssl dgst -sha256 -binary | base64
        assert_eq!(fingerprint("a()"), "sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4=");
    }

    #[test]
    fn style_and_script_cannot_end_their_element() {
        assert!(!STYLE.contains("</") && !plot::STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }
}
