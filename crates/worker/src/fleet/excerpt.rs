//! An excerpt: of a far file the ranges that a plan reads, in a file of the shared disk.
//!
//! The first line is a [`Head`], which says where each range belongs; their bytes follow, one
//! range after the other. Places are those of the far file, so that lanes and what numbers are made
//! of stay as they were planned, whatever the format. What was not fetched is not in the file: who
//! reads it gets an error, and never zeros. An excerpt has its name once all of it is on the disk.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use ckptscope_checkpoint::source::checked_length;
use ckptscope_checkpoint::{LocalFile, ReadError, Source};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::plan_file::LAYOUT;
use crate::hardware;

/// How the name of an excerpt that is being written ends.
const UNFINISHED: &str = ".unfinished";

/// So much is asked of a server at once.
const PIECE_BYTES: u64 = 16 * 1024 * 1024;

/// A longer first line is no head.
const LONGEST_HEAD_BYTES: u64 = 256 * 1024 * 1024;

/// The first line of an excerpt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    layout: u32,
    /// The file's path in the run.
    path: String,
    /// What messages call the file.
    name: String,
    /// An id that is the same for the same content only.
    content: String,
    /// The length of the whole file.
    bytes: u64,
    /// First byte and end of each range in the whole file: ascending, and apart.
    ranges: Vec<(u64, u64)>,
}

/// A file of a run, and what of it an excerpt is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The file's path in the run.
    pub(super) path: String,
    /// An id that is the same for the same content only.
    pub(super) content: String,
    /// The length of the whole file.
    pub(super) bytes: u64,
    /// Ascending, and apart.
    pub(super) ranges: Vec<Range<u64>>,
}

impl Wanted {
    /// Bytes of the excerpt.
    pub(super) fn wanted_bytes(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// What its excerpt is called: another content has another name.
    pub(super) fn file_name(&self) -> String {
        name_of(&self.path, &self.content)
    }

    /// Writes its excerpt, and tells `brought` of the bytes as they come.
    ///
    /// # Errors
    /// Where the source cannot be read, or the disk not be written.
    pub(super) async fn fetch(
        &self,
        source: &dyn Source,
        into: &Path,
        brought: &dyn Fn(u64),
    ) -> Result<()> {
        let path = into.join(self.file_name());
        let cannot = || format!("cannot write {}", path.display());
        let mut unfinished = Unfinished::begin(&path).with_context(cannot)?;
        let mut head = serde_json::to_vec(&self.head(source.name()))?;
        head.push(b'\n');
        unfinished.file.write_all(&head).with_context(cannot)?;
        for range in &self.ranges {
            let mut start = range.start;
            while start < range.end {
                let length = PIECE_BYTES.min(range.end - start);
                let bytes = source.read_at(start, length).await;
                let bytes = bytes.map_err(|error| anyhow!("{error}"))?;
                unfinished.file.write_all(&bytes).with_context(cannot)?;
                brought(length);
                start += length;
            }
        }
        unfinished.finish(&path).with_context(cannot)
    }

    fn head(&self, name: &str) -> Head {
        Head {
            layout: LAYOUT,
            path: self.path.clone(),
            name: name.to_owned(),
            content: self.content.clone(),
            bytes: self.bytes,
            ranges: self.ranges.iter().map(|it| (it.start, it.end)).collect(),
        }
    }
}

fn name_of(path: &str, content: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(path);
    hash.update([0]);
    hash.update(content);
    let digits = hash.finalize();
    let digits = digits.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("{}.excerpt", digits.collect::<String>())
}

/// An excerpt that is being written: removed where that comes to nothing.
struct Unfinished {
    path: PathBuf,
    file: File,
}

impl Unfinished {
    /// Begins one under a name that no other process has. A container that is started again may have
    /// the host and process of one that was killed, whose file it takes.
    fn begin(excerpt: &Path) -> io::Result<Self> {
        let name = excerpt.file_name().unwrap_or_default().to_string_lossy();
        let (host, process) = (hardware::host_name(), std::process::id());
        let path = excerpt.with_file_name(format!("{name}.{process}.{host}{UNFINISHED}"));
        let opened = File::create(&path);
        Ok(Self {
            file: opened?,
            path,
        })
    }

    /// Gives it its name, once all of it is on the disk.
    fn finish(self, excerpt: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, excerpt)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // One that has its name is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what processes of this machine began and do not go on with, since they were killed.
pub(super) fn remove_abandoned(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let writer = name.to_str().and_then(writer_of);
        if writer.is_some_and(|(host, process)| hardware::has_ended(host, process)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The host and the process that write `NAME.excerpt.PROCESS.HOST.unfinished`.
fn writer_of(name: &str) -> Option<(&str, u32)> {
    let (_, writer) = name.strip_suffix(UNFINISHED)?.split_once(".excerpt.")?;
    let (process, host) = writer.split_once('.')?;
    Some((host, process.parse().ok()?))
}

/// An excerpt on the disk, all of it.
#[derive(Debug)]
pub(super) struct Excerpt {
    path: PathBuf,
    head: Head,
    /// Ascending, and apart.
    held: Vec<HeldRange>,
}

/// A range of the whole file, and where its bytes begin in the excerpt.
#[derive(Debug)]
struct HeldRange {
    range: Range<u64>,
    begins: u64,
}

impl Excerpt {
    /// That of a file in a folder of excerpts; none where none is there, or it is not all there.
    ///
    /// # Errors
    /// The system's reason, where it cannot be read.
    pub(super) fn find(folder: &Path, path: &str, content: &str) -> io::Result<Option<Self>> {
        let found = folder.join(name_of(path, content));
        let file = match File::open(&found) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let mut line = Vec::new();
        let mut reader = BufReader::new(file).take(LONGEST_HEAD_BYTES);
        reader.read_until(b'\n', &mut line)?;
        let head = serde_json::from_slice(&line).ok();
        let head = head.filter(|head: &Head| {
            (head.layout, &*head.path, &*head.content) == (LAYOUT, path, content)
        });
        let whole = head.and_then(|head| {
            let (held, end) = held(&head, line.len() as u64)?;
            (end == length).then_some((head, held))
        });
        Ok(whole.map(|(head, held)| Self {
            path: found,
            head,
            held,
        }))
    }

    /// Whether it has all of some ranges.
    pub(super) fn has(&self, ranges: &[Range<u64>]) -> bool {
        ranges.iter().all(|range| self.place(range).is_some())
    }

    /// Where a range of the whole file is in the excerpt; none where that has not all of it.
    fn place(&self, range: &Range<u64>) -> Option<u64> {
        let is_before = |it: &HeldRange| it.range.start <= range.start;
        let behind = self.held.partition_point(is_before);
        let found = self.held.get(behind.checked_sub(1)?)?;
        let before = range.start - found.range.start;
        (range.end <= found.range.end).then(|| found.begins + before)
    }

    /// The file that it is of, for those who read what it has.
    ///
    /// # Errors
    /// [`ReadError::Open`].
    pub(super) fn source(self: &Arc<Self>) -> Result<ExcerptSource, ReadError> {
        Ok(ExcerptSource {
            file: LocalFile::open(&self.path)?,
            excerpt: Arc::clone(self),
        })
    }
}

/// The place of each range behind a first line, and where the last one ends; none where ranges are
/// not ascending, or not of the file.
fn held(head: &Head, first: u64) -> Option<(Vec<HeldRange>, u64)> {
    let (mut held, mut begins, mut last) = (Vec::new(), first, 0);
    for &(start, end) in &head.ranges {
        if start < last || end < start || end > head.bytes {
            return None;
        }
        let range = start..end;
        held.push(HeldRange { range, begins });
        begins = begins.checked_add(end - start)?;
        last = end;
    }
    Some((held, begins))
}

/// A far file, as far as its excerpt has it.
pub(super) struct ExcerptSource {
    excerpt: Arc<Excerpt>,
    file: LocalFile,
}

impl ExcerptSource {
    async fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        checked_length(self, offset, length)?;
        if length == 0 {
            return Ok(Vec::new());
        }
        let place = self.excerpt.place(&(offset..offset + length));
        let Some(place) = place else {
            return Err(self.failure(offset, length, "these bytes were not fetched".into()));
        };
        let read = self.file.read_at(place, length).await;
        read.map_err(|error| self.failure(offset, length, error.into()))
    }

    /// That the excerpt could not be read: this says nothing of the file that it is of.
    fn failure(&self, offset: u64, length: u64, source: Box<dyn Error + Send + Sync>) -> ReadError {
        ReadError::Transport {
            path: self.name().to_owned(),
            offset,
            length,
            source,
        }
    }
}

impl Source for ExcerptSource {
    fn name(&self) -> &str {
        &self.excerpt.head.name
    }

    fn bytes(&self) -> u64 {
        self.excerpt.head.bytes
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        self.read(offset, length).boxed_local()
    }

    fn holds(&self, range: &Range<u64>) -> bool {
        self.excerpt.place(range).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use ckptscope_checkpoint::{MemorySource, Source};
    use futures_util::FutureExt;
    use tempfile::TempDir;

    use super::{Excerpt, Wanted, writer_of};

    fn wanted() -> Wanted {
        Wanted {
            path: "step_1/model.safetensors".to_owned(),
            content: "abc".to_owned(),
            bytes: 100,
            ranges: vec![10..20, 50..51, 90..100],
        }
    }

    /// An excerpt of a file whose bytes are their own places.
    fn written(folder: &TempDir) -> Arc<Excerpt> {
        let bytes: Vec<u8> = (0..100).collect();
        let source = MemorySource::new("far", bytes);
        let fetch = wanted();
        let fetch = fetch.fetch(&source, folder.path(), &|_| ());
        fetch.now_or_never().unwrap().unwrap();
        Arc::new(found(folder).unwrap())
    }

    fn found(folder: &TempDir) -> Option<Excerpt> {
        let wanted = wanted();
        Excerpt::find(folder.path(), &wanted.path, &wanted.content).unwrap()
    }

    #[test]
    fn what_was_fetched_is_read_at_its_own_place_and_the_rest_is_refused() {
        let folder = TempDir::new().unwrap();
        let source = written(&folder).source().unwrap();
        assert_eq!((source.name(), source.bytes()), ("far", 100));
        let read = |offset: u64, length| source.read_at(offset, length).now_or_never().unwrap();
        for (offset, length) in [
            (10, 10),
            (15, 3),
            (50, 1),
            (90, 10),
            (99, 1),
            (0, 0),
            (30, 0),
        ] {
            let expected: Vec<u8> = (0..100).skip(offset).take(length).collect();
            assert_eq!(read(offset as u64, length as u64).unwrap(), expected);
        }
        for (offset, length) in [
            (9, 1),
            (9, 2),
            (19, 2),
            (20, 1),
            (0, 100),
            (20, 31),
            (60, 1),
        ] {
            let refused = read(offset, length).unwrap_err().to_string();
            assert!(refused.contains("were not fetched"), "{refused}");
        }
        assert!(read(95, 6).unwrap_err().to_string().contains("outside"));
        assert!(source.holds(&(10..20)) && !source.holds(&(19..21)));
    }

    #[test]
    fn an_excerpt_that_is_not_all_there_is_none() {
        let folder = TempDir::new().unwrap();
        assert!(found(&folder).is_none());
        written(&folder);
        let path = folder.path().join(wanted().file_name());
        let whole = fs::read(&path).unwrap();
        for length in [0, 5, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(found(&folder).is_none(), "{length}");
        }
        fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(found(&folder).is_none(), "longer");
        let text = String::from_utf8_lossy(&whole).replace("[50,51]", "[10,11]");
        fs::write(&path, text).unwrap();
        assert!(found(&folder).is_none(), "not ascending");
        fs::write(&path, &whole).unwrap();
        assert!(found(&folder).unwrap().has(&[10..12, 91..92]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn who_writes_what_is_unfinished() {
        assert_eq!(
            writer_of("0a.excerpt.17.node-3.cluster.unfinished"),
            Some(("node-3.cluster", 17))
        );
        assert_eq!(writer_of("0a.excerpt"), None);
    }
}
