//! A file that one program at a time has: whoever holds its lock writes to its folder.
//!
//! The lock is taken before anything of the folder is looked at. A file that lost its name while
//! somebody waited for it locks nothing, so the name is looked at again under the lock.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::{Misuse, output};

/// A file whose lock is held. One that is empty is gone when the lock is.
pub(crate) struct LockedFile {
    path: PathBuf,
    file: File,
}

impl LockedFile {
    /// Locks the file of a folder of results, both made where they are missing.
    ///
    /// # Errors
    /// [`Misuse`] where another program has it; an error where the folder cannot be written.
    pub(crate) fn in_folder(folder: &Path, name: &str) -> Result<Self> {
        let made = fs::create_dir_all(folder);
        made.map_err(|error| output::cannot_write_into(folder, &error))?;
        Self::taken(&folder.join(name), |error| {
            output::cannot_write_into(folder, &error)
        })
    }

    /// Locks the file, which is made where it is missing.
    ///
    /// # Errors
    /// As [`LockedFile::in_folder`].
    pub(crate) fn take(path: &Path) -> Result<Self> {
        Self::taken(path, |error| {
            anyhow!("cannot write {}: {error}", path.display())
        })
    }

    fn taken(path: &Path, cannot: impl Fn(io::Error) -> anyhow::Error) -> Result<Self> {
        loop {
            let file = open(path).map_err(&cannot)?;
            lock(&file, path)?;
            if is_named(&file, path) {
                let path = path.to_owned();
                return Ok(Self { path, file });
            }
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to read from.
    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// How long it is.
    pub(crate) fn bytes(&self) -> Result<u64> {
        let metadata = self.file.metadata();
        Ok(metadata.with_context(|| self.cannot_write())?.len())
    }

    /// Adds to its end.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.with_context(|| self.cannot_write())
    }

    /// Takes its end off.
    pub(crate) fn shorten(&mut self, bytes: u64) -> Result<()> {
        let shortened = self.file.set_len(bytes);
        shortened.with_context(|| self.cannot_write())
    }

    /// Puts another file in its place, whole or not at all, which is locked before it has the name.
    /// Who reads the old one can read on.
    pub(crate) fn replace(&mut self, bytes: &[u8]) -> Result<()> {
        let unfinished = output::unfinished(&self.path);
        let written = open(&unfinished).and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(bytes)?;
            Ok(file)
        });
        let file = written.with_context(|| self.cannot_write())?;
        lock(&file, &unfinished)?;
        fs::rename(&unfinished, &self.path).with_context(|| self.cannot_write())?;
        self.file = file;
        Ok(())
    }

    /// Removes it.
    pub(crate) fn remove(self) -> Result<()> {
        let removed = fs::remove_file(&self.path);
        removed.with_context(|| format!("cannot remove {}", self.path.display()))
    }

    fn cannot_write(&self) -> String {
        format!("cannot write {}", self.path.display())
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        let metadata = self.file.metadata();
        if metadata.is_ok_and(|it| it.len() == 0) && is_named(&self.file, &self.path) {
            // One that stays is empty, and in nobody's way.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true).open(path)
}

/// Two analyses in one folder would spoil each other's files.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Misuse(format!(
            "another analysis is at work in {}; wait for it, or choose another folder with \
             --output-dir",
            path.parent().unwrap_or(path).display()
        ))
        .into()),
        // Not every file system has locks; there nobody is stopped.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Whether the path still leads to the file.
fn is_named(file: &File, path: &Path) -> bool {
    let (own, named) = (file.metadata(), fs::metadata(path));
    matches!((own, named), (Ok(own), Ok(named)) if is_same(&own, &named))
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Nobody removes a file there that another program has open.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}
