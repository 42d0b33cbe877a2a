//! The runs under the roots, and their files.

use std::io::{self, ErrorKind};
use std::path::Path as FilePath;
use std::sync::Arc;

use anyhow::anyhow;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use ckptscope_checkpoint::Tree;
use ckptscope_protocol::service::{RunFile, RunFiles, RunFound};
use tokio::fs::File;

use super::range::Asked;
use super::refused::Refused;
use super::{Answer, Server, blocking, json};
use crate::confined::ConfinedTree;
use crate::place::modified;

/// `GET api/runs`.
pub(super) async fn list(State(server): State<Arc<Server>>) -> Answer {
    let runs = blocking(move || Ok(server.roots.runs(&server.executor)));
    Ok(json(StatusCode::OK, &*runs.await?))
}

/// `GET api/runs/{id}`.
pub(super) async fn get(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Answer {
    let files = blocking(move || {
        let run = find(&server, &id)?;
        let tree = ConfinedTree::scan(FilePath::new(&run.path), server.roots.bounds().clone());
        let tree = tree.map_err(|error| Refused::failed(&anyhow!("{error}")))?;
        let file = |file: &ckptscope_checkpoint::FileEntry| RunFile {
            path: file.path.clone(),
            bytes: file.bytes,
        };
        Ok(RunFiles {
            name: run.name,
            files: tree.files().iter().map(file).collect(),
        })
    });
    Ok(json(StatusCode::OK, &files.await?))
}

/// `GET api/runs/{id}/files/{path}`.
pub(super) async fn file(
    State(server): State<Arc<Server>>,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    check_path(&path)?;
    let opened = blocking(move || {
        let run = find(&server, &id)?;
        let path = FilePath::new(&run.path).join(&path);
        if !path.is_file() {
            return Err(Refused::missing("file"));
        }
        match server.roots.bounds().open(&path) {
            Ok(file) => Ok((path, File::from_std(file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Refused::missing("file")),
            Err(error) => Err(unreadable(&path, &error)),
        }
    });
    let (path, file) = opened.await?;
    send(&path, file, &headers).await
}

fn unreadable(path: &FilePath, error: &io::Error) -> Refused {
    Refused::failed(&anyhow!("cannot read {}: {error}", path.display()))
}

async fn send(path: &FilePath, file: File, headers: &HeaderMap) -> Result<Response<Body>, Refused> {
    let lost = |error| unreadable(path, &error);
    let metadata = file.metadata().await.map_err(lost)?;
    let bytes = metadata.len();
    let tag = modified(&metadata).map(|modified| format!("{bytes:x}-{modified}"));
    let mut response = Asked::of(headers, bytes, tag)
        .answer_from(file)
        .await
        .map_err(lost)?;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn find(server: &Server, id: &str) -> Result<RunFound, Refused> {
    let run = server.roots.run(id, &server.executor);
    run.ok_or_else(|| Refused::missing("run"))
}

/// Refuses what is no plain path below a folder, on any platform.
pub(super) fn check_path(path: &str) -> Result<(), Refused> {
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.contains(['\\', ':', '\0'])
            && !part.contains(char::is_control)
    };
    if path.split('/').all(is_plain) {
        return Ok(());
    }
    Err(Refused::wrong(
        "that is no path of a file below the run's folder",
    ))
}
