//! Tensors' bytes, fetched before they are widened.

use std::ops::Range;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;

use super::group::{Group, GroupName, grouped};
use super::{short, tensor_of};
use crate::catalog::TensorEntry;
use crate::error::ReadError;
use crate::source::{Source, Started, checked_length};
use crate::tensor::Tensor;

/// Reads of some tensors of one file, all of them under way at once where the source can do so by
/// itself. Dropping it ends them.
pub struct Fetch {
    source: Rc<dyn Source>,
    /// How many tensors were asked for.
    count: usize,
    reads: Vec<Read>,
}

struct Read {
    group: Group,
    name: GroupName,
    /// None where bytes come only while somebody waits.
    started: Option<Started>,
}

/// One tensor's bytes as they stand in its file. Tensors that were read together share them: they
/// are let go with the last of these.
#[derive(Clone, Debug)]
pub struct TensorBytes {
    file: Rc<str>,
    read: Rc<Vec<u8>>,
    range: Range<usize>,
}

impl Fetch {
    /// Starts to read tensors, grouped as [`read_tensors`](super::read_tensors) does.
    ///
    /// # Errors
    /// [`ReadError::TensorTooLarge`] for an entry that no format made.
    pub fn start(source: Rc<dyn Source>, entries: &[&TensorEntry]) -> Result<Self, ReadError> {
        let read = |group: Group| {
            let length = group.range.end - group.range.start;
            Read {
                started: source.start_read(group.range.start, length),
                name: group.name_of(entries),
                group,
            }
        };
        let reads = grouped(&*source, entries)?.into_iter().map(read).collect();
        let count = entries.len();
        Ok(Self {
            source,
            count,
            reads,
        })
    }

    /// The tensors' bytes, in the order asked for.
    ///
    /// # Errors
    /// [`ReadError`] when the source fails; the message names a tensor and the file.
    pub async fn finish(self) -> Result<Vec<TensorBytes>, ReadError> {
        let file: Rc<str> = self.source.name().into();
        let mut fetched: Vec<Option<TensorBytes>> = vec![None; self.count];
        for read in self.reads {
            let (start, end) = (read.group.range.start, read.group.range.end);
            let bytes = match read.started {
                Some(started) => started.await,
                None => self.source.read_at(start, end - start).await,
            };
            let bytes = bytes.map_err(|error| read.name.error(error))?;
            let bytes = Rc::new(bytes);
            for member in &read.group.members {
                let range = inside(start, &member.range).filter(|range| range.end <= bytes.len());
                let range = range.ok_or_else(|| read.name.error(short(&file, &member.range)))?;
                if let Some(slot) = fetched.get_mut(member.index) {
                    *slot = Some(TensorBytes {
                        file: Rc::clone(&file),
                        read: Rc::clone(&bytes),
                        range,
                    });
                }
            }
        }
        Ok(fetched.into_iter().flatten().collect())
    }
}

impl TensorBytes {
    /// The values of the tensor whose bytes these are.
    ///
    /// # Errors
    /// [`ReadError::TensorTooLarge`] where the values do not fit in memory.
    pub fn widen(&self, entry: &TensorEntry) -> Result<Tensor, ReadError> {
        tensor_of(&self.file, entry, self.bytes())
    }
}

impl TensorBytes {
    /// The file that they are of.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// They as they stand in the file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.read.get(self.range.clone()).unwrap_or_default()
    }

    /// They as a file, which messages call `name`.
    pub(crate) fn as_file<'a>(&'a self, name: &'a str) -> FileInMemory<'a> {
        FileInMemory {
            name,
            bytes: self.bytes(),
        }
    }

    /// A part of them: first byte and length.
    pub(crate) fn part(&self, (start, length): (u64, u64)) -> Option<Self> {
        let start = self.range.start.checked_add(usize::try_from(start).ok()?)?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        (end <= self.range.end).then(|| Self {
            file: Rc::clone(&self.file),
            read: Rc::clone(&self.read),
            range: start..end,
        })
    }
}

/// Bytes at hand that are read as a file.
pub(crate) struct FileInMemory<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

impl Source for FileInMemory<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        Box::pin(async move {
            let length = checked_length(self, offset, length)?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = self.bytes.get(start..).unwrap_or_default();
            Ok(rest.get(..length).unwrap_or_default().to_vec())
        })
    }
}

/// A range of the file as a range of what was read from `start` on.
pub(super) fn inside(start: u64, range: &Range<u64>) -> Option<Range<usize>> {
    let place = |position: u64| usize::try_from(position.checked_sub(start)?).ok();
    Some(place(range.start)?..place(range.end)?)
}
