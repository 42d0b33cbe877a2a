//! The files of a folder.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::{HttpRequest, HttpResponse, Port, part_of};

/// Requests for files are not longer.
const LIMIT_BYTES: u64 = 16 * 1024;

/// The hub that index.html names.
const PUBLIC_HUB: &str = "https://huggingface.co";

/// What is served, and where.
#[derive(Clone)]
pub struct Served {
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

impl Served {
    /// A folder at the root of the host.
    #[must_use]
    pub fn folder(folder: PathBuf) -> Self {
        Self {
            folder,
            prefix: "/",
            policy: None,
            hub: None,
            is_shared: false,
        }
    }

    /// Serves for as long as the process lives; 0 takes a free port. Gives the address to open.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(self, port: u16) -> io::Result<String> {
        let port = Port::take(port)?;
        let address = format!("http://{}{}", port.address(), self.prefix);
        port.answer(LIMIT_BYTES, move |request| {
            let found = self.found(request);
            let mut response = found.unwrap_or_else(|| HttpResponse::new(404, *b""));
            if let Some(policy) = self.policy.as_ref().filter(|_| response.status != 404) {
                response = response.with("Content-Security-Policy", policy);
            }
            match self.is_shared {
                true => response.with("Access-Control-Allow-Origin", "*"),
                false => response,
            }
        });
        Ok(address)
    }

    /// A file or a part of it; none where the request names none.
    fn found(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let path = self.file_of(request.path())?;
        if request.method != "GET" {
            return None;
        }
        let response = match self.with_own_hub(&path) {
            Some(page) => HttpResponse::new(200, page.into_bytes()),
            None => of_file(&path, request.header("range")).ok()?,
        };
        let response = response.with("Content-Type", content_type(&path));
        Some(response.with("Cache-Control", "no-cache"))
    }

    /// The page with another hub in it, where that is wanted.
    fn with_own_hub(&self, path: &Path) -> Option<String> {
        let hub = self.hub.as_ref()?;
        let page = path.file_name()? == "index.html";
        let text = page.then(|| std::fs::read_to_string(path).ok())??;
        Some(text.replacen(PUBLIC_HUB, hub, 1))
    }

    /// The file that a path names; none outside the folder.
    fn file_of(&self, path: &str) -> Option<PathBuf> {
        let path = path.strip_prefix(self.prefix)?;
        let relative = Path::new(if path.is_empty() { "index.html" } else { path });
        let inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        Some(self.folder.join(relative)).filter(|file| inside && file.is_file())
    }
}

fn of_file(path: &Path, range: Option<&str>) -> io::Result<HttpResponse> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let response = match range.and_then(|range| part_of(bytes, range)) {
        Some(part) => {
            let stated = format!("bytes {}-{}/{bytes}", part.start, part.end - 1);
            HttpResponse::of_file(206, file, part)?.with("Content-Range", stated)
        }
        None => HttpResponse::of_file(200, file, 0..bytes)?,
    };
    Ok(response.with("Accept-Ranges", "bytes"))
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
    use super::Served;
    use std::path::Path;

    #[test]
    fn serves_files_of_the_folder_only() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let served = Served::folder(folder.to_path_buf());
        let manifest = Some(folder.join("Cargo.toml"));
        assert_eq!(served.file_of("/Cargo.toml"), manifest);
        assert_eq!(served.file_of("/../loopback/Cargo.toml"), None);
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
        let manifest = Some(folder.join("Cargo.toml"));
        assert_eq!(served.file_of("/a/b/Cargo.toml"), manifest);
        assert_eq!(served.file_of("/Cargo.toml"), None);
    }
}
