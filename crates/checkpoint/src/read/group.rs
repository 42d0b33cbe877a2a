//! Which tensors of a file are read together.
//!
//! Over a network an analysis reads at most 1.05 times its tensors, and directories. Directories
//! are the windows, what follows them of a longer directory, the Hub's lists and configs, and 4 KiB
//! for each request for tensors. Small tensors between zip headers come in one request, those of
//! another layer do not. Of a file on this disk reads shall be few, so gaps may be larger.

use std::ops::Range;

use super::too_large;
use crate::catalog::TensorEntry;
use crate::error::ReadError;
use crate::source::Source;
use ckptscope_vocabulary::sort::sort_by_key;

/// Ranges of a near file closer than this are read together.
pub const COALESCE_BYTES: u64 = 256 * 1024;

/// Of a far file, what lies between ranges that are read together is at most one part in so many
/// of what is wanted, and [`GAPS_ALLOWANCE_BYTES`].
pub const GAPS_SHARE: u64 = 20;

/// What may lie between ranges of a far file in any case: a request and its answer have as much
/// in headers, so that two of them would carry no less.
pub const GAPS_ALLOWANCE_BYTES: u64 = 4 * 1024;

/// Ranges are read together up to this; a longer tensor is read alone.
pub const GROUP_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Ranges that are read together.
pub(super) struct Group {
    pub(super) range: Range<u64>,
    /// Of these bytes, those that some tensor wants.
    wanted_bytes: u64,
    pub(super) members: Vec<Member>,
}

/// A tensor that was asked for, and its range of the file.
pub(super) struct Member {
    pub(super) index: usize,
    pub(super) range: Range<u64>,
}

/// The reads that bring the tensors, by position. Every one of a far file keeps to
/// [`GAPS_SHARE`].
pub(super) fn grouped(
    source: &dyn Source,
    entries: &[&TensorEntry],
) -> Result<Vec<Group>, ReadError> {
    let mut members = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let range =
            range_of(entry).ok_or_else(|| too_large(source.name(), &entry.name, &entry.shape))?;
        members.push(Member { index, range });
    }
    let holds = |gap: &Range<u64>| source.holds(gap);
    Ok(side_by_side(members, source.is_far(), &holds))
}

/// How many reads bring tensors of one near file.
#[must_use]
pub fn near_reads<'a>(entries: impl IntoIterator<Item = &'a TensorEntry>) -> u64 {
    let ranges = entries.into_iter().filter_map(range_of).enumerate();
    let members = ranges.map(|(index, range)| Member { index, range });
    side_by_side(members.collect(), false, &|_| true).len() as u64
}

fn range_of(entry: &TensorEntry) -> Option<Range<u64>> {
    let (start, length) = entry.checked_byte_range()?;
    Some(start..start.checked_add(length)?)
}

fn side_by_side(
    mut members: Vec<Member>,
    is_far: bool,
    holds: &dyn Fn(&Range<u64>) -> bool,
) -> Vec<Group> {
    sort_by_key(&mut members, |member| member.range.start);
    let mut groups: Vec<Group> = Vec::new();
    for member in members {
        match groups.last_mut() {
            Some(group) if group.takes(&member.range, is_far, holds) => group.add(member),
            _ => groups.push(Group {
                range: member.range.clone(),
                wanted_bytes: member.range.end - member.range.start,
                members: vec![member],
            }),
        }
    }
    groups
}

/// What an error calls a read: its first tensor, and how many others.
pub(super) struct GroupName {
    tensor: String,
    others: usize,
}

impl GroupName {
    /// Of a tensor that is read alone.
    pub(super) fn of_one(tensor: &str) -> Self {
        Self {
            tensor: tensor.to_owned(),
            others: 0,
        }
    }

    pub(super) fn error(&self, source: ReadError) -> ReadError {
        ReadError::Tensor {
            tensor: self.tensor.clone(),
            others: self.others,
            source: Box::new(source),
        }
    }
}

impl Group {
    /// Of `entries`, those that were grouped.
    pub(super) fn name_of(&self, entries: &[&TensorEntry]) -> GroupName {
        let first = self.members.first();
        let first = first.and_then(|member| entries.get(member.index));
        GroupName {
            tensor: first.map(|entry| entry.name.clone()).unwrap_or_default(),
            others: self.members.len().saturating_sub(1),
        }
    }

    fn takes(&self, range: &Range<u64>, is_far: bool, holds: &dyn Fn(&Range<u64>) -> bool) -> bool {
        if range.end <= self.range.end {
            return true;
        }
        let length = range.end - self.range.start;
        let gap = range.start.saturating_sub(self.range.end);
        let is_near = if is_far {
            let wanted = self.wanted_with(range);
            length - wanted <= wanted / GAPS_SHARE + GAPS_ALLOWANCE_BYTES
        } else {
            gap <= COALESCE_BYTES
        };
        let has_gap = || gap == 0 || holds(&(self.range.end..range.start));
        is_near && length <= GROUP_LIMIT_BYTES && has_gap()
    }

    /// The bytes that are wanted with another range that begins inside or behind.
    fn wanted_with(&self, range: &Range<u64>) -> u64 {
        let more = range.start.max(self.range.end)..range.end;
        self.wanted_bytes + more.end.saturating_sub(more.start)
    }

    fn add(&mut self, member: Member) {
        self.wanted_bytes = self.wanted_with(&member.range);
        self.range.end = self.range.end.max(member.range.end);
        self.members.push(member);
    }
}
