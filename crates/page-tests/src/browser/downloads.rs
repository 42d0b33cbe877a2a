//! Files that the page has the browser save.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Tab;

const PATIENCE: Duration = Duration::from_secs(60);

impl Tab {
    /// Has the browser save downloads into a folder, without asking.
    pub(crate) fn download_to(&self, folder: &Path) -> Result<()> {
        let path = folder
            .canonicalize()
            .with_context(|| folder.display().to_string())?;
        self.devtools(
            "Browser.setDownloadBehavior",
            &json!({"behavior": "allow", "downloadPath": path}),
        )
        .map(drop)
    }
}

/// Waits until a file of this name is in the folder of downloads and has content.
///
/// A download that is under way has another name. Chromium then makes an empty file of the right
/// name, for its permissions, and moves the download over it; no file of the page's is empty.
pub(crate) fn wait_for_download(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    let start = Instant::now();
    while !has_content(&path) {
        if start.elapsed() > PATIENCE {
            let there = fs::read_dir(folder)?
                .filter_map(Result::ok)
                .map(|entry| entry.file_name().to_string_lossy().into_owned());
            let there: Vec<_> = there.collect();
            bail!(
                "waited in vain for {name}; the folder has: {}",
                there.join(", ")
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(path)
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}
