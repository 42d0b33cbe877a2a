//! A client that says exactly what it is told to, however odd.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked.
pub(crate) struct Ask {
    address: SocketAddr,
    head: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    has_host: bool,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Asks a server; the path goes out as it is.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str) -> Ask {
    Ask {
        address,
        head: format!("{method} {path} HTTP/1.1"),
        headers: Vec::new(),
        body: Vec::new(),
        has_host: true,
    }
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.has_host &= !name.eq_ignore_ascii_case("host");
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without_host(mut self) -> Self {
        self.has_host = false;
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.body(value.to_string())
    }

    /// Sends it, and gives the connection.
    pub(crate) fn start(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = format!("{}\r\n", self.head);
        if self.has_host {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "Connection: close\r\n\r\n";
        stream.write_all(text.as_bytes()).unwrap();
        // A server may answer and hang up before it has heard all.
        let _ = stream.write_all(&self.body);
        stream
    }

    /// Sends it, and reads the answer.
    pub(crate) fn send(&self) -> Reply {
        Reply::read(self.start())
    }

    /// Sends it, and reads its events.
    pub(crate) fn events(&self) -> Events {
        let mut reader = BufReader::new(self.start());
        let (status, headers) = head(&mut reader);
        assert_eq!(status, 200, "{headers:?}");
        assert_eq!(headers["content-type"], "text/event-stream");
        let lines = BufReader::new(Chunked {
            reader,
            left: 0,
            is_over: false,
        });
        Events { lines }
    }
}

impl Reply {
    pub(crate) fn read(stream: TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let (status, headers) = head(&mut reader);
        let mut body = Vec::new();
        if headers
            .get("transfer-encoding")
            .is_some_and(|coding| coding == "chunked")
        {
            let mut chunked = Chunked {
                reader,
                left: 0,
                is_over: false,
            };
            chunked.read_to_end(&mut body).unwrap();
        } else {
            reader.read_to_end(&mut body).unwrap();
        }
        Self {
            status,
            headers,
            body,
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    /// Asserts that it is refused in words that have these in them.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, words: &[&str]) -> Self {
        let reply = self.expect(status);
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        for word in words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
        reply
    }
}

fn head(reader: &mut impl BufRead) -> (u16, BTreeMap<String, String>) {
    let mut lines = reader.lines();
    let first = lines.next().expect("an answer").unwrap();
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = BTreeMap::new();
    for line in lines
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
    {
        let (name, value) = line.split_once(": ").unwrap();
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    (status, headers)
}

/// A body that comes in pieces, each with its length before it.
struct Chunked {
    reader: BufReader<TcpStream>,
    left: usize,
    is_over: bool,
}

impl Read for Chunked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 && !self.is_over {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                // Behind a piece.
                line.clear();
                self.reader.read_line(&mut line)?;
            }
            self.left = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
            self.is_over = self.left == 0;
        }
        let length = buffer.len().min(self.left);
        let read = self.reader.read(&mut buffer[..length])?;
        self.left -= read;
        Ok(read)
    }
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

/// Server-sent events, until the stream ends.
pub(crate) struct Events {
    lines: BufReader<Chunked>,
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let mut event = Event {
            name: String::new(),
            id: None,
            data: Value::Null,
        };
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("id", id)) => event.id = Some(id.to_owned()),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                // A sign of life is an empty comment.
                None if event.name.is_empty() => {}
                _ => return Some(event),
            }
        }
    }
}
