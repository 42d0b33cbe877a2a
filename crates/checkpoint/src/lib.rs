//! Bytes to named tensors: checkpoint files, training runs and their steps.
//!
//! A [`Source`] is read by position. A [`Format`] turns a source into a [`Catalog`] of named
//! tensors by reading the file's directory only. A [`Tree`] is a set of files by path, and
//! [`Run::find`] recognises in it the steps of a training run. Tensor bytes are read by
//! [`read_tensors`], when somebody asks for those tensors and not before.
//!
//! Nothing here runs code from a file, and every offset and length is `u64`.
//!
//! ```
//! use ckptscope_checkpoint::{MemorySource, catalog_of, read_tensors};
//!
//! let header = br#"{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
//! let mut file = (header.len() as u64).to_le_bytes().to_vec();
//! file.extend(header);
//! file.extend([1.0_f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
//!
//! let source = MemorySource::new("w.safetensors", file);
//! let tensors = pollster::block_on(async {
//!     let catalog = catalog_of(&source).await?;
//!     read_tensors(&source, &[&catalog.tensors[0]]).await
//! })?;
//! // Column-major: the first column is 1, 3.
//! assert_eq!(tensors[0].values, [1.0, 3.0, 2.0, 4.0]);
//! # Ok::<(), ckptscope_checkpoint::ReadError>(())
//! ```

pub mod architecture;
pub mod catalog;
pub mod contents;
pub mod dtype;
pub mod error;
pub mod foreign;
pub mod format;
#[cfg(feature = "hub")]
pub mod http;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(not(target_arch = "wasm32"))]
pub mod local;
pub mod matrix_file;
pub mod name;
pub mod read;
pub mod run;
pub mod safetensors;
pub mod source;
pub mod stacks;
pub mod stored;
pub mod tensor;
pub mod text;
pub mod torch;
pub mod tree;
mod widen;
pub mod yaml;

pub use catalog::{Catalog, CatalogWarning, Packing, Placement, TensorEntry};
pub use contents::{Contents, HeldTensor, Obstacle, Storage};
pub use dtype::Dtype;
pub use error::{
    DistributedError, FormatError, PickleError, ReadError, RunError, SafetensorsError, TorchError,
    ZipError,
};
pub use foreign::Foreign;
pub use format::{FORMATS, Format, catalog_of};
#[cfg(not(target_arch = "wasm32"))]
pub use local::{LocalFile, LocalTree};
pub use matrix_file::matrix_file;
pub use name::{LayerName, Naming};
pub use read::{read_stored, read_tensors};
pub use run::{
    BrokenStep, DataKind, FileContent, HeadShape, Layout, ModelConfig, ModelShape, Part,
    PartContent, PassedOver, Reason, Run, Split, Step, StepTrouble,
};
pub use source::{MemorySource, Source};
pub use stacks::{Outside, Spelling, Stacks};
pub use stored::{Chunk, ChunkedTensor, StorageScale, StoredTensor, Wrapped};
pub use tensor::Tensor;
pub use tree::{FileEntry, MemoryTree, Tree};
pub use widen::widen;

pub use ckptscope_vocabulary::without_wrappers;
