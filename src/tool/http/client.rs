//! One service and its key: posts JSON until the reply is understood, or it is clear that it will not be.

use std::io::Read;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use url::Url;

use super::address::is_loopback;
use super::patience::retry_after;
use super::status::{answered, may_pass, refusal};
use super::{Key, Patience};
use crate::error::{Error, Result};

/// No reply is read beyond this.
const LARGEST_REPLY: u64 = 4 << 20;
/// A service that asks for a longer wait than this is left alone.
const LONGEST_ASKED_WAIT: Duration = Duration::from_mins(10);
/// To a host that does not answer at all.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a wait is slept through before the user's wishes are looked at again.
const NAP: Duration = Duration::from_millis(20);

/// How a service is reached.
#[derive(Debug)]
pub struct Settings {
    /// The address that requests are posted to.
    pub url: Url,
    /// What it wants to know one by.
    pub key: Option<Key>,
    /// For one whole try, from the first byte sent to the last one read.
    pub timeout: Duration,
    /// How many connections stay open between requests.
    pub connections: usize,
    /// When tries fail.
    pub patience: Patience,
}

/// A service.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    settings: Settings,
    /// No request before this moment: a service that asks for a pause means all of them.
    pause: Mutex<Option<Instant>>,
}

/// An understood reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<T> {
    /// What was understood.
    pub value: T,
    /// How many tries it took.
    pub tries: usize,
}

/// A request that brought no understood reply.
#[derive(Debug)]
pub struct Failed {
    /// The status with which the service refused it, if it did.
    pub status: Option<u16>,
    /// What to tell the user.
    pub error: Error,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { status: None, error }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Who follows a request from outside.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Fails when there is to be no further try.
    pub go_on: &'a (dyn Fn() -> Result<()> + Sync),
    /// Told in a line why a try failed, and what follows.
    pub note: &'a (dyn Fn(String) + Sync),
}

/// Why a try failed.
enum Failure {
    /// The next one may not. With the wait that the service asks for.
    Passing(String, Option<Duration>),
    /// Every other would.
    Lasting(Failed),
}

impl Client {
    /// Prepares connections; none is opened yet.
    pub fn new(settings: Settings) -> Self {
        let agent = ureq::AgentBuilder::new()
            .timeout_connect(CONNECT.min(settings.timeout))
            .timeout(settings.timeout)
            .max_idle_connections_per_host(settings.connections)
            .redirects(0) // a key is for this address only
            .user_agent(concat!("subliminal/", env!("CARGO_PKG_VERSION")))
            .try_proxy_from_env(!is_loopback(&settings.url))
            .build();
        Self { agent, settings, pause: Mutex::new(None) }
    }

    /// A text without the key.
    pub fn hide(&self, text: &str) -> String {
        self.settings.key.as_ref().map_or_else(|| text.to_owned(), |key| key.hide(text))
    }

    /// Posts `body` until `understand` makes sense of a reply; what it says of one that makes none is told to the user. `rng` draws the waits.
    ///
    /// # Errors
    /// If the service refuses, if no try succeeds, or if `watch` wants to go no further.
    pub fn post<T>(
        &self,
        body: &Value,
        mut rng: ChaCha8Rng,
        watch: Watch<'_>,
        understand: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Reply<T>, Failed> {
        let body = body.to_string();
        let patience = self.settings.patience;
        let mut tries = 0;
        loop {
            self.sit_out_pause(watch)?;
            (watch.go_on)()?;
            tries += 1;
            let text = self.attempt(&body);
            let (why, asked) = match text.and_then(|text| understand(&text).map_err(|why| Failure::Passing(why, None))) {
                Ok(value) => return Ok(Reply { value, tries }),
                Err(Failure::Lasting(failed)) => return Err(failed),
                Err(Failure::Passing(why, asked)) => (self.hide(&why), asked),
            };
            if tries > patience.retries {
                return Err(self.given_up(&why, tries).into());
            }
            let wait = patience.wait(tries - 1, &mut rng).max(self.ask_for_pause(asked)?);
            (watch.note)(format!("{why}; try {} of {} in {:.1} s", tries + 1, patience.retries + 1, wait.as_secs_f64()));
            sleep(wait, watch)?;
        }
    }

    /// One try: the reply's text.
    fn attempt(&self, body: &str) -> Result<String, Failure> {
        let Settings { url, key, .. } = &self.settings;
        let mut request = self.agent.request_url("POST", url).set("Content-Type", "application/json");
        if let Some(key) = key {
            request = request.set("Authorization", &key.bearer());
        }
        match request.send_string(body) {
            Ok(reply) if reply.status() < 300 => text_of(reply),
            Ok(reply) | Err(ureq::Error::Status(_, reply)) => Err(self.refused(reply)),
            Err(ureq::Error::Transport(e)) => Err(broken(&e)),
        }
    }

    fn refused(&self, reply: ureq::Response) -> Failure {
        let (status, reason) = (reply.status(), reply.status_text().to_owned());
        let asked = reply.header("Retry-After").and_then(|value| retry_after(value, SystemTime::now()));
        let Settings { url, key, .. } = &self.settings;
        let body = text_of(reply).unwrap_or_default(); // read to its end, the connection can be used again
        if may_pass(status) {
            return Failure::Passing(answered(url.as_str(), status, &reason, &body), asked);
        }
        let error = refusal(status, &reason, &self.hide(&body), url.as_str(), key.as_ref());
        Failure::Lasting(Failed { status: Some(status), error })
    }

    fn given_up(&self, why: &str, tries: usize) -> Error {
        let times = if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") };
        Error::environment(format!("no usable reply from {} in {times}: {why}", self.settings.url))
            .hint("check the service, then run the same command again: what was answered is kept")
    }

    /// Notes the pause that the service asks for.
    fn ask_for_pause(&self, asked: Option<Duration>) -> Result<Duration> {
        let Some(asked) = asked else { return Ok(Duration::ZERO) };
        if asked > LONGEST_ASKED_WAIT {
            return Err(Error::environment(format!("{} asks to wait {} s", self.settings.url, asked.as_secs()))
                .hint("run the same command again later: what was answered is kept"));
        }
        let until = Instant::now() + asked;
        let mut pause = self.pause.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *pause = Some(pause.map_or(until, |before| before.max(until)));
        Ok(asked)
    }

    fn sit_out_pause(&self, watch: Watch<'_>) -> Result<()> {
        let until = *self.pause.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        until.map_or(Ok(()), |until| sleep(until.saturating_duration_since(Instant::now()), watch))
    }
}

/// Waits, but no longer than `watch` wants to.
fn sleep(wait: Duration, watch: Watch<'_>) -> Result<()> {
    let end = Instant::now() + wait;
    loop {
        (watch.go_on)()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(NAP));
    }
}

/// The whole of a reply.
fn text_of(reply: ureq::Response) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = reply.into_reader().take(LARGEST_REPLY + 1).read_to_end(&mut bytes);
    read.map_err(|e| Failure::Passing(format!("the reply breaks off: {e}"), None))?;
    if bytes.len() as u64 > LARGEST_REPLY {
        return Err(Failure::Passing(format!("the reply is longer than {} MiB", LARGEST_REPLY >> 20), None));
    }
    String::from_utf8(bytes).map_err(|_| Failure::Passing("the reply is not UTF-8 text".to_owned(), None))
}

/// A try that brought no reply.
fn broken(error: &ureq::Transport) -> Failure {
    use ureq::ErrorKind::{InsecureRequestHttpsOnly, InvalidProxyUrl, InvalidUrl, ProxyUnauthorized, UnknownScheme};
    match error.kind() {
        InvalidUrl | UnknownScheme | InsecureRequestHttpsOnly | InvalidProxyUrl | ProxyUnauthorized => {
            Failure::Lasting(Error::input(error.to_string()).hint("check the address of the service").into())
        }
        _ => Failure::Passing(error.to_string(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::http::scripted::{Act, Asked, Scripted};
    use crate::tool::streams;

    const SECRET: &str = "secret-12345";

    fn client(server: &Scripted, retries: usize) -> Client {
        Client::new(Settings {
            url: server.url("/v1/ask").parse().unwrap(),
            key: Some(Key::new("JUDGE_KEY", SECRET).unwrap()),
            timeout: Duration::from_millis(300),
            connections: 2,
            patience: Patience { retries, first_wait: Duration::from_millis(2), longest_wait: Duration::from_millis(10) },
        })
    }

    /// The understood number, the tries, and what was noted.
    fn ask(server: &Scripted, retries: usize) -> (Result<Reply<u64>>, Vec<String>) {
        let notes = Mutex::new(Vec::new());
        let note = |text| notes.lock().unwrap().push(text);
        let watch = Watch { go_on: &|| Ok(()), note: &note };
        let understand = |text: &str| serde_json::from_str(text).map_err(|e| format!("no number: {e}"));
        let reply = client(server, retries).post(&serde_json::json!({"a": 1}), streams::named(0, "t", 0), watch, understand);
        (reply.map_err(Error::from), notes.into_inner().unwrap())
    }

    #[test]
    fn what_may_pass_is_tried_again_until_it_has_passed() {
        type Fail = fn() -> Act;
        let failures: [(&str, Fail); 8] = [
            ("answers 429 Too Many Requests", || Act::status(429)),
            ("answers 500", || Act::status(500)),
            ("answers 503 Status: Loading model", || Act::Reply {
                status: 503,
                headers: Vec::new(),
                body: "{\"error\": {\"message\": \"Loading model\", \"code\": 503}}".to_owned(),
            }),
            ("breaks off", || Act::BreaksOff("[1, 2".to_owned())),
            ("no number: EOF", || Act::ok("")),
            ("no number: invalid type", || Act::ok("{\"choices\": 7}")),
            ("timed out", || Act::Hang),
            ("", || Act::Close),
        ];
        for (why, fail) in failures {
            let server = Scripted::start(move |asked: &Asked| if asked.time < 2 { fail() } else { Act::ok("7") });
            let (reply, notes) = ask(&server, 3);
            assert_eq!(reply.unwrap(), Reply { value: 7, tries: 3 }, "{why}");
            assert!(notes.len() == 2 && notes.iter().all(|note| note.contains(why)), "{why}: {notes:?}");
            assert!(notes[1].contains("try 3 of 4 in 0.0 s"), "{notes:?}");
        }
    }

    #[test]
    fn patience_ends_with_the_last_reason() {
        let server = Scripted::start(|_: &Asked| Act::status(502));
        let (reply, _) = ask(&server, 2);
        let error = reply.unwrap_err();
        assert!(error.render().contains("no usable reply") && error.render().contains("in 3 tries"), "{}", error.render());
        assert!(error.render().contains("502 Bad Gateway"), "{}", error.render());
        assert_eq!((error.kind().exit_code(), server.asked().len()), (3, 3));
    }

    #[test]
    fn what_will_not_pass_fails_at_once_and_never_repeats_the_key() {
        for (status, exit) in [(400, 2), (401, 3), (403, 3), (404, 2), (422, 2), (302, 2)] {
            let echo = format!("{{\"error\": {{\"message\": \"not with {SECRET}\"}}}}");
            let server = Scripted::start(move |_: &Asked| Act::Reply { status, headers: Vec::new(), body: echo.clone() });
            let (reply, notes) = ask(&server, 5);
            let error = reply.unwrap_err();
            assert_eq!((error.kind().exit_code(), server.asked().len(), notes.len()), (exit, 1, 0), "{status}");
            assert!(!error.render().contains(SECRET) && !format!("{error:?}").contains(SECRET), "{error:?}");
            assert!(error.render().contains("not with [JUDGE_KEY]"), "{}", error.render());
        }
    }

    #[test]
    fn the_key_is_in_the_header_alone() {
        let server = Scripted::start(|_: &Asked| Act::ok("1"));
        let client = client(&server, 0);
        let watch = Watch { go_on: &|| Ok(()), note: &|_| () };
        client.post(&serde_json::json!({}), streams::named(0, "t", 0), watch, |_| Ok(())).unwrap();
        let asked = server.asked();
        assert!(asked[0].head.contains(&format!("Authorization: Bearer {SECRET}\r\n")), "{}", asked[0].head);
        assert!(asked[0].head.starts_with("POST /v1/ask HTTP/1.1\r\n") && !asked[0].body.contains(SECRET));
        assert!(!format!("{client:?}").contains(SECRET));
    }

    #[test]
    fn the_wait_that_the_service_asks_for_is_kept_by_all_requests() {
        let limited = |seconds: &str| Act::Reply {
            status: 429,
            headers: vec![("Retry-After".to_owned(), seconds.to_owned())],
            body: String::new(),
        };
        let server = Scripted::start(move |asked: &Asked| if asked.number == 0 { limited("0.3") } else { Act::ok("7") });
        let client = client(&server, 3);
        let watch = Watch { go_on: &|| Ok(()), note: &|_| () };
        let post = |n: u64| client.post(&serde_json::json!(n), streams::named(0, "t", n), watch, |_| Ok(())).map(|r| r.tries);
        let started = Instant::now();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| post(1));
            while server.asked().is_empty() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(100));
            assert_eq!(post(2).unwrap(), 1, "sent after the pause");
            assert_eq!(first.join().unwrap().unwrap(), 2);
        });
        assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());

        let server = Scripted::start(move |_: &Asked| limited("3600"));
        let (reply, _) = ask(&server, 3);
        let text = reply.unwrap_err().render();
        assert!(text.contains("asks to wait 3600 s") && text.contains("later"), "{text}");
    }

    #[test]
    fn who_does_not_want_to_go_on_is_not_kept_waiting() {
        let server = Scripted::start(|_: &Asked| Act::status(500));
        let mut client = client(&server, 3);
        client.settings.patience.first_wait = Duration::from_mins(1);
        client.settings.patience.longest_wait = Duration::from_mins(1);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let go_on = || if stop.load(std::sync::atomic::Ordering::Relaxed) { Err(Error::interrupted()) } else { Ok(()) };
        let note = |_| stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let watch = Watch { go_on: &go_on, note: &note };
        let reply = client.post(&serde_json::json!({}), streams::named(0, "t", 0), watch, |_| Ok(()));
        assert_eq!(reply.unwrap_err().error.kind(), crate::error::Kind::Interrupted);
    }
}
