//! What can go wrong, one variant each.
//!
//! Every message is whole in itself: what is wrong, where, and the path last. `source()` still
//! gives the cause, for those who match on it; who prints a chain of causes prints the same
//! words twice.

use std::error::Error;
use std::io;

use crate::foreign::Foreign;

/// A file of a known format that is broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A broken safetensors header.
    #[error(transparent)]
    Safetensors(#[from] SafetensorsError),
    /// A broken zip archive.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// A broken pickle, or one beyond the limits.
    #[error(transparent)]
    Pickle(#[from] PickleError),
    /// A pickle and storages that do not make tensors.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The metadata of a distributed checkpoint that describes none.
    #[error(transparent)]
    Distributed(#[from] DistributedError),
    /// The bytes could not be had.
    #[error(transparent)]
    Read(Box<ReadError>),
}

/// What can be wrong with a safetensors file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum SafetensorsError {
    #[error(
        "the header claims {header} bytes, of {file} in the file, which is cut off or no safetensors \
         file"
    )]
    HeaderPastEnd { header: u64, file: u64 },
    #[error("the header claims {header} bytes, the limit is {limit}")]
    HeaderTooLong { header: u64, limit: u64 },
    #[error(
        "the header is not the JSON that it should be: {source}; save the tensors again with the \
         safetensors library"
    )]
    Header { source: serde_json::Error },
    #[error(
        "the header names tensor {tensor:?} twice; save the tensors again with the safetensors \
         library"
    )]
    DuplicateName { tensor: String },
    #[error("tensor {tensor:?} has {dimensions} dimensions, the limit is {limit}")]
    TooManyDimensions {
        tensor: String,
        dimensions: usize,
        limit: usize,
    },
    #[error("tensor {tensor:?} has a shape {shape:?} of more elements than can be counted")]
    ShapeOverflow { tensor: String, shape: Vec<u64> },
    #[error("tensor {tensor:?} ends before it begins: bytes {begin} to {end}")]
    Reversed {
        tensor: String,
        begin: u64,
        end: u64,
    },
    #[error("tensor {tensor:?} points to byte {end} of {data} bytes of data")]
    OffsetPastEnd { tensor: String, end: u64, data: u64 },
    #[error(
        "the file is cut off: tensor {tensor:?} ends at byte {end} of {data} bytes of data: copy or \
         download it again"
    )]
    CutOff { tensor: String, end: u64, data: u64 },
    #[error(
        "tensors {first:?} and {second:?} overlap at byte {offset} of the data; save the tensors \
         again with the safetensors library"
    )]
    Overlap {
        first: String,
        second: String,
        offset: u64,
    },
    #[error("tensor {tensor:?} takes {needs} bytes by its shape and dtype, and is given {given}")]
    SizeMismatch {
        tensor: String,
        needs: u64,
        given: u64,
    },
}

/// What can be wrong with a zip archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum ZipError {
    #[error("the zip archive has no end record, so it is cut off: copy or download it again")]
    NoEndRecord,
    #[error("the zip64 end record at byte {offset} is broken")]
    BadZip64Record { offset: u64 },
    #[error("the zip archive is one of several volumes")]
    SeveralVolumes,
    #[error("the zip archive claims {entries} entries, the limit is {limit}")]
    TooManyEntries { entries: u64, limit: u64 },
    #[error("the zip directory claims bytes {offset} to {offset} + {bytes}, of {file} in the file")]
    DirectoryOutside { offset: u64, bytes: u64, file: u64 },
    #[error("entry {index} of the zip directory is broken")]
    BadEntry { index: u64 },
    #[error("the zip entry {entry:?} occurs twice")]
    DuplicateEntry { entry: String },
    #[error("the local header of zip entry {entry:?} at byte {offset} is broken")]
    BadLocalHeader { entry: String, offset: u64 },
    #[error("the zip entry {entry:?} claims {bytes} bytes, more than lie before the directory")]
    EntryOutside { entry: String, bytes: u64 },
    #[error("the zip entry {entry:?} is encrypted")]
    Encrypted { entry: String },
    #[error(
        "the zip entry {entry:?} is compressed by method {method}, which is not known: unpack the \
         archive and pack it again with `zip -0 -r`"
    )]
    UnknownCompression { entry: String, method: u16 },
    #[error(
        "the zip entry {entry:?} inflates to {bytes} bytes, the limit is {limit}: unpack the archive \
         and pack it again with `zip -0 -r`"
    )]
    InflatesTooFar {
        entry: String,
        bytes: u64,
        limit: u64,
    },
    #[error(
        "the zip entry {entry:?} does not inflate to the {bytes} bytes it claims, so the file is \
         damaged: copy or download it again"
    )]
    BadDeflate { entry: String, bytes: u64 },
    #[error(
        "the zip entry {entry:?} is not what its checksum (CRC-32) says, so the file is damaged: copy \
         or download it again"
    )]
    BadChecksum { entry: String },
}

/// What can be wrong with a pickle. Positions count from the start of the pickle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum PickleError {
    #[error("the pickle has {bytes} bytes, the limit is {limit}")]
    TooLong { bytes: u64, limit: u64 },
    #[error("the pickle ends inside the instruction at byte {position}")]
    Ended { position: usize },
    #[error("the pickle is not of protocol 2 to 5; save it again with one of these")]
    Protocol,
    #[error("the pickle has an unknown instruction 0x{opcode:02x} at byte {position}")]
    UnknownOpcode { opcode: u8, position: usize },
    #[error("the pickle has more than {limit} instructions")]
    TooManyOpcodes { limit: u64 },
    #[error("the pickle memorises a value as number {index}, the limit is {limit}")]
    MemoTooLarge { index: u64, limit: u64 },
    #[error("the pickle nests deeper than {limit} levels")]
    TooDeep { limit: usize },
    #[error("the pickle makes values of more than {limit} bytes, far more than its own length")]
    TooManyValues { limit: u64 },
    #[error("the pickle takes a value from an empty stack at byte {position}")]
    StackEmpty { position: usize },
    #[error("the pickle has no mark for the instruction at byte {position}")]
    NoMark { position: usize },
    #[error("the pickle recalls memo {index} at byte {position}, which was never stored")]
    NoSuchMemo { index: u64, position: usize },
    #[error("the pickle has a text at byte {position} that is not UTF-8")]
    BadText { position: usize },
    #[error("the pickle has a number at byte {position} that is none")]
    BadNumber { position: usize },
    #[error("the pickle has {found} at byte {position}, where {expected} should stand")]
    Unexpected {
        expected: &'static str,
        found: &'static str,
        position: usize,
    },
    #[error("the pickle gives a key without a value at byte {position}")]
    OddItems { position: usize },
    #[error("the pickle calls {function} at byte {position} with arguments that it does not take")]
    BadArguments { function: String, position: usize },
}

/// What can be wrong with the tensors of a PyTorch file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum TorchError {
    #[error("the archive has no data.pkl, so it is no PyTorch checkpoint, but {what}")]
    NoPickle { what: Foreign },
    #[error("the archive has several data.pkl: {first:?} and {second:?}")]
    SeveralPickles { first: String, second: String },
    #[error("the archive's byteorder is {found:?}, neither little nor big")]
    UnknownByteOrder { found: String },
    #[error(
        "it lacks the magic number of a PyTorch checkpoint, so it is {}",
        Foreign::Pickle
    )]
    NoMagic,
    #[error("the legacy PyTorch file is of protocol version {found}, only 1001 is known")]
    UnknownVersion { found: i64 },
    #[error("the legacy PyTorch file was written by a big-endian machine, which is not supported")]
    LegacyBigEndian,
    #[error("the legacy PyTorch file has no list of its storages' keys")]
    NoKeys,
    #[error("the legacy PyTorch file lists storage {key:?}, which no tensor uses")]
    UnusedStorage { key: String },
    #[error("storage {key:?} holds {found} elements, the pickle says {expected}")]
    StorageCount {
        key: String,
        found: u64,
        expected: u64,
    },
    #[error("storage {key:?} is used with {first} and with {second} bytes")]
    StorageConflict {
        key: String,
        first: u64,
        second: u64,
    },
    #[error(
        "the file is cut off: storage {key:?} ends at byte {end} of {file}: copy or download it again"
    )]
    CutOff { key: String, end: u64, file: u64 },
    #[error("tensor {tensor:?} is in storage {key:?}, which the file does not hold")]
    MissingStorage { tensor: String, key: String },
    #[error(
        "tensor {tensor:?} is in storage {key:?} of {needs} bytes, of which the file holds {has}"
    )]
    ShortStorage {
        tensor: String,
        key: String,
        needs: u64,
        has: u64,
    },
    #[error("tensor {tensor:?} has a shape or strides that are not natural numbers")]
    BadExtent { tensor: String },
    #[error("tensor {tensor:?} has {dimensions} dimensions and {strides} strides")]
    StrideCount {
        tensor: String,
        dimensions: usize,
        strides: usize,
    },
    #[error("tensor {tensor:?} has {dimensions} dimensions, the limit is {limit}")]
    TooManyDimensions {
        tensor: String,
        dimensions: usize,
        limit: usize,
    },
    #[error("tensor {tensor:?} has a shape {shape:?} of more elements than can be counted")]
    ShapeOverflow { tensor: String, shape: Vec<u64> },
    #[error("tensor {tensor:?} reaches element {reaches} of a storage of {elements}")]
    OutsideStorage {
        tensor: String,
        reaches: u64,
        elements: u64,
    },
    #[error("tensor {tensor:?} expands {elements} elements to {expanded}, the limit is {limit}")]
    ExpandsTooFar {
        tensor: String,
        elements: u64,
        expanded: u64,
        limit: u64,
    },
    #[error("the file holds more than {limit} tensors")]
    TooManyTensors { limit: usize },
    #[error("the value {name:?} contains itself")]
    ContainsItself { name: String },
    #[error("the values refer to each other so often that they unfold without end")]
    Unfolds,
    #[error(
        "the file is one object of class {class}, in which there are no tensors: save its \
         `state_dict()`"
    )]
    OneObject { class: String },
}

/// What can be wrong with the `.metadata` of a PyTorch distributed checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum DistributedError {
    #[error("the metadata has no {what}, so it is not that of a checkpoint")]
    Lacks { what: &'static str },
    #[error("the name {tensor:?} occurs twice")]
    DuplicateName { tensor: String },
    #[error("the values refer to each other so often that they unfold without end")]
    Unfolds,
}

/// Bytes that could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum ReadError {
    #[error("there is no such file in {tree}: {path}")]
    NoSuchFile { tree: String, path: String },
    #[error("the file cannot be opened: {source}: {path}")]
    Open { path: String, source: io::Error },
    #[error("this is a folder, not a file: {path}")]
    IsFolder { path: String },
    #[error(
        "{length} bytes at {offset} are outside the file, which has {bytes}: it has changed or is \
         cut off, copy or download it again: {path}"
    )]
    OutOfRange {
        path: String,
        offset: u64,
        length: u64,
        bytes: u64,
    },
    #[error("{length} bytes at once are more than this machine can address: {path}")]
    TooLarge { path: String, length: u64 },
    #[error("there is no memory for {length} bytes at once: {path}")]
    OutOfMemory { path: String, length: u64 },
    #[error("reading {length} bytes at {offset} failed: {source}: {path}")]
    Io {
        path: String,
        offset: u64,
        length: u64,
        source: io::Error,
    },
    /// For sources outside this crate: the browser's, the network's.
    #[error("reading {length} bytes at {offset} failed: {source}: {path}")]
    Transport {
        path: String,
        offset: u64,
        length: u64,
        source: Box<dyn Error + Send + Sync + 'static>,
    },
    #[error(
        "the file ends inside the {length} bytes at {offset}: it has changed or is cut off, copy or \
         download it again: {path}"
    )]
    Short {
        path: String,
        offset: u64,
        length: u64,
    },
    #[error("the file is empty: {path}")]
    Empty { path: String },
    #[error("the file has only {bytes} bytes, too few for a checkpoint: {path}")]
    TooShort { path: String, bytes: u64 },
    #[error(
        "the file is of no known checkpoint format, which are safetensors and PyTorch's (it starts \
         with {start}): {path}"
    )]
    UnknownFormat { path: String, start: String },
    /// A file of another kind, which is known.
    #[error("the file is {what}{}: {path}", starting_with(start))]
    Foreign {
        path: String,
        what: Foreign,
        /// How it begins, where people can read that; else empty.
        start: String,
    },
    /// What a clone without Git LFS leaves in the place of a large file.
    #[error("the file is only a Git LFS pointer to the real one (`git lfs pull` gets it): {path}")]
    LfsPointer { path: String },
    #[error("broken {format} file: {source}: {path}")]
    Format {
        path: String,
        format: &'static str,
        source: FormatError,
    },
    #[error("tensor {tensor:?} of {elements} elements does not fit in memory: {path}")]
    TensorTooLarge {
        path: String,
        tensor: String,
        elements: u64,
    },
    #[error(
        "the file is half written, as what a downloader keeps beside it says ({path}.aria2 or .st); \
         let it finish: {path}"
    )]
    HalfWritten { path: String },
    #[error("the shard {shard} is not there, though the shard index names it: {index}")]
    MissingShard { shard: String, index: String },
    #[error("the shard index is not the JSON that it should be: {source}: {path}")]
    BadIndex {
        path: String,
        source: serde_json::Error,
    },
    #[error("the shard index has {bytes} bytes, the limit is {limit}: {path}")]
    IndexTooLong {
        path: String,
        bytes: u64,
        limit: u64,
    },
    /// Elements in an order that only their own library knows.
    #[error(
        "tensor {tensor:?} has elements in an order that is not known: `weight_format` is {found}, \
         where 0 is row by row"
    )]
    Order { tensor: String, found: String },
    #[error(
        "tensor {tensor:?} does not unpack to its {bytes} bytes, so the file is damaged: copy or \
         download it again: {path}"
    )]
    BadPacking {
        path: String,
        tensor: String,
        bytes: u64,
    },
    /// A storage of which bytes were changed after it was written.
    #[error(
        "tensor {tensor:?} is not what its checksum (CRC-32) says, so the file is damaged: copy or \
         download it again: {path}"
    )]
    BadChecksum { path: String, tensor: String },
    /// A chunk that is not what the metadata of its checkpoint says.
    #[error("a chunk of tensor {tensor:?} is not what `.metadata` says: {reason}: {path}")]
    Chunk {
        path: String,
        tensor: String,
        reason: String,
    },
    /// A read of one tensor, or of several that lie side by side.
    #[error("tensor {tensor:?}{} could not be read: {source}", and_others(*.others))]
    Tensor {
        tensor: String,
        others: usize,
        source: Box<ReadError>,
    },
}

/// A tree in which no run was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the variants and fields are
pub enum RunError {
    #[error("there is no such file or folder: {path}")]
    Missing { path: String },
    #[error("this cannot be read: {source}: {path}")]
    Unreadable { path: String, source: io::Error },
    #[error("there are more than {limit} files here, too many for a training run: {path}")]
    TooManyFiles { limit: usize, path: String },
    #[error("there are no files here: {path}")]
    Empty { path: String },
    #[error("no checkpoint was found; looked for {looked_for}; found {found}: {path}")]
    NoCheckpoint {
        looked_for: &'static str,
        found: String,
        path: String,
    },
    /// Nothing but files of another kind, which is known.
    #[error("no checkpoint that can be read was found: {file} is {what}: {path}")]
    Foreign {
        /// One of them.
        file: String,
        what: Foreign,
        path: String,
    },
    #[error(
        "several checkpoints without a step in their names, give one of them ({files}); if they are \
         steps, call them `step_N`, as dates and sizes are no steps: {path}"
    )]
    Ambiguous {
        files: String,
        /// All of them, by path.
        choices: Vec<String>,
        path: String,
    },
    #[error("no step can be read; {troubles}: {path}")]
    NothingReadable { troubles: String, path: String },
    #[error("several runs were found, give one of them ({folders}): {path}")]
    SeveralRuns {
        folders: String,
        /// All of them, by path.
        choices: Vec<String>,
        path: String,
    },
    #[error(
        "several runs were found: the names differ in more than the step ({patterns}); give one of \
         them, in a folder of its own, or let names differ in the step alone: {path}"
    )]
    SeveralSeries { patterns: String, path: String },
    #[error("its files cannot be listed: {reason}: {path}")]
    NotListed { path: String, reason: String },
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl RunError {
    /// Whether there is nothing that a run could be made of: no files, or none that are checkpoints.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(
            self,
            Self::Empty { .. } | Self::NoCheckpoint { .. } | Self::Foreign { .. }
        )
    }

    /// The files or folders among which somebody has to choose; none where that is not what is
    /// wrong.
    #[must_use]
    pub fn choices(&self) -> &[String] {
        match self {
            Self::Ambiguous { choices, .. } | Self::SeveralRuns { choices, .. } => choices,
            _ => &[],
        }
    }
}

impl ReadError {
    /// Whether it is what stands in the file. Another try would find the same, unless somebody mends
    /// the file; one that is away or cannot be opened may be back then.
    #[must_use]
    pub fn is_of_content(&self) -> bool {
        match self {
            Self::NoSuchFile { .. } | Self::Open { .. } | Self::IsFolder { .. } => false,
            Self::Io { .. } => false,
            Self::Format {
                source: FormatError::Read(source),
                ..
            }
            | Self::Tensor { source, .. } => source.is_of_content(),
            _ => self.is_of_file(),
        }
    }

    /// Whether it is the file that cannot be read, as it lies there: broken, cut off or missing.
    /// Otherwise the way to it failed, or this machine is too small, and another try may succeed.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::TooLarge { .. } | Self::OutOfMemory { .. } => false,
            Self::Format {
                source: FormatError::Read(source),
                ..
            }
            | Self::Tensor { source, .. } => source.is_of_file(),
            _ => true,
        }
    }
}

fn starting_with(start: &str) -> String {
    match start {
        "" => String::new(),
        _ => format!(" (it starts with {start:?})"),
    }
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " and another".to_owned(),
        _ => format!(" and {count} others"),
    }
}

impl From<ReadError> for FormatError {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}
