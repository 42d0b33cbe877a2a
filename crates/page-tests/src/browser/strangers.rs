//! Requests to hosts other than this machine.
//!
//! The browser is told that the way to every other host leads through a proxy on loopback. This
//! proxy passes nothing on and keeps a list. So nothing escapes, and nothing is missed: web
//! workers, redirects, prefetches and names that do not resolve come by as well, which the events
//! of a tab's DevTools do not all report.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ckptscope_loopback::{Delivery, HttpRequest, HttpResponse, Port};

/// What is read of a request at most: more of it does not matter.
const LIMIT_BYTES: u64 = 64 * 1024;

/// Whose hosts Chromium itself asks whatever its flags say: for updates, the time, who is signed in.
const ITS_OWN: &[&str] = &["google.com", "googleapis.com", "gvt1.com"];

/// The list of requests to other hosts.
pub(super) struct Strangers {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Strangers {
    /// Listens for as long as the process lives.
    pub(super) fn watch() -> io::Result<Self> {
        let port = Port::take(0)?;
        let (address, requests) = (port.address(), Arc::default());
        let list = Arc::clone(&requests);
        port.answer(LIMIT_BYTES, move |request| note(&list, request));
        Ok(Self { address, requests })
    }

    /// The browser's flag that leads other hosts here. It uses no proxy for loopback.
    pub(super) fn flag(&self) -> String {
        format!("--proxy-server=http://{}", self.address)
    }

    /// The requests since the last call.
    pub(super) fn requests(&self) -> Vec<String> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *requests)
    }
}

fn note(list: &Mutex<Vec<String>>, request: &HttpRequest) -> HttpResponse {
    if host(&request.target).is_some_and(|host| !is_its_own(host)) {
        let mut requests = list.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(format!("{} {}", request.method, request.target));
    }
    // There is no way out.
    HttpResponse::new(502, *b"").delivered(Delivery::Cut)
}

fn is_its_own(host: &str) -> bool {
    let mut owners = ITS_OWN.iter();
    owners.any(|owner| {
        host.strip_suffix(owner)
            .is_some_and(|rest| rest.ends_with('.'))
    })
}

/// The host of what a proxy is asked for: `host:443` or `http://host/path`.
fn host(target: &str) -> Option<&str> {
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
        for target in [
            "a.example:443",
            "http://a.example/b?c",
            "http://a.example:8000/",
        ] {
            assert_eq!(host(target), Some("a.example"));
        }
    }
}
