//! A WebSocket to a program on this machine (RFC 6455): whole texts go both ways, and nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// The longest message that is taken in: screenshots are the longest there are.
const LIMIT_BYTES: u64 = 64 << 20;

/// Kinds of frames.
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The first bit of a frame that is a message's last, and of a length whose bytes are masked.
const HIGH_BIT: u8 = 0x80;

/// Any but zeros, which Firefox takes for none.
const MASK: [u8; 4] = [1, 2, 3, 4];

/// A connection on which the other side speaks when it likes.
pub(super) struct WebSocket(BufReader<TcpStream>);

impl WebSocket {
    pub(super) fn connect(port: u16, path: &str) -> Result<Self> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // What the key stands for is whether a cache answers: there is none in between.
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )?;
        let mut socket = Self(BufReader::new(stream));
        let status = socket.line()?;
        ensure!(status.contains(" 101 "), "no WebSocket at {path}: {status}");
        while !socket.line()?.is_empty() {}
        Ok(socket)
    }

    pub(super) fn send(&mut self, text: &str) -> Result<()> {
        self.send_frame(TEXT, text.as_bytes())
    }

    /// The next text, for which it waits.
    pub(super) fn receive(&mut self) -> Result<String> {
        let mut message = Vec::new();
        loop {
            let (kind, is_last, bytes) = self.frame()?;
            match kind {
                CONTINUATION | TEXT => message.extend(bytes),
                PING => self.send_frame(PONG, &bytes)?,
                CLOSE => bail!("the browser closed the connection"),
                _ => {}
            }
            ensure!(
                message.len() as u64 <= LIMIT_BYTES,
                "the message does not end"
            );
            if is_last && matches!(kind, CONTINUATION | TEXT) {
                return Ok(String::from_utf8(message)?);
            }
        }
    }

    /// A client masks what it sends, so that no cache takes it for a request.
    fn send_frame(&mut self, kind: u8, bytes: &[u8]) -> Result<()> {
        let mut frame = vec![HIGH_BIT | kind];
        match (u8::try_from(bytes.len()), u16::try_from(bytes.len())) {
            (Ok(length @ 0..=125), _) => frame.push(HIGH_BIT | length),
            (_, Ok(length)) => {
                frame.push(HIGH_BIT | 126);
                frame.extend(length.to_be_bytes());
            }
            _ => {
                frame.push(HIGH_BIT | 127);
                frame.extend((bytes.len() as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        let masked = bytes.iter().zip(MASK.iter().cycle());
        frame.extend(masked.map(|(byte, mask)| byte ^ mask));
        let stream = self.0.get_mut();
        stream.write_all(&frame)?;
        stream.flush().context("the browser takes nothing more")
    }

    fn frame(&mut self) -> Result<(u8, bool, Vec<u8>)> {
        let [first, second] = self.bytes::<2>()?;
        let length = match second & !HIGH_BIT {
            126 => u16::from_be_bytes(self.bytes()?).into(),
            127 => u64::from_be_bytes(self.bytes()?),
            length => length.into(),
        };
        ensure!(length <= LIMIT_BYTES, "a frame of {length} bytes");
        let mut bytes = vec![0; usize::try_from(length)?];
        self.0.read_exact(&mut bytes)?;
        Ok((first & 0xf, first & HIGH_BIT != 0, bytes))
    }

    fn bytes<const COUNT: usize>(&mut self) -> Result<[u8; COUNT]> {
        let mut bytes = [0; COUNT];
        self.0
            .read_exact(&mut bytes)
            .context("the browser says nothing")?;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}
