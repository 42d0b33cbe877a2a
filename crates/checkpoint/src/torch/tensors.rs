//! From a pickle's values to named tensors, and from those to places in the file.

use std::collections::{HashMap, HashSet};

use super::array::{self, Array};
use super::object::{self, Meaning, Sections};
use super::pickle::{NESTING_LIMIT, Pickle};
use super::value::{Object, Opaque, StorageValue, TensorValue, Value, Values};
use crate::catalog::{Packing, Placement, TensorEntry};
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

/// Why a weight that is a list of numbers is not read.
const NUMBERS: &str = "it is a list of numbers and no tensor; save it as `torch.tensor(it)`";

/// What messages call a tensor that is the whole file.
const BARE_TENSOR: &str = "tensor";

/// The tensors of a pickle by name, nested dicts joined with dots.
#[derive(Debug, Default)]
pub(super) struct Unfolded<'p> {
    pub(super) tensors: Vec<NamedTensor<'p>>,
    pub(super) unreadable: Vec<(String, String)>,
}

impl Unfolded<'_> {
    fn is_empty(&self) -> bool {
        self.tensors.is_empty() && self.unreadable.is_empty()
    }

    /// Makes tensors unreadable.
    fn spoil(&mut self, reason: &str, is_spoilt: impl Fn(&str) -> bool) {
        let spoilt = self
            .tensors
            .extract_if(.., |tensor| is_spoilt(&tensor.name));
        let spoilt = spoilt.map(|tensor| (tensor.name, reason.to_owned()));
        self.unreadable.extend(spoilt);
    }
}

/// What trainers call the number of ranks that have parts of a model.
const RANKS_OF_MODEL: &[&str] = &[
    "mp_world_size",
    "tensor_model_parallel_size",
    "tensor_parallel_size",
    "pipeline_model_parallel_size",
    "pipeline_parallel_size",
    "model_parallel_size",
];

/// What they call the number of ranks that have parts of its experts alone.
const RANKS_OF_EXPERTS: &[&str] = &["expert_model_parallel_size", "expert_parallel_size"];

/// Where trainers keep what they were told, beside a model.
const SETTINGS: &[&str] = &["args", "hyper_parameters", "config", "cfg"];

/// Parts of names of settings that are of a server which generates text while a model is trained.
const OF_GENERATION: &[&str] = &["rollout", "infer", "generat", "sampl", "vllm", "sglang"];

/// Settings in settings.
const DEPTH_OF_SETTINGS: usize = 3;

/// So many settings are looked at: dicts may be shared, and lead to each other again and again.
const SETTINGS_SEEN: usize = 20_000;

/// What a file's trainer says of ranks, with how many they are, where it says that several of them
/// have parts of its tensors: DeepSpeed at the root, Megatron and `NeMo` among their settings.
fn ranks_of_model(pickle: &Pickle<'_>, names: &[&str]) -> Option<(String, u64)> {
    let values = &pickle.values;
    let of_root = values.entries(pickle.root)?;
    let is_settings = |key: Value| values.text(key).is_some_and(|key| SETTINGS.contains(&key));
    let settings = of_root.iter().filter(|(key, _)| is_settings(*key));
    let mut left = SETTINGS_SEEN;
    said_of_ranks(values, of_root, names).or_else(|| {
        let mut settings = settings;
        settings
            .find_map(|(_, value)| ranks_in(values, *value, names, DEPTH_OF_SETTINGS, &mut left))
    })
}

fn ranks_in(
    values: &Values<'_>,
    settings: Value,
    names: &[&str],
    depth: usize,
    left: &mut usize,
) -> Option<(String, u64)> {
    let attributes = values.object(settings).map(|object| object.state);
    let entries = values.entries(attributes.unwrap_or(settings))?;
    *left = left.checked_sub(entries.len())?;
    said_of_ranks(values, entries, names).or_else(|| {
        let depth = depth.checked_sub(1)?;
        let is_of_training = |key: Value| {
            let key = values.text(key).unwrap_or_default();
            !OF_GENERATION.iter().any(|word| key.contains(word))
        };
        let mut inner = entries.iter().filter(|(key, _)| is_of_training(*key));
        inner.find_map(|(_, value)| ranks_in(values, *value, names, depth, left))
    })
}

fn said_of_ranks(
    values: &Values<'_>,
    entries: &[(Value, Value)],
    names: &[&str],
) -> Option<(String, u64)> {
    entries.iter().find_map(|(key, ranks)| {
        let key = values.text(*key).filter(|key| names.contains(key))?;
        let in_words = || values.text(*ranks)?.parse().ok();
        let ranks = values.natural(*ranks).or_else(in_words)?;
        (ranks > 1).then(|| (key.to_owned(), ranks))
    })
}

/// A tensor as the pickle describes it, its numbers checked but not its storage.
#[derive(Debug)]
pub(super) struct NamedTensor<'p> {
    pub(super) name: String,
    pub(super) elements: Elements<'p>,
    dtype: Dtype,
    offset: u64,
    shape: Vec<u64>,
    strides: Vec<u64>,
    negated: bool,
}

/// Where a tensor's elements are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Elements<'p> {
    /// In a storage of the file.
    Storage(StorageValue<'p>),
    /// In the pickle itself.
    Pickle(PickledBytes),
}

/// Bytes that stand in the pickle.
#[derive(Clone, Copy, Debug)]
pub(super) struct PickledBytes {
    /// First byte, counted from the pickle's.
    position: u64,
    /// As they stand.
    packed_bytes: u64,
    /// As they are meant.
    bytes: u64,
    is_text: bool,
    big_endian: bool,
}

/// Where a storage lies in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoragePlace {
    pub(super) offset: u64,
    /// As it is once it is unpacked.
    pub(super) bytes: u64,
    pub(super) packing: Packing,
    /// Of all of it, where that is known.
    pub(super) crc32: Option<u32>,
}

/// Walks dicts, lists, tuples and objects from the root and collects the tensors in them. Numbers,
/// texts and other plain values are passed over; what may have been a tensor and is not understood
/// is named as unreadable.
pub(super) fn unfold<'p>(pickle: &Pickle<'p>) -> Result<Unfolded<'p>, FormatError> {
    let mut walk = Walk::new(pickle);
    walk.visit(pickle.root)?;
    while let Some(container) = walk.containers.last_mut() {
        let (section, position) = (container.section(), container.position);
        let name_length = container.name_length;
        container.position += 1;
        walk.name.truncate(name_length);
        match walk.child(section, position) {
            None => walk.leave_section(),
            Some((Some(key), child)) => {
                walk.push_name(&key);
                walk.visit(child)?;
            }
            Some((None, child)) => walk.spoil_unnamed(child)?,
        }
    }
    let mut unfolded = walk.found()?;
    let of_ranks = |(name, ranks): (String, u64)| {
        format!(
            "it is one rank's part of a model that {ranks} ranks have, as `{name}` beside it says; \
             merge the ranks first (DeepSpeed: `ds_to_universal.py`, Megatron: \
             `tools/checkpoint/convert.py`)"
        )
    };
    if let Some(ranks) = ranks_of_model(pickle, RANKS_OF_MODEL) {
        unfolded.spoil(&of_ranks(ranks), |_| true);
    }
    if let Some(ranks) = ranks_of_model(pickle, RANKS_OF_EXPERTS) {
        unfolded.spoil(&of_ranks(ranks), |name| name.contains("expert"));
    }
    match pickle.values.object(pickle.root) {
        Some(object) if object.is_instance && unfolded.is_empty() => Err(TorchError::OneObject {
            class: format!("{}.{}", object.module, object.name),
        }
        .into()),
        _ => Ok(unfolded),
    }
}

struct Walk<'a, 'p> {
    pickle: &'a Pickle<'p>,
    values: &'a Values<'p>,
    containers: Vec<Container>,
    name: String,
    found: Unfolded<'p>,
    names: HashSet<String>,
    /// Names that several values have.
    shared_names: HashSet<String>,
    /// Objects that are no modules are walked where they are met first: they refer to each other
    /// as they please.
    seen_objects: Vec<bool>,
    /// The lengths of the bytes that texts stand for, by the texts' numbers.
    text_lengths: HashMap<u32, Option<u64>>,
    /// Aliases may lead the walk to one value again and again; a walk without aliases never
    /// visits more values than the pickle has bytes.
    visits_left: usize,
    bytes_left: u64,
}

/// A dict, list, tuple or object in which the walk is.
struct Container {
    value: Value,
    /// What of it is still to be walked, the first now.
    sections: Sections,
    position: usize,
    name_length: usize,
}

impl Container {
    fn section(&self) -> Value {
        let [first, ..] = self.sections;
        first
    }
}

impl<'a, 'p> Walk<'a, 'p> {
    fn new(pickle: &'a Pickle<'p>) -> Self {
        Self {
            pickle,
            values: &pickle.values,
            containers: Vec::new(),
            name: String::new(),
            found: Unfolded::default(),
            names: HashSet::new(),
            shared_names: HashSet::new(),
            seen_objects: vec![false; pickle.values.objects.len()],
            text_lengths: HashMap::new(),
            visits_left: pickle.length,
            bytes_left: CATALOG_FLOOR_BYTES + CATALOG_PER_BYTE * pickle.length as u64,
        }
    }

    fn visit(&mut self, value: Value) -> Result<(), FormatError> {
        self.visits_left = self.visits_left.checked_sub(1).ok_or(TorchError::Unfolds)?;
        match value {
            Value::List(_) | Value::Tuple(_) if self.is_weight_of_numbers(value) => {
                self.spoil(NUMBERS.to_owned())?;
            }
            Value::Dict(_) | Value::List(_) | Value::Tuple(_) => {
                self.enter(
                    value,
                    [value, Value::None, Value::None, Value::None, Value::None],
                )?;
            }
            Value::Tensor(index) => {
                if let Some(tensor) = self.values.tensor(index) {
                    self.collect(*tensor)?;
                }
            }
            Value::Object(index) => {
                if let Some(object) = self.values.object(value) {
                    self.visit_object(value, index, object)?;
                }
            }
            Value::Opaque(index) => {
                if let Some(opaque) = self.values.opaque(index) {
                    self.spoil(opaque.to_string())?;
                }
            }
            Value::Storage(_) => self.spoil("it is a storage without a shape".to_owned())?,
            // A class or a function by itself is no value.
            Value::Global(_) => {}
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Wide(_) => {}
            Value::Scalar | Value::Text(_) | Value::Bytes(_) | Value::BytesAsText(_) => {}
        }
        Ok(())
    }

    /// Whether a list is called as a weight is, and its first item, or that item's first, a number.
    fn is_weight_of_numbers(&self, list: Value) -> bool {
        if !self.name.ends_with("weight") {
            return false;
        }
        let mut first = list;
        for _ in 0..DIMENSIONS_LIMIT {
            match self.values.items(first).and_then(<[Value]>::first) {
                Some(item) => first = *item,
                None => break,
            }
        }
        matches!(first, Value::Scalar | Value::Int(_) | Value::Wide(_))
    }

    fn visit_object(
        &mut self,
        value: Value,
        index: u32,
        object: &Object<'p>,
    ) -> Result<(), FormatError> {
        if array::is_array(object) {
            return match array::array(self.values, object) {
                Ok(array) => self.collect_array(array),
                Err(reason) => self.spoil(reason),
            };
        }
        match object::meaning(self.values, object) {
            Meaning::Plain => Ok(()),
            Meaning::Wraps(inner) => self.visit(inner),
            Meaning::Unknown(reason) => self.spoil(reason),
            Meaning::Module(sections) => self.enter(value, sections),
            Meaning::Holder(sections) => match self.seen_objects.get_mut(index as usize) {
                Some(seen) if !*seen => {
                    *seen = true;
                    self.enter(value, sections)
                }
                _ => Ok(()),
            },
        }
    }

    fn enter(&mut self, value: Value, sections: Sections) -> Result<(), FormatError> {
        if self.containers.iter().any(|it| it.value == value) {
            // Objects know each other, a module the one that it is in.
            if self
                .containers
                .iter()
                .any(|it| matches!(it.value, Value::Object(_)))
            {
                return Ok(());
            }
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
            sections,
            position: 0,
            name_length,
        });
        Ok(())
    }

    /// Goes on with what the innermost container has behind the section in hand, or leaves it.
    fn leave_section(&mut self) {
        let Some(container) = self.containers.last_mut() else {
            return;
        };
        container.position = 0;
        if let [_, rest @ ..] = container.sections
            && rest.iter().any(|section| *section != Value::None)
        {
            let [second, third, fourth, fifth] = rest;
            container.sections = [second, third, fourth, fifth, Value::None];
        } else {
            self.containers.pop();
        }
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
            Value::Dict(_) | Value::List(_) | Value::Tuple(_) | Value::Tensor(_) | Value::Object(_)
        );
        if holds_values {
            self.push_name("?");
            // Once for all of them.
            if !self.names.contains(&self.name) {
                self.spoil("its key is neither a text nor a number".to_owned())?;
            }
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
        let (elements, dtype) = (Elements::Storage(*storage), tensor.dtype);
        self.found.tensors.push(NamedTensor {
            name,
            elements,
            dtype,
            offset,
            shape,
            strides,
            negated: tensor.negated,
        });
        Ok(())
    }

    fn collect_array(&mut self, array: Array) -> Result<(), FormatError> {
        let Some(bytes) = self.pickled_bytes(array.bytes, array.big_endian) else {
            return self.spoil("it is a NumPy array whose bytes are not there".to_owned());
        };
        let count = |product: u64, extent: &u64| product.checked_mul(*extent);
        let elements = array.shape.iter().try_fold(1, count);
        let needs = elements.and_then(|elements| elements.checked_mul(array.dtype.bytes()));
        if needs != Some(bytes.bytes) || array.shape.len() > DIMENSIONS_LIMIT {
            let (shape, bytes) = (&array.shape, bytes.bytes);
            return self.spoil(format!("it is a NumPy array {shape:?} of {bytes} bytes"));
        }
        let name = self.new_name()?;
        self.charge(16 * array.shape.len())?;
        if self.found.tensors.len() == TENSORS_LIMIT {
            return Err(TorchError::TooManyTensors {
                limit: TENSORS_LIMIT,
            }
            .into());
        }
        self.found.tensors.push(NamedTensor {
            name,
            elements: Elements::Pickle(bytes),
            dtype: array.dtype,
            offset: 0,
            shape: array.shape,
            strides: array.strides,
            negated: false,
        });
        Ok(())
    }

    /// Where bytes stand in the pickle; none where the value is no bytes.
    fn pickled_bytes(&mut self, value: Value, big_endian: bool) -> Option<PickledBytes> {
        let (position, packed_bytes, bytes) = match value {
            Value::Bytes(index) => {
                let &(position, length) = self.values.bytes.get(index as usize)?;
                (position.into(), length.into(), length.into())
            }
            Value::BytesAsText(index) => {
                let text = *self.values.texts.get(index as usize)?;
                let length = || {
                    text.chars()
                        .try_fold(0, |length, it| (it < 'Ā').then_some(length + 1))
                };
                let bytes = (*self.text_lengths.entry(index).or_insert_with(length))?;
                (self.pickle.position_of(text)?, text.len() as u64, bytes)
            }
            _ => return None,
        };
        Some(PickledBytes {
            position,
            packed_bytes,
            bytes,
            is_text: matches!(value, Value::BytesAsText(_)),
            big_endian,
        })
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
            self.shared_names.insert(name.clone());
        }
        Ok(name)
    }

    /// What was found, without the values that share a name: nobody can tell which is meant.
    fn found(mut self) -> Result<Unfolded<'p>, TorchError> {
        if self.shared_names.is_empty() {
            return Ok(self.found);
        }
        let shared = &self.shared_names;
        self.found
            .tensors
            .retain(|tensor| !shared.contains(&tensor.name));
        self.found
            .unreadable
            .retain(|(name, _)| !shared.contains(name));
        let mut shared: Vec<String> = self.shared_names.drain().collect();
        shared.sort_unstable();
        for name in shared {
            let reason = "several values have this name, by nesting and by dots in their keys";
            self.charge(reason.len())?;
            self.found.unreadable.push((name, reason.to_owned()));
        }
        Ok(self.found)
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
        storage: &StorageValue<'_>,
        place: StoragePlace,
        big_endian: bool,
    ) -> Result<TensorEntry, TorchError> {
        let start = self.checked_storage(storage, place)?;
        // Inside a packed storage only elements can be counted.
        let (skipped_bytes, skipped_elements) = match place.packing {
            Packing::Plain => (start, 0),
            _ => (0, start / self.dtype.bytes()),
        };
        let mut entry = TensorEntry {
            name: self.name,
            dtype: self.dtype,
            shape: self.shape,
            placement: Placement {
                storage_offset_bytes: place.offset + skipped_bytes,
                packing: place.packing,
                offset: self.offset + skipped_elements,
                strides: self.strides,
                big_endian,
                negated: self.negated,
                crc32: None,
            },
        };
        // Of a packed storage all is read in any case.
        let is_whole = entry.view_range() == Some((0, place.bytes)) && skipped_bytes == 0;
        let is_read = is_whole || place.packing != Packing::Plain;
        entry.placement.crc32 = place.crc32.filter(|_| is_read);
        Ok(entry)
    }

    /// The catalog's entry of what stands in the pickle, which begins at `pickle_offset`.
    pub(super) fn placed_in_pickle(self, bytes: PickledBytes, pickle_offset: u64) -> TensorEntry {
        let packing = if bytes.is_text {
            Packing::Text {
                packed_bytes: bytes.packed_bytes,
                bytes: bytes.bytes,
            }
        } else {
            Packing::Plain
        };
        TensorEntry {
            name: self.name,
            dtype: self.dtype,
            shape: self.shape,
            placement: Placement {
                storage_offset_bytes: pickle_offset + bytes.position,
                packing,
                offset: self.offset,
                strides: self.strides,
                big_endian: bytes.big_endian,
                negated: self.negated,
                crc32: None,
            },
        }
    }

    /// Checks the storage and the view, and returns where the storage starts in its place.
    fn checked_storage(
        &self,
        storage: &StorageValue<'_>,
        place: StoragePlace,
    ) -> Result<u64, TorchError> {
        let element = storage.storage_type.bytes();
        let (first, elements) = storage.view.unwrap_or((0, storage.elements));
        let start = first.checked_mul(element);
        let length = elements.checked_mul(element);
        let end = start
            .zip(length)
            .and_then(|(start, length)| start.checked_add(length));
        let needs = end.unwrap_or(u64::MAX);
        if needs > place.bytes {
            let (tensor, key) = (self.name.clone(), storage.key.to_owned());
            return Err(TorchError::ShortStorage {
                tensor,
                key,
                needs,
                has: place.bytes,
            });
        }
        let start = start.unwrap_or(0);
        let is_whole = start % self.dtype.bytes() == 0;
        if !is_whole && place.packing != Packing::Plain {
            return Err(TorchError::BadExtent {
                tensor: self.name.clone(),
            });
        }
        self.check_view(length.unwrap_or(0) / self.dtype.bytes())?;
        Ok(start)
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
            Self::Elements(name) => write!(f, "its elements are {name}, which is not supported"),
            Self::Property(name) => write!(f, "its property {name:?} is not known"),
            Self::PersistentId => f.write_str("its persistent id names no known storage"),
        }
    }
}
