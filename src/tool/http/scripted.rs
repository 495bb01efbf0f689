//! A server on loopback that does what its script says, for tests: it answers, limits, hangs, breaks off or hangs up.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What is done with one request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A whole reply.
    Reply { status: u16, headers: Vec<(String, String)>, body: String },
    /// Headers that promise more than what follows, then the end.
    BreaksOff(String),
    /// Nothing, for as long as the client waits.
    Hang,
    /// The end, without a word.
    Close,
}

impl Act {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Reply { status: 200, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Reply { status, headers: Vec::new(), body: String::new() }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Which request it is, from 0.
    pub(crate) number: usize,
    /// How often the same body came before.
    pub(crate) time: usize,
    /// The request line and the headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

type Script = dyn Fn(&Asked) -> Act + Send + Sync;

struct Shared {
    script: Box<Script>,
    slow: Duration,
    asked: Mutex<Vec<Asked>>,
    times: Mutex<HashMap<String, usize>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    over: AtomicBool,
}

/// A running server; it ends when it is dropped.
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Scripted {
    pub(crate) fn start(script: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        Self::slow(Duration::ZERO, script)
    }

    /// A server that takes `slow` for each request.
    pub(crate) fn slow(slow: Duration, script: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            slow,
            asked: Mutex::default(),
            times: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let address = listener.local_addr().expect("it is bound");
        let server = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if server.over.load(Ordering::SeqCst) {
                    break;
                }
                let server = server.clone();
                thread::spawn(move || server.serve(&stream));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far, in the order in which they came.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("no script panics").clone()
    }

    /// The most requests that were served side by side.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address)); // wakes the listener
    }
}

impl Shared {
    /// Serves one connection until either side ends it.
    fn serve(&self, stream: &TcpStream) {
        // a test that goes wrong ends all the same
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let mut lines = BufReader::new(stream);
        while let Some(asked) = self.read(&mut lines) {
            let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
            thread::sleep(self.slow);
            let act = (self.script)(&asked);
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            if matches!(act, Act::Hang) {
                self.hang(stream); // not counted: the client gives up before this is noticed here
            }
            if !write(stream, &act) {
                return;
            }
        }
    }

    fn read(&self, lines: &mut BufReader<&TcpStream>) -> Option<Asked> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if lines.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        lines.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).ok()?;
        let mut times = self.times.lock().expect("no script panics");
        let time = times.entry(body.clone()).or_default();
        let mut all = self.asked.lock().expect("no script panics");
        let asked = Asked { number: all.len(), time: *time, head, body };
        *time += 1;
        all.push(asked.clone());
        Some(asked)
    }

    /// Until the client has gone, the server is over, or a test has surely gone wrong.
    fn hang(&self, stream: &TcpStream) {
        let end = Instant::now() + Duration::from_secs(20);
        stream.set_nonblocking(true).expect("a mode");
        while !self.over.load(Ordering::SeqCst) && Instant::now() < end && !matches!(stream.peek(&mut [0]), Ok(0)) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether the connection goes on.
fn write(mut stream: &TcpStream, act: &Act) -> bool {
    let reply = match act {
        Act::Reply { status, headers, body } => {
            let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let reason = match status {
                200 => "OK",
                404 => "Not Found",
                429 => "Too Many Requests",
                502 => "Bad Gateway",
                _ => "Status",
            };
            format!("HTTP/1.1 {status} {reason}\r\n{}Content-Length: {}\r\n\r\n{body}", headers.concat(), body.len())
        }
        Act::BreaksOff(start) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{start}", start.len() + 100),
        Act::Hang | Act::Close => return false,
    };
    stream.write_all(reply.as_bytes()).is_ok() && matches!(act, Act::Reply { .. })
}
