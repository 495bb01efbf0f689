//! What the Hub's answers mean, and what to do about them.

use super::connection::Online;
use crate::error::Error;

/// Why the Hub does not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The repository has no such file at this revision; or, where the Hub does not say more, not this revision, or does not exist.
    NoFile,
    /// The repository has no such revision.
    NoRevision,
    /// There is no such repository, or it is hidden from who asks.
    NoRepository,
    /// Its terms must be accepted first.
    Gated,
    /// The token is not valid, or needed and missing.
    Unauthorised,
    /// The token is valid but may not do this.
    Forbidden,
    /// Too many questions, or a server in trouble: the status.
    Busy(u16),
    /// Another status.
    Status(u16),
    /// No connection, or one that broke.
    Network(String),
    /// This is not how the Hub answers.
    Odd(String),
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// `OWNER/NAME`.
    pub(super) repo: &'a str,
    /// The branch, tag or commit that the user named.
    pub(super) revision: &'a str,
    /// The file.
    pub(super) file: &'a str,
}

impl Refusal {
    /// Reads a status and the Hub's own code beside it.
    pub(super) fn of(status: u16, code: Option<&str>) -> Self {
        match code {
            Some("EntryNotFound") => Self::NoFile,
            Some("RevisionNotFound") => Self::NoRevision,
            Some("RepoNotFound") => Self::NoRepository,
            Some("GatedRepo") => Self::Gated,
            _ => match status {
                404 => Self::NoFile,
                401 => Self::Unauthorised,
                403 => Self::Forbidden,
                429 | 500 | 502..=504 => Self::Busy(status),
                _ => Self::Status(status),
            },
        }
    }

    /// Whether the same question may be answered a moment later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Network(_))
    }

    /// What to tell the user.
    pub(super) fn error(&self, asked: &Asked<'_>, online: &Online) -> Error {
        let Asked { repo, revision, file } = asked;
        let endpoint = online.endpoint();
        let (what, hint) = explain(self, asked, endpoint, online.token_from());
        match self {
            Self::NoFile | Self::NoRevision | Self::NoRepository | Self::Gated | Self::Unauthorised | Self::Forbidden => {
                Error::environment(what).hint(hint)
            }
            _ => {
                let at = if *revision == "main" { String::new() } else { format!("@{revision}") };
                Error::environment(format!("cannot fetch `{file}` of `{repo}{at}` from {endpoint}: {what}")).hint(hint)
            }
        }
    }
}

/// The message and the hint.
fn explain(refusal: &Refusal, asked: &Asked<'_>, endpoint: &str, token: Option<&str>) -> (String, String) {
    let Asked { repo, revision, file } = asked;
    let page = format!("{endpoint}/{repo}");
    let tokens = format!("{endpoint}/settings/tokens");
    match (refusal, token) {
        (Refusal::NoFile, _) => {
            (format!("`{repo}` has no `{file}` at `{revision}`"), format!("its files are listed at {page}/tree/{revision}"))
        }
        (Refusal::NoRevision, _) => (
            format!("`{repo}` has no revision `{revision}`"),
            format!("its branches, tags and commits are listed at {page}/tree/main; without `@REVISION`, `main` is taken"),
        ),
        (Refusal::NoRepository, None) => (
            format!("there is no model `{repo}` on {endpoint}, or it is private, and no token was sent"),
            format!("check the name; for a private model set HF_TOKEN to a token from {tokens}"),
        ),
        (Refusal::NoRepository, Some(from)) => (
            format!("there is no model `{repo}` on {endpoint}, or the token from {from} may not see it"),
            "check the name, and whose token it is".to_owned(),
        ),
        (Refusal::Gated, None) => (
            format!("`{repo}` is gated, and no token was sent"),
            format!("accept its terms at {page}, then set HF_TOKEN to a token from {tokens}"),
        ),
        (Refusal::Gated, Some(from)) => (
            format!("`{repo}` is gated, and the account of the token from {from} has not been given access"),
            format!("accept its terms at {page} with that account; some owners then take a while to agree"),
        ),
        (Refusal::Unauthorised, None) => (
            format!("the Hub wants a token for `{repo}`, and none was sent"),
            format!("check the name; if it is gated or private, accept its terms at {page} and set HF_TOKEN to a token from {tokens}"),
        ),
        (Refusal::Unauthorised, Some(from)) => (
            format!("the Hub does not accept the token from {from} for `{repo}`"),
            format!("it may have expired: make a new one at {tokens}, or unset it if the model is public"),
        ),
        (Refusal::Forbidden, None) => (
            format!("the Hub forbids access to `{repo}`, and no token was sent"),
            format!("accept its terms at {page}, then set HF_TOKEN to a token from {tokens}"),
        ),
        (Refusal::Forbidden, Some(from)) => (
            format!("the token from {from} may not read `{repo}`"),
            format!("accept its terms at {page}; a fine-grained token also needs the right to read gated models ({tokens})"),
        ),
        (Refusal::Busy(429), _) => {
            ("too many requests (status 429)".to_owned(), "wait some minutes; with HF_TOKEN set the limits are higher".to_owned())
        }
        (Refusal::Busy(status), _) => (
            format!("the Hub is in trouble (status {status})"),
            "run the same command again later: what was fetched is kept".to_owned(),
        ),
        (Refusal::Status(status), _) => (format!("status {status}"), format!("check whether {page} opens in a browser")),
        (Refusal::Network(cause), _) => (
            cause.clone(),
            "check the connection and run the same command again: what was fetched is kept; HF_HUB_OFFLINE=1 uses the cache as it is, \
             a folder or a built-in model (`builtin:tiny-a`) needs no network"
                .to_owned(),
        ),
        (Refusal::Odd(how), _) => {
            (format!("this is not how the Hub answers: {how}"), "check HF_ENDPOINT, and proxies between here and there".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'static> = Asked { repo: "o/n", revision: "v1", file: "config.json" };

    #[test]
    fn the_hubs_own_code_goes_before_the_status() {
        assert_eq!(Refusal::of(401, Some("RepoNotFound")), Refusal::NoRepository);
        assert_eq!(Refusal::of(403, Some("GatedRepo")), Refusal::Gated);
        assert_eq!(Refusal::of(404, Some("RevisionNotFound")), Refusal::NoRevision);
        assert_eq!(Refusal::of(404, None), Refusal::NoFile);
        assert_eq!(Refusal::of(401, None), Refusal::Unauthorised);
        assert_eq!(Refusal::of(503, None), Refusal::Busy(503));
        assert_eq!(Refusal::of(418, Some("Teapot")), Refusal::Status(418));
    }

    #[test]
    fn every_refusal_says_what_to_do_and_whether_a_token_was_sent() {
        let said = |refusal, token| {
            let (what, hint) = explain(&refusal, &ASKED, "https://hub", token);
            format!("{what}\n{hint}")
        };
        for (refusal, token, expected) in [
            (
                Refusal::Gated,
                None,
                "`o/n` is gated, and no token was sent\naccept its terms at https://hub/o/n, then set HF_TOKEN",
            ),
            (
                Refusal::Gated,
                Some("HF_TOKEN"),
                "the token from HF_TOKEN has not been given access\naccept its terms at https://hub/o/n with",
            ),
            (Refusal::NoRepository, None, "no token was sent\ncheck the name"),
            (Refusal::NoRepository, Some("HF_TOKEN"), "the token from HF_TOKEN may not see it"),
            (
                Refusal::NoRevision,
                None,
                "`o/n` has no revision `v1`\nits branches, tags and commits are listed at https://hub/o/n/tree/main",
            ),
            (Refusal::Unauthorised, Some("/h/token"), "does not accept the token from /h/token"),
            (Refusal::Busy(429), None, "wait some minutes"),
            (Refusal::Busy(503), None, "status 503)\nrun the same command again later"),
            (Refusal::Network("Dns Failed".into()), None, "HF_HUB_OFFLINE=1"),
        ] {
            let text = said(refusal.clone(), token);
            assert!(text.contains(expected), "{refusal:?}: {text}");
        }
    }
}
