//! From a pickle's values to named tensors, and from those to places in the file.

use std::collections::HashSet;

use super::pickle::{NESTING_LIMIT, Pickle};
use super::value::{Opaque, StorageValue, TensorValue, Value, Values};
use crate::catalog::{Placement, TensorEntry};
use crate::dtype::Dtype;
use crate::error::{FormatError, PickleError, TorchError};

/// More tensors than this are refused.
const TENSORS_LIMIT: usize = 1_000_000;

/// Tensors of more dimensions than this are refused, as PyTorch does.
const DIMENSIONS_LIMIT: usize = 64;

/// An expanded view may repeat its storage up to this many elements.
const EXPANDED_LIMIT: u64 = 1 << 24;

/// The catalog may take this many times the pickle's length, and [`CATALOG_FLOOR_BYTES`].
const CATALOG_PER_BYTE: u64 = 4;

/// What the catalog of any pickle may take.
const CATALOG_FLOOR_BYTES: u64 = 256 * 1024;

/// What messages call a tensor that is the whole file.
const BARE_TENSOR: &str = "tensor";

/// The tensors of a pickle by name, nested dicts joined with dots.
#[derive(Debug, Default)]
pub(super) struct Unfolded<'p> {
    pub(super) tensors: Vec<NamedTensor<'p>>,
    pub(super) unreadable: Vec<(String, String)>,
}

/// A tensor as the pickle describes it, its numbers checked but not its storage.
#[derive(Debug)]
pub(super) struct NamedTensor<'p> {
    pub(super) name: String,
    pub(super) storage: StorageValue<'p>,
    dtype: Dtype,
    offset: u64,
    shape: Vec<u64>,
    strides: Vec<u64>,
}

/// Where a storage lies in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoragePlace {
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// Walks dicts, lists and tuples from the root and collects the tensors in them. Numbers, texts
/// and other plain values are passed over; what is not understood is named as unreadable.
pub(super) fn unfold<'p>(pickle: &Pickle<'p>) -> Result<Unfolded<'p>, FormatError> {
    let mut walk = Walk::new(pickle);
    walk.visit(pickle.root)?;
    while let Some(container) = walk.containers.last_mut() {
        let position = container.position;
        let (value, name_length) = (container.value, container.name_length);
        container.position += 1;
        walk.name.truncate(name_length);
        match walk.child(value, position) {
            None => drop(walk.containers.pop()),
            Some((Some(key), child)) => {
                walk.push_name(&key);
                walk.visit(child)?;
            }
            Some((None, child)) => walk.spoil_unnamed(child)?,
        }
    }
    Ok(walk.found)
}

struct Walk<'a, 'p> {
    values: &'a Values<'p>,
    containers: Vec<Container>,
    name: String,
    found: Unfolded<'p>,
    names: HashSet<String>,
    /// Aliases may lead the walk to one value again and again; a walk without aliases never
    /// visits more values than the pickle has bytes.
    visits_left: usize,
    bytes_left: u64,
}

/// A dict, list or tuple in which the walk is.
struct Container {
    value: Value,
    position: usize,
    name_length: usize,
}

impl<'a, 'p> Walk<'a, 'p> {
    fn new(pickle: &'a Pickle<'p>) -> Self {
        Self {
            values: &pickle.values,
            containers: Vec::new(),
            name: String::new(),
            found: Unfolded::default(),
            names: HashSet::new(),
            visits_left: pickle.length,
            bytes_left: CATALOG_FLOOR_BYTES + CATALOG_PER_BYTE * pickle.length as u64,
        }
    }

    fn visit(&mut self, value: Value) -> Result<(), FormatError> {
        self.visits_left = self.visits_left.checked_sub(1).ok_or(TorchError::Unfolds)?;
        match value {
            Value::Dict(_) | Value::List(_) | Value::Tuple(_) => self.enter(value)?,
            Value::Tensor(index) => {
                if let Some(tensor) = self.values.tensor(index) {
                    self.collect(*tensor)?;
                }
            }
            Value::Opaque(index) => {
                if let Some(opaque) = self.values.opaque(index) {
                    self.spoil(opaque.to_string())?;
                }
            }
            Value::Global(_) => {
                let (module, name) = self.values.global(value).unwrap_or_default();
                self.spoil(Opaque::Made { module, name }.to_string())?;
            }
            Value::Storage(_) => self.spoil("it is a storage without a shape".to_owned())?,
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Wide(_) => {}
            Value::Scalar | Value::Text(_) => {}
        }
        Ok(())
    }

    fn enter(&mut self, value: Value) -> Result<(), FormatError> {
        if self
            .containers
            .iter()
            .any(|container| container.value == value)
        {
            return Err(TorchError::ContainsItself {
                name: self.name.clone(),
            }
            .into());
        }
        if self.containers.len() == NESTING_LIMIT {
            return Err(PickleError::TooDeep {
                limit: NESTING_LIMIT,
            }
            .into());
        }
        let name_length = self.name.len();
        self.containers.push(Container {
            value,
            position: 0,
            name_length,
        });
        Ok(())
    }

    /// The child at a position with the name it adds, where its key is one that names.
    fn child(&self, container: Value, position: usize) -> Option<(Option<String>, Value)> {
        if let Some(entries) = self.values.entries(container) {
            let (key, value) = *entries.get(position)?;
            let text = self.values.text(key).map(str::to_owned);
            let name = text.or_else(|| self.values.integer(key).map(|key| key.to_string()));
            return Some((name, value));
        }
        let item = *self.values.items(container)?.get(position)?;
        Some((Some(position.to_string()), item))
    }

    fn push_name(&mut self, key: &str) {
        if self.containers.len() > 1 {
            self.name.push('.');
        }
        self.name.push_str(key);
    }

    /// Values under a key that is neither text nor number have no name.
    fn spoil_unnamed(&mut self, value: Value) -> Result<(), FormatError> {
        let holds_values = matches!(
            value,
            Value::Dict(_) | Value::List(_) | Value::Tuple(_) | Value::Tensor(_)
        );
        if holds_values {
            self.push_name("?");
            self.spoil("its key is neither a text nor a number".to_owned())?;
        }
        Ok(())
    }

    fn collect(&mut self, tensor: TensorValue) -> Result<(), FormatError> {
        let name = self.new_name()?;
        if self.found.tensors.len() == TENSORS_LIMIT {
            return Err(TorchError::TooManyTensors {
                limit: TENSORS_LIMIT,
            }
            .into());
        }
        let Some(storage) = self.values.storage(tensor.storage) else {
            return Ok(());
        };
        let extents = |value| -> Option<Vec<u64>> {
            let items = self.values.items(value)?;
            items
                .iter()
                .map(|item| self.values.natural(*item))
                .collect()
        };
        let extent_counts = [tensor.shape, tensor.strides]
            .map(|value| self.values.items(value).map(<[Value]>::len));
        if let [Some(dimensions), Some(strides)] = extent_counts {
            check_dimensions(&name, dimensions, strides)?;
        }
        let numbers = (
            extents(tensor.shape),
            extents(tensor.strides),
            self.values.natural(tensor.offset),
        );
        let (Some(shape), Some(strides), Some(offset)) = numbers else {
            return Err(TorchError::BadExtent { tensor: name }.into());
        };
        self.charge(16 * shape.len())?;
        let (storage, dtype) = (*storage, tensor.dtype);
        let tensor = NamedTensor {
            name,
            storage,
            dtype,
            offset,
            shape,
            strides,
        };
        self.found.tensors.push(tensor);
        Ok(())
    }

    fn spoil(&mut self, reason: String) -> Result<(), FormatError> {
        let name = self.new_name()?;
        self.charge(reason.len())?;
        self.found.unreadable.push((name, reason));
        Ok(())
    }

    /// The name of where the walk is, the first time it is there.
    fn new_name(&mut self) -> Result<String, FormatError> {
        // The name is kept twice: in the catalog, and among the names that are taken.
        self.charge(2 * self.name.len() + size_of::<TensorEntry>() + size_of::<String>())?;
        let name = if self.name.is_empty() {
            BARE_TENSOR.to_owned()
        } else {
            self.name.clone()
        };
        if !self.names.insert(name.clone()) {
            return Err(TorchError::DuplicateName { tensor: name }.into());
        }
        Ok(name)
    }

    fn charge(&mut self, bytes: usize) -> Result<(), TorchError> {
        self.bytes_left = self
            .bytes_left
            .checked_sub(bytes as u64)
            .ok_or(TorchError::Unfolds)?;
        Ok(())
    }
}

fn check_dimensions(tensor: &str, dimensions: usize, strides: usize) -> Result<(), TorchError> {
    let tensor = tensor.to_owned();
    if dimensions != strides {
        return Err(TorchError::StrideCount {
            tensor,
            dimensions,
            strides,
        });
    }
    if dimensions > DIMENSIONS_LIMIT {
        let limit = DIMENSIONS_LIMIT;
        return Err(TorchError::TooManyDimensions {
            tensor,
            dimensions,
            limit,
        });
    }
    Ok(())
}

impl NamedTensor<'_> {
    /// The catalog's entry, once it is sure that every element lies inside the storage and the
    /// storage inside the file.
    pub(super) fn placed(
        self,
        place: StoragePlace,
        big_endian: bool,
    ) -> Result<TensorEntry, TorchError> {
        let storage_offset = self.checked_storage(place)?;
        let storage_offset_bytes = place.offset + storage_offset;
        let Self {
            name,
            dtype,
            offset,
            shape,
            strides,
            ..
        } = self;
        let placement = Placement {
            storage_offset_bytes,
            offset,
            strides,
            big_endian,
        };
        Ok(TensorEntry {
            name,
            dtype,
            shape,
            placement,
        })
    }

    /// Checks the storage and the view, and returns where the storage starts in its place.
    fn checked_storage(&self, place: StoragePlace) -> Result<u64, TorchError> {
        let element = self.storage.storage_type.bytes();
        let (first, elements) = self.storage.view.unwrap_or((0, self.storage.elements));
        let start = first.checked_mul(element);
        let length = elements.checked_mul(element);
        let end = start
            .zip(length)
            .and_then(|(start, length)| start.checked_add(length));
        let needs = end.unwrap_or(u64::MAX);
        if needs > place.bytes {
            let (tensor, key) = (self.name.clone(), self.storage.key.to_owned());
            return Err(TorchError::ShortStorage {
                tensor,
                key,
                needs,
                has: place.bytes,
            });
        }
        self.check_view(length.unwrap_or(0) / self.dtype.bytes())?;
        Ok(start.unwrap_or(0))
    }

    /// Checks that the view stays inside a storage of `held` elements.
    fn check_view(&self, held: u64) -> Result<(), TorchError> {
        let expanded = self.elements()?;
        let reaches = if expanded == 0 {
            Some(self.offset)
        } else {
            self.reaches()
        };
        let tensor = || self.name.clone();
        match reaches {
            Some(reaches) if reaches <= held => {}
            _ => {
                let reaches = reaches.unwrap_or(u64::MAX);
                return Err(TorchError::OutsideStorage {
                    tensor: tensor(),
                    reaches,
                    elements: held,
                });
            }
        }
        if expanded > held && expanded > EXPANDED_LIMIT {
            let (elements, limit) = (held, EXPANDED_LIMIT);
            let tensor = tensor();
            return Err(TorchError::ExpandsTooFar {
                tensor,
                elements,
                expanded,
                limit,
            });
        }
        Ok(())
    }

    /// Number of elements, if their widened bytes can be counted too.
    fn elements(&self) -> Result<u64, TorchError> {
        let count = |product: u64, extent: &u64| product.checked_mul(*extent);
        let elements = self.shape.iter().try_fold(1, count);
        let countable = elements.filter(|elements| elements.checked_mul(8).is_some());
        countable.ok_or_else(|| TorchError::ShapeOverflow {
            tensor: self.name.clone(),
            shape: self.shape.clone(),
        })
    }

    /// One past the last element of the view, counted from the storage's first.
    fn reaches(&self) -> Option<u64> {
        let mut reaches = self.offset.checked_add(1)?;
        for (extent, stride) in self.shape.iter().zip(&self.strides) {
            reaches = reaches.checked_add(extent.checked_sub(1)?.checked_mul(*stride)?)?;
        }
        Some(reaches)
    }
}

impl std::fmt::Display for Opaque<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Made { module, name } => write!(f, "it is made by {module}.{name}, not a tensor"),
            Self::Elements(name) => write!(f, "its elements are {name}, which is not supported"),
            Self::PersistentId => f.write_str("its persistent id names no known storage"),
        }
    }
}
