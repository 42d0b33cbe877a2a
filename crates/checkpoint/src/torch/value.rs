//! The values that a pickle makes, in flat arenas.

use super::storage::StorageType;
use crate::dtype::Dtype;

/// A value: small ones by themselves, others by their number in an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i32),
    /// An integer beyond 32 bits.
    Wide(u32),
    /// A float, bytes, a set, an integer beyond 128 bits: nothing a tensor is made of.
    Scalar,
    Text(u32),
    Global(u32),
    Tuple(u32),
    List(u32),
    Dict(u32),
    Storage(u32),
    Tensor(u32),
    Opaque(u32),
}

/// The values that a pickle made.
#[derive(Debug, Default)]
pub(super) struct Values<'p> {
    pub(super) integers: Vec<i128>,
    pub(super) texts: Vec<&'p str>,
    pub(super) globals: Vec<(&'p str, &'p str)>,
    pub(super) tuple_items: Vec<Value>,
    pub(super) tuples: Vec<(u32, u32)>,
    pub(super) lists: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) storages: Vec<StorageValue<'p>>,
    pub(super) tensors: Vec<TensorValue>,
    pub(super) opaques: Vec<Opaque<'p>>,
}

/// A storage as its persistent id describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct StorageValue<'p> {
    pub(super) storage_type: StorageType,
    pub(super) key: &'p str,
    /// Elements of the storage; bytes of an untyped one.
    pub(super) elements: u64,
    /// The part that is a storage of its own in old files: (first element, elements).
    pub(super) view: Option<(u64, u64)>,
}

/// A tensor as its rebuild function was called.
#[derive(Clone, Copy, Debug)]
pub(super) struct TensorValue {
    pub(super) storage: u32,
    pub(super) dtype: Dtype,
    pub(super) offset: Value,
    pub(super) shape: Value,
    pub(super) strides: Value,
}

/// Why a value is not understood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opaque<'p> {
    /// What a global would have made.
    Made { module: &'p str, name: &'p str },
    /// A tensor of elements that cannot be read.
    Elements(&'p str),
    /// A persistent id that names no storage.
    PersistentId,
}

impl<'p> Values<'p> {
    /// An integer, where the value is one that 128 bits hold.
    pub(super) fn integer(&self, value: Value) -> Option<i128> {
        match value {
            Value::Int(integer) => Some(integer.into()),
            Value::Wide(index) => get(&self.integers, index).copied(),
            Value::Bool(truth) => Some(truth.into()),
            _ => None,
        }
    }

    /// A natural number of 64 bits, where the value is one.
    pub(super) fn natural(&self, value: Value) -> Option<u64> {
        self.integer(value)
            .and_then(|integer| u64::try_from(integer).ok())
    }

    /// A text, where the value is one.
    pub(super) fn text(&self, value: Value) -> Option<&'p str> {
        match value {
            Value::Text(index) => get(&self.texts, index).copied(),
            _ => None,
        }
    }

    /// A global's module and name, where the value is one.
    pub(super) fn global(&self, value: Value) -> Option<(&'p str, &'p str)> {
        match value {
            Value::Global(index) => get(&self.globals, index).copied(),
            _ => None,
        }
    }

    /// The items of a tuple or a list, where the value is one.
    pub(super) fn items(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(index) => {
                let (start, length) = *get(&self.tuples, index)?;
                let rest = self.tuple_items.get(start as usize..)?;
                rest.get(..length as usize)
            }
            Value::List(index) => get(&self.lists, index).map(Vec::as_slice),
            _ => None,
        }
    }

    /// The items of a dict, where the value is one.
    pub(super) fn entries(&self, value: Value) -> Option<&[(Value, Value)]> {
        match value {
            Value::Dict(index) => get(&self.dicts, index).map(Vec::as_slice),
            _ => None,
        }
    }

    /// A storage, by its number.
    pub(super) fn storage(&self, index: u32) -> Option<&StorageValue<'p>> {
        get(&self.storages, index)
    }

    /// A tensor, by its number.
    pub(super) fn tensor(&self, index: u32) -> Option<&TensorValue> {
        get(&self.tensors, index)
    }

    /// An opaque value, by its number.
    pub(super) fn opaque(&self, index: u32) -> Option<&Opaque<'p>> {
        get(&self.opaques, index)
    }
}

impl Value {
    /// What messages call it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Wide(_) => "an integer",
            Self::Scalar => "a plain value",
            Self::Text(_) => "a text",
            Self::Global(_) => "a global",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
            Self::Opaque(_) => "an unknown object",
        }
    }
}

fn get<T>(arena: &[T], index: u32) -> Option<&T> {
    arena.get(index as usize)
}
