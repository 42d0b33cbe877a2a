//! Addresses of files at servers, taken apart as far as this needs.
//!
//! A general URL parser brings tables of Unicode names, which every visitor of the page would
//! download. This one knows what addresses of files need. It refuses what others may read
//! otherwise, a user before the host or names beyond ASCII, because the client compares the token's
//! origin with it.

use std::fmt;

use percent_encoding::percent_decode_str;

/// An `http` or `https` address without a fragment. Its host is ASCII and has no user or password
/// before it, so that whoever sends it agrees on where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    text: String,
    /// Where the path begins; before it is the origin.
    path: usize,
}

/// What stands in an address for itself: unreserved characters, and delimiters within a segment.
const PLAIN: &[u8] = b"-._~!$&'()*+,;=:@";

/// What separates the parts of an address.
const SEPARATORS: &[u8] = b"/?%[]";

impl Url {
    /// Takes an address apart; none of what is no such address. What must be written as `%XX`
    /// behind the host is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().split('#').next()?;
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        let (host, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix(default_port).unwrap_or(&host);
        if !is_host(host) {
            return None;
        }
        let mut text = format!("{scheme}://{host}");
        let path = text.len();
        if !tail.starts_with('/') {
            text.push('/');
        }
        for byte in tail.bytes() {
            push(&mut text, byte, &[PLAIN, SEPARATORS].concat());
        }
        Some(Self { text, path })
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.path).unwrap_or_default()
    }

    /// Host, and port where it is not the scheme's own.
    #[must_use]
    pub fn host(&self) -> &str {
        let origin = self.origin().split_once("://");
        origin.map_or("the server", |(_, host)| host)
    }

    /// The path, percent-encoded as it is.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.text.get(self.path..).unwrap_or_default();
        path.split('?').next().unwrap_or_default()
    }

    /// The address up to its query, which may be a signature.
    #[must_use]
    pub fn without_query(&self) -> &str {
        self.text.split('?').next().unwrap_or_default()
    }

    /// The same with another query.
    pub(crate) fn with_query(&self, query: &str) -> Self {
        Self {
            text: format!("{}?{query}", self.without_query()),
            path: self.path,
        }
    }

    /// What stands behind the question mark; none where nothing does.
    pub(crate) fn whole_query(&self) -> Option<&str> {
        let (_, query) = self.text.split_once('?')?;
        Some(query).filter(|query| !query.is_empty())
    }

    /// A value of the query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.text.split_once('?')?;
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(key, _)| *key == name)?;
        Some(decoded(value))
    }

    /// The address with more segments, each encoded as one, slashes too. The empty one, `.` and
    /// `..` are no segments.
    pub(crate) fn child<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = self.without_query().trim_end_matches('/').to_owned();
        for segment in segments {
            if matches!(segment, "" | "." | "..") {
                continue;
            }
            text.push('/');
            for byte in segment.bytes() {
                push(&mut text, byte, PLAIN);
            }
        }
        Self {
            text,
            path: self.path,
        }
    }

    /// Where a reference in an answer from this address leads.
    pub(crate) fn join(&self, reference: &str) -> Option<Self> {
        let origin = self.origin();
        let is_absolute = reference.split(['/', '?']).next()?.contains(':');
        let base = if is_absolute {
            String::new()
        } else if reference.starts_with("//") {
            origin.split("//").next()?.to_owned()
        } else if reference.starts_with('/') {
            origin.to_owned()
        } else if reference.starts_with('?') {
            self.without_query().to_owned()
        } else {
            let folder = self.path().rsplit_once('/')?.0;
            format!("{origin}{folder}/")
        };
        Self::parse(&format!("{base}{reference}"))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text that an encoded one stands for.
#[must_use]
pub fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A name or an address of numbers, and a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (text, "0"),
    };
    let within = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_name = match within {
        Some(numbers) => numbers
            .chars()
            .all(|c| c.is_ascii_hexdigit() || ":.".contains(c)),
        None => name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    is_name && !name.is_empty() && port.parse::<u16>().is_ok()
}

/// Adds a byte, as it is or as `%XX`.
fn push(text: &mut String, byte: u8, plain: &[u8]) {
    if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
        text.push(char::from(byte));
    } else {
        text.push_str(&format!("%{byte:02X}"));
    }
}

#[cfg(test)]
mod tests {
    use super::{Url, decoded};

    fn parsed(text: &str) -> Option<String> {
        Url::parse(text).map(|url| url.to_string())
    }

    #[test]
    fn addresses_are_written_in_one_way() {
        for (text, wanted) in [
            ("HTTP://Host:80", "http://host/"),
            ("https://host:443/a?b#c", "https://host/a?b"),
            ("https://host:80?b=c d", "https://host:80/?b=c%20d"),
            ("http://[::1]:8080/x%2Fy", "http://[::1]:8080/x%2Fy"),
            (" http://host/ü\\a ", "http://host/%C3%BC%5Ca"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_leads_elsewhere_for_others_is_no_address() {
        for bad in [
            "host/a",
            "ftp://host/a",
            "http:///a",
            "http://hub@elsewhere/a",
            "http://hub\\@elsewhere/a",
            "http://hub:pass@elsewhere",
            "http://hub elsewhere/",
            "http://höst/",
            "http://host:port/",
            "http://[::1/",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn parts() {
        let url = Url::parse("https://host:8443/a/b%20c?x=1&y=a%2Bb&z").unwrap();
        assert_eq!(url.origin(), "https://host:8443");
        assert_eq!(url.host(), "host:8443");
        assert_eq!(url.path(), "/a/b%20c");
        assert_eq!(url.without_query(), "https://host:8443/a/b%20c");
        assert_eq!(url.query("y").as_deref(), Some("a+b"));
        assert_eq!(url.query("z"), None);
        assert_eq!(url.with_query("q").as_str(), "https://host:8443/a/b%20c?q");
    }

    #[test]
    fn a_segment_stays_one() {
        let base = Url::parse("http://host/under/?q").unwrap();
        let url = base.child(["api", "a/b", "..", "c d%", "e@1"]);
        assert_eq!(url.as_str(), "http://host/under/api/a%2Fb/c%20d%25/e@1");
        assert_eq!(base.child([]).as_str(), "http://host/under");
    }

    #[test]
    fn references() {
        let base = Url::parse("https://host/a/b?q").unwrap();
        let joined = |reference| base.join(reference).map(|url| url.to_string());
        for (reference, wanted) in [
            ("http://other/x", "http://other/x"),
            ("//other/x", "https://other/x"),
            ("/x?y", "https://host/x?y"),
            ("x", "https://host/a/x"),
            ("?y=http://z", "https://host/a/b?y=http://z"),
        ] {
            assert_eq!(joined(reference).as_deref(), Some(wanted), "{reference}");
        }
        assert_eq!(joined("javascript:alert(1)"), None);
    }

    #[test]
    fn encoded_text() {
        assert_eq!(decoded("a%2Fb%c3%bc+%"), "a/bü+%");
        assert_eq!(decoded("%2"), "%2");
    }
}
