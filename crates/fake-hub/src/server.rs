//! HTTP/1.1 on a listener: a thread per connection, one request after the other.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::thread;

use crate::fault::Fault;
use crate::state::{Logged, Origin, State};
use crate::{api, file_host};

/// A request's lines are not longer together, nor is its body.
const MAXIMUM_BYTES: u64 = 1024 * 1024;

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they came.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    content: Arc<[u8]>,
    /// The part of the content that is the body.
    part: Range<usize>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Response {
    /// An answer with a whole body.
    pub(crate) fn new(status: u16, content: impl Into<Arc<[u8]>>) -> Self {
        let content = content.into();
        Self {
            status,
            headers: Vec::new(),
            part: 0..content.len(),
            content,
        }
    }

    /// An answer with a part of some content as its body.
    pub(crate) fn of_part(status: u16, content: Arc<[u8]>, part: Range<usize>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content,
            part,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(&self) -> &[u8] {
        self.content.get(self.part.clone()).unwrap_or_default()
    }
}

/// Answers every connection for as long as the process lives.
pub(crate) fn serve(listener: TcpListener, origin: Origin, state: Arc<State>) {
    thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let state = Arc::clone(&state);
            // A visitor who went away is not our trouble.
            thread::spawn(move || converse(stream, origin, &state));
        }
    });
}

fn converse(stream: TcpStream, origin: Origin, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(request) = read_request(&mut reader)? {
        thread::sleep(state.options.delay);
        let fault = state.fault(origin, &request.target);
        let response = match fault {
            Some(Fault::Status(status)) => Response::new(status, *b""),
            Some(Fault::RateLimited { seconds }) => rate_limited(seconds),
            _ if origin == Origin::Hub => api::answer(state, &request, fault),
            _ => file_host::answer(state, &request, fault),
        };
        let whole = response.body();
        let body = if request.method == "HEAD" || fault == Some(Fault::Silence) {
            &[]
        } else if matches!(fault, Some(Fault::Truncate | Fault::Stall)) {
            whole.get(..whole.len() / 2).unwrap_or_default()
        } else {
            whole
        };
        state.log().push(Logged {
            origin,
            method: request.method.clone(),
            target: request.target.clone(),
            range: request.header("range").map(str::to_owned),
            authorized: request.header("authorization").is_some(),
            status: response.status,
            body_bytes: body.len() as u64,
        });
        if fault != Some(Fault::Silence) {
            write_head(&mut stream, &response)?;
            stream.write_all(body)?;
        }
        match fault {
            Some(Fault::Truncate) => return Ok(()),
            Some(Fault::Stall | Fault::Silence) => return wait_for_goodbye(&mut reader),
            _ => {}
        }
    }
    Ok(())
}

/// Says nothing until the visitor hangs up.
fn wait_for_goodbye(reader: &mut impl Read) -> io::Result<()> {
    let mut ignored = [0; 1024];
    while reader.read(&mut ignored)? > 0 {}
    Ok(())
}

fn rate_limited(seconds: u64) -> Response {
    Response::new(429, *b"")
        .with("RateLimit", format!("\"api\";r=0;t={seconds}"))
        .with("RateLimit-Policy", "\"fixed window\";\"api\";q=500;w=300")
        .with("Access-Control-Allow-Origin", "*")
}

/// The next request of a connection; none when the visitor has hung up.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut limited = reader.take(MAXIMUM_BYTES);
    let mut line = String::new();
    if limited.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next(), words.next());
    let (Some(method), Some(target)) = (method, target) else {
        return Ok(None);
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        limited.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        method,
        target,
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length");
    let length: u64 = length.and_then(|text| text.parse().ok()).unwrap_or(0);
    limited.take(length).read_to_end(&mut request.body)?;
    Ok(Some(request))
}

fn write_head(stream: &mut TcpStream, response: &Response) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} Fake\r\nContent-Length: {}\r\n",
        response.status,
        response.part.len()
    );
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())
}
