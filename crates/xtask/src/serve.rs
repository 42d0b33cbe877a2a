//! A static file server on loopback.

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::thread;

use anyhow::{Result, anyhow};
use tiny_http::{Header, Request, Response, Server};

/// Serves a folder from a thread of its own for as long as the process lives.
///
/// `port` 0 takes a free one. Gives the address to open.
pub(crate) fn start(folder: PathBuf, port: u16) -> Result<String> {
    let server = Server::http(("127.0.0.1", port))
        .map_err(|error| anyhow!("cannot listen on port {port}: {error}"))?;
    let address = format!("http://{}/", server.server_addr());
    thread::spawn(move || {
        for request in server.incoming_requests() {
            // A visitor who went away is not our trouble.
            let _ = answer(&folder, request);
        }
    });
    Ok(address)
}

fn answer(folder: &Path, request: Request) -> std::io::Result<()> {
    let opened =
        file_of(folder, request.url()).and_then(|path| Some((File::open(&path).ok()?, path)));
    match opened {
        Some((file, path)) => {
            let response = Response::from_file(file)
                .with_header(header("Content-Type", content_type(&path)))
                .with_header(header("Cache-Control", "no-cache"));
            request.respond(response)
        }
        None => request.respond(Response::from_string("not found").with_status_code(404)),
    }
}

/// The file that a URL names; none outside the folder.
fn file_of(folder: &Path, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.trim_start_matches('/');
    let relative = Path::new(if path.is_empty() { "index.html" } else { path });
    let inside = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    Some(folder.join(relative)).filter(|file| inside && file.is_file())
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

fn header(name: &'static str, value: &'static str) -> Header {
    Header::from_bytes(name, value).unwrap_or_else(|()| unreachable!("a plain ASCII header"))
}

#[cfg(test)]
mod tests {
    use super::file_of;
    use std::path::Path;

    #[test]
    fn serves_files_of_the_folder_only() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            file_of(folder, "/Cargo.toml?x=1"),
            Some(folder.join("Cargo.toml"))
        );
        assert_eq!(file_of(folder, "/../xtask/Cargo.toml"), None);
        assert_eq!(file_of(folder, "//etc/passwd"), None);
        assert_eq!(file_of(folder, "/missing"), None);
    }
}
