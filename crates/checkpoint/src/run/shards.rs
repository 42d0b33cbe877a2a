//! Shards of a checkpoint: what their names and their index say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::step_name::counts_up_to;
use crate::error::ReadError;
use crate::text::decode;
use crate::tree::{Tree, entry_of};

/// Longer shard indexes are refused.
const INDEX_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// `*.index.json`: which shard holds which tensor.
pub(super) struct ShardIndex(
    /// The shard's path in the tree, by the tensor's name.
    BTreeMap<String, String>,
);

#[derive(Deserialize)]
struct IndexFile {
    weight_map: WeightMap,
}

/// The file of every tensor. A name that occurs twice is an error: one would replace the other.
struct WeightMap(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for WeightMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WeightMapVisitor)
    }
}

struct WeightMapVisitor;

impl<'de> Visitor<'de> for WeightMapVisitor {
    type Value = WeightMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names of tensors to names of files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<WeightMap, A::Error> {
        let mut files = BTreeMap::new();
        while let Some((name, file)) = entries.next_entry::<String, String>()? {
            if let Some(other) = files.insert(name.clone(), file.clone())
                && other != file
            {
                return Err(A::Error::custom(format!(
                    "tensor {name:?} is in {other:?} and in {file:?}"
                )));
            }
        }
        if files.is_empty() {
            return Err(A::Error::custom("it names no tensors"));
        }
        Ok(WeightMap(files))
    }
}

impl ShardIndex {
    /// Reads an index all of whose shards are there.
    pub(super) async fn read(path: &str, tree: &dyn Tree) -> Result<Self, ReadError> {
        let bytes = entry_of(tree, path)?.bytes;
        if bytes > INDEX_LIMIT_BYTES {
            return Err(ReadError::IndexTooLong {
                path: path.to_owned(),
                bytes,
                limit: INDEX_LIMIT_BYTES,
            });
        }
        let content = tree.open(path).await?.read_at(0, bytes).await?;
        let bad = |source| ReadError::BadIndex {
            path: path.to_owned(),
            source,
        };
        let text = decode(&content).map_err(|error| bad(serde_json::Error::custom(error)))?;
        let parsed = serde_json::from_str::<IndexFile>(&text).map_err(bad)?;
        let folder = path.rfind('/').map_or("", |slash| &path[..=slash]);
        let files = parsed.weight_map.0.into_iter();
        let files = files.map(|(name, file)| (name, joined(folder, &file)));
        let index = Self(files.collect());
        for shard in index.paths() {
            match entry_of(tree, &shard) {
                Ok(_) => {}
                Err(error @ ReadError::HalfWritten { .. }) => return Err(error),
                Err(_) => {
                    return Err(ReadError::MissingShard {
                        shard,
                        index: path.to_owned(),
                    });
                }
            }
        }
        Ok(index)
    }

    /// The shard of a tensor; none for one that the index does not name.
    pub(super) fn file_of(&self, tensor: &str) -> Option<&str> {
        self.0.get(tensor).map(String::as_str)
    }

    /// The tensors of a shard.
    pub(super) fn names_of<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        let files = self.0.iter().filter(move |(_, file)| *file == path);
        files.map(|(name, _)| name.as_str())
    }

    /// The shards, sorted.
    pub(super) fn paths(&self) -> Vec<String> {
        let paths: BTreeSet<&String> = self.0.values().collect();
        paths.into_iter().cloned().collect()
    }
}

/// A path relative to a folder, without `.` and `..`; what leads out of the tree is in no tree.
fn joined(folder: &str, path: &str) -> String {
    let mut segments: Vec<&str> = folder.split_terminator('/').collect();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." if segments.last().is_some_and(|last| *last != "..") => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments.join("/")
}

/// A shard's file name, taken apart: `{stem}-{number}-of-{count}{ending}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShardName<'a> {
    /// The set that it is of.
    pub(super) set: SetName<'a>,
    /// Its number; sets count from 0 or from 1.
    pub(super) number: u64,
}

/// What the names of the shards of one save have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SetName<'a> {
    /// What stands before the number.
    pub(super) stem: &'a str,
    /// How many shards there are.
    pub(super) count: u64,
    /// What stands after the count.
    pub(super) ending: &'a str,
}

impl<'a> ShardName<'a> {
    /// Of a file's name, or of a path.
    pub(super) fn of(file: &'a str) -> Option<Self> {
        let hyphens = file.rsplit_once("-of-");
        let is_count = |before: &str| counts_up_to(before.rsplit('/').next().unwrap_or(before));
        let is_last = |after: &str| {
            let ending = after.trim_start_matches(|c: char| c.is_ascii_digit());
            ending.is_empty() || ending.starts_with('.')
        };
        let underscores = || {
            let parts = file.rsplit_once("_of_");
            parts.filter(|(before, after)| !is_count(before) && is_last(after))
        };
        let (before, after) = hyphens.or_else(underscores)?;
        let (stem, number) = before.rsplit_once(['-', '_', '.'])?;
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (count, ending) = after.split_at(digits);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (is_number(number) && is_number(count)).then_some(Self {
            set: SetName {
                stem,
                count: count.parse().ok()?,
                ending,
            },
            number: number.parse().ok()?,
        })
    }
}

/// The shards of one save that are there.
pub(super) struct ShardSet<'a> {
    /// What their names have in common.
    pub(super) name: SetName<'a>,
    /// Their paths, by number.
    pub(super) paths: BTreeMap<u64, &'a str>,
}

impl<'a> ShardSet<'a> {
    /// The sets among paths, sorted by name.
    pub(super) fn among(paths: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut sets: BTreeMap<SetName<'a>, BTreeMap<u64, &'a str>> = BTreeMap::new();
        for path in paths {
            if let Some(shard) = ShardName::of(path) {
                let shards = sets.entry(shard.set).or_default();
                shards.entry(shard.number).or_insert(path);
            }
        }
        let sets = sets.into_iter();
        sets.map(|(name, paths)| Self { name, paths }).collect()
    }

    /// Whether as many are there as their names say, counted from 0 or from 1 without a gap.
    pub(super) fn is_whole(&self) -> bool {
        let first = self.paths.keys().next().copied().unwrap_or_default();
        let is_next = |(place, number): (u64, &u64)| *number == first + place;
        first <= 1
            && self.paths.len() as u64 == self.name.count
            && (0..).zip(self.paths.keys()).all(is_next)
    }

    /// What it is called in messages: `model-*-of-00003.safetensors (2 files)`.
    pub(super) fn in_words(&self) -> String {
        let SetName {
            stem,
            count,
            ending,
        } = self.name;
        let stem = stem.rsplit('/').next().unwrap_or(stem);
        let there = self.paths.len();
        format!("{stem}-*-of-{count}{ending} ({there} of {count} there)")
    }
}

/// The paths of the only whole set among paths.
pub(super) fn whole_set(paths: &[String]) -> Option<Vec<String>> {
    let sets = ShardSet::among(paths.iter().map(String::as_str));
    let mut whole = sets.iter().filter(|set| set.is_whole());
    let set = whole.next().filter(|_| whole.next().is_none())?;
    Some(set.paths.values().map(|path| (*path).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::{ShardSet, joined, whole_set};

    #[test]
    fn sets_count_from_zero_or_one() {
        let whole = |names: &[&str]| {
            let sets = ShardSet::among(names.iter().copied());
            sets.iter().map(ShardSet::is_whole).collect::<Vec<_>>()
        };
        assert_eq!(
            whole(&["m-00000-of-00002.bin", "m-00001-of-00002.bin"]),
            [true]
        );
        assert_eq!(
            whole(&["m-00001-of-00002.bin", "m-00002-of-00002.bin"]),
            [true]
        );
        assert_eq!(
            whole(&["m-00000-of-00002.bin", "m-00002-of-00002.bin"]),
            [false]
        );
        assert_eq!(whole(&["m-2-of-2.bin", "m-3-of-2.bin"]), [false]);
        assert_eq!(whole(&["m-1-of-1.bin", "n-1-of-2.bin"]), [true, false]);
        let two = ["a/m-1-of-1.bin", "a/n-1-of-1.bin"].map(str::to_owned);
        assert_eq!(whole_set(&two), None);
    }

    #[test]
    fn an_indexs_paths_are_relative_to_it() {
        assert_eq!(joined("a/", "./m.bin"), "a/m.bin");
        assert_eq!(joined("a/", "b/m.bin"), "a/b/m.bin");
        assert_eq!(joined("a/", "../m.bin"), "m.bin");
        assert_eq!(joined("a/", "../../m.bin"), "../m.bin");
        assert_eq!(joined("", "m.bin"), "m.bin");
    }
}
