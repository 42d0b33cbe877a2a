//! The run that comes with the page.

use std::cell::Cell;

use futures_util::future::try_join_all;

use crate::fetch::{self, FetchError};
use crate::files::FileHandles;

/// Its name.
pub const NAME: &str = "pico-decoder-micro-1";

/// Where it lies, from the page's folder.
const FOLDER: &str = "demo";

/// One file of it.
pub struct DemoFile {
    /// From the run's folder.
    pub path: &'static str,
    /// Length in bytes.
    pub bytes: u64,
}

/// Its files.
pub const FILES: &[DemoFile] = include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

/// Fetches all of it; `progress` hears the bytes so far, and of how many, after each file.
///
/// # Errors
/// [`FetchError`] when a file cannot be had.
pub async fn run(progress: impl Fn(u64, u64)) -> Result<FileHandles, FetchError> {
    let fetched = Cell::new(0);
    // All at once: a response that waits to be read would hold one of the few connections.
    let contents = try_join_all(FILES.iter().map(async |file| {
        let blob = fetch::blob(&format!("{FOLDER}/{NAME}/{}", file.path)).await?;
        fetched.set(fetched.get() + file.bytes);
        progress(fetched.get(), bytes());
        Ok((file.path.to_owned(), blob))
    }));
    Ok(FileHandles {
        name: NAME.to_owned(),
        files: contents.await?,
        handles: None,
    })
}

/// Fetches the config of its analysis.
///
/// # Errors
/// [`FetchError`] when it cannot be had.
pub async fn config() -> Result<String, FetchError> {
    fetch::text(&format!("{FOLDER}/demo.yaml")).await
}

/// Bytes of all of it.
#[must_use]
pub fn bytes() -> u64 {
    FILES.iter().map(|file| file.bytes).sum()
}
