//! A static file server on loopback: one file per connection, one thread per connection.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};

/// A request line and its headers are not longer.
const MAXIMUM_HEAD_BYTES: u64 = 16 * 1024;

/// The hub that index.html names.
const PUBLIC_HUB: &str = "https://huggingface.co";

/// What is served, and where.
#[derive(Clone)]
pub(crate) struct Served {
    /// The folder with the files.
    pub folder: PathBuf,
    /// The path under which the files stand, with a slash at both ends; nothing stands elsewhere.
    pub prefix: &'static str,
    /// A Content-Security-Policy to send with every file.
    pub policy: Option<String>,
    /// The hub that the page names in place of the public one.
    pub hub: Option<String>,
    /// Whether pages of other origins may read it (CORS).
    pub is_shared: bool,
}

/// What was asked for.
struct Request {
    url: String,
    /// The value of the header `Range`.
    range: Option<String>,
}

impl Served {
    /// A folder at the root of the host.
    pub(crate) fn folder(folder: PathBuf) -> Self {
        Self {
            folder,
            prefix: "/",
            policy: None,
            hub: None,
            is_shared: false,
        }
    }

    /// Serves from a thread of its own for as long as the process lives.
    ///
    /// `port` 0 takes a free one. Gives the address to open.
    pub(crate) fn start(self, port: u16) -> Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("cannot listen on port {port}"))?;
        let address = format!("http://{}{}", listener.local_addr()?, self.prefix);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let served = self.clone();
                // A visitor who went away is not our trouble.
                thread::spawn(move || served.answer(stream));
            }
        });
        Ok(address)
    }

    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        let request = read_request(&stream)?;
        let opened = request.as_ref().and_then(|request| {
            let path = self.file_of(&request.url)?;
            Some((File::open(&path).ok()?, path))
        });
        if let Some(page) = opened
            .as_ref()
            .and_then(|(_, path)| self.with_own_hub(path))
        {
            return self.send_page(&mut stream, &page);
        }
        let shared = match self.is_shared {
            true => "Access-Control-Allow-Origin: *\r\n",
            false => "",
        };
        let Some((mut file, path)) = opened else {
            return write!(
                stream,
                "HTTP/1.1 404 Not Found\r\n{shared}Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
        };
        let bytes = file.metadata()?.len();
        let range = request.and_then(|request| part(&request.range?, bytes));
        let whole = 0..bytes;
        let sent = range.as_ref().unwrap_or(&whole);
        let mut head = match &range {
            Some(Range { start, end }) => format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{bytes}\r\n",
                end - 1
            ),
            None => "HTTP/1.1 200 OK\r\n".to_owned(),
        };
        if let Some(policy) = &self.policy {
            head += &format!("Content-Security-Policy: {policy}\r\n");
        }
        head += shared;
        write!(
            stream,
            "{head}Content-Type: {}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\n\
             Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
            content_type(&path),
            sent.end - sent.start
        )?;
        file.seek(SeekFrom::Start(sent.start))?;
        io::copy(&mut file.take(sent.end - sent.start), &mut stream).map(drop)
    }

    /// The page with another hub in it, where that is wanted.
    fn with_own_hub(&self, path: &Path) -> Option<String> {
        let hub = self.hub.as_ref()?;
        let page = path.file_name()? == "index.html";
        let text = page.then(|| std::fs::read_to_string(path).ok())??;
        Some(text.replacen(PUBLIC_HUB, hub, 1))
    }

    fn send_page(&self, stream: &mut TcpStream, page: &str) -> io::Result<()> {
        let policy = self.policy.as_ref();
        let policy = policy.map(|policy| format!("Content-Security-Policy: {policy}\r\n"));
        write!(
            stream,
            "HTTP/1.1 200 OK\r\n{}Content-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{page}",
            policy.unwrap_or_default(),
            page.len()
        )
    }

    /// The file that a URL names; none outside the folder.
    fn file_of(&self, url: &str) -> Option<PathBuf> {
        let path = url.split(['?', '#']).next()?.strip_prefix(self.prefix)?;
        let relative = Path::new(if path.is_empty() { "index.html" } else { path });
        let inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        Some(self.folder.join(relative)).filter(|file| inside && file.is_file())
    }
}

/// A GET request; `None` for any other.
fn read_request(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut lines = BufReader::new(stream.take(MAXIMUM_HEAD_BYTES)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut range = None;
    for line in lines {
        let line = line?;
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => {
                range = Some(value.trim().to_owned());
            }
            Some(_) => {}
            None => break,
        }
    }
    let url = first
        .strip_prefix("GET ")
        .and_then(|rest| rest.split(' ').next());
    Ok(url.map(|url| Request {
        url: url.to_owned(),
        range,
    }))
}

/// The bytes that `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH` names of a file; `None`,
/// which means all of them, where there are none or several parts.
fn part(range: &str, bytes: u64) -> Option<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let part = if first.is_empty() {
        bytes.saturating_sub(last.parse().ok()?)..bytes
    } else if last.is_empty() {
        first.parse().ok()?..bytes
    } else {
        first.parse().ok()?..last.parse::<u64>().ok()?.saturating_add(1).min(bytes)
    };
    (part.start < part.end).then_some(part)
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("yaml" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::{Served, part};
    use std::path::Path;

    #[test]
    fn serves_files_of_the_folder_only() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let served = Served::folder(folder.to_path_buf());
        assert_eq!(
            served.file_of("/Cargo.toml?x=1"),
            Some(folder.join("Cargo.toml"))
        );
        assert_eq!(served.file_of("/../xtask/Cargo.toml"), None);
        assert_eq!(served.file_of("//etc/passwd"), None);
        assert_eq!(served.file_of("/missing"), None);
    }

    #[test]
    fn nothing_stands_outside_the_prefix() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let served = Served {
            prefix: "/a/b/",
            ..Served::folder(folder.to_path_buf())
        };
        assert_eq!(
            served.file_of("/a/b/Cargo.toml"),
            Some(folder.join("Cargo.toml"))
        );
        assert_eq!(served.file_of("/Cargo.toml"), None);
    }

    #[test]
    fn a_range_is_a_part_of_the_file() {
        assert_eq!(part("bytes=2-4", 10), Some(2..5));
        assert_eq!(part("bytes=2-40", 10), Some(2..10));
        assert_eq!(part("bytes=8-", 10), Some(8..10));
        assert_eq!(part("bytes=-3", 10), Some(7..10));
        assert_eq!(part("bytes=10-12", 10), None);
        assert_eq!(part("bytes=0-1,4-5", 10), None);
    }
}
