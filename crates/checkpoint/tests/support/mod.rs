//! Builders of files, good and hostile.
#![allow(dead_code, unreachable_pub)] // each test takes what it needs
#![allow(missing_docs, clippy::panic)] // and its names say what it is
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ckptscope_checkpoint::{
    Catalog, FormatError, MemorySource, ReadError, Source, Tensor, catalog_of,
};
use futures_core::future::LocalBoxFuture;
use pollster::block_on;

/// What sources hold that are put to the contract.
pub const CONTENT: &[u8] = b"0123456789";

/// What every source of [`CONTENT`] must do.
pub fn keeps_the_contract(source: &dyn Source) {
    let read = |offset, length| block_on(source.read_at(offset, length));
    assert_eq!(source.bytes(), 10);
    assert!(!source.name().is_empty());
    assert_eq!(read(0, 10).unwrap(), CONTENT);
    assert_eq!(read(3, 4).unwrap(), b"3456");
    assert_eq!(
        read(3, 4).unwrap(),
        b"3456",
        "a read leaves no position behind"
    );
    assert_eq!(read(9, 1).unwrap(), b"9");
    assert_eq!(read(0, 0).unwrap(), b"");
    assert_eq!(read(10, 0).unwrap(), b"");
    let directory = |offset, length| block_on(source.read_directory(offset, length));
    assert_eq!(directory(0, 4).unwrap(), b"0123");
    assert_eq!(directory(8, 2).unwrap(), b"89");
    assert!(directory(8, 3).is_err());
    assert_eq!(read(2, 7).unwrap(), b"2345678");
    for (offset, length) in [(0, 11), (10, 1), (11, 0), (u64::MAX, 1), (1, u64::MAX)] {
        let error = read(offset, length).unwrap_err();
        assert!(
            matches!(error, ReadError::OutOfRange { bytes: 10, .. }),
            "{error:?}"
        );
        assert!(error.to_string().ends_with(source.name()));
    }
}

/// A file of the odd fixtures.
pub fn odd(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/torch-odd")
        .join(path)
}

/// The project's own small run.
pub fn micro_run() -> PathBuf {
    let run = "../../tests/data/pico-decoder-micro-1";
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(run)
        .canonicalize()
        .unwrap()
}

pub fn catalog(bytes: impl Into<Vec<u8>>) -> Result<Catalog, ReadError> {
    block_on(catalog_of(&MemorySource::new("memory", bytes.into())))
}

/// The format's error for a file that is broken.
pub fn format_error(bytes: impl Into<Vec<u8>>) -> FormatError {
    match catalog(bytes).unwrap_err() {
        ReadError::Format { source, .. } => source,
        other => panic!("no error of a format: {other}"),
    }
}

/// A safetensors file with that header and so many bytes of data.
pub fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend((0..data).map(|byte| byte as u8));
    file
}

/// The values in row-major order.
pub fn row_major(tensor: &Tensor) -> Vec<f64> {
    let (rows, columns) = (tensor.rows(), tensor.columns());
    let indices = (0..rows).flat_map(|row| (0..columns).map(move |column| column * rows + row));
    indices.map(|index| tensor.values[index]).collect()
}

/// One entry of a zip archive to be written.
#[derive(Clone)]
pub struct ZipEntry {
    pub name: String,
    pub content: Vec<u8>,
    /// Uncompressed size, where it is not that of the content.
    pub bytes: Option<u64>,
    pub method: u16,
    pub flags: u16,
    /// Length of the local header's extra field.
    pub padding: u16,
}

impl ZipEntry {
    pub fn stored(name: &str, content: impl Into<Vec<u8>>) -> Self {
        let (name, content) = (name.to_owned(), content.into());
        Self {
            name,
            content,
            bytes: None,
            method: 0,
            flags: 0,
            padding: 0,
        }
    }
}

/// Writes a zip archive; with `wide`, every number that has a 64-bit form is in it.
pub fn zip(entries: &[ZipEntry], wide: bool) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        write_entry(entry, wide, &mut file, &mut directory);
    }
    let offset = file.len() as u64;
    let size = directory.len() as u64;
    let count = entries.len() as u64;
    file.extend(&directory);
    if wide {
        let record = file.len() as u64;
        file.extend(b"PK\x06\x06");
        file.extend(44_u64.to_le_bytes());
        file.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [count, count, size, offset] {
            file.extend(number.to_le_bytes());
        }
        file.extend(b"PK\x06\x07\0\0\0\0");
        file.extend(record.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
    }
    file.extend(b"PK\x05\x06\0\0\0\0");
    for number in [count, count] {
        file.extend(if wide { u16::MAX } else { number as u16 }.to_le_bytes());
    }
    for number in [size, offset] {
        file.extend(if wide { u32::MAX } else { number as u32 }.to_le_bytes());
    }
    file.extend([0, 0]);
    file
}

fn write_entry(entry: &ZipEntry, wide: bool, file: &mut Vec<u8>, directory: &mut Vec<u8>) {
    let offset = file.len() as u64;
    let stored = entry.content.len() as u64;
    let bytes = entry.bytes.unwrap_or(stored);
    let name = entry.name.as_bytes();
    file.extend(b"PK\x03\x04\x14\0");
    file.extend(entry.flags.to_le_bytes());
    file.extend(entry.method.to_le_bytes());
    file.extend([0; 8 + 8]);
    file.extend((name.len() as u16).to_le_bytes());
    file.extend(entry.padding.to_le_bytes());
    file.extend(name);
    file.extend(vec![b'Z'; entry.padding.into()]);
    file.extend(&entry.content);
    directory.extend(b"PK\x01\x02\x14\0\x14\0");
    directory.extend(entry.flags.to_le_bytes());
    directory.extend(entry.method.to_le_bytes());
    directory.extend([0; 8]);
    for number in [stored, bytes] {
        directory.extend(if wide { u32::MAX } else { number as u32 }.to_le_bytes());
    }
    directory.extend((name.len() as u16).to_le_bytes());
    directory.extend(if wide { 28_u16 } else { 0 }.to_le_bytes());
    directory.extend([0; 2 + 2 + 2 + 4]);
    directory.extend(if wide { u32::MAX } else { offset as u32 }.to_le_bytes());
    directory.extend(name);
    if wide {
        directory.extend([1, 0, 24, 0]);
        for number in [bytes, stored, offset] {
            directory.extend(number.to_le_bytes());
        }
    }
}

/// A PyTorch archive of a pickle and storages by key.
pub fn torch(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    zip(&torch_entries(pickle, storages), false)
}

pub fn torch_entries(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<ZipEntry> {
    let mut entries = vec![ZipEntry::stored("a/data.pkl", pickle)];
    for (key, content) in storages {
        entries.push(ZipEntry::stored(&format!("a/data/{key}"), *content));
    }
    entries
}

/// Pickles a value: `program` between the protocol and the stop.
pub fn pickle(program: &[u8]) -> Vec<u8> {
    [b"\x80\x02", program, b"."].concat()
}

/// The instructions for a text.
pub fn text(text: &str) -> Vec<u8> {
    [
        b"X",
        &(text.len() as u32).to_le_bytes()[..],
        text.as_bytes(),
    ]
    .concat()
}

/// The instructions for an integer.
pub fn int(integer: i64) -> Vec<u8> {
    [b"\x8a\x08", &integer.to_le_bytes()[..]].concat()
}

/// The instructions for a tuple of integers.
pub fn ints(integers: &[i64]) -> Vec<u8> {
    let items: Vec<u8> = integers.iter().flat_map(|integer| int(*integer)).collect();
    [b"(", &items[..], b"t"].concat()
}

/// The instructions for a storage of `torch.{class}`.
pub fn storage(class: &str, key: &str, elements: i64) -> Vec<u8> {
    let (kind, key, device) = (text("storage"), text(key), text("cpu"));
    let class = format!("ctorch\n{class}\n").into_bytes();
    [
        b"(",
        &kind[..],
        &class,
        &key,
        &device,
        &int(elements),
        b"tQ",
    ]
    .concat()
}

/// The instructions for a tensor of a storage.
pub fn view(storage: &[u8], offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let function = b"ctorch._utils\n_rebuild_tensor_v2\n(";
    let rest = b"\x89ccollections\nOrderedDict\n)RtR";
    [
        function,
        storage,
        &int(offset),
        &ints(shape),
        &ints(strides),
        &rest[..],
    ]
    .concat()
}

/// The instructions for a dict of values by name.
pub fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> = entries
        .iter()
        .flat_map(|(key, value)| [text(key), value.clone()].concat())
        .collect();
    [b"}(", &items[..], b"u"].concat()
}

/// A source in memory that keeps count of what is read of it.
pub struct CountingSource {
    inner: MemorySource,
    is_far: bool,
    /// What it does not have.
    pub lacks: Range<u64>,
    pub reads: RefCell<Vec<(u64, u64)>>,
}

impl CountingSource {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            inner: MemorySource::new("counted", bytes),
            is_far: false,
            lacks: 0..0,
            reads: RefCell::default(),
        }
    }

    /// One that says it is far away.
    pub fn far(bytes: Vec<u8>) -> Self {
        Self {
            is_far: true,
            ..Self::new(bytes)
        }
    }

    pub fn bytes_read(&self) -> u64 {
        self.reads.borrow().iter().map(|(_, length)| length).sum()
    }
}

impl Source for CountingSource {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn bytes(&self) -> u64 {
        self.inner.bytes()
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        self.reads.borrow_mut().push((offset, length));
        self.inner.read_at(offset, length)
    }

    fn is_far(&self) -> bool {
        self.is_far
    }

    fn holds(&self, range: &Range<u64>) -> bool {
        range.end <= self.lacks.start || self.lacks.end <= range.start
    }
}
