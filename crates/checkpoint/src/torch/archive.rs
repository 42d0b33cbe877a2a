//! The directory of a zip archive, read by position from its end.
//!
//! PyTorch writes local headers with sizes of 0 and data descriptors after the data, so sizes
//! come from the central directory; where the data starts is said by the local header alone.
//! See the format's APPNOTE, sections 4.3 and 4.5.3.

use std::collections::HashMap;

use crate::error::{FormatError, ZipError};
use crate::source::{Source, window_bytes};
use ckptscope_vocabulary::sort::sort_by_key;

/// More entries than this are refused.
pub(super) const ENTRIES_LIMIT: u64 = 200_000;

/// The end of the file where the end records are: the longest comment, and them before it.
const TAIL_BYTES: u64 = 64 * 1024 + END_RECORDS_BYTES;

/// Room for the end records of both forms and the locator between them.
const END_RECORDS_BYTES: u64 = 128;

const END_BYTES: usize = 22;
const ZIP64_LOCATOR_BYTES: usize = 20;
const ZIP64_END_BYTES: u64 = 56;
const CENTRAL_HEADER_BYTES: u64 = 46;
const LOCAL_HEADER_BYTES: u64 = 30;
/// The longest data descriptor: a signature, a checksum and two sizes of 8 bytes.
const LONGEST_DESCRIPTOR_BYTES: u64 = 24;

/// Local headers closer than this are read together.
const HEADERS_GAP_BYTES: u64 = 64 * 1024;
/// No more than this is read for the headers of one group.
const HEADERS_GROUP_BYTES: u64 = 1024 * 1024;

/// PyTorch pads local headers so that the data starts at a multiple of this.
const ALIGNMENT_BYTES: u64 = 64;

/// A zip archive's directory, and what was read of the file on the way to it.
pub(super) struct Archive<'a> {
    source: &'a dyn Source,
    windows: Vec<Window>,
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
    /// Where entries begin, ascending, and last where the directory begins.
    boundaries: Vec<u64>,
}

/// One entry of the central directory.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) header_offset: u64,
    pub(super) compressed_bytes: u64,
    pub(super) bytes: u64,
    pub(super) method: u16,
    /// Of the content; none where the writer computed none.
    pub(super) crc32: Option<u32>,
    flags: u16,
    name_bytes: u64,
}

/// A part of the file that is in memory.
struct Window {
    offset: u64,
    bytes: Vec<u8>,
}

/// Where the central directory lies.
struct Directory {
    offset: u64,
    bytes: u64,
    entries: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory: the file's tail, and the directory itself where it is longer.
    pub(super) async fn open(source: &'a dyn Source) -> Result<Self, FormatError> {
        let mut archive = Self {
            source,
            windows: Vec::new(),
            entries: Vec::new(),
            by_name: HashMap::new(),
            boundaries: Vec::new(),
        };
        let directory = archive.find_directory().await?;
        let bytes = archive.window(directory.offset, directory.bytes).await?;
        let (entries, by_name) = read_directory(bytes, &directory)?;
        archive.boundaries = entries.iter().map(|entry| entry.header_offset).collect();
        archive.boundaries.push(directory.offset);
        archive.boundaries.sort_unstable();
        (archive.entries, archive.by_name) = (entries, by_name);
        Ok(archive)
    }

    /// The entry of that name.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name
            .get(name)
            .and_then(|index| self.entries.get(*index))
    }

    /// Every entry's name, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The stored bytes of one entry, as they are in the file, and where they begin there.
    pub(super) async fn stored(
        &mut self,
        name: &str,
        entry: &Entry,
    ) -> Result<(u64, Vec<u8>), FormatError> {
        let span = self.span(entry);
        let window = self.window(entry.header_offset, span).await?;
        let start = local_data_offset(name, entry, window)?;
        if start
            .checked_add(entry.compressed_bytes)
            .is_none_or(|end| end > span)
        {
            return Err(outside(name, entry).into());
        }
        let offset = entry.header_offset + start;
        Ok((offset, self.take(offset, entry.compressed_bytes)))
    }

    /// Bytes that were read. A window that holds little else is given away, not copied.
    fn take(&mut self, offset: u64, length: u64) -> Vec<u8> {
        let holder = self
            .windows
            .iter()
            .position(|window| window.range(offset, length).is_some());
        let Some(index) = holder else {
            return Vec::new();
        };
        if length <= TAIL_BYTES {
            let window = self.windows.get(index);
            return window
                .and_then(|window| window.range(offset, length))
                .unwrap_or_default()
                .to_vec();
        }
        let Window {
            offset: start,
            mut bytes,
        } = self.windows.swap_remove(index);
        let skipped = usize::try_from(offset - start).unwrap_or(0);
        bytes.truncate(skipped + usize::try_from(length).unwrap_or(0));
        bytes.drain(..skipped);
        bytes
    }

    /// Reads the entries at once where they are neighbours, so that what follows finds them read.
    pub(super) async fn prefetch(
        &mut self,
        first: &Entry,
        second: &Entry,
        gap_bytes: u64,
    ) -> Result<(), FormatError> {
        let first_end = first.header_offset.saturating_add(self.span(first));
        let second_end = second.header_offset.saturating_add(self.span(second));
        let ordered = first.header_offset < second.header_offset;
        if ordered && second.header_offset.saturating_sub(first_end) <= gap_bytes {
            self.window(first.header_offset, second_end - first.header_offset)
                .await?;
        }
        Ok(())
    }

    /// Where each entry's data starts in the file. Entries laid out as PyTorch lays them out need
    /// no read; the local headers of the others are read, neighbours together.
    pub(super) async fn data_offsets(
        &mut self,
        wanted: &[(String, Entry)],
    ) -> Result<Vec<u64>, FormatError> {
        let mut offsets: Vec<Option<u64>> = wanted
            .iter()
            .map(|(_, entry)| self.aligned_data_offset(entry))
            .collect();
        let mut unsure: Vec<usize> = (0..wanted.len())
            .filter(|index| matches!(offsets.get(*index), Some(None)))
            .collect();
        sort_by_key(&mut unsure, |index| {
            wanted.get(*index).map(|(_, entry)| entry.header_offset)
        });
        for group in self.header_groups(wanted, &unsure) {
            self.read_headers(wanted, &group, &mut offsets).await?;
        }
        let found = offsets.into_iter().zip(wanted);
        let found = found.map(|(offset, (name, entry))| offset.ok_or_else(|| outside(name, entry)));
        Ok(found.collect::<Result<Vec<u64>, ZipError>>()?)
    }

    /// The data's offset, when two independent findings agree on it: reckoned forwards, from the
    /// header by PyTorch's rule of padding; and backwards, from the entry that follows.
    fn aligned_data_offset(&self, entry: &Entry) -> Option<u64> {
        let header_end = entry.header_offset + LOCAL_HEADER_BYTES + entry.name_bytes;
        let (past_32_bits, mut padding_header) = (u64::from(u32::MAX), 4);
        if entry.bytes >= past_32_bits || entry.header_offset >= past_32_bits {
            padding_header += 4;
            padding_header += if entry.bytes >= past_32_bits { 16 } else { 0 };
            padding_header += if entry.header_offset >= past_32_bits {
                8
            } else {
                0
            };
        }
        let forwards = header_end
            .checked_add(padding_header)?
            .checked_next_multiple_of(ALIGNMENT_BYTES)?;
        let data_end = forwards.checked_add(entry.compressed_bytes)?;
        let descriptor = self.next_boundary(entry).checked_sub(data_end)?;
        let has_descriptor = entry.flags & FLAG_DESCRIPTOR != 0;
        let agrees = if has_descriptor {
            matches!(descriptor, 16 | 24)
        } else {
            descriptor == 0
        };
        agrees.then_some(forwards)
    }

    fn header_groups(&self, wanted: &[(String, Entry)], unsure: &[usize]) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let (mut group_start, mut group_end) = (0, 0);
        for index in unsure {
            let Some((_, entry)) = wanted.get(*index) else {
                continue;
            };
            let end = entry.header_offset + LOCAL_HEADER_BYTES;
            let near = entry.header_offset.saturating_sub(group_end) <= HEADERS_GAP_BYTES;
            let small = end.saturating_sub(group_start) <= HEADERS_GROUP_BYTES;
            match groups.last_mut() {
                Some(group) if near && small => group.push(*index),
                _ => {
                    group_start = entry.header_offset;
                    groups.push(vec![*index]);
                }
            }
            group_end = end;
        }
        groups
    }

    async fn read_headers(
        &mut self,
        wanted: &[(String, Entry)],
        group: &[usize],
        offsets: &mut [Option<u64>],
    ) -> Result<(), FormatError> {
        let members = || {
            group
                .iter()
                .filter_map(|index| wanted.get(*index).map(|w| (*index, w)))
        };
        let start = members()
            .map(|(_, (_, entry))| entry.header_offset)
            .min()
            .unwrap_or(0);
        let ends = members().map(|(_, (_, entry))| entry.header_offset + LOCAL_HEADER_BYTES);
        let end = ends.max().unwrap_or(start);
        let file = self.source.bytes();
        let kept = self.windows.len();
        let window = self.window(start, end - start).await?;
        for (index, (name, entry)) in members() {
            let from = usize::try_from(entry.header_offset - start).unwrap_or(usize::MAX);
            let header = window.get(from..).unwrap_or_default();
            let offset = entry.header_offset + local_data_offset(name, entry, header)?;
            if offset.saturating_add(entry.compressed_bytes) > file {
                return Err(outside(name, entry).into());
            }
            if let Some(slot) = offsets.get_mut(index) {
                *slot = Some(offset);
            }
        }
        self.windows.truncate(kept);
        Ok(())
    }

    /// Everything from an entry's local header to the next entry, where that is sane.
    fn span(&self, entry: &Entry) -> u64 {
        let longest = self
            .header_span(entry)
            .saturating_add(entry.compressed_bytes);
        let available = self.next_boundary(entry) - entry.header_offset;
        available.min(longest.saturating_add(LONGEST_DESCRIPTOR_BYTES))
    }

    /// A local header as long as it can be, inside the file.
    fn header_span(&self, entry: &Entry) -> u64 {
        let longest = LOCAL_HEADER_BYTES + entry.name_bytes + u64::from(u16::MAX);
        longest.min(self.next_boundary(entry) - entry.header_offset)
    }

    fn next_boundary(&self, entry: &Entry) -> u64 {
        let next = self
            .boundaries
            .partition_point(|offset| *offset <= entry.header_offset);
        self.boundaries
            .get(next)
            .copied()
            .unwrap_or(entry.header_offset)
    }

    async fn find_directory(&mut self) -> Result<Directory, FormatError> {
        let file = self.source.bytes();
        let (tail_offset, position, end) = self.find_end().await?;
        let tail = self.window(tail_offset, file - tail_offset).await?;
        let locator = zip64_locator(tail, position)?;
        let mut limit = tail_offset + position as u64;
        let directory = match locator {
            None => end.directory()?,
            Some(offset) => {
                let fits = offset
                    .checked_add(ZIP64_END_BYTES)
                    .is_some_and(|end| end <= limit);
                if !fits {
                    return Err(ZipError::BadZip64Record { offset }.into());
                }
                limit = offset;
                zip64_directory(self.window(offset, ZIP64_END_BYTES).await?, offset)?
            }
        };
        directory.check(limit, file)?;
        Ok(directory)
    }

    /// The offset of the tail that was read, and where in it the end record is. Of a far file the
    /// tail is short at first: comments are, as a rule.
    async fn find_end(&mut self) -> Result<(u64, usize, EndRecord), FormatError> {
        let file = self.source.bytes();
        let longest = file.min(TAIL_BYTES);
        if self.source.is_far() {
            let offset = file - longest.min(window_bytes(file));
            let tail = self.window(offset, file - offset).await?;
            if let Ok((position, end)) = find_end_record(tail)
                && position as u64 >= END_RECORDS_BYTES
            {
                return Ok((offset, position, end));
            }
        }
        let offset = file - longest;
        let (position, end) = find_end_record(self.window(offset, longest).await?)?;
        Ok((offset, position, end))
    }

    /// A range of the file: from what was read already, else by one read.
    async fn window(&mut self, offset: u64, length: u64) -> Result<&[u8], FormatError> {
        let holds = |window: &Window| window.range(offset, length).is_some();
        let known = self.windows.iter().position(holds);
        let index = match known {
            Some(index) => index,
            None => {
                let bytes = self.source.read_directory(offset, length).await?;
                self.windows.push(Window { offset, bytes });
                self.windows.len() - 1
            }
        };
        let window = self
            .windows
            .get(index)
            .and_then(|window| window.range(offset, length));
        Ok(window.unwrap_or_default())
    }
}

impl Entry {
    /// Whether the entry is stored as it is.
    pub(super) fn is_stored(&self) -> bool {
        self.method == METHOD_STORED && self.compressed_bytes == self.bytes
    }

    /// Whether the entry is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & FLAG_ENCRYPTED != 0
    }
}

impl Window {
    fn range(&self, offset: u64, length: u64) -> Option<&[u8]> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes.get(start..end)
    }
}

impl Directory {
    fn check(&self, limit: u64, file: u64) -> Result<(), ZipError> {
        let &Self {
            offset,
            bytes,
            entries,
        } = self;
        if entries > ENTRIES_LIMIT {
            return Err(ZipError::TooManyEntries {
                entries,
                limit: ENTRIES_LIMIT,
            });
        }
        let inside = offset.checked_add(bytes).is_some_and(|end| end <= limit);
        if !inside || entries * CENTRAL_HEADER_BYTES > bytes {
            return Err(ZipError::DirectoryOutside {
                offset,
                bytes,
                file,
            });
        }
        Ok(())
    }
}

/// Compression method: none.
pub(super) const METHOD_STORED: u16 = 0;
/// Compression method: deflate.
pub(super) const METHOD_DEFLATED: u16 = 8;

const FLAG_ENCRYPTED: u16 = 1;
const FLAG_DESCRIPTOR: u16 = 1 << 3;

/// The end record's fields, as they stand.
struct EndRecord {
    disk: u16,
    directory_disk: u16,
    entries: u16,
    directory_bytes: u32,
    directory_offset: u32,
}

impl EndRecord {
    fn directory(&self) -> Result<Directory, ZipError> {
        if self.disk != 0 || self.directory_disk != 0 {
            return Err(ZipError::SeveralVolumes);
        }
        Ok(Directory {
            offset: self.directory_offset.into(),
            bytes: self.directory_bytes.into(),
            entries: self.entries.into(),
        })
    }
}

/// The last end record in the tail whose comment fits behind it.
fn find_end_record(tail: &[u8]) -> Result<(usize, EndRecord), ZipError> {
    let last = tail
        .len()
        .checked_sub(END_BYTES)
        .ok_or(ZipError::NoEndRecord)?;
    let found = (0..=last).rev().find_map(|position| {
        let mut fields = Fields(tail.get(position..)?);
        fields.signature(b"PK\x05\x06")?;
        let record = EndRecord {
            disk: fields.u16()?,
            directory_disk: fields.u16()?,
            entries: {
                fields.u16()?;
                fields.u16()?
            },
            directory_bytes: fields.u32()?,
            directory_offset: fields.u32()?,
        };
        let comment = fields.u16()?;
        fields.bytes(comment.into())?;
        Some((position, record))
    });
    found.ok_or(ZipError::NoEndRecord)
}

/// The offset of the zip64 end record, where a locator says there is one.
fn zip64_locator(tail: &[u8], end_position: usize) -> Result<Option<u64>, ZipError> {
    let start = end_position.checked_sub(ZIP64_LOCATOR_BYTES);
    let Some(bytes) = start.and_then(|start| tail.get(start..)) else {
        return Ok(None);
    };
    let mut fields = Fields(bytes);
    if fields.signature(b"PK\x06\x07").is_none() {
        return Ok(None);
    }
    let (disk, offset, disks) = (fields.u32(), fields.u64(), fields.u32());
    match (disk, disks) {
        (Some(0), Some(0 | 1)) => Ok(offset),
        _ => Err(ZipError::SeveralVolumes),
    }
}

fn zip64_directory(record: &[u8], offset: u64) -> Result<Directory, ZipError> {
    let parse = || {
        let mut fields = Fields(record);
        fields.signature(b"PK\x06\x06")?;
        fields.bytes(8 + 2 + 2 + 4 + 4 + 8)?;
        let entries = fields.u64()?;
        let bytes = fields.u64()?;
        Some(Directory {
            offset: fields.u64()?,
            bytes,
            entries,
        })
    };
    parse().ok_or(ZipError::BadZip64Record { offset })
}

type Entries = (Vec<Entry>, HashMap<String, usize>);

fn read_directory(bytes: &[u8], directory: &Directory) -> Result<Entries, ZipError> {
    let mut fields = Fields(bytes);
    let mut entries = Vec::new();
    let mut by_name = HashMap::new();
    for index in 0..directory.entries {
        let read = central_entry(&mut fields).filter(|(_, entry)| {
            let end = entry
                .header_offset
                .checked_add(LOCAL_HEADER_BYTES + entry.name_bytes);
            end.is_some_and(|end| end <= directory.offset)
        });
        let (name, entry) = read.ok_or(ZipError::BadEntry { index })?;
        if entry.compressed_bytes > directory.offset {
            return Err(outside(&name, &entry));
        }
        if by_name.contains_key(&name) {
            return Err(ZipError::DuplicateEntry { entry: name });
        }
        by_name.insert(name, entries.len());
        entries.push(entry);
    }
    Ok((entries, by_name))
}

fn central_entry(fields: &mut Fields<'_>) -> Option<(String, Entry)> {
    fields.signature(b"PK\x01\x02")?;
    fields.bytes(2 + 2)?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.bytes(2 + 2)?;
    let crc32 = Some(fields.u32()?).filter(|crc32| *crc32 != 0);
    let (compressed, uncompressed) = (fields.u32()?, fields.u32()?);
    let (name_bytes, extra_bytes) = (fields.u16()?, fields.u16()?);
    let comment_bytes = fields.u16()?;
    fields.bytes(2 + 2 + 4)?;
    let header_offset = fields.u32()?;
    let name = String::from_utf8(fields.bytes(name_bytes.into())?.to_vec()).ok()?;
    let extra = fields.bytes(extra_bytes.into())?;
    fields.bytes(comment_bytes.into())?;
    let mut wide = Fields(zip64_extra(extra));
    let mut widen = |narrow: u32| match narrow {
        u32::MAX => wide.u64(),
        _ => Some(narrow.into()),
    };
    let bytes = widen(uncompressed)?;
    let compressed_bytes = widen(compressed)?;
    let header_offset = widen(header_offset)?;
    let name_bytes = name_bytes.into();
    Some((
        name,
        Entry {
            header_offset,
            compressed_bytes,
            bytes,
            method,
            crc32,
            flags,
            name_bytes,
        },
    ))
}

/// The content of the zip64 extra field, which holds the 64-bit form of those fields, in order,
/// that are at their 32-bit limit.
fn zip64_extra(extra: &[u8]) -> &[u8] {
    let mut fields = Fields(extra);
    while let (Some(id), Some(length)) = (fields.u16(), fields.u16()) {
        match fields.bytes(length.into()) {
            Some(content) if id == 1 => return content,
            Some(_) => {}
            None => break,
        }
    }
    &[]
}

/// Where the data starts, counted from the start of the local header.
fn local_data_offset(name: &str, entry: &Entry, header: &[u8]) -> Result<u64, ZipError> {
    let parse = || {
        let mut fields = Fields(header);
        fields.signature(b"PK\x03\x04")?;
        fields.bytes(22)?;
        let (name_bytes, extra_bytes) = (fields.u16()?, fields.u16()?);
        Some(LOCAL_HEADER_BYTES + u64::from(name_bytes) + u64::from(extra_bytes))
    };
    let offset = entry.header_offset;
    parse().ok_or_else(|| ZipError::BadLocalHeader {
        entry: name.to_owned(),
        offset,
    })
}

fn outside(name: &str, entry: &Entry) -> ZipError {
    ZipError::EntryOutside {
        entry: name.to_owned(),
        bytes: entry.compressed_bytes,
    }
}

/// Little-endian fields, taken one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn signature(&mut self, signature: &[u8; 4]) -> Option<()> {
        (self.array::<4>()? == *signature).then_some(())
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
