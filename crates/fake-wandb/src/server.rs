//! HTTP/1.1 on a listener: a thread per connection, one request after the other.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::Value;

use crate::api;
use crate::state::{Fault, Logged, State};

/// What is read of one request at most.
const MAX_REQUEST_BYTES: u64 = 64 * 1024 * 1024;

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
pub(crate) struct Response {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Response {
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            headers: "Content-Type: application/json\r\n".to_owned(),
            body: value.to_string().into_bytes(),
        }
    }

    fn rate_limited(seconds: u64) -> Self {
        Self {
            status: 429,
            headers: format!("Retry-After: {seconds}\r\n"),
            body: Vec::new(),
        }
    }
}

/// Answers every connection for as long as the process lives.
pub(crate) fn serve(listener: TcpListener, state: Arc<State>) {
    thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let state = Arc::clone(&state);
            // A visitor who went away is not our trouble.
            thread::spawn(move || converse(&stream, &state));
        }
    });
}

fn converse(stream: &TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut reader)? {
        let response = match state.fault(&request.path) {
            Some(Fault::Status(status)) => Some(Response::json(status, &Value::Null)),
            Some(Fault::RateLimited { seconds }) => Some(Response::rate_limited(seconds)),
            Some(Fault::HangUp) => None,
            Some(Fault::LoseAnswer) => {
                api::answer(state, &request);
                None
            }
            None => Some(api::answer(state, &request)),
        };
        state.log().push(Logged {
            path: request.path,
            body_bytes: request.body.len(),
            status: response.as_ref().map(|response| response.status),
        });
        let Some(response) = response else {
            return Ok(());
        };
        write(stream, &response)?;
    }
    Ok(())
}

/// The next request of a connection; none when the visitor has hung up.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut limited = reader.take(MAX_REQUEST_BYTES);
    let mut line = String::new();
    limited.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let path = target.split('?').next().unwrap_or_default();
    let (method, path) = (method.to_owned(), path.to_owned());
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
        path,
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length");
    let length: u64 = length.and_then(|text| text.parse().ok()).unwrap_or(0);
    limited.take(length).read_to_end(&mut request.body)?;
    Ok(Some(request))
}

fn write(mut stream: &TcpStream, response: &Response) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {} Fake\r\nContent-Length: {}\r\n{}\r\n",
        response.status,
        response.body.len(),
        response.headers
    );
    stream.write_all(&[head.as_bytes(), &response.body].concat())
}
