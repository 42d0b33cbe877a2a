//! Files that are sent here because the worker cannot see them otherwise.
//!
//! Uploads that no list knows of stay, and the server tells of them at the start: the list may come
//! back.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{ErrorKind, SeekFrom};
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use ckptscope_protocol::service::{NewUpload, RunSource, Upload, UploadFile};
use http_body_util::BodyExt;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::sync::{OwnedMutexGuard, watch};

use super::data::DataFolder;
use super::jobs::now;
use super::refused::Refused;
use super::runs::check_path;
use super::store::{KeptUpload, Store};
use super::{Answer, Server, blocking, json, new_id, no_content, query, read_json};
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
    state: Mutex<Known>,
    /// Held by who makes room: it takes long to count what is promised to others.
    adding: Mutex<()>,
}

#[derive(Default)]
struct Known {
    uploads: HashMap<String, Arc<KeptUpload>>,
    /// Files that are written, or were: upload and path.
    writers: HashMap<(String, String), Writer>,
}

/// Who writes a file: whoever comes next takes it over, because a connection that was cut may
/// look alive for long.
#[derive(Clone, Default)]
struct Writer {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Counts those who came.
    newest: Arc<watch::Sender<u64>>,
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
        let writers = HashMap::new();
        let state = Mutex::new(Known { uploads, writers });
        Ok(Self {
            store,
            limit_bytes,
            state,
            adding: Mutex::default(),
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
        self.state().uploads.get(id).cloned()
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
        let adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<Arc<KeptUpload>> = self.state().uploads.values().cloned().collect();
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
        self.state()
            .uploads
            .insert(upload.id.clone(), Arc::new(upload.clone()));
        Ok(upload)
    }

    /// Forgets an upload and removes its files, if there is one of that id. Blocks.
    pub(super) fn remove(&self, id: &str, data: &DataFolder) -> Result<()> {
        let mut state = self.state();
        if state.uploads.remove(id).is_none() {
            return Ok(());
        }
        state.writers.retain(|(upload, _), writer| {
            let is_other = upload != id;
            if !is_other {
                writer.newest.send_modify(|newest| *newest += 1);
            }
            is_other
        });
        drop(state);
        remove_folder(&data.upload(id))?;
        self.store.remove_upload(id)
    }

    /// Waits for the right to write a file; who had it loses it.
    async fn turn(&self, id: &str, path: &str) -> (OwnedMutexGuard<()>, watch::Receiver<u64>) {
        let key = (id.to_owned(), path.to_owned());
        let writer = self.state().writers.entry(key).or_default().clone();
        writer.newest.send_modify(|newest| *newest += 1);
        let newest = writer.newest.subscribe();
        (writer.turn.lock_owned().await, newest)
    }

    fn state(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    let (turn, newest) = server.uploads.turn(&id, &path).await;
    // It may have been removed meanwhile.
    find(&server, &id)?;
    let place = server.data.upload(&id).join(&path);
    let told = |arrived_bytes| UploadFile {
        path: path.clone(),
        bytes: announced,
        arrived_bytes,
    };
    let arrived = tokio::fs::metadata(&place)
        .await
        .map_or(0, |metadata| metadata.len());
    if arrived != offset {
        return Ok(json(StatusCode::CONFLICT, &told(arrived)));
    }
    let file = open(&place, offset)
        .await
        .map_err(|error| unwritten(&error))?;
    if let Err(missing) = find(&server, &id) {
        // It was removed just before, and opening the file has made its folder again.
        let _ = tokio::fs::remove_dir_all(server.data.upload(&id)).await;
        return Err(missing);
    }
    let arrived = receive(
        file,
        request.into_body(),
        offset..announced,
        newest,
        server.patience,
    )
    .await?;
    drop(turn);
    Ok(json(StatusCode::OK, &told(arrived)))
}

/// Writes what comes behind what is there; gives how much is there then.
async fn receive(
    mut file: File,
    mut body: Body,
    room: std::ops::Range<u64>,
    mut newest: watch::Receiver<u64>,
    patience: Duration,
) -> Result<u64, Refused> {
    let mut arrived = room.start;
    loop {
        let next = tokio::time::timeout(patience, body.frame());
        let taken_over = newest.changed();
        let next = match futures_util::future::select(Box::pin(next), Box::pin(taken_over)).await {
            futures_util::future::Either::Left((next, _)) => next,
            futures_util::future::Either::Right(_) => {
                return Err(Refused::new(
                    StatusCode::CONFLICT,
                    "somebody else sends this file now",
                ));
            }
        };
        let frame = match next {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Refused::wrong("the file broke off; send the rest")),
            Err(_) => {
                let message = "nothing came for long; send the rest";
                return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, message));
            }
        };
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        let after = arrived.saturating_add(piece.len() as u64);
        if after > room.end {
            return Err(too_long(room.end));
        }
        file.write_all(&piece)
            .await
            .map_err(|error| unwritten(&error))?;
        // What is told to have arrived is in the file.
        file.flush().await.map_err(|error| unwritten(&error))?;
        arrived = after;
    }
    Ok(arrived)
}

/// What is written is written at its place: where a connection was cut, some of it may reach the
/// file after the same bytes have come again.
async fn open(path: &FilePath, offset: u64) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut options = OpenOptions::new();
    let options = options.create(true).write(true).truncate(false);
    let mut file = options.open(path).await?;
    file.seek(SeekFrom::Start(offset)).await?;
    Ok(file)
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
