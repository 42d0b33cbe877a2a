//! Files and folders of this machine.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ckptscope_vocabulary::sort::{sort, sort_by};
use futures_core::future::LocalBoxFuture;

use crate::error::{ReadError, RunError};
use crate::run::{PassedOver, Reason};
use crate::source::{Source, checked_buffer};
use crate::tree::{FileEntry, Tree, entry_of};

/// Folders deeper than this below the root are not looked into.
pub const DEPTH_LIMIT: usize = 12;

/// More files than this in one folder are refused: it is then hardly a training run.
pub const FILES_LIMIT: usize = 1_000_000;

/// A folder of this machine and the files below it, listed once. Threads may share it.
#[derive(Clone, Debug)]
pub struct LocalTree {
    name: String,
    /// The true path of the folder, and the file in it where it is one.
    place: String,
    root: PathBuf,
    entries: Vec<FileEntry>,
    passed_over: Vec<PassedOver>,
    is_one_file: bool,
}

impl LocalTree {
    /// Lists the files below `root`, down to [`DEPTH_LIMIT`] folders deep. Links are followed, and
    /// each real folder is looked into once. Hidden folders are left out; what else cannot be
    /// looked into is told by [`Tree::passed_over`]. A `root` that is a file becomes a tree of
    /// that one file.
    ///
    /// # Errors
    /// [`RunError`] when there is no such path, `root` itself cannot be read, or there are more
    /// than [`FILES_LIMIT`] files.
    pub fn scan(root: impl AsRef<Path>) -> Result<Self, RunError> {
        let tree = Self::scan_within(root, |_| true)?;
        if tree.entries.len() > FILES_LIMIT {
            return Err(RunError::TooManyFiles {
                limit: FILES_LIMIT,
                path: tree.name,
            });
        }
        Ok(tree)
    }

    /// The same, but a link is followed only where it leads to a true path that `may_be_read`, and
    /// the listing ends after [`FILES_LIMIT`] files.
    ///
    /// # Errors
    /// [`RunError`] when there is no such path, or `root` itself cannot be read.
    pub fn scan_within(
        root: impl AsRef<Path>,
        may_be_read: impl Fn(&Path) -> bool,
    ) -> Result<Self, RunError> {
        let root = root.as_ref();
        let name = root.display().to_string();
        let metadata = fs::metadata(root).map_err(|error| unreadable(root, error))?;
        if metadata.is_file() {
            return Ok(Self::of_file(name, root, metadata.len()));
        }
        let mut scan = Scan::new(&may_be_read);
        scan.add_folder(root.to_owned(), String::new());
        while let Some((folder, prefix)) = scan.next_folder() {
            match scan.look_into(&folder, &prefix) {
                Err(error) if prefix.is_empty() => return Err(unreadable(&folder, error)),
                Err(_) => scan.pass_over(Reason::NotPermitted, prefix),
                Ok(()) => {}
            }
            if scan.entries.len() > FILES_LIMIT {
                break;
            }
        }
        let Scan {
            mut entries,
            mut passed_over,
            ..
        } = scan;
        sort_by(&mut entries, |a, b| a.path.cmp(&b.path));
        sort(&mut passed_over);
        let place = whole(root).display().to_string();
        Ok(Self {
            name,
            place,
            root: root.to_owned(),
            entries,
            passed_over,
            is_one_file: false,
        })
    }

    fn of_file(name: String, path: &Path, bytes: u64) -> Self {
        let root = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let file = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let place = whole(&root).join(&file).display().to_string();
        Self {
            name,
            place,
            root,
            entries: vec![FileEntry { path: file, bytes }],
            passed_over: Vec::new(),
            is_one_file: true,
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

    fn place(&self) -> &str {
        &self.place
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    fn is_one_file(&self) -> bool {
        self.is_one_file
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            // Messages name it as the run does, however somebody typed where the run lies.
            let file = File::open(self.root.join(&entry.path));
            let file = LocalFile::opened(Path::new(&entry.path), file)?;
            Ok(Rc::new(file) as Rc<dyn Source>)
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

/// A folder that waits to be looked into, and its path in the tree with a `/`.
type Waiting = (PathBuf, String);

/// A listing under way.
struct Scan<'a> {
    may_be_read: &'a dyn Fn(&Path) -> bool,
    entries: Vec<FileEntry>,
    passed_over: Vec<PassedOver>,
    /// The true paths of folders that were looked into.
    seen: HashSet<PathBuf>,
    folders: Vec<Waiting>,
    /// Links to folders. They wait for the others, so that a folder goes by its own path.
    links: BTreeMap<String, PathBuf>,
}

impl<'a> Scan<'a> {
    fn new(may_be_read: &'a dyn Fn(&Path) -> bool) -> Self {
        Self {
            may_be_read,
            entries: Vec::new(),
            passed_over: Vec::new(),
            seen: HashSet::new(),
            folders: Vec::new(),
            links: BTreeMap::new(),
        }
    }

    fn next_folder(&mut self) -> Option<Waiting> {
        loop {
            if let Some(folder) = self.folders.pop() {
                return Some(folder);
            }
            let (prefix, link) = self.links.pop_first()?;
            if !self.add_folder(link, prefix.clone()) {
                self.pass_over(Reason::SameFolder, prefix);
            }
        }
    }

    fn look_into(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        let mut is_empty = true;
        for found in fs::read_dir(folder)? {
            let found = found?;
            let name = found.file_name().into_string();
            let is_hidden = name.as_ref().is_ok_and(|name| name.starts_with('.'));
            is_empty &= is_hidden && found.file_type().is_ok_and(|kind| kind.is_dir());
            match name {
                Ok(name) => self.add(&found, format!("{prefix}{name}"), &name),
                // It cannot be named in a config.
                Err(name) => self.pass_over(
                    Reason::NoUnicode,
                    format!("{prefix}{}", name.to_string_lossy()),
                ),
            }
        }
        if is_empty && !prefix.is_empty() {
            self.pass_over(Reason::NoFiles, prefix.to_owned());
        }
        Ok(())
    }

    /// Adds a folder's entry. A link counts as what it leads to: the Hub's cache is made of links.
    fn add(&mut self, found: &fs::DirEntry, path: String, name: &str) {
        let place = found.path();
        let is_link = found.file_type().is_ok_and(|kind| kind.is_symlink());
        match fs::metadata(&place) {
            Err(_) if is_link => {
                let target = fs::read_link(&place).unwrap_or_default();
                let path = format!("{path} -> {}", target.display());
                self.pass_over(Reason::BrokenLink, path);
            }
            Err(_) => self.pass_over(Reason::NotPermitted, path),
            Ok(_) if is_link && !self.may_follow(&place) => {
                self.pass_over(Reason::LinkOutside, path);
            }
            Ok(data) if data.is_file() => self.entries.push(FileEntry {
                path,
                bytes: data.len(),
            }),
            Ok(_) if name.starts_with('.') => {}
            Ok(data) if !data.is_dir() => self.pass_over(Reason::NoFile, path),
            Ok(_) if is_link => drop(self.links.insert(path + "/", place)),
            Ok(_) => drop(self.add_folder(place, path + "/")),
        }
    }

    fn may_follow(&self, link: &Path) -> bool {
        fs::canonicalize(link).is_ok_and(|real| (self.may_be_read)(&real))
    }

    /// Adds a folder, unless it was looked into by another path already: whether it was not.
    fn add_folder(&mut self, folder: PathBuf, prefix: String) -> bool {
        if prefix.matches('/').count() > DEPTH_LIMIT {
            self.pass_over(Reason::TooDeep, prefix);
            return true;
        }
        let Ok(real) = fs::canonicalize(&folder) else {
            self.pass_over(Reason::NotPermitted, prefix);
            return true;
        };
        let is_new = self.seen.insert(real);
        if is_new {
            self.folders.push((folder, prefix));
        }
        is_new
    }

    fn pass_over(&mut self, reason: Reason, path: String) {
        self.passed_over.push(PassedOver { reason, path });
    }
}

/// The true path of a folder, where there is one.
fn whole(folder: &Path) -> PathBuf {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
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
