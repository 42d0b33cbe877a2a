//! Files and folders of this machine.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use crate::error::{ReadError, RunError};
use crate::source::{Source, checked_buffer};
use crate::tree::{FileEntry, Tree, entry_of};

/// Folders deeper than this below the root are not looked into.
pub const DEPTH_LIMIT: usize = 8;

/// More files than this in one folder are refused: it is then hardly a training run.
pub const FILES_LIMIT: usize = 1_000_000;

/// A folder of this machine and the files below it, listed once. Threads may share it.
#[derive(Clone, Debug)]
pub struct LocalTree {
    name: String,
    root: PathBuf,
    entries: Vec<FileEntry>,
}

impl LocalTree {
    /// Lists the files below `root`, down to [`DEPTH_LIMIT`] folders deep; hidden folders and
    /// symbolic links to folders are passed over. A `root` that is a file becomes a tree of that
    /// one file.
    ///
    /// # Errors
    /// [`RunError`] when there is no such path, or a folder in it cannot be read.
    pub fn scan(root: impl AsRef<Path>) -> Result<Self, RunError> {
        let root = root.as_ref();
        let name = root.display().to_string();
        let metadata = fs::metadata(root).map_err(|error| unreadable(root, error))?;
        if metadata.is_file() {
            return Ok(Self::of_file(name, root, metadata.len()));
        }
        let mut entries = Vec::new();
        let mut folders = vec![(root.to_owned(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = folders.pop() {
            for found in fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
                let found = found.map_err(|error| unreadable(&folder, error))?;
                match classify(&found)? {
                    Found::File { name, bytes } => {
                        entries.push(FileEntry {
                            path: format!("{prefix}{name}"),
                            bytes,
                        });
                    }
                    Found::Folder { name } if depth < DEPTH_LIMIT => {
                        folders.push((found.path(), format!("{prefix}{name}/"), depth + 1));
                    }
                    Found::Folder { .. } | Found::Other => {}
                }
            }
            if entries.len() > FILES_LIMIT {
                return Err(RunError::TooManyFiles {
                    limit: FILES_LIMIT,
                    path: name,
                });
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            name,
            root: root.to_owned(),
            entries,
        })
    }

    fn of_file(name: String, path: &Path, bytes: u64) -> Self {
        let root = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let file = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        Self {
            name,
            root,
            entries: vec![FileEntry { path: file, bytes }],
        }
    }

    /// The folder, or the folder of the one file.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Tree for LocalTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            Ok(Rc::new(LocalFile::open(self.root.join(&entry.path))?) as Rc<dyn Source>)
        })
    }
}

/// A file of this machine. Reads carry their position, so the file has no cursor to disturb.
#[derive(Debug)]
pub struct LocalFile {
    name: String,
    file: File,
    bytes: u64,
}

impl LocalFile {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`ReadError::Open`] with the system's reason.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        Self::opened(path, File::open(path))
    }

    /// A file that somebody else has opened, or could not, by the path that messages call it by.
    ///
    /// # Errors
    /// [`ReadError::Open`] with the system's reason, and [`ReadError::IsFolder`].
    pub fn opened(path: &Path, file: io::Result<File>) -> Result<Self, ReadError> {
        let name = path.display().to_string();
        match file.and_then(|file| file.metadata().map(|data| (file, data))) {
            Ok((_, metadata)) if metadata.is_dir() => Err(ReadError::IsFolder { path: name }),
            Ok((file, metadata)) => Ok(Self {
                name,
                file,
                bytes: metadata.len(),
            }),
            Err(source) => Err(ReadError::Open { path: name, source }),
        }
    }

    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let mut buffer = checked_buffer(self, offset, length)?;
        read_exact_at(&self.file, &mut buffer, offset).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Short {
                path: self.name.clone(),
                offset,
                length,
            },
            _ => ReadError::Io {
                path: self.name.clone(),
                offset,
                length,
                source,
            },
        })?;
        Ok(buffer)
    }
}

impl Source for LocalFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        Box::pin(async move { self.read(offset, length) })
    }
}

/// What a folder's entry is, once symbolic links are resolved.
enum Found {
    File { name: String, bytes: u64 },
    Folder { name: String },
    Other,
}

/// A link to a file counts as that file (the Hub's cache is made of them), a link to a folder as
/// nothing, and so does a link to nowhere.
fn classify(found: &fs::DirEntry) -> Result<Found, RunError> {
    let path = found.path();
    // Paths that are no Unicode cannot be named in a config or a message; they are passed over.
    let Ok(name) = found.file_name().into_string() else {
        return Ok(Found::Other);
    };
    let kind = found
        .file_type()
        .map_err(|error| unreadable(&path, error))?;
    if kind.is_dir() {
        let hidden = name.starts_with('.');
        return Ok(if hidden {
            Found::Other
        } else {
            Found::Folder { name }
        });
    }
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(Found::File {
            name,
            bytes: metadata.len(),
        }),
        Err(error) if !kind.is_symlink() => Err(unreadable(&path, error)),
        _ => Ok(Found::Other),
    }
}

fn unreadable(path: &Path, source: io::Error) -> RunError {
    let path = path.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound => RunError::Missing { path },
        _ => RunError::Unreadable { path, source },
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[read..];
        offset += read as u64;
    }
    Ok(())
}
