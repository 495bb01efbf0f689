//! A Hub on this machine's loopback: it serves checkpoints as the Hugging Face Hub does, notes what it was asked, and fails when told to.
//!
//! Weights are served as the Hub serves large files: the address of the file redirects to another host, which must never see the token.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

/// More connections than any test makes: a client that asks for ever is found out.
const LIMIT: usize = 500;

/// A server that stops when it is dropped.
pub(crate) struct Hub {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    stopped: AtomicBool,
}

/// What is served, and how.
#[derive(Default)]
pub(crate) struct State {
    /// The commits of `OWNER/NAME` by branch, tag or commit.
    revisions: BTreeMap<(String, String), String>,
    /// The files of a commit.
    commits: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// Who may read: everybody, where it is absent.
    pub(crate) token: Option<String>,
    /// After so many bytes of a file the connection is cut, once, and the server is then gone until this is `false`.
    pub(crate) cut: Option<(String, usize)>,
    /// Every connection is dropped.
    pub(crate) gone: bool,
    /// After so many bytes of a file nothing more comes, and the connection stays open.
    pub(crate) stall: Option<(String, usize)>,
    /// Bytes that a file is said to have more than it has.
    pub(crate) overstated: Option<(String, usize)>,
    /// A file whose last byte arrives changed.
    pub(crate) damaged: Option<String>,
    /// Whole files are sent, whatever range was asked for.
    pub(crate) without_ranges: bool,
    /// How long the bytes of a file take.
    pub(crate) pace: Duration,
    /// Every request for a file's bytes.
    pub(crate) sent: Vec<Sent>,
    /// Every `Authorization` that came, by the host it was meant for.
    pub(crate) authorizations: Vec<(String, Option<String>)>,
}

/// One answer that held bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) file: String,
    /// The first byte that was asked for.
    pub(crate) from: usize,
    /// How many bytes went out.
    pub(crate) bytes: usize,
}

impl Hub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared { state: Mutex::default(), stopped: AtomicBool::new(false) });
        let of_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().take(LIMIT) {
                if of_thread.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&of_thread)) else { continue };
                std::thread::spawn(move || drop(serve(&stream, &shared, port)));
            }
        });
        Self { port, shared, accepting: Some(accepting) }
    }

    /// Puts files at `revision` of `repo`, under a commit that is returned.
    pub(crate) fn publish(&self, repo: &str, revision: &str, files: &BTreeMap<String, Vec<u8>>) -> String {
        let content: Vec<u8> = files.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes].concat()).collect();
        let commit = hash(&[repo.as_bytes(), &content].concat())[..40].to_owned();
        let mut state = self.state();
        state.commits.insert(commit.clone(), files.clone());
        for revision in [revision, &commit] {
            state.revisions.insert((repo.to_owned(), revision.to_owned()), commit.clone());
        }
        commit
    }

    /// The address for `HF_ENDPOINT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no test thread panics while it holds the state")
    }

    /// Every answer that held bytes of `file`.
    pub(crate) fn sent(&self, file: &str) -> Vec<Sent> {
        self.state().sent.iter().filter(|sent| sent.file == file).cloned().collect()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port)); // wakes the thread that accepts
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

/// What was asked.
struct Request {
    /// `HEAD`: an answer without a body.
    bare: bool,
    path: String,
    host: String,
    from: Option<usize>,
    /// `bytes=0-0`: only the headers are of interest.
    probe: bool,
    authorization: Option<String>,
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let path = first.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
    let mut request =
        Request { bare: first.starts_with("HEAD "), path, host: String::new(), from: None, probe: false, authorization: None };
    for line in lines.take(50) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.to_lowercase().as_str() {
            "host" => value.clone_into(&mut request.host),
            "authorization" => request.authorization = Some(value.to_owned()),
            "range" => {
                let from = value.strip_prefix("bytes=").and_then(|range| range.split('-').next()?.parse().ok());
                (request.from, request.probe) = (from, value == "bytes=0-0");
            }
            _ => {}
        }
    }
    Ok(request)
}

fn serve(stream: &TcpStream, shared: &Shared, port: u16) -> std::io::Result<()> {
    let request = read(stream)?;
    let mut state = shared.state.lock().expect("no thread panics while it holds the state");
    if state.gone {
        return Ok(());
    }
    state.authorizations.push((request.host.clone(), request.authorization.clone()));
    match route(&request.path) {
        Route::Content(wanted) => {
            let found = state.commits.values().flatten().find(|(_, bytes)| hash(bytes) == wanted);
            let Some((file, bytes)) = found.map(|(file, bytes)| (file.clone(), bytes.clone())) else {
                return refuse(stream, 404, None);
            };
            send(stream, state, &request, &file, &bytes, "")
        }
        Route::Info { repo, revision } => match state.commit(&repo, &revision) {
            Ok(commit) => {
                let siblings: Vec<_> = state.commits[&commit].keys().map(|name| json!({"rfilename": name})).collect();
                let body = json!({"id": repo, "sha": commit, "siblings": siblings}).to_string();
                let mut stream = head(stream, "200 OK", body.len(), "Content-Type: application/json\r\n")?;
                stream.write_all(body.as_bytes())
            }
            Err((status, code)) => refuse(stream, status, Some(code)),
        },
        Route::File { repo, revision, file } => match state.file(&repo, &revision, &file, request.authorization.as_deref()) {
            Ok((commit, bytes)) => resolve(stream, state, &request, (&commit, &file, &bytes), port),
            Err((status, code)) => refuse(stream, status, Some(code)),
        },
    }
}

/// Why something is not served: the status, and the Hub's own word for it.
type No = (u16, &'static str);

impl State {
    fn commit(&self, repo: &str, revision: &str) -> Result<String, No> {
        let known = self.revisions.keys().any(|(name, _)| name == repo);
        let commit = self.revisions.get(&(repo.to_owned(), revision.to_owned()));
        commit.cloned().ok_or(if known { (404, "RevisionNotFound") } else { (401, "RepoNotFound") })
    }

    /// The commit and the bytes of a file.
    fn file(&self, repo: &str, revision: &str, file: &str, authorization: Option<&str>) -> Result<(String, Vec<u8>), No> {
        let commit = self.commit(repo, revision)?;
        if let Some(token) = &self.token
            && authorization != Some(&format!("Bearer {token}"))
        {
            return Err((if authorization.is_some() { 403 } else { 401 }, "GatedRepo"));
        }
        let bytes = self.commits[&commit].get(file).cloned().ok_or((404, "EntryNotFound"))?;
        Ok((commit, bytes))
    }
}

/// Sends a small file, and for weights the address where they lie.
fn resolve(
    stream: &TcpStream,
    state: MutexGuard<'_, State>,
    request: &Request,
    (commit, file, bytes): (&str, &str, &[u8]),
    port: u16,
) -> std::io::Result<()> {
    let (hash, commit) = (hash(bytes), format!("X-Repo-Commit: {commit}\r\n"));
    if !file.ends_with(".safetensors") {
        return send(stream, state, request, file, bytes, &format!("{commit}ETag: \"{}\"\r\n", &hash[..40]));
    }
    let size = bytes.len() + state.overstated.as_ref().filter(|(name, _)| *name == file).map_or(0, |(_, more)| *more);
    let place = format!("Location: http://localhost:{port}/cdn/{hash}\r\n");
    let linked = format!("{commit}X-Linked-Etag: \"{hash}\"\r\nX-Linked-Size: {size}\r\n{place}");
    head(stream, "302 Found", 0, &linked).map(drop)
}

/// What a path leads to.
enum Route {
    /// `/cdn/SHA256`
    Content(String),
    /// `/api/models/OWNER/NAME/revision/REVISION`
    Info { repo: String, revision: String },
    /// `/OWNER/NAME/resolve/REVISION/FILE`
    File { repo: String, revision: String, file: String },
}

fn route(path: &str) -> Route {
    let path = path.replace("%2F", "/");
    if let Some(hash) = path.strip_prefix("/cdn/") {
        return Route::Content(hash.to_owned());
    }
    if let Some((repo, revision)) = path.strip_prefix("/api/models/").and_then(|rest| rest.split_once("/revision/")) {
        return Route::Info { repo: repo.to_owned(), revision: revision.to_owned() };
    }
    let (repo, rest) = path.trim_start_matches('/').split_once("/resolve/").unwrap_or_default();
    let (revision, file) = rest.rsplit_once('/').unwrap_or_default();
    Route::File { repo: repo.to_owned(), revision: revision.to_owned(), file: file.to_owned() }
}

fn head<'a>(mut stream: &'a TcpStream, status: &str, length: usize, headers: &str) -> std::io::Result<&'a TcpStream> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n")?;
    Ok(stream)
}

fn refuse(stream: &TcpStream, status: u16, code: Option<&str>) -> std::io::Result<()> {
    let code = code.map(|code| format!("X-Error-Code: {code}\r\n")).unwrap_or_default();
    head(stream, &format!("{status} No"), 0, &code).map(drop)
}

fn send(
    stream: &TcpStream,
    mut state: MutexGuard<'_, State>,
    request: &Request,
    file: &str,
    bytes: &[u8],
    headers: &str,
) -> std::io::Result<()> {
    let ranged = request.from.filter(|_| request.probe || !state.without_ranges);
    let from = ranged.unwrap_or(0);
    if from > 0 && from >= bytes.len() {
        return refuse(stream, 416, None);
    }
    let to = if request.probe { bytes.len().min(1) } else { bytes.len() };
    let mut body = bytes[from..to].to_vec();
    let limit = |what: &Option<(String, usize)>| {
        what.as_ref().filter(|(name, at)| name == file && !request.probe && from < *at).map(|(_, at)| *at - from)
    };
    let (cut, stall) = (limit(&state.cut), limit(&state.stall));
    if cut.is_some() {
        (state.cut, state.gone) = (None, true);
    }
    if state.damaged.as_deref() == Some(file)
        && let Some(last) = body.last_mut()
    {
        *last ^= 1;
    }
    let sent = cut.or(stall).unwrap_or(body.len());
    if !request.probe && !request.bare {
        state.sent.push(Sent { file: file.to_owned(), from, bytes: sent });
    }
    let pace = if request.probe { Duration::ZERO } else { state.pace };
    drop(state);
    let range = format!("Content-Range: bytes {from}-{}/{}\r\n", to.max(1) - 1, bytes.len());
    let (status, range) = if ranged.is_some() { ("206 Partial Content", range.as_str()) } else { ("200 OK", "") };
    let mut stream = head(stream, status, body.len(), &format!("{headers}{range}"))?;
    std::thread::sleep(pace);
    if !request.bare {
        stream.write_all(&body[..sent])?;
    }
    if stall.is_some() {
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let _ = std::io::Read::read(&mut stream, &mut [0]); // until the client goes away, or the time is up
    }
    Ok(())
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
