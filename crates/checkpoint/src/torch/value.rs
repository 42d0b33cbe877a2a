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
    /// A float, a set, an integer beyond 128 bits: nothing a tensor is made of.
    Scalar,
    Text(u32),
    /// Bytes, as they stand in the pickle.
    Bytes(u32),
    /// Bytes as a text whose characters they are, by the number of the text.
    BytesAsText(u32),
    Global(u32),
    Tuple(u32),
    List(u32),
    Dict(u32),
    Storage(u32),
    Tensor(u32),
    Object(u32),
    Opaque(u32),
}

/// The values that a pickle made.
#[derive(Debug, Default)]
pub(super) struct Values<'p> {
    pub(super) integers: Vec<i128>,
    pub(super) texts: Vec<&'p str>,
    /// Where bytes stand in the pickle: first byte and length.
    pub(super) bytes: Vec<(u32, u32)>,
    pub(super) globals: Vec<(&'p str, &'p str)>,
    pub(super) tuple_items: Vec<Value>,
    pub(super) tuples: Vec<(u32, u32)>,
    pub(super) lists: Vec<Vec<Value>>,
    pub(super) dicts: Vec<Vec<(Value, Value)>>,
    pub(super) storages: Vec<StorageValue<'p>>,
    pub(super) tensors: Vec<TensorValue>,
    pub(super) objects: Vec<Object<'p>>,
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
    /// Whether its values are those of the storage with the other sign.
    pub(super) negated: bool,
}

/// What a class or a function made that is not known here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'p> {
    /// Of the class or the function.
    pub(super) module: &'p str,
    /// Of the class or the function.
    pub(super) name: &'p str,
    /// Whether a class was asked for an instance, rather than a function called.
    pub(super) is_instance: bool,
    /// The tuple that it was given.
    pub(super) arguments: Value,
    /// What it was built of afterwards, as a rule a dict of its attributes.
    pub(super) state: Value,
    /// The dict of what was set in it by key.
    pub(super) entries: Value,
    /// The list of what was appended to it.
    pub(super) items: Value,
}

/// Why a value is not understood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opaque<'p> {
    /// A tensor of elements that cannot be read.
    Elements(&'p str),
    /// A tensor with a property that is not known.
    Property(&'p str),
    /// A persistent id that names no storage.
    PersistentId,
}

/// Among so many attributes of an object one is looked for: many objects may name one long dict.
const ATTRIBUTES_LIMIT: usize = 256;

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

    /// An object, where the value is one.
    pub(super) fn object(&self, value: Value) -> Option<&Object<'p>> {
        match value {
            Value::Object(index) => get(&self.objects, index),
            _ => None,
        }
    }

    /// An attribute, where the value is a dict that has it among its first.
    pub(super) fn attribute(&self, value: Value, name: &str) -> Option<Value> {
        let entries = self.entries(value)?.iter().take(ATTRIBUTES_LIMIT);
        let mut named = entries.filter(|(key, _)| self.text(*key) == Some(name));
        named.next_back().map(|(_, value)| *value)
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
            Self::Bytes(_) | Self::BytesAsText(_) => "bytes",
            Self::Global(_) => "a global",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
            Self::Object(_) | Self::Opaque(_) => "an unknown object",
        }
    }
}

fn get<T>(arena: &[T], index: u32) -> Option<&T> {
    arena.get(index as usize)
}
