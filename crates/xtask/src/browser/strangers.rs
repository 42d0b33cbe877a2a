//! Requests to hosts other than this machine.
//!
//! The browser is told that the way to every other host leads through a proxy on loopback. This
//! proxy passes nothing on and keeps a list. So nothing escapes, and nothing is missed: web
//! workers, redirects, prefetches and names that do not resolve come by as well, which the events
//! of a tab's DevTools do not all report.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

/// Whose hosts Chromium itself asks whatever its flags say: for updates, the time, who is signed in.
const ITS_OWN: &[&str] = &["google.com", "googleapis.com", "gvt1.com"];

/// The list of requests to other hosts.
pub(super) struct Strangers {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Strangers {
    /// Listens from a thread of its own for as long as the process lives.
    pub(super) fn watch() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .context("cannot listen on a port of this machine")?;
        let address = listener.local_addr()?;
        let requests = Arc::default();
        let list = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                note(&list, stream);
            }
        });
        Ok(Self { address, requests })
    }

    /// The browser's flag that leads other hosts here. It uses no proxy for loopback.
    pub(super) fn flag(&self) -> String {
        format!("--proxy-server=http://{}", self.address)
    }

    /// The first lines of the requests since the last call.
    pub(super) fn requests(&self) -> Vec<String> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *requests)
    }
}

fn note(list: &Mutex<Vec<String>>, mut stream: TcpStream) {
    let mut line = String::new();
    let read = BufReader::new((&stream).take(4096)).read_line(&mut line);
    // A connection that says nothing asks for nothing.
    if read.is_ok() && host(&line).is_some_and(|host| !is_its_own(host)) {
        let mut requests = list.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(line.trim_end().to_owned());
    }
    let _ = stream.write_all(b"HTTP/1.1 502 No Way Out\r\nContent-Length: 0\r\n\r\n");
}

fn is_its_own(host: &str) -> bool {
    let mut owners = ITS_OWN.iter();
    owners.any(|owner| {
        host.strip_suffix(owner)
            .is_some_and(|rest| rest.ends_with('.'))
    })
}

/// The host of `CONNECT host:443 HTTP/1.1` or `GET http://host/path HTTP/1.1`.
fn host(line: &str) -> Option<&str> {
    let target = line.split(' ').nth(1)?;
    let authority = target.split_once("://").map_or(target, |(_, rest)| rest);
    authority.split(['/', ':', '?']).next()
}

#[cfg(test)]
mod tests {
    use super::{host, is_its_own};

    #[test]
    fn hosts_of_chromium_s_own() {
        assert!(is_its_own("update.googleapis.com"));
        assert!(!is_its_own("evilgoogle.com"));
        assert!(!is_its_own("a.example"));
    }

    #[test]
    fn the_host_of_a_request_to_a_proxy() {
        assert_eq!(host("CONNECT a.example:443 HTTP/1.1"), Some("a.example"));
        assert_eq!(host("GET http://a.example/b?c HTTP/1.1"), Some("a.example"));
        assert_eq!(
            host("GET http://a.example:8000/ HTTP/1.1"),
            Some("a.example")
        );
        assert_eq!(host(""), None);
    }
}
