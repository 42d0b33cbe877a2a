//! What the values of a pickle take in memory, kept within a measure of the pickle's own length.

use std::collections::HashMap;

use super::value::Value;
use crate::error::PickleError;

/// The values of a pickle may take this many times its length, and [`FLOOR_BYTES`]. State dicts
/// take 4 to 8 times theirs.
const PER_BYTE: u64 = 12;

/// What the values of any pickle may take.
const FLOOR_BYTES: u64 = 256 * 1024;

/// The account: nothing grows without asking it first.
#[derive(Debug)]
pub(super) struct Account {
    used_bytes: u64,
    limit_bytes: u64,
}

impl Account {
    /// An account for a pickle of that length.
    pub(super) fn of_pickle(length: usize) -> Self {
        Self {
            used_bytes: 0,
            limit_bytes: FLOOR_BYTES + PER_BYTE * length as u64,
        }
    }

    /// Adds one item.
    pub(super) fn push<T>(&mut self, items: &mut Vec<T>, item: T) -> Result<(), PickleError> {
        self.make_room(items, 1)?;
        items.push(item);
        Ok(())
    }

    /// Adds items.
    pub(super) fn extend<T>(
        &mut self,
        items: &mut Vec<T>,
        more: impl ExactSizeIterator<Item = T>,
    ) -> Result<(), PickleError> {
        self.make_room(items, more.len())?;
        items.extend(more);
        Ok(())
    }

    /// Adds an item to an arena and returns its number. A pickle of 64 MiB cannot make more
    /// values than 32 bits count.
    pub(super) fn number<T>(&mut self, arena: &mut Vec<T>, item: T) -> Result<u32, PickleError> {
        self.push(arena, item)?;
        Ok((arena.len() - 1) as u32)
    }

    /// Makes room for more items, by doubling where there is none.
    fn make_room<T>(&mut self, items: &mut Vec<T>, more: usize) -> Result<(), PickleError> {
        let needed = items.len() + more;
        if needed <= items.capacity() {
            return Ok(());
        }
        let capacity = needed.max(2 * items.capacity());
        self.charge(((capacity - items.capacity()) * size_of::<T>()) as u64)?;
        items.reserve_exact(capacity - items.len());
        Ok(())
    }

    fn charge(&mut self, bytes: u64) -> Result<(), PickleError> {
        self.used_bytes += bytes;
        if self.used_bytes > self.limit_bytes {
            return Err(PickleError::TooManyValues {
                limit: self.limit_bytes,
            });
        }
        Ok(())
    }
}

/// What an entry of a map takes, with the map's empty places.
const MAP_ENTRY_BYTES: u64 = 3 * size_of::<(u64, Value)>() as u64;

/// Memorised values: picklers number them from 0 without gaps; others go into a map.
#[derive(Default)]
pub(super) struct Memo {
    dense: Vec<Value>,
    sparse: HashMap<u64, Value>,
}

impl Memo {
    /// How many values it holds.
    pub(super) fn len(&self) -> u64 {
        (self.dense.len() + self.sparse.len()) as u64
    }

    /// Stores a value under a number.
    pub(super) fn store(
        &mut self,
        index: u64,
        value: Value,
        account: &mut Account,
    ) -> Result<(), PickleError> {
        if index == self.dense.len() as u64 {
            return account.push(&mut self.dense, value);
        }
        let slot = usize::try_from(index)
            .ok()
            .and_then(|index| self.dense.get_mut(index));
        if let Some(slot) = slot {
            *slot = value;
            return Ok(());
        }
        if !self.sparse.contains_key(&index) {
            account.charge(MAP_ENTRY_BYTES)?;
        }
        self.sparse.insert(index, value);
        Ok(())
    }

    /// The value of that number.
    pub(super) fn recall(&self, index: u64) -> Option<Value> {
        let dense = usize::try_from(index)
            .ok()
            .and_then(|index| self.dense.get(index));
        dense.or_else(|| self.sparse.get(&index)).copied()
    }
}
