//! The run that comes with the page.

use trainscope_checkpoint::MemoryTree;

use crate::fetch::{self, FetchError};

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

/// Fetches all of it; `progress` hears the bytes so far after each file.
///
/// # Errors
/// [`FetchError`] when a file cannot be had.
pub async fn run(mut progress: impl FnMut(u64)) -> Result<MemoryTree, FetchError> {
    let requests: Vec<_> = FILES
        .iter()
        .map(|file| fetch::begin(&format!("{FOLDER}/{NAME}/{}", file.path)))
        .collect();
    let mut contents = Vec::with_capacity(FILES.len());
    let mut fetched = 0;
    for (file, request) in FILES.iter().zip(requests) {
        contents.push((file.path, request.bytes().await?));
        fetched += file.bytes;
        progress(fetched);
    }
    Ok(MemoryTree::new(NAME, contents))
}

/// Fetches the config of its analysis.
///
/// # Errors
/// [`FetchError`] when it cannot be had.
pub async fn config() -> Result<String, FetchError> {
    let bytes = fetch::begin(&format!("{FOLDER}/demo.yaml")).bytes().await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Bytes of all of it.
#[must_use]
pub fn bytes() -> u64 {
    FILES.iter().map(|file| file.bytes).sum()
}
