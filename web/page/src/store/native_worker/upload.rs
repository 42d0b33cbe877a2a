//! Copying files to a native worker.

use std::collections::BTreeMap;

use ckptscope_protocol::call;
use ckptscope_protocol::service::{NewUpload, RunFile, RunSource, Upload, UploadFile};
use ckptscope_web_browser::in_words;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::matching::bytes_of;
use super::patience::{Patience, lost};
use crate::files::FileHandles;
use crate::native::{NativeError, NativeWorker};

/// Bytes of one request.
const SLICE_BYTES: u64 = 8 << 20;

/// The worker has another part of a file than was assumed, or waited for long.
const PASSING: [u16; 2] = [409, 408];

/// The worker cannot write what it is sent, which may not pass by itself. What does not reach it
/// says otherwise.
const FAILED: u16 = 500;

/// So often it may fail one after the other without taking a byte.
const MOST_FAILURES: usize = 3;

/// Names of uploads are not longer.
const NAME_CHARACTERS: usize = 200;

/// Why files were not copied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum UploadError {
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

/// A copy at a worker, whole or not. The worker throws it away when nobody here has this any more.
pub(crate) struct CopyAtWorker {
    worker: NativeWorker,
    id: String,
    is_left: bool,
}

impl CopyAtWorker {
    /// What the worker calls it.
    pub(crate) fn source(&self) -> RunSource {
        RunSource::Upload(self.id.clone())
    }

    /// Leaves it to an analysis that uses it, with which it goes.
    pub(crate) fn leave(mut self) {
        self.is_left = true;
    }
}

impl Drop for CopyAtWorker {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        let (worker, remove) = (self.worker.clone(), call::remove_upload(&self.id));
        spawn_local(async move {
            // A worker that cannot be asked throws it away by itself, later.
            let _ = worker.tell(remove).await;
        });
    }
}

/// How far copying is.
#[derive(Clone, Copy)]
pub(crate) enum News<'a> {
    /// So many bytes have arrived.
    Arrived { bytes: u64 },
    /// It is tried again after so many seconds; in words, what happened.
    Lost { reason: &'a str, seconds: u32 },
}

/// Files on their way.
struct Copying<T> {
    copy: CopyAtWorker,
    /// Bytes that have arrived, by path.
    arrived: BTreeMap<String, u64>,
    patience: Patience,
    tell: T,
}

/// How often a worker could not write what follows so many bytes of a file.
#[derive(Default)]
struct Failures {
    offset: u64,
    count: usize,
}

/// Copies files to a worker, whatever happens to the connection.
///
/// # Errors
/// [`UploadError`] where the worker refuses them, or one cannot be read.
pub(crate) async fn upload<T: Fn(News<'_>)>(
    worker: &NativeWorker,
    files: &FileHandles,
    tell: T,
) -> Result<CopyAtWorker, UploadError> {
    let listed = files.files.iter().map(|(path, blob)| RunFile {
        path: path.clone(),
        bytes: bytes_of(blob),
    });
    let new = NewUpload {
        name: files.name.chars().take(NAME_CHARACTERS).collect(),
        files: listed.collect(),
    };
    let upload = worker.ask(call::begin_upload(&new)).await?;
    let mut copying = Copying {
        copy: CopyAtWorker {
            worker: worker.clone(),
            id: upload.id.clone(),
            is_left: false,
        },
        arrived: BTreeMap::new(),
        patience: Patience::default(),
        tell,
    };
    copying.take(upload);
    for (path, blob) in &files.files {
        copying.copy(path, blob).await?;
    }
    Ok(copying.copy)
}

impl<T: Fn(News<'_>)> Copying<T> {
    async fn copy(&mut self, path: &str, blob: &Blob) -> Result<(), UploadError> {
        let mut failures = Failures::default();
        while self.arrived_of(path) < bytes_of(blob) {
            let offset = self.arrived_of(path);
            match self.put(path, blob, offset).await {
                Ok(file) if file.arrived_bytes > offset => {
                    self.patience.renew();
                    self.arrived.insert(path.to_owned(), file.arrived_bytes);
                    self.tell_arrived();
                }
                Ok(_) => self.recover("the worker took nothing".to_owned()).await?,
                Err(error) => {
                    let passing = passing(&error).filter(|_| !failures.are_final(&error, offset));
                    let Some(reason) = passing else {
                        return Err(error.into());
                    };
                    // A browser says the same of a file that has gone as of a worker.
                    try_reading(path, blob, offset).await?;
                    self.recover(reason).await?;
                }
            }
        }
        Ok(())
    }

    async fn put(&self, path: &str, blob: &Blob, offset: u64) -> Result<UploadFile, NativeError> {
        let end = (offset + SLICE_BYTES).min(bytes_of(blob));
        // Fails for no numbers.
        let slice = blob.slice_with_f64_and_f64(offset as f64, end as f64);
        let slice = slice.unwrap_or_else(|_| blob.clone());
        let call = call::add_to_upload(&self.copy.id, path, offset);
        self.copy.worker.give(call, &slice).await
    }

    /// Waits, and asks what has arrived. The reason is that of the last failure.
    async fn recover(&mut self, mut reason: String) -> Result<(), NativeError> {
        loop {
            let tell = |seconds| {
                let reason = &reason;
                (self.tell)(News::Lost { reason, seconds });
            };
            self.patience.wait(tell).await;
            match self.copy.worker.ask(call::upload(&self.copy.id)).await {
                Ok(upload) => {
                    self.take(upload);
                    return Ok(());
                }
                Err(error) => reason = lost(&error).ok_or(error)?,
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

impl Failures {
    /// Takes in what happened behind so many bytes; whether trying again leads nowhere.
    fn are_final(&mut self, error: &NativeError, offset: u64) -> bool {
        if !matches!(error, NativeError::Refused { status: FAILED, .. }) {
            return false;
        }
        if self.offset != offset {
            *self = Self { offset, count: 0 };
        }
        self.count += 1;
        self.count >= MOST_FAILURES
    }
}

/// What happened, where asking what has arrived helps.
fn passing(error: &NativeError) -> Option<String> {
    match error {
        NativeError::Refused { status, refusal } if PASSING.contains(status) => {
            Some(refusal.message.clone())
        }
        error => lost(error),
    }
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

#[cfg(test)]
mod tests {
    use ckptscope_protocol::service::Refusal;
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn refused(status: u16) -> NativeError {
        let refusal = Refusal {
            message: format!("it is {status}"),
            ..Refusal::default()
        };
        NativeError::Refused { status, refusal }
    }

    #[test]
    fn a_worker_that_cannot_write_is_tried_three_times() {
        let mut failures = Failures::default();
        let failed = refused(FAILED);
        let tried = [0, 0, 8, 8, 8].map(|offset| failures.are_final(&failed, offset));
        assert_eq!(tried, [false, false, false, false, true]);
        // Who does not reach it tries for as long as it takes.
        let mut failures = Failures::default();
        assert!(!(0..9).any(|_| failures.are_final(&refused(502), 0)));
    }

    #[test]
    fn what_passes_is_told_in_the_words_of_the_worker() {
        assert_eq!(passing(&refused(409)).as_deref(), Some("it is 409"));
        assert_eq!(passing(&refused(500)).as_deref(), Some("it is 500"));
        assert_eq!(passing(&refused(404)), None);
    }
}
