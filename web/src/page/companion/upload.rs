//! Copying files to a native worker.

use std::collections::BTreeMap;

use js_sys::encode_uri_component;
use trainscope_analysis::service::{NewUpload, RunFile, RunSource, Upload, UploadFile};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::matching::bytes_of;
use super::patience::{Patience, lost};
use crate::fetch::in_words;
use crate::files::RunFiles;
use crate::native::{NativeError, NativeWorker, Payload};

/// Bytes of one request.
const SLICE_BYTES: u64 = 8 << 20;

/// The worker has another part of a file than was assumed, or waited for long.
const PASSING: [u16; 2] = [409, 408];

/// Names of uploads are not longer.
const NAME_CHARACTERS: usize = 200;

/// Why files were not copied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum UploadError {
    /// The worker.
    #[error(transparent)]
    Worker(#[from] NativeError),
    /// A file here.
    #[error("{path} cannot be read any more, it has changed or gone since it was chosen: {reason}")]
    File {
        /// Its path.
        path: String,
        /// In the browser's words.
        reason: String,
    },
}

/// How far copying is.
#[derive(Clone, Copy)]
pub(super) enum News<'a> {
    /// The worker is ready for it and calls it so.
    Begun { id: &'a str },
    /// So many bytes have arrived.
    Arrived { bytes: u64 },
    /// The connection is tried again after so many seconds.
    Lost { seconds: u32 },
}

/// Files on their way.
struct Copying<'a, T> {
    worker: &'a NativeWorker,
    id: String,
    /// Bytes that have arrived, by path.
    arrived: BTreeMap<String, u64>,
    patience: Patience,
    tell: T,
}

/// Copies files to a worker, whatever happens to the connection.
///
/// # Errors
/// [`UploadError`] where the worker refuses them, or one cannot be read.
pub(super) async fn upload<T: Fn(News<'_>)>(
    worker: &NativeWorker,
    files: &RunFiles,
    tell: T,
) -> Result<RunSource, UploadError> {
    let listed = files.files.iter().map(|(path, blob)| RunFile {
        path: path.clone(),
        bytes: bytes_of(blob),
    });
    let new = NewUpload {
        name: files.name.chars().take(NAME_CHARACTERS).collect(),
        files: listed.collect(),
    };
    let upload: Upload = worker.ask("POST", "api/uploads", Payload::of(&new)).await?;
    tell(News::Begun { id: &upload.id });
    let mut copying = Copying {
        worker,
        id: upload.id.clone(),
        arrived: BTreeMap::new(),
        patience: Patience::default(),
        tell,
    };
    copying.take(upload);
    for (path, blob) in &files.files {
        copying.copy(path, blob).await?;
    }
    Ok(RunSource::Upload(copying.id))
}

impl<T: Fn(News<'_>)> Copying<'_, T> {
    async fn copy(&mut self, path: &str, blob: &Blob) -> Result<(), UploadError> {
        while self.arrived_of(path) < bytes_of(blob) {
            let offset = self.arrived_of(path);
            match self.put(path, blob, offset).await {
                Ok(file) if file.arrived_bytes > offset => {
                    self.patience.renew();
                    self.arrived.insert(path.to_owned(), file.arrived_bytes);
                    self.tell_arrived();
                }
                Ok(_) => self.recover().await?,
                Err(error) if is_passing(&error) => {
                    // A browser says the same of a file that has gone as of a worker.
                    try_reading(path, blob, offset).await?;
                    self.recover().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn put(&self, path: &str, blob: &Blob, offset: u64) -> Result<UploadFile, NativeError> {
        let end = (offset + SLICE_BYTES).min(bytes_of(blob));
        // Fails for no numbers.
        let slice = blob.slice_with_f64_and_f64(offset as f64, end as f64);
        let slice = slice.unwrap_or_else(|_| blob.clone());
        let address = format!("api/uploads/{}/{}?offset={offset}", self.id, encoded(path));
        self.worker
            .ask("PUT", &address, Payload::Bytes(&slice))
            .await
    }

    /// Waits, and asks what has arrived.
    async fn recover(&mut self) -> Result<(), NativeError> {
        loop {
            let tell = &self.tell;
            self.patience
                .wait(|seconds| tell(News::Lost { seconds }))
                .await;
            let address = format!("api/uploads/{}", self.id);
            match self.worker.ask("GET", &address, Payload::Nothing).await {
                Ok(upload) => {
                    self.take(upload);
                    return Ok(());
                }
                Err(error) if lost(&error).is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self, upload: Upload) {
        let files = upload.files.into_iter();
        self.arrived = files.map(|file| (file.path, file.arrived_bytes)).collect();
        self.tell_arrived();
    }

    fn tell_arrived(&self) {
        let bytes = self.arrived.values().sum();
        (self.tell)(News::Arrived { bytes });
    }

    fn arrived_of(&self, path: &str) -> u64 {
        self.arrived.get(path).copied().unwrap_or_default()
    }
}

/// Whether asking what has arrived helps.
fn is_passing(error: &NativeError) -> bool {
    let refused = match error {
        NativeError::Refused { status, .. } => Some(status),
        _ => None,
    };
    refused.is_some_and(|status| PASSING.contains(status)) || lost(error).is_some()
}

async fn try_reading(path: &str, blob: &Blob, offset: u64) -> Result<(), UploadError> {
    let read = async {
        let byte = blob.slice_with_f64_and_f64(offset as f64, offset as f64 + 1.0)?;
        JsFuture::from(byte.array_buffer()).await
    };
    let read = read.await.map(drop);
    read.map_err(|error| UploadError::File {
        path: path.to_owned(),
        reason: in_words(&error),
    })
}

/// A path as an address has it.
fn encoded(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| String::from(encode_uri_component(part)));
    parts.collect::<Vec<_>>().join("/")
}
