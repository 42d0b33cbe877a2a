//! `worker submit --fetch`: brings what shards read of the Hub to the folder that they share.
//!
//! Compute nodes often have no network. The plan knows every byte that a shard will read, and an
//! excerpt of each file has these, and small gaps between them (`excerpt.rs`). A folder that has `fetched` is
//! read there and nowhere else, so that no shard waits for a server that it cannot reach.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use ckptscope_analysis::Lane;
use ckptscope_checkpoint::http::client::REQUESTS_AT_ONCE;
use ckptscope_checkpoint::hub::HubTree;
use ckptscope_checkpoint::read::GAPS_ALLOWANCE_BYTES;
use ckptscope_checkpoint::{StoredTensor, Tree};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::excerpt::{Excerpt, Wanted, remove_abandoned};
use super::folder::Folder;
use super::shard_file::{self, Shard};
use super::submit::stop_on_signal;
use super::tree::Source;
use crate::analysis::counted;
use crate::executor::Executor;
use crate::place::Address;
use crate::progress::{Transfer, bytes};
use crate::{Misuse, console, hardware, hub};

/// What is to be fetched for some lanes.
pub(super) struct Fetching<'a> {
    folder: &'a Folder,
    files: Vec<(&'a HubTree, Wanted)>,
}

impl<'a> Fetching<'a> {
    /// What lanes read of their trees. A file that several of them read is fetched once.
    pub(super) fn of(
        folder: &'a Folder,
        parts: impl IntoIterator<Item = (&'a HubTree, &'a [Lane])>,
    ) -> Self {
        let mut files: BTreeMap<&str, (&HubTree, Vec<Range<u64>>)> = BTreeMap::new();
        for (tree, lanes) in parts {
            for (path, ranges) in ranges_of(lanes) {
                let (_, all) = files.entry(path).or_insert((tree, Vec::new()));
                all.extend(ranges);
            }
        }
        let files = files.into_iter().filter_map(|(path, (tree, ranges))| {
            let wanted = Wanted {
                path: path.to_owned(),
                content: tree.content_id(path)?,
                bytes: tree.bytes(path)?,
                ranges: joined(ranges),
            };
            Some((tree, wanted))
        });
        Self {
            folder,
            files: files.collect(),
        }
    }

    /// Fetches what is not there yet, and says before how much that is; none where the person
    /// stopped it.
    ///
    /// # Errors
    /// [`Misuse`] where the disk has less room. Where the Hub cannot be read, or the folder not be
    /// written: what is whole is kept.
    pub(super) fn run(&self, executor: &Executor) -> Result<Option<()>> {
        let into = self.folder.fetched();
        remove_abandoned(&into);
        let left = self.left()?;
        let all = bytes_of(&self.files.iter().collect::<Vec<_>>());
        let missing = bytes_of(&left);
        self.say(all, missing);
        self.check_room(missing)?;
        let transfer = RefCell::new(Transfer::begin(all, all - missing));
        let fetched = executor.block_on(async {
            let each = left.into_iter().map(|(tree, wanted)| {
                let (into, transfer) = (&into, &transfer);
                async move {
                    let source = tree.open(&wanted.path).await;
                    let source = source.map_err(|error| anyhow!("{error}"))?;
                    let brought = |count| transfer.borrow_mut().add(count);
                    wanted.fetch(&*source, into, &brought).await
                }
            });
            let running = stream::iter(each).buffer_unordered(REQUESTS_AT_ONCE);
            running.try_for_each(|()| async { Ok(()) }).await
        });
        transfer.borrow().finish();
        let shown = self.folder.path().display();
        let advice = format!("what is fetched is kept: go on with `worker submit --again {shown}`");
        match fetched {
            Some(Ok(())) if !executor.is_stopped() => Ok(Some(())),
            Some(Err(error)) => Err(anyhow!("{error:#}\n{advice}")),
            Some(Ok(())) | None => {
                console::say(&advice);
                Ok(None)
            }
        }
    }

    /// Says how much is fetched, and of how much.
    fn say(&self, all: u64, missing: u64) {
        let whole: u64 = self.files.iter().map(|(_, wanted)| wanted.bytes).sum();
        let here = match all - missing {
            0 => String::new(),
            here => format!("; {} are there already", bytes(here)),
        };
        let (count, into) = (self.files.len() as u64, self.folder.fetched());
        console::say(&format!(
            "fetches {} of {} in {} to {}{here}",
            bytes(all),
            bytes(whole),
            counted(count, "file"),
            into.display()
        ));
    }

    fn check_room(&self, missing: u64) -> Result<()> {
        let free = hardware::free_bytes(self.folder.path());
        let Some(free) = free.filter(|free| *free < missing) else {
            return Ok(());
        };
        let (shown, missing, free) = (self.folder.path().display(), bytes(missing), bytes(free));
        Err(Misuse(format!(
            "{missing} are to be fetched, and {free} are free on the disk of {shown}: make room and \
             go on with `worker submit --again {shown}`, or choose another folder with --out"
        ))
        .into())
    }

    /// The files of which something is not there.
    fn left(&self) -> Result<Vec<&(&'a HubTree, Wanted)>> {
        let into = self.folder.fetched();
        let mut left = Vec::new();
        for file in &self.files {
            let (_, wanted) = file;
            let found = Excerpt::find(&into, &wanted.path, &wanted.content);
            let found = found.with_context(|| format!("cannot read {}", into.display()))?;
            if !found.is_some_and(|excerpt| excerpt.has(&wanted.ranges)) {
                left.push(file);
            }
        }
        Ok(left)
    }
}

fn bytes_of(files: &[&(&HubTree, Wanted)]) -> u64 {
    files.iter().map(|(_, wanted)| wanted.wanted_bytes()).sum()
}

/// That there is something to fetch.
///
/// # Errors
/// [`Misuse`] where the run lies on a disk.
pub(super) fn check(address: &Address) -> Result<()> {
    match address {
        Address::Hub(_) => Ok(()),
        Address::Path(path) | Address::Within(path, _) => {
            Err(nothing_to_fetch(&path.display().to_string()))
        }
    }
}

fn nothing_to_fetch(run: &str) -> anyhow::Error {
    let words = format!("{run} is on a disk, where shards read it: leave --fetch out");
    Misuse(words).into()
}

/// Fetches what some shards of a folder read; none where the person stopped it.
///
/// # Errors
/// As [`Fetching::run`], and [`Misuse`] where the run lies on a disk.
pub(super) fn for_shards(folder: &Folder, shards: &[usize]) -> Result<Option<()>> {
    let executor = Executor::start(stop_on_signal()?)?;
    let hub = hub::from_environment(Arc::new(executor.reader()?))?;
    let mut parts: Vec<(HubTree, Vec<Lane>)> = Vec::new();
    for &shard in shards {
        let Shard { head, lanes, .. } = shard_file::read(folder, shard)?;
        match head.source {
            Source::Hub(manifest) => parts.push((hub.listed(manifest), lanes)),
            Source::Folder(files) => return Err(nothing_to_fetch(files.name())),
        }
    }
    begin(folder)?;
    let parts = parts.iter().map(|(tree, lanes)| (tree, lanes.as_slice()));
    Fetching::of(folder, parts).run(&executor)
}

/// Makes a folder one that shards read, and not the network.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn begin(folder: &Folder) -> Result<()> {
    let path = folder.fetched();
    fs::create_dir_all(&path).with_context(|| format!("cannot write {}", path.display()))
}

/// Whether shards of a folder read what was fetched, and not the network.
pub(super) fn is_begun(folder: &Folder) -> bool {
    folder.fetched().is_dir()
}

/// The ranges that lanes read, by file.
pub(super) fn ranges_of(lanes: &[Lane]) -> BTreeMap<&str, Vec<Range<u64>>> {
    let mut ranges: BTreeMap<&str, Vec<Range<u64>>> = BTreeMap::new();
    let tensors = lanes.iter().flat_map(|lane| &lane.steps);
    let tensors = tensors.flat_map(|step| &step.tensors);
    for extent in tensors.flat_map(StoredTensor::extents) {
        let (start, length) = extent.entry.byte_range();
        let of_file = ranges.entry(extent.path).or_default();
        if length > 0 {
            of_file.push(start..start.saturating_add(length));
        }
    }
    ranges
}

/// The same ranges, ascending and apart. What lies between two of them comes along where it is
/// shorter than another request would be.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAPS_ALLOWANCE_BYTES) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn ranges_with_little_between_them_are_one() {
        let apart = vec![100_000..100_010, 0..10, 5..20, 4_116..4_120];
        assert_eq!(joined(apart), vec![0..4_120, 100_000..100_010]);
        assert_eq!(joined(vec![0..10, 4_107..4_108]).len(), 2);
    }
}
