//! The page: its files, and how browsers are to take them.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};

use super::range::Asked;
use super::refused::Refused;

/// The page's files by path, as they were when the program was built; none where they were not.
const CARRIED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Where the page stands without a release build.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist");

/// What is shown in place of a page that is not there.
const NO_PAGE: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <title>ckptscope</title></head><body><h1>This worker has no page</h1>\
    <p>It was built before the page was. In the project's folder, <code>cargo xtask build</code> \
    builds both; the API answers as it is.</p></body></html>";

/// How the page learns that it was served by a worker.
const WORKER_META: &str = "<meta name=\"worker\" content=\"\">";
const WORKER_META_HERE: &str = "<meta name=\"worker\" content=\"./\">";

/// The page's files.
pub(super) enum Page {
    /// In this program.
    Carried,
    /// In a folder, read again for everybody.
    Folder(PathBuf),
}

impl Page {
    /// Of a folder; else the program's own, or in a program for development those of the
    /// workspace.
    pub(super) fn of(folder: Option<&Path>) -> Self {
        match folder {
            Some(folder) => Self::Folder(folder.to_owned()),
            None if cfg!(debug_assertions) => Self::Folder(FOLDER.into()),
            None => Self::Carried,
        }
    }

    /// Answers who asks for a file; an empty path is the page itself.
    pub(super) fn answer(
        &self,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Refused> {
        if path.is_empty() || path == "index.html" {
            return Ok(self.index());
        }
        let bytes = self.file(path).ok_or_else(|| Refused::missing("file"))?;
        let asked = Asked::of(headers, bytes.len() as u64, None);
        let mut response = asked.answer_from_memory(bytes);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type(path));
        if !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, caching(path));
        }
        Ok(response)
    }

    /// The page itself, told that a worker serves it, with its own policy as a header.
    fn index(&self) -> Response<Body> {
        let found = self.file("index.html");
        let text = found.map_or(NO_PAGE.into(), |bytes| {
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let policy = policy_of(&text);
        let text = match text.contains(WORKER_META) {
            true => text.replacen(WORKER_META, WORKER_META_HERE, 1),
            false => text.replacen("</head>", &format!("{WORKER_META_HERE}</head>"), 1),
        };
        let mut response = Response::new(Body::from(text));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type("index.html"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        response
    }

    fn file(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        match self {
            Self::Carried => {
                let place = CARRIED
                    .binary_search_by(|(name, _)| (*name).cmp(path))
                    .ok()?;
                CARRIED.get(place).map(|(_, bytes)| Cow::Borrowed(*bytes))
            }
            Self::Folder(folder) => {
                let inside = path.split('/').all(is_plain);
                let path = Some(folder.join(path)).filter(|_| inside)?;
                fs::read(path).ok().map(Cow::Owned)
            }
        }
    }
}

/// Whether a part of a path names a file or a folder in the one before.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0', ':'])
}

/// The policy that the page states, for those who put it into a frame as well.
fn policy_of(page: &str) -> HeaderValue {
    let stated = page
        .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("default-src 'none'; style-src 'self'", |(policy, _)| policy);
    let policy = format!("{stated}; frame-ancestors 'none'");
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// A name with a hash in it means one content for ever.
fn caching(path: &str) -> HeaderValue {
    HeaderValue::from_static(match has_hash(path) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    })
}

/// Whether the name ends, before its extension, in a dash and 16 hexadecimal digits.
fn has_hash(path: &str) -> bool {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let hash = stem.rsplit_once('-').map_or("", |(_, hash)| hash);
    hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn content_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "yaml" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::{has_hash, is_plain, policy_of};

    #[test]
    fn names_with_hashes_are_kept() {
        assert!(has_hash("app-560bcb01fae9bd40.js"));
        assert!(!has_hash("index.html"));
        assert!(!has_hash("demo/model-00001-of-00002.safetensors"));
        assert!(!has_hash("app-560bcb01fae9bd4.js"));
    }

    #[test]
    fn paths_stay_inside() {
        assert!("demo/run.json".split('/').all(is_plain));
        for outside in ["../x", "/etc/passwd", "a//b", ".git/config", "a\\b", "c:x"] {
            assert!(!outside.split('/').all(is_plain), "{outside}");
        }
    }

    #[test]
    fn the_policy_is_the_page_s_own() {
        let page = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'self'\">";
        assert_eq!(
            policy_of(page),
            "default-src 'self'; frame-ancestors 'none'"
        );
        assert!(
            policy_of("")
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
    }
}
