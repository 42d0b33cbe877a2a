//! Who may ask: the names this server answers to, the pages that may drive it, the token.
//!
//! The gate looks before anything else does, whatever the method; the page's files are behind it
//! too.
//!
//! A web page elsewhere can send requests to a loopback port, so Origin must be the server's own or
//! allowed. A stranger's name that resolves to 127.0.0.1 (DNS rebinding) would make such a page
//! same-origin. So Host must be a loopback name, an address, or allowed.
//!
//! A token keeps out other users of the machine and the network; without one the server binds
//! loopback only. Hashes of tokens are compared, in constant time. The token stands in the fragment
//! of the address to open, which browsers do not send.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::{body::Body, extract::Request};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::refused::Refused;
use crate::Misuse;

/// Tokens are not longer.
const TOKEN_BYTES: usize = 1024;

/// How long a browser may remember that a page is allowed.
const ALLOWED_SECONDS: u64 = 600;

const ASKS_FOR_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// What is looked at before anything else is.
pub(super) struct Gate {
    bound: IpAddr,
    hosts: Vec<String>,
    origins: Vec<String>,
    /// The hash of the token: it is as long whatever the token is.
    token: Option<[u8; 32]>,
}

impl Gate {
    /// Of an address that is listened at, and what the owner allows.
    pub(super) fn new(
        address: SocketAddr,
        hosts: &[String],
        origins: &[String],
        token: Option<&str>,
    ) -> Result<Self> {
        if let Some(odd) = origins.iter().find(|origin| !is_origin(origin)) {
            return Err(Misuse(format!(
                "--allow-origin {odd:?} is no origin; give one as in https://example.org"
            ))
            .into());
        }
        let lower = |names: &[String]| names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Ok(Self {
            bound: address.ip(),
            hosts: lower(hosts),
            origins: lower(origins),
            token: token.map(|token| Sha256::digest(token).into()),
        })
    }

    /// Whether a token is asked for.
    pub(super) const fn needs_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether who asks knows the token, or none is needed.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.token else {
            return true;
        };
        let given = headers.get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        // What is compared are hashes: how many bytes of them agree says nothing of the token.
        given.is_some_and(|given| Sha256::digest(given).ct_eq(expected).into())
    }

    /// Answers who may not ask, and questions of browsers whether a page may.
    pub(super) fn stop(&self, request: &Request) -> Option<Result<Response<Body>, Refused>> {
        let headers = request.headers();
        if let Err(refused) = self
            .check_host(request)
            .and_then(|()| self.check_origin(request))
        {
            return Some(Err(refused));
        }
        if request.method() == Method::OPTIONS {
            return Some(Ok(preflight(headers)));
        }
        let path = request.uri().path();
        let is_open = !path.starts_with("/api/") || path == "/api/health";
        (!is_open && !self.is_known(headers)).then(|| {
            Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                "this worker needs its token: open the address that it printed when it started",
            ))
        })
    }

    /// Lets pages of an allowed origin read an answer.
    pub(super) fn mark(&self, origin: Option<HeaderValue>, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let allowed = origin.filter(|origin| self.is_allowed(origin));
        if let Some(origin) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let shown = "Accept-Ranges, Content-Length, Content-Range, ETag, Retry-After";
            let shown = HeaderValue::from_static(shown);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
        }
    }

    /// A name of somebody else's that leads here (DNS rebinding) is not ours.
    fn check_host(&self, request: &Request) -> Result<(), Refused> {
        let named = authority_of(request);
        let name = named
            .as_ref()
            .map(|named| named.host().to_ascii_lowercase());
        if name.is_some_and(|name| self.is_own(&name)) {
            return Ok(());
        }
        Err(Refused::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this worker does not answer to that name; its owner can allow it with --allow-host",
        ))
    }

    fn is_own(&self, name: &str) -> bool {
        let address = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        let is_here = match address {
            // Only a name can be made to lead elsewhere; an address is what it says.
            Ok(address) => {
                address.is_loopback() || address == self.bound || self.bound.is_unspecified()
            }
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        };
        is_here || self.hosts.iter().any(|host| host == name)
    }

    /// A page elsewhere must not drive this server.
    fn check_origin(&self, request: &Request) -> Result<(), Refused> {
        let Some(origin) = request.headers().get(header::ORIGIN) else {
            return Ok(());
        };
        let is_own = authority_of(request).is_some_and(|named| {
            let origin = origin.to_str().unwrap_or_default();
            let host = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            host.is_some_and(|host| host.eq_ignore_ascii_case(named.as_str()))
        });
        if is_own || self.is_allowed(origin) {
            return Ok(());
        }
        Err(Refused::new(
            StatusCode::FORBIDDEN,
            "this worker does not serve that page; its owner can allow its origin with --allow-origin",
        ))
    }

    fn is_allowed(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        self.origins.contains(&origin)
    }
}

/// Refuses tokens that no header could carry.
pub(super) fn check_token(token: &str) -> Result<()> {
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.is_empty() || token.len() > TOKEN_BYTES || !is_plain {
        return Err(Misuse(format!(
            "a token is 1 to {TOKEN_BYTES} letters, digits and signs of ASCII, without spaces"
        ))
        .into());
    }
    Ok(())
}

/// The name that who asks calls this server by.
fn authority_of(request: &Request) -> Option<Authority> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let name = first.filter(|_| second.is_none())?.to_str().ok()?;
    let name: Authority = name.parse().ok()?;
    // Nobody has a name and a password here.
    (!name.as_str().contains('@')).then_some(name)
}

/// What may be asked; that the page may ask was checked.
fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if asked.contains_key(header::ORIGIN) {
        let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = "authorization, content-type, if-none-match, if-range, last-event-id, range";
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(names),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from(ALLOWED_SECONDS),
        );
        if asked
            .get(ASKS_FOR_PRIVATE_NETWORK)
            .is_some_and(|asks| asks == "true")
        {
            headers.insert(ALLOWS_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
    }
    response
}

/// `scheme://host` or `scheme://host:port`, and nothing behind.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', '@', '?', '#']))
}
