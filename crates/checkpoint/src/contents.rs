//! What the files of a part hold together, and which of it has values.
//!
//! What is stored is not always the tensor: trainers and quantisers store elements that are to be
//! multiplied with factors beside them, several elements packed into one, or nothing at all. That
//! is decided here, once, from names, dtypes and shapes. Only what has values becomes a
//! [`StoredTensor`]; anything else has an [`Obstacle`] that says why it has none.

mod beside;
mod block;
mod obstacle;
mod quantization;
mod scheme;

use std::collections::BTreeMap;

use ckptscope_vocabulary::DataKind;

pub use obstacle::Obstacle;

use self::beside::{Beside, Names};
use self::quantization::Quantization;
use crate::catalog::TensorEntry;
use crate::dtype::Dtype;
use crate::error::ReadError;
use crate::run::FileContent;
use crate::stored::{ChunkedTensor, StoredTensor};
use crate::tree::{Tree, entry_of};

/// The tensors of a part, in the order of its files.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// What the files name, and behind it what they store under other names.
    pub tensors: Vec<HeldTensor>,
}

/// A tensor of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTensor {
    /// The full name.
    pub name: String,
    /// The file whose directory names it.
    pub path: String,
    /// What its values are.
    pub storage: Storage,
    /// How it is stored, in words that fit every layer; none where elements simply are values.
    pub remark: Option<String>,
    /// Whether no file has this name: the tensor is stored under others, such as `qweight`.
    pub is_implied: bool,
}

/// What the values of a tensor are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// These.
    Values(StoredTensor),
    /// Whole numbers or truth values, with nothing beside them that says what they stand for.
    Integers(StoredTensor),
    /// It has none that can be told.
    Obstructed(Obstacle),
}

impl HeldTensor {
    /// Its values as data of a kind. Whole numbers may be activations (a mask, token ids), but
    /// nobody trains weights that are.
    ///
    /// # Errors
    /// [`Obstacle`]: why it has none.
    pub fn values(&self, kind: DataKind) -> Result<&StoredTensor, Obstacle> {
        match (&self.storage, kind) {
            (Storage::Values(tensor), _) | (Storage::Integers(tensor), DataKind::Activations) => {
                Ok(tensor)
            }
            (Storage::Integers(tensor), _) => Err(Obstacle::Integers {
                dtype: tensor.elements.dtype,
            }),
            (Storage::Obstructed(obstacle), _) => Err(obstacle.clone()),
        }
    }
}

impl Contents {
    /// What the files of a part hold together. Reads the model's
    /// config beside them where tensors may be quantised, and nothing else.
    pub async fn of(files: Vec<FileContent>, tree: &dyn Tree) -> Self {
        let found = found(files, tree);
        let quantization = if found.iter().any(Found::may_be_quantised) {
            let path = found.first().map_or("", |tensor| &tensor.path);
            Quantization::beside(tree, path).await
        } else {
            Quantization::default()
        };
        let names = Names::of(&found);
        let decide = |tensor: &Found| scheme::decide(tensor, &names, &quantization);
        let decided: Vec<_> = found.iter().map(decide).collect();
        let implied = implied(&found, &decided, &names);
        let held = found.into_iter().zip(decided);
        let held = held.map(|(tensor, (storage, remark))| HeldTensor {
            name: tensor.name,
            path: tensor.path,
            storage,
            remark,
            is_implied: false,
        });
        let mut tensors: Vec<HeldTensor> = held.collect();
        tensors.extend(implied);
        Self { tensors }
    }
}

/// A tensor as a file's catalog has it.
struct Found {
    name: String,
    path: String,
    /// Its elements, or why they cannot be read.
    elements: Result<ChunkedTensor, String>,
}

impl Found {
    /// Whether what it stores may be no values as it stands: elements that want a scale, or bytes
    /// in a column, as bitsandbytes packs them into whatever type it is told.
    fn may_be_quantised(&self) -> bool {
        self.elements.as_ref().is_ok_and(|elements| {
            let has_eight_bits =
                matches!(elements.dtype, Dtype::F8E4M3 | Dtype::F8E5M2 | Dtype::I8);
            has_eight_bits || elements.is_column()
        })
    }
}

fn found(files: Vec<FileContent>, tree: &dyn Tree) -> Vec<Found> {
    let mut found = Vec::new();
    for FileContent { path, catalog } in files {
        let unreadable = catalog.unreadable.into_iter();
        found.extend(unreadable.map(|(name, reason)| Found {
            name,
            path: path.clone(),
            elements: Err(reason),
        }));
        let chunked = catalog.chunked.into_iter();
        found.extend(chunked.map(|tensor| Found {
            name: tensor.name.clone(),
            path: path.clone(),
            elements: located(tensor, &path, tree),
        }));
        let readable = catalog.tensors.into_iter();
        found.extend(readable.map(|entry: TensorEntry| Found {
            name: entry.name.clone(),
            path: path.clone(),
            elements: Ok(ChunkedTensor::in_one_place(&path, entry)),
        }));
    }
    found
}

/// The tensor with its chunks' paths in the tree, once it is sure that they are there.
fn located(
    mut tensor: ChunkedTensor,
    directory: &str,
    tree: &dyn Tree,
) -> Result<ChunkedTensor, String> {
    let folder = directory
        .rfind('/')
        .map_or("", |slash| &directory[..=slash]);
    for chunk in &mut tensor.chunks {
        let path = format!("{folder}{}", chunk.path);
        let file = entry_of(tree, &path).map_err(|error| match error {
            ReadError::HalfWritten { .. } => error.to_string(),
            _ => format!("a part of it is in {path}, which is not there"),
        })?;
        let (start, length) = chunk.entry.byte_range();
        let end = start.saturating_add(length);
        if end > file.bytes {
            return Err(format!(
                "a part of it ends at byte {end} of {path}, which has {} bytes: it is cut off, copy \
                 or download it again",
                file.bytes
            ));
        }
        chunk.path = path;
    }
    Ok(tensor)
}

/// Tensors that the files store under other names, and name nowhere.
fn implied(
    found: &[Found],
    decided: &[(Storage, Option<String>)],
    names: &Names<'_>,
) -> Vec<HeldTensor> {
    let mut implied = BTreeMap::new();
    for (tensor, (storage, remark)) in found.iter().zip(decided) {
        let is_of_scheme = match storage {
            Storage::Values(tensor) => tensor.scale.is_some(),
            Storage::Integers(_) => false,
            Storage::Obstructed(obstacle) => {
                matches!(
                    obstacle,
                    Obstacle::Packed { .. } | Obstacle::StorageScale { .. }
                )
            }
        };
        let name = Beside::of(&tensor.name).implies();
        if let Some(name) = name.filter(|name| is_of_scheme && !names.contains(name)) {
            implied.entry(name.clone()).or_insert_with(|| HeldTensor {
                name,
                path: tensor.path.clone(),
                storage: storage.clone(),
                remark: remark.clone(),
                is_implied: true,
            });
        }
    }
    implied.into_values().collect()
}
