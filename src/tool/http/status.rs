//! What an HTTP status means for the next try, and what to tell the user of it.

use serde_json::Value;

use super::Key;
use crate::error::Error;

/// Whether the same request may succeed later.
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 520..=529)
}

/// The error of a request that would fail again.
pub(super) fn refusal(status: u16, reason: &str, body: &str, url: &str, key: Option<&Key>) -> Error {
    let message = answered(url, status, reason, body);
    let key_hint = || match key {
        Some(key) => format!("check the key in `{}`, and that it may use this model", key.name()),
        None => "the service wants a key: name the environment variable that holds it".to_owned(),
    };
    match status {
        401 | 403 | 407 => Error::environment(message).hint(key_hint()),
        404 | 405 => Error::input(message).hint("check the address, which often ends in `/v1`, and the model's name"),
        300..=399 => Error::input(message).hint("the service has moved: name its new address"),
        _ => Error::input(message).hint("the service does not take the request: check the model's name and what it can do"),
    }
}

/// `http://h/v1/chat/completions answers 503 Service Unavailable: Loading model`.
pub(super) fn answered(url: &str, status: u16, reason: &str, body: &str) -> String {
    let said = excerpt(body);
    let named = format!("{status} {reason}");
    // some servers repeat the reason as their body
    let (colon, said) = if said.is_empty() || said == reason { ("", "") } else { (": ", said.as_str()) };
    format!("{url} answers {}{colon}{said}", named.trim_end())
}

/// The message in an error's body, as OpenAI's and others' servers send it, or the body's beginning; on one line.
fn excerpt(body: &str) -> String {
    const LONGEST: usize = 300;
    let json: Option<Value> = serde_json::from_str(body).ok();
    let message = json.as_ref().and_then(|json| {
        ["/error/message", "/message", "/detail", "/error"].iter().find_map(|place| json.pointer(place)?.as_str())
    });
    let line = message.unwrap_or(body).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_failures_may_pass_and_mistakes_do_not() {
        for status in [408, 429, 500, 502, 503, 504, 529] {
            assert!(may_pass(status), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 405, 422, 501] {
            assert!(!may_pass(status), "{status}");
        }
    }

    #[test]
    fn a_refusal_says_what_the_service_said_and_what_to_do() {
        let body = "{\"error\": {\"message\": \"no model\\n`x`\"}}";
        let error = refusal(404, "Not Found", body, "http://h/v1/chat/completions", None);
        assert_eq!(
            error.render(),
            "error: http://h/v1/chat/completions answers 404 Not Found: no model `x`\n\
             hint: check the address, which often ends in `/v1`, and the model's name"
        );
        assert_eq!(error.kind().exit_code(), 2);
        let key = Key::new("JUDGE_KEY", "secret-12345").unwrap();
        let error = refusal(401, "Unauthorized", "", "http://h", Some(&key));
        assert!(error.render().contains("answers 401 Unauthorized\nhint: check the key in `JUDGE_KEY`"), "{}", error.render());
        assert_eq!(error.kind().exit_code(), 3);
        assert_eq!(answered("http://h", 500, "Server Error", "Server Error"), "http://h answers 500 Server Error");
        assert_eq!(excerpt(&"ä ".repeat(400)).chars().count(), 301);
    }
}
