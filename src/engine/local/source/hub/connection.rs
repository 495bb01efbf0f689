//! What the Hub is asked: a file's commit, name and size; its bytes from a given one on; the names of all files.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use hf_hub::api::RepoInfo;
use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Cache, Repo};
use ureq::{Agent, RedirectAuthHeaders, Request, Response};

use super::cache::{home, path_in};
use super::refusal::Refusal;
use crate::error::{Error, Result};
use crate::tool::http::address;
use crate::tool::interrupt;

const PUBLIC: &str = "https://huggingface.co";
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may be quiet.
const QUIET: Duration = Duration::from_secs(30);
/// The pauses before a server that is too busy is asked again.
pub(super) const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// Hops that may come before the answer, where a repository has another name now.
const HOPS: usize = 5;

/// Whether the user wants no network.
pub(super) fn offline() -> bool {
    let set = |name| std::env::var(name).is_ok_and(|v| matches!(v.to_lowercase().as_str(), "1" | "true" | "yes" | "on"));
    set("HF_HUB_OFFLINE") || set("TRANSFORMERS_OFFLINE")
}

/// The Hub, with the user's token if there is one.
pub(super) struct Online {
    endpoint: String,
    token: Option<Token>,
    api: Api,
    /// Shows redirections instead of following them: they carry what identifies a file.
    hops: Agent,
    follow: Agent,
}

/// A token and where it was found. It is sent and never shown.
struct Token {
    value: String,
    found_in: String,
}

/// What the Hub says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// The commit that the revision stands for.
    pub(super) commit: String,
    /// Names the content: its SHA-256 for large files.
    pub(super) etag: String,
    /// Its length in bytes.
    pub(super) size: u64,
}

impl Online {
    /// Reads endpoint and token from the environment; nothing is sent yet.
    pub(super) fn new(cache: &Path) -> Result<Self> {
        let endpoint = endpoint()?;
        let token = Token::find()?;
        let failed = |e| Error::environment("cannot set up the connection to the Hugging Face Hub").because(e);
        let builder =
            ApiBuilder::from_cache(Cache::new(cache.to_path_buf())).with_endpoint(endpoint.clone()).with_progress(false);
        let api = builder.with_token(token.as_ref().map(|t| t.value.clone())).build().map_err(failed)?;
        let agent = || {
            let builder = ureq::builder().timeout_connect(CONNECT).timeout_read(QUIET).timeout_write(QUIET);
            builder.user_agent(concat!("subliminal/", env!("CARGO_PKG_VERSION"))).try_proxy_from_env(!is_loopback(&endpoint))
        };
        let follow = agent().redirect_auth_headers(RedirectAuthHeaders::SameHost).build();
        Ok(Self { hops: agent().redirects(0).build(), follow, endpoint, token, api })
    }

    /// The address of the Hub, without a slash at its end.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where the token that is sent was found; `None` where none is.
    pub(super) fn token_from(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.found_in.as_str())
    }

    /// The address of a file.
    pub(super) fn url(&self, repo: &Repo, file: &str) -> String {
        self.api.repo(repo.clone()).url(file)
    }

    /// Asks for what identifies a file.
    pub(super) fn metadata(&self, repo: &Repo, file: &str) -> Result<Metadata, Refusal> {
        let mut url = self.url(repo, file);
        for _ in 0..HOPS {
            let answer = patiently(|| self.prepared(&self.hops, &url).set("Range", "bytes=0-0"))?;
            let hop = answer.header("Location").filter(|_| (300..400).contains(&answer.status()) && !answer.has("x-linked-etag"));
            let Some(next) = hop.and_then(|place| self.on_the_hub(place)) else { return self.read(&answer, repo.revision()) };
            url = next;
        }
        Err(Refusal::Odd("it redirects without an end".to_owned()))
    }

    /// The address of a redirection that stays on the Hub; one that leaves it leads to a large file's bytes.
    fn on_the_hub(&self, place: &str) -> Option<String> {
        let origin = origin(&self.endpoint);
        let path = place.strip_prefix(origin).unwrap_or(place);
        path.starts_with('/').then(|| format!("{origin}{path}"))
    }

    fn read(&self, answer: &Response, revision: &str) -> Result<Metadata, Refusal> {
        let lacks = |header: &str| Refusal::Odd(format!("its answer has no header `{header}`"));
        let commit =
            answer.header("x-repo-commit").map(str::to_owned).or_else(|| is_commit(revision).then(|| revision.to_owned()));
        let commit = commit.filter(|c| is_plain(c)).ok_or_else(|| lacks("x-repo-commit"))?;
        let etag = answer.header("x-linked-etag").or_else(|| answer.header("etag")).map(bare_etag);
        let etag = etag.filter(|e| is_plain(e)).ok_or_else(|| lacks("etag"))?.to_owned();
        let size = match size(answer) {
            Some(size) => size,
            None => match answer.header("Location") {
                Some(place) => {
                    let place = self.on_the_hub(place).unwrap_or_else(|| place.to_owned());
                    let ask = || self.follow.get(&place).set("Accept-Encoding", "identity").set("Range", "bytes=0-0");
                    let linked = patiently(ask)?;
                    size(&linked).ok_or_else(|| lacks("content-range"))?
                }
                None => return Err(lacks("content-range")),
            },
        };
        Ok(Metadata { commit, etag, size })
    }

    /// A file's bytes, from byte `from` on.
    pub(super) fn bytes(&self, url: &str, from: u64) -> Result<Response, Refusal> {
        answered(self.prepared(&self.follow, url).set("Range", &format!("bytes={from}-")).call())
    }

    /// The names of a repository's files.
    pub(super) fn listing(&self, repo: &Repo) -> Result<Vec<String>, Refusal> {
        let answer = answered(self.api.repo(repo.clone()).info_request().timeout(QUIET).call())?;
        let info: RepoInfo = answer.into_json().map_err(|e| Refusal::Odd(e.to_string()))?;
        Ok(info.siblings.into_iter().map(|sibling| sibling.rfilename).collect())
    }

    fn prepared(&self, agent: &Agent, url: &str) -> Request {
        let request = agent.get(url).set("Accept-Encoding", "identity");
        match &self.token {
            Some(token) => request.set("Authorization", &format!("Bearer {}", token.value)),
            None => request,
        }
    }
}

/// Asks again after a pause where the server is too busy.
fn patiently(request: impl Fn() -> Request) -> Result<Response, Refusal> {
    for pause in PAUSES {
        match answered(request().call()) {
            Err(Refusal::Busy(_)) if interrupt::check().is_ok() => std::thread::sleep(pause),
            answer => return answer,
        }
    }
    answered(request().call())
}

fn answered(answer: Result<Response, ureq::Error>) -> Result<Response, Refusal> {
    match answer {
        Ok(response) => Ok(response),
        Err(ureq::Error::Status(status, response)) => Err(Refusal::of(status, response.header("x-error-code"))),
        Err(ureq::Error::Transport(e)) => Err(Refusal::Network(cause(&e))),
    }
}

/// Why there is no answer. The address is left out: where large files lie, it holds a signature.
fn cause(error: &ureq::Transport) -> String {
    let parts = [Some(error.kind().to_string()), error.message().map(str::to_owned), error.source().map(ToString::to_string)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn endpoint() -> Result<String> {
    let set = std::env::var("HF_ENDPOINT").unwrap_or_default();
    let endpoint = if set.trim().is_empty() { PUBLIC } else { set.trim().trim_end_matches('/') };
    // it is shown in many messages: what is secret is not for an address
    match address(endpoint) {
        Ok(_) => Ok(endpoint.to_owned()),
        Err(what) => Err(Error::input(format!("HF_ENDPOINT is {what}")).hint(format!("the public Hub is `{PUBLIC}`"))),
    }
}

/// Scheme, host and port.
fn origin(endpoint: &str) -> &str {
    let host = endpoint.find("://").map_or(0, |at| at + 3);
    endpoint[host..].find('/').map_or(endpoint, |path| &endpoint[..host + path])
}

fn is_loopback(endpoint: &str) -> bool {
    let origin = origin(endpoint);
    ["://127.", "://localhost", "://[::1]"].iter().any(|host| origin.contains(host))
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.chars().all(|c| c.is_ascii_hexdigit())
}

/// A name that may be a file's.
fn is_plain(name: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    letters && !name.is_empty() && name.len() <= 128 && !name.starts_with('.')
}

/// An entity tag without quotes and the mark of a weak one.
fn bare_etag(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// The length of a whole file, from an answer that holds some of it or leads to it.
fn size(answer: &Response) -> Option<u64> {
    let linked = answer.header("x-linked-size").and_then(|size| size.parse().ok());
    let ranged = || answer.header("content-range")?.rsplit('/').next()?.parse().ok();
    let whole = || (answer.status() == 200).then(|| answer.header("content-length")?.parse().ok()).flatten();
    linked.or_else(ranged).or_else(whole)
}

impl Token {
    /// The user's token: `HF_TOKEN`, else the file that `hf auth login` writes.
    fn find() -> Result<Option<Self>> {
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
            if let Some(token) = Self::of(&std::env::var(name).unwrap_or_default(), name)? {
                return Ok(Some(token));
            }
        }
        let Some(path) = path_in("HF_TOKEN_PATH").or_else(|| Some(home()?.join("token"))) else { return Ok(None) };
        Self::of(&std::fs::read_to_string(&path).unwrap_or_default(), &path.display().to_string())
    }

    fn of(text: &str, found_in: &str) -> Result<Option<Self>> {
        let value = text.trim();
        if value.is_empty() {
            Ok(None)
        } else if value.chars().all(|c| c.is_ascii_graphic()) {
            Ok(Some(Self { value: value.to_owned(), found_in: found_in.to_owned() }))
        } else {
            Err(Error::input(format!("what {found_in} holds is no token: it has blanks or letters that no token has"))
                .hint("a token looks like `hf_…`; make one at https://huggingface.co/settings/tokens"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_lose_their_quotes_and_may_not_leave_the_folder() {
        assert_eq!(bare_etag("\"0a1b\""), "0a1b");
        assert_eq!(bare_etag("W/\"0a1b\""), "0a1b");
        assert!(is_plain("0a1b-2.c_d"));
        for bad in ["", "..", ".hidden", "a/b", "a\\b", &"x".repeat(129)] {
            assert!(!is_plain(bad), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_the_address_without_its_path() {
        assert_eq!(origin("https://huggingface.co"), "https://huggingface.co");
        assert_eq!(origin("http://127.0.0.1:80/hub"), "http://127.0.0.1:80");
        assert!(is_loopback("http://localhost:1") && !is_loopback("https://huggingface.co"));
    }

    #[test]
    fn a_token_is_trimmed_and_must_fit_into_a_header() {
        let found = |text| Token::of(text, "HF_TOKEN").map(|t| t.map(|t| t.value));
        assert_eq!(found(" hf_abc\n").expect("a token").as_deref(), Some("hf_abc"));
        assert_eq!(found(" \n").expect("none"), None);
        let text = found("hf_abc def").expect_err("two words").render();
        assert!(text.contains("HF_TOKEN") && !text.contains("hf_abc"), "{text}");
    }
}
