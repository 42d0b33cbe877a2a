//! Files that are sent here because the worker cannot see them otherwise.
//!
//! Uploads that no list knows of stay, and the server tells of them at the start: the list may come
//! back.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use ckptscope_protocol::service::{NewUpload, RunSource, Upload, UploadFile};

use super::data::DataFolder;
use super::jobs::{locked, now};
use super::refused::Refused;
use super::runs::check_path;
use super::store::{KeptUpload, Store};
use super::{Answer, Server, blocking, json, new_id, next_piece, no_content, query, read_json};
use crate::progress::bytes;
use crate::{Misuse, console, hardware};

/// A list of files has at most this many bytes.
const LIST_BYTES: usize = 32 * 1024 * 1024;

/// Files of one upload.
const FILES_LIMIT: usize = 100_000;

/// Names are not longer.
const NAME_CHARACTERS: usize = 200;

/// A path, and a part of one, as file systems take it.
const PATH_BYTES: usize = 1024;
const PART_BYTES: usize = 240;

/// So much of the disk is left to others.
const SPARE_BYTES: u64 = 256 * 1024 * 1024;

/// What nobody uses is removed after so long, when the server starts.
const ABANDONED: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// All uploads.
pub(super) struct Uploads {
    store: Arc<Store>,
    limit_bytes: u64,
    known: Mutex<HashMap<String, Arc<KeptUpload>>>,
    /// Held by who makes room: it takes long to count what is promised to others.
    adding: Mutex<()>,
    /// Held by who writes a piece of a file, or removes files.
    writing: Mutex<()>,
}

impl Uploads {
    /// Those of a store, but what was abandoned.
    pub(super) fn load(
        store: Arc<Store>,
        data: &DataFolder,
        limit_bytes: u64,
        used: &BTreeSet<String>,
    ) -> Result<Self> {
        let mut uploads = HashMap::new();
        for upload in store.uploads()? {
            let age = Duration::from_millis(now().saturating_sub(upload.asked));
            let is_abandoned = age > ABANDONED && !used.contains(&upload.id);
            if !is_abandoned || !is_removed(&upload.id, &store, data) {
                uploads.insert(upload.id.clone(), Arc::new(upload));
            }
        }
        Ok(Self {
            store,
            limit_bytes,
            known: Mutex::new(uploads),
            adding: Mutex::default(),
            writing: Mutex::default(),
        })
    }

    /// The folders that no upload has, because the list of them was lost.
    pub(super) fn unknown(&self, data: &DataFolder) -> Vec<String> {
        let entries = fs::read_dir(data.uploads()).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| self.get(name).is_none()).collect()
    }

    /// One of them.
    pub(super) fn get(&self, id: &str) -> Option<Arc<KeptUpload>> {
        locked(&self.known).get(id).cloned()
    }

    /// Makes room for files. Blocks.
    fn add(&self, asked: NewUpload, data: &DataFolder) -> Result<KeptUpload, Refused> {
        check_files(&asked)?;
        let all = asked
            .files
            .iter()
            .try_fold(0_u64, |sum, file| sum.checked_add(file.bytes));
        let (limit, all) = (self.limit_bytes, all.unwrap_or(u64::MAX));
        if all > limit {
            return Err(too_large(&format!(
                "these files have {}, and an upload may have {}; the worker's owner can change \
                 that with --upload-limit, or open the folder with --root",
                bytes(all),
                bytes(limit)
            )));
        }
        let adding = locked(&self.adding);
        let known: Vec<Arc<KeptUpload>> = locked(&self.known).values().cloned().collect();
        let promised: u64 = known.iter().map(|upload| upload.left_bytes(data)).sum();
        let free = hardware::free_bytes(&data.uploads());
        if let Some(free) =
            free.map(|free| free.saturating_sub(SPARE_BYTES).saturating_sub(promised))
            && all > free
        {
            return Err(Refused::new(
                StatusCode::INSUFFICIENT_STORAGE,
                format!(
                    "these files have {}, and the worker's disk has room for {}; make room, or \
                     have its owner choose another --data-dir",
                    bytes(all),
                    bytes(free)
                ),
            ));
        }
        let upload = KeptUpload {
            id: new_id()?,
            name: asked.name.trim().to_owned(),
            asked: now(),
            files: asked.files,
        };
        let folder = data.upload(&upload.id);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        self.store.add_upload(&upload)?;
        drop(adding);
        locked(&self.known).insert(upload.id.clone(), Arc::new(upload.clone()));
        Ok(upload)
    }

    /// Forgets an upload and removes its files, if there is one of that id. Blocks.
    pub(super) fn remove(&self, id: &str, data: &DataFolder) -> Result<()> {
        if locked(&self.known).remove(id).is_none() {
            return Ok(());
        }
        let writing = locked(&self.writing);
        remove_folder(&data.upload(id))?;
        drop(writing);
        self.store.remove_upload(id)
    }

    /// Writes a piece of a file behind its first `offset` bytes, if it has as many; gives how many
    /// it has then. Blocks.
    ///
    /// A connection that was cut may look alive for long. Whoever comes next goes on where the file
    /// ends, and the former one finds more there than it has sent.
    fn write(&self, place: &Place, offset: u64, piece: &[u8]) -> Result<u64, Refused> {
        let _writing = locked(&self.writing);
        // It may have been removed meanwhile.
        if self.get(&place.upload).is_none() {
            return Err(Refused::missing("upload"));
        }
        let arrived = length(&place.path);
        if arrived != offset {
            return Ok(arrived);
        }
        let written = || {
            if let Some(folder) = place.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut options = OpenOptions::new();
            let mut file = options.create(true).append(true).open(&place.path)?;
            file.write_all(piece)
        };
        written().map_err(|error| unwritten(&error))?;
        Ok(offset + piece.len() as u64)
    }
}

/// Where a file of an upload is written.
#[derive(Clone)]
struct Place {
    /// The upload's id.
    upload: String,
    path: PathBuf,
}

impl KeptUpload {
    /// How much there is of each file. Blocks.
    fn told(&self, data: &DataFolder) -> Upload {
        let folder = data.upload(&self.id);
        let file = |file: &ckptscope_protocol::service::RunFile| UploadFile {
            path: file.path.clone(),
            bytes: file.bytes,
            arrived_bytes: length(&folder.join(&file.path)),
        };
        Upload {
            id: self.id.clone(),
            name: self.name.clone(),
            files: self.files.iter().map(file).collect(),
        }
    }

    /// What was announced and has not arrived. Blocks.
    fn left_bytes(&self, data: &DataFolder) -> u64 {
        let files = self.told(data).files;
        files
            .iter()
            .map(|file| file.bytes.saturating_sub(file.arrived_bytes))
            .sum()
    }

    /// Refuses an upload of which files are missing. Blocks.
    pub(super) fn check_complete(&self, data: &DataFolder) -> Result<()> {
        let left = self.left_bytes(data);
        if left > 0 {
            let left = bytes(left);
            return Err(Misuse(format!(
                "{left} of this upload have not arrived; send the rest first"
            ))
            .into());
        }
        Ok(())
    }
}

/// `POST api/uploads`.
pub(super) async fn add(State(server): State<Arc<Server>>, request: Request) -> Answer {
    let asked: NewUpload = read_json(&server, request, LIST_BYTES).await?;
    let told = blocking(move || {
        let upload = server.uploads.add(asked, &server.data)?;
        Ok(upload.told(&server.data))
    });
    Ok(json(StatusCode::CREATED, &told.await?))
}

/// `GET api/uploads/{id}`.
pub(super) async fn get(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Answer {
    let upload = find(&server, &id)?;
    let told = blocking(move || Ok(upload.told(&server.data)));
    Ok(json(StatusCode::OK, &told.await?))
}

/// `DELETE api/uploads/{id}`.
pub(super) async fn delete(State(server): State<Arc<Server>>, Path(id): Path<String>) -> Answer {
    find(&server, &id)?;
    let uses = RunSource::Upload(id.clone());
    if server
        .jobs
        .all()
        .iter()
        .any(|job| job.info().source == uses)
    {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "an analysis needs these files; remove it, and they go with it",
        ));
    }
    blocking(move || Ok(server.uploads.remove(&id, &server.data)?)).await?;
    Ok(no_content())
}

/// `PUT api/uploads/{id}/{path}?offset=N`.
pub(super) async fn put(
    State(server): State<Arc<Server>>,
    Path((id, path)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    request: Request,
) -> Answer {
    check_path(&path)?;
    let upload = find(&server, &id)?;
    let announced = upload.files.iter().find(|file| file.path == path);
    let announced = announced
        .ok_or_else(|| Refused::missing("file in this upload"))?
        .bytes;
    let offset = query(&uri, "offset").map_or(Ok(0), str::parse);
    let offset: u64 = offset.map_err(|_| Refused::wrong("offset is a number of bytes"))?;
    let coming = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if offset.saturating_add(coming.unwrap_or(0)) > announced {
        return Err(too_long(announced));
    }
    let told = |arrived_bytes| UploadFile {
        path: path.clone(),
        bytes: announced,
        arrived_bytes,
    };
    let place = Place {
        path: server.data.upload(&id).join(&path),
        upload: id,
    };
    let arrived = write(&server, &place, offset, Bytes::new()).await?;
    if arrived != offset {
        return Ok(json(StatusCode::CONFLICT, &told(arrived)));
    }
    let arrived = receive(&server, &place, offset..announced, request.into_body()).await?;
    Ok(json(StatusCode::OK, &told(arrived)))
}

/// Writes what comes behind what is there; gives how much is there then.
async fn receive(
    server: &Arc<Server>,
    place: &Place,
    room: Range<u64>,
    mut body: Body,
) -> Result<u64, Refused> {
    let mut arrived = room.start;
    loop {
        let Some(piece) = next_piece(server, &mut body, "send the rest").await? else {
            return Ok(arrived);
        };
        let after = arrived.saturating_add(piece.len() as u64);
        if after > room.end {
            return Err(too_long(room.end));
        }
        if write(server, place, arrived, piece).await? != after {
            let message = "somebody else sends this file now";
            return Err(Refused::new(StatusCode::CONFLICT, message));
        }
        arrived = after;
    }
}

/// As [`Uploads::write`], on a thread for that.
async fn write(
    server: &Arc<Server>,
    place: &Place,
    offset: u64,
    piece: Bytes,
) -> Result<u64, Refused> {
    let (server, place) = (Arc::clone(server), place.clone());
    blocking(move || server.uploads.write(&place, offset, &piece)).await
}

fn find(server: &Server, id: &str) -> Result<Arc<KeptUpload>, Refused> {
    server
        .uploads
        .get(id)
        .ok_or_else(|| Refused::missing("upload"))
}

/// Refuses names that are none, and files that could not lie beside each other.
fn check_files(asked: &NewUpload) -> Result<(), Refused> {
    let name = asked.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS || name.contains(char::is_control)
    {
        return Err(Refused::wrong(format!(
            "a name has 1 to {NAME_CHARACTERS} characters"
        )));
    }
    if asked.files.is_empty() || asked.files.len() > FILES_LIMIT {
        return Err(Refused::wrong(format!(
            "an upload has 1 to {FILES_LIMIT} files"
        )));
    }
    let mut paths = BTreeSet::new();
    for file in &asked.files {
        check_path(&file.path)?;
        let is_long = file.path.len() > PATH_BYTES
            || file.path.split('/').any(|part| part.len() > PART_BYTES);
        if is_long || !paths.insert(file.path.as_str()) {
            return Err(Refused::wrong(format!(
                "{:?} is too long, or occurs twice",
                file.path
            )));
        }
    }
    let is_folder = |path: &&&str| {
        let ends = path.match_indices('/').map(|(end, _)| end);
        ends.into_iter()
            .any(|end| path.get(..end).is_some_and(|folder| paths.contains(folder)))
    };
    match paths.iter().find(is_folder) {
        Some(path) => Err(Refused::wrong(format!(
            "{path:?} lies below what is a file"
        ))),
        None => Ok(()),
    }
}

/// Removes what was abandoned; what cannot be removed is no reason not to start.
fn is_removed(id: &str, store: &Store, data: &DataFolder) -> bool {
    let removed = remove_folder(&data.upload(id)).and_then(|()| store.remove_upload(id));
    if let Err(error) = &removed {
        console::say(&format!("an abandoned upload stays: {error:#}"));
    }
    removed.is_ok()
}

fn length(path: &FilePath) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn remove_folder(folder: &FilePath) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(anyhow!("cannot remove {}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn too_large(message: &str) -> Refused {
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, message)
}

fn too_long(announced: u64) -> Refused {
    too_large(&format!(
        "{announced} bytes were announced of this file, and more were sent"
    ))
}

fn unwritten(error: &std::io::Error) -> Refused {
    let status = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refused::new(status, format!("the file cannot be written: {error}"))
}
