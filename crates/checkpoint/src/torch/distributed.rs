//! PyTorch's distributed checkpoints (DCP): `.metadata` says which chunk of which tensor lies where.
//!
//! `torch.distributed.checkpoint.save` leaves a folder of files `__{rank}_{n}.distcp` and a
//! `.metadata`, a pickle of its class `Metadata`. It describes every tensor and its chunks, and for
//! every chunk names a file, a first byte and a length. There stands, as a rule, a PyTorch file of
//! one tensor. See `torch/distributed/checkpoint/metadata.py` and `filesystem.py`.

use std::collections::{HashMap, HashSet};

use ckptscope_vocabulary::sort::sort_by_key;
use futures_core::future::LocalBoxFuture;

use super::pickle::{PICKLE_LIMIT_BYTES, Pickle};
use super::storage::dtype_of_global;
use super::value::{Value, Values};
use crate::catalog::{Catalog, Packing, Placement, TensorEntry};
use crate::dtype::Dtype;
use crate::error::{DistributedError, FormatError, PickleError};
use crate::format::Format;
use crate::safetensors::row_major_strides;
use crate::source::Source;
use crate::stored::{Chunk, ChunkedTensor, Wrapped};

/// What every `.metadata` names in its first bytes, whatever the version.
const MODULE: &[u8] = b"checkpoint.metadata";

/// Tensors of more dimensions than this are refused, as PyTorch does.
const DIMENSIONS_LIMIT: usize = 64;

/// The `.metadata` of a distributed checkpoint.
#[derive(Debug)]
pub struct DistributedMetadata;

impl Format for DistributedMetadata {
    fn name(&self) -> &'static str {
        "PyTorch distributed checkpoint"
    }

    fn recognises(&self, head: &[u8], _bytes: u64) -> bool {
        let is_pickle = matches!(head, [0x80, 2..=5, ..]);
        is_pickle && head.windows(MODULE.len()).any(|part| part == MODULE)
    }

    fn catalog<'a>(
        &'a self,
        source: &'a dyn Source,
    ) -> LocalBoxFuture<'a, Result<Catalog, FormatError>> {
        Box::pin(async {
            let (bytes, limit) = (source.bytes(), PICKLE_LIMIT_BYTES);
            if bytes > limit {
                return Err(PickleError::TooLong { bytes, limit }.into());
            }
            let bytes = source.read_directory(0, bytes).await?;
            let pickle = Pickle::read(&bytes)?;
            Ok(Reader::of(&pickle)?.catalog()?)
        })
    }
}

/// Where a chunk lies, as the metadata says.
struct Place<'p> {
    path: &'p str,
    offset_bytes: u64,
    bytes: u64,
    is_transformed: bool,
}

/// A chunk is known by its tensor's name and by where it begins in it.
type Key<'p> = (&'p str, Option<Vec<u64>>);

struct Reader<'a, 'p> {
    values: &'a Values<'p>,
    tensors: Value,
    places: HashMap<Key<'p>, Place<'p>>,
    /// Aliases may name one list again and again; without them nothing is looked at more often than
    /// the pickle has bytes.
    looks_left: usize,
}

impl<'a, 'p> Reader<'a, 'p> {
    fn of(pickle: &'a Pickle<'p>) -> Result<Self, DistributedError> {
        let values = &pickle.values;
        let attribute = |name| attribute_of(values, pickle.root, name);
        let no = |what| DistributedError::Lacks { what };
        let mut reader = Self {
            values,
            tensors: attribute("state_dict_metadata").ok_or_else(|| no("tensors"))?,
            places: HashMap::new(),
            looks_left: 4 * pickle.length,
        };
        let places = attribute("storage_data").ok_or_else(|| no("places of chunks"))?;
        for (key, place) in values
            .entries(places)
            .ok_or_else(|| no("places of chunks"))?
        {
            if let Some((key, place)) = reader.place(*key, *place)? {
                reader.places.insert(key, place);
            }
        }
        Ok(reader)
    }

    /// The place of a chunk; none for what is no tensor's.
    fn place(
        &mut self,
        key: Value,
        place: Value,
    ) -> Result<Option<(Key<'p>, Place<'p>)>, DistributedError> {
        let values = self.values;
        let text = |value, name| values.text(attribute_of(values, value, name)?);
        let number = |value, name| values.natural(attribute_of(values, value, name)?);
        let offset = attribute_of(values, key, "offset");
        let offset = offset.filter(|offset| *offset != Value::None);
        self.look(1 + offset.map_or(0, |it| size_of(values, it).map_or(0, <[Value]>::len)))?;
        let found = || {
            let offset = match offset {
                Some(offset) => Some(extents(values, offset)?),
                None => None,
            };
            let transforms = attribute_of(values, place, "transform_descriptors");
            let place = Place {
                path: text(place, "relative_path")?,
                offset_bytes: number(place, "offset")?,
                bytes: number(place, "length")?,
                is_transformed: transforms
                    .is_some_and(|it| values.items(it).is_none_or(|items| !items.is_empty())),
            };
            Some(((text(key, "fqn")?, offset), place))
        };
        Ok(found())
    }

    fn catalog(mut self) -> Result<Catalog, DistributedError> {
        let mut catalog = Catalog::default();
        let mut names = HashSet::new();
        let values = self.values;
        let lacks = || DistributedError::Lacks { what: "tensors" };
        for (name, description) in values.entries(self.tensors).ok_or_else(lacks)? {
            let Some(name) = values.text(*name) else {
                continue;
            };
            self.look(1 + name.len())?;
            if !names.insert(name) {
                return Err(DistributedError::DuplicateName {
                    tensor: name.to_owned(),
                });
            }
            // Texts, numbers and the like are stored as bytes.
            if attribute_of(values, *description, "chunks").is_none() {
                continue;
            }
            match self.tensor(name, *description)? {
                Ok(tensor) => catalog.chunked.push(tensor),
                Err(reason) => catalog.unreadable.push((name.to_owned(), reason)),
            }
        }
        Ok(catalog)
    }

    /// A tensor, or why it cannot be read.
    fn tensor(
        &mut self,
        name: &'p str,
        description: Value,
    ) -> Result<Result<ChunkedTensor, String>, DistributedError> {
        let values = self.values;
        let attribute = |name| attribute_of(values, description, name);
        let dtype = match self.dtype(attribute("properties")) {
            Ok(dtype) => dtype,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(shape) = attribute("size").and_then(|size| extents(values, size)) else {
            return Ok(Err("its shape is no list of natural numbers".to_owned()));
        };
        if shape.len() > DIMENSIONS_LIMIT {
            return Ok(Err(format!(
                "it has {} dimensions, the limit is {DIMENSIONS_LIMIT}",
                shape.len()
            )));
        }
        let chunks = attribute("chunks").and_then(|chunks| values.items(chunks));
        let chunks = chunks.unwrap_or_default();
        let mut found: Vec<Chunk> = Vec::new();
        for chunk in chunks {
            self.look(1 + 2 * shape.len())?;
            match self.chunk(name, dtype, &shape, *chunk, chunks.len() == 1) {
                Ok(chunk) => found.extend(chunk),
                Err(reason) => return Ok(Err(reason)),
            }
        }
        let tensor = ChunkedTensor {
            name: name.to_owned(),
            dtype,
            shape,
            chunks: found,
        };
        Ok(tensor.covered())
    }

    fn dtype(&self, properties: Option<Value>) -> Result<Dtype, String> {
        let values = self.values;
        let named = properties.and_then(|it| match values.object(it).map(|object| object.state) {
            Some(Value::Dict(_)) => attribute_of(values, it, "dtype"),
            Some(state) => values.items(state)?.first().copied(),
            None => None,
        });
        let Some((module, name)) = named.and_then(|dtype| values.global(dtype)) else {
            return Err("its dtype is not said".to_owned());
        };
        dtype_of_global(module, name)
            .ok_or_else(|| format!("its elements are {module}.{name}, which is not supported"))
    }

    /// A chunk and its place; none where it has no elements.
    fn chunk(
        &self,
        name: &'p str,
        dtype: Dtype,
        shape: &[u64],
        chunk: Value,
        is_only: bool,
    ) -> Result<Option<Chunk>, String> {
        let values = self.values;
        let extents = |name| extents(values, attribute_of(values, chunk, name)?);
        let (Some(offsets), Some(sizes)) = (extents("offsets"), extents("sizes")) else {
            return Err("a chunk of it has no place that is natural numbers".to_owned());
        };
        let ends = offsets
            .iter()
            .zip(&sizes)
            .map(|(offset, size)| offset.checked_add(*size));
        let is_inside = offsets.len() == shape.len()
            && sizes.len() == shape.len()
            && ends
                .zip(shape)
                .all(|(end, extent)| end.is_some_and(|end| end <= *extent));
        if !is_inside {
            return Err(format!(
                "a chunk at {offsets:?} of {sizes:?} is not inside of its {shape:?}"
            ));
        }
        if sizes.contains(&0) {
            return Ok(None);
        }
        let known = self.places.get(&(name, Some(offsets.clone())));
        let known = known.or_else(|| self.places.get(&(name, None)).filter(|_| is_only));
        let place = known.ok_or_else(|| format!("no file has its chunk at {offsets:?}"))?;
        if place.is_transformed {
            return Err("it went through transforms, which are not undone here".to_owned());
        }
        let needed = sizes
            .iter()
            .try_fold(dtype.bytes(), |all, size| all.checked_mul(*size));
        match needed {
            Some(needed) if needed < place.bytes => {
                Ok(Some(placed(name, dtype, offsets, sizes, place)))
            }
            Some(needed) if needed == place.bytes => Err(format!(
                "{} has no PyTorch file of its chunk at {offsets:?}, as far as its length says: it \
                 was saved in another format (`SerializationFormat.SAFETENSORS`), of which \
                 `.metadata` does not say where the elements are; save it with the usual one",
                place.path
            )),
            _ => Err(format!(
                "its chunk at {offsets:?} of {sizes:?} does not fit into the {} bytes that {} has \
                 of it",
                place.bytes, place.path
            )),
        }
    }

    fn look(&mut self, times: usize) -> Result<(), DistributedError> {
        let left = self.looks_left.checked_sub(times);
        self.looks_left = left.ok_or(DistributedError::Unfolds)?;
        Ok(())
    }
}

/// An attribute of an object.
fn attribute_of(values: &Values<'_>, object: Value, name: &str) -> Option<Value> {
    values.attribute(values.object(object)?.state, name)
}

/// The items of a `torch.Size`, a tuple or a list.
fn size_of<'a>(values: &'a Values<'_>, value: Value) -> Option<&'a [Value]> {
    match values.object(value) {
        Some(size) if (size.module, size.name) == ("torch", "Size") => {
            values.items(*values.items(size.arguments)?.first()?)
        }
        Some(_) => None,
        None => values.items(value),
    }
}

/// The same, where all of them are natural numbers of 64 bits.
fn extents(values: &Values<'_>, value: Value) -> Option<Vec<u64>> {
    let items = size_of(values, value)?.iter();
    items.map(|item| values.natural(*item)).collect()
}

/// A chunk in its place: a PyTorch file in a longer one.
fn placed(
    name: &str,
    dtype: Dtype,
    offsets: Vec<u64>,
    shape: Vec<u64>,
    place: &Place<'_>,
) -> Chunk {
    let bytes = vec![place.bytes];
    let entry = TensorEntry {
        name: name.to_owned(),
        dtype: Dtype::U8,
        placement: Placement {
            storage_offset_bytes: place.offset_bytes,
            packing: Packing::Plain,
            offset: 0,
            strides: row_major_strides(&bytes),
            big_endian: false,
            negated: false,
            crc32: None,
        },
        shape: bytes,
    };
    Chunk {
        path: place.path.trim_start_matches("./").to_owned(),
        offsets,
        entry,
        wrapped: Some(Wrapped { dtype, shape }),
    }
}

impl ChunkedTensor {
    /// The same once it is sure that every element is in exactly one chunk. Copies of one chunk are
    /// one.
    fn covered(mut self) -> Result<Self, String> {
        let mut seen = HashSet::new();
        self.chunks
            .retain(|chunk| seen.insert((chunk.offsets.clone(), chunk.shape().to_vec())));
        let count = |shape: &[u64]| shape.iter().try_fold(1_u64, |all, it| all.checked_mul(*it));
        let elements = count(&self.shape).filter(|elements| elements.checked_mul(8).is_some());
        let elements = elements.ok_or("it has more elements than can be counted")?;
        let mut held = self.chunks.iter().map(|chunk| count(chunk.shape()));
        let held = held.try_fold(0_u64, |all, chunk| all.checked_add(chunk?));
        if let Some((first, second)) = self.overlap() {
            return Err(format!(
                "its chunks at {:?} and {:?} overlap",
                first.offsets, second.offsets
            ));
        }
        match held {
            Some(held) if held == elements => Ok(self),
            held => Err(format!(
                "its chunks have {} of its {elements} elements",
                held.unwrap_or(u64::MAX)
            )),
        }
    }

    /// Two chunks that have elements in common.
    fn overlap(&self) -> Option<(&Chunk, &Chunk)> {
        let starts = |dimension: usize| {
            let starts = self.chunks.iter().map(|chunk| chunk.along(dimension).start);
            starts.collect::<HashSet<u64>>().len()
        };
        // Along the dimension with most beginnings few chunks lie beside each other.
        let along = (0..self.shape.len()).max_by_key(|dimension| starts(*dimension))?;
        let mut order: Vec<&Chunk> = self.chunks.iter().collect();
        sort_by_key(&mut order, |chunk| chunk.along(along).start);
        let meets = |one: &Chunk, other: &Chunk| {
            (0..self.shape.len()).all(|dimension| {
                let (one, other) = (one.along(dimension), other.along(dimension));
                one.start < other.end && other.start < one.end
            })
        };
        for (place, one) in order.iter().enumerate() {
            let later = order.iter().skip(place + 1);
            let mut near = later.take_while(|it| it.along(along).start < one.along(along).end);
            if let Some(other) = near.find(|other| meets(one, other)) {
                return Some((one, other));
            }
        }
        None
    }
}
