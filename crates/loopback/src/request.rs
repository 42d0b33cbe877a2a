//! What a visitor asks.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST`, ...
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// The body.
    pub body: Vec<u8>,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
}

impl HttpRequest {
    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The next request of a connection; none when the visitor has hung up, or speaks no HTTP.
    pub(crate) fn read(reader: &mut impl BufRead, limit_bytes: u64) -> io::Result<Option<Self>> {
        let mut limited = reader.take(limit_bytes);
        let mut line = String::new();
        limited.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let mut request = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            body: Vec::new(),
            headers: Vec::new(),
        };
        loop {
            let mut line = String::new();
            limited.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let header = (name.to_ascii_lowercase(), value.trim().to_owned());
            request.headers.push(header);
        }
        let length = request.header("content-length");
        let length: u64 = length.and_then(|text| text.parse().ok()).unwrap_or(0);
        limited.take(length).read_to_end(&mut request.body)?;
        Ok(Some(request))
    }
}

/// The bytes that `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH` names of `length` bytes;
/// none where there are none, or several parts.
#[must_use]
pub fn part_of(length: u64, range: &str) -> Option<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let part = if first.is_empty() {
        length.saturating_sub(last.parse().ok()?)..length
    } else if last.is_empty() {
        first.parse().ok()?..length
    } else {
        first.parse().ok()?..last.parse::<u64>().ok()?.saturating_add(1).min(length)
    };
    (part.start < part.end).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::{HttpRequest, part_of};

    fn read(mut text: &[u8], limit_bytes: u64) -> Option<HttpRequest> {
        HttpRequest::read(&mut text, limit_bytes).unwrap()
    }

    #[test]
    fn a_request_has_headers_and_a_body() {
        let text = b"POST /a?b HTTP/1.1\r\nX-One: 1 \r\nContent-Length: 2\r\n\r\nokGET";
        let request = read(text, 1000).unwrap();
        let said = (
            request.method.as_str(),
            request.target.as_str(),
            request.path(),
        );
        assert_eq!(said, ("POST", "/a?b", "/a"));
        assert_eq!(request.header("x-one"), Some("1"));
        assert_eq!(request.body, b"ok");
    }

    #[test]
    fn a_request_is_cut_off_at_the_limit() {
        let text = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789";
        let limit_bytes = text.len() as u64 - 4;
        assert_eq!(read(text, limit_bytes).unwrap().body, b"12345");
    }

    #[test]
    fn who_hangs_up_or_speaks_no_http_asks_nothing() {
        assert_eq!(read(b"", 1000), None);
        assert_eq!(read(b"hello\r\n\r\n", 1000), None);
    }

    #[test]
    fn a_range_is_a_part_of_the_file() {
        assert_eq!(part_of(10, "bytes=2-4"), Some(2..5));
        assert_eq!(part_of(10, "bytes=2-40"), Some(2..10));
        assert_eq!(part_of(10, "bytes=8-"), Some(8..10));
        assert_eq!(part_of(10, "bytes=-3"), Some(7..10));
        assert_eq!(part_of(10, "bytes=10-12"), None);
        assert_eq!(part_of(10, "bytes=0-1,4-5"), None);
    }
}
