//! What a visitor is answered, and how much of it arrives.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::Arc;

use crate::limited;

/// An answer.
pub struct HttpResponse {
    /// The status, such as 200.
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    length: u64,
    body: Box<dyn Read + Send>,
    delivery: Delivery,
}

/// How much of an answer arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All of it, and the connection may be used again.
    Whole,
    /// Half of its body, and then the connection is closed.
    Cut,
    /// Half of its body, and then nothing more until the visitor hangs up.
    Stall,
    /// Nothing until the visitor hangs up.
    Silence,
    /// Nothing: the connection is closed.
    HangUp,
}

impl HttpResponse {
    /// An answer with a whole body.
    #[must_use]
    pub fn new(status: u16, content: impl Into<Arc<[u8]>>) -> Self {
        let content = content.into();
        let part = 0..content.len() as u64;
        Self::of_part(status, content, part)
    }

    /// An answer with a part of some content as its body.
    #[must_use]
    pub fn of_part(status: u16, content: Arc<[u8]>, part: Range<u64>) -> Self {
        let mut content = Cursor::new(content);
        content.set_position(part.start);
        Self::of_body(status, content, part.end - part.start)
    }

    /// An answer with a part of a file as its body.
    ///
    /// # Errors
    /// When the file has no such part.
    pub fn of_file(status: u16, mut file: File, part: Range<u64>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(part.start))?;
        Ok(Self::of_body(status, file, part.end - part.start))
    }

    fn of_body(status: u16, body: impl Read + Send + 'static, length: u64) -> Self {
        Self {
            status,
            headers: Vec::new(),
            length,
            body: limited(body, length),
            delivery: Delivery::Whole,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, of which so much arrives.
    #[must_use]
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// How much of it arrives.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The bytes of its body that arrive.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        match self.delivery {
            Delivery::Whole => self.length,
            Delivery::Cut | Delivery::Stall => self.length / 2,
            Delivery::Silence | Delivery::HangUp => 0,
        }
    }

    pub(crate) fn write(self, stream: &mut impl Write, only_head: bool) -> io::Result<()> {
        if matches!(self.delivery, Delivery::Silence | Delivery::HangUp) {
            return Ok(());
        }
        let (status, length) = (self.status, self.length);
        let mut head = format!("HTTP/1.1 {status} Loopback\r\nContent-Length: {length}\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let bytes = if only_head { 0 } else { self.body_bytes() };
        let start = Cursor::new(head + "\r\n");
        io::copy(&mut start.chain(self.body.take(bytes)), stream).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivery, HttpResponse};

    fn written(delivery: Delivery, only_head: bool) -> String {
        let response = HttpResponse::of_part(206, (*b"0123456789").into(), 2..8);
        let response = response.with("A", "b").delivered(delivery);
        let mut stream = Vec::new();
        response.write(&mut stream, only_head).unwrap();
        String::from_utf8(stream).unwrap()
    }

    #[test]
    fn so_much_arrives_as_is_delivered() {
        let head = "HTTP/1.1 206 Loopback\r\nContent-Length: 6\r\nA: b\r\n\r\n";
        for (delivery, body) in [
            (Delivery::Whole, "234567"),
            (Delivery::Cut, "234"),
            (Delivery::Stall, "234"),
        ] {
            assert_eq!(written(delivery, false), format!("{head}{body}"));
            assert_eq!(written(delivery, true), head);
        }
        for delivery in [Delivery::Silence, Delivery::HangUp] {
            assert_eq!(written(delivery, false), "");
        }
    }
}
