//! What every target asserts of a file: no panic, no allocation beyond the file's own measure,
//! and a catalog that keeps its promises.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use ckptscope_checkpoint::{
    Catalog, Contents, DataKind, MemorySource, MemoryTree, ReadError, Run, TensorEntry, catalog_of,
    read_stored, read_tensors,
};
use pollster::block_on;

/// A file may take this many times its length in memory, and [`FLOOR_BYTES`].
const MEMORY_PER_BYTE: usize = 24;

/// What any file may take: windows of fixed size, and small tables.
const FLOOR_BYTES: usize = 2 * 1024 * 1024;

/// The files of a sound distributed checkpoint of four ranks, which torch wrote.
const DISTRIBUTED: [(&str, &[u8]); 4] = [
    (
        "step-100/__0_0.distcp",
        include_bytes!("../../crates/checkpoint/tests/data/dcp/two_dimensions/__0_0.distcp"),
    ),
    (
        "step-100/__1_0.distcp",
        include_bytes!("../../crates/checkpoint/tests/data/dcp/two_dimensions/__1_0.distcp"),
    ),
    (
        "step-100/__2_0.distcp",
        include_bytes!("../../crates/checkpoint/tests/data/dcp/two_dimensions/__2_0.distcp"),
    ),
    (
        "step-100/__3_0.distcp",
        include_bytes!("../../crates/checkpoint/tests/data/dcp/two_dimensions/__3_0.distcp"),
    ),
];

/// Tensors of more elements than this are not read: an expanded view may be large by right.
const READ_LIMIT_ELEMENTS: u64 = 1 << 16;

/// Reads a file's catalog, and the tensors in it, as far as they are small.
pub fn check_file(bytes: &[u8]) {
    let source = MemorySource::new("fuzz", bytes.to_vec());
    let (catalog, peak) = measured(|| block_on(catalog_of(&source)));
    let limit = FLOOR_BYTES + MEMORY_PER_BYTE * bytes.len();
    assert!(peak <= limit, "{peak} bytes for a file of {}", bytes.len());
    match catalog {
        Ok(catalog) => check_catalog(&source, &catalog, bytes.len() as u64),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads a step of two shards whose index is `index`: no tensor counts in two files, whatever the
/// index says, unless a warning names it.
pub fn check_index(index: &[u8]) {
    let shard = |name: &str| {
        let header =
            format!("{{{name:?}:{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}}}");
        [
            &(header.len() as u64).to_le_bytes()[..],
            header.as_bytes(),
            &[7],
        ]
        .concat()
    };
    let files = [
        ("model.safetensors.index.json", index.to_vec()),
        ("model-00001-of-00002.safetensors", shard("a")),
        ("model-00002-of-00002.safetensors", shard("b")),
        ("other.safetensors", shard("a")),
    ];
    let tree = MemoryTree::new("fuzz", files);
    let Ok(run) = block_on(Run::find(&tree)) else {
        return;
    };
    for part in run.steps.iter().flat_map(|step| &step.parts) {
        let Ok(content) = block_on(part.read(&tree)) else {
            continue;
        };
        let mut names = HashSet::new();
        for tensor in content.files.iter().flat_map(|file| &file.catalog.tensors) {
            let is_told = content
                .warnings
                .iter()
                .any(|warning| warning.contains(&tensor.name));
            assert!(
                names.insert(&tensor.name) || is_told,
                "{:?} occurs twice",
                tensor.name
            );
        }
    }
}

/// Reads a step of a distributed checkpoint whose `.metadata` is `metadata`, beside the files of a
/// sound one: every tensor that has values can be read or refused, and has as many as its shape.
pub fn check_distributed(metadata: &[u8]) {
    check_file(metadata);
    let files = DISTRIBUTED.map(|(path, content)| (path, content.to_vec()));
    let files = files
        .into_iter()
        .chain([("step-100/.metadata", metadata.to_vec())]);
    let tree = MemoryTree::new("fuzz", files);
    let Ok(run) = block_on(Run::find(&tree)) else {
        return;
    };
    for part in run.steps.iter().flat_map(|step| &step.parts) {
        let Ok(content) = block_on(part.read(&tree)) else {
            continue;
        };
        let contents = block_on(Contents::of(content.files, &tree));
        let mut names = HashSet::new();
        for held in &contents.tensors {
            assert!(names.insert(&held.name), "{:?} occurs twice", held.name);
            let Ok(stored) = held.values(DataKind::Weights) else {
                continue;
            };
            let count = stored
                .shape()
                .iter()
                .try_fold(1_u64, |count, it| count.checked_mul(*it));
            if count.is_none_or(|count| count > READ_LIMIT_ELEMENTS) {
                continue;
            }
            if let Ok(tensor) = block_on(read_stored(&tree, stored)) {
                assert_eq!(Some(tensor.values.len() as u64), count, "{}", held.name);
            }
        }
    }
}

fn check_catalog(source: &MemorySource, catalog: &Catalog, length: u64) {
    let mut names = HashSet::new();
    for entry in &catalog.tensors {
        assert!(names.insert(&entry.name), "{:?} occurs twice", entry.name);
        assert_eq!(entry.shape.len(), entry.placement.strides.len());
        let (start, bytes) = entry.byte_range();
        assert!(
            start.checked_add(bytes).is_some_and(|end| end <= length),
            "{entry:?}"
        );
    }
    for tensor in &catalog.chunked {
        assert!(names.insert(&tensor.name), "{:?} occurs twice", tensor.name);
    }
    let small: Vec<&TensorEntry> = catalog
        .tensors
        .iter()
        .filter(|entry| entry.elements() <= READ_LIMIT_ELEMENTS)
        .collect();
    let few = &small[..small.len().min(16)];
    let tensors = match block_on(read_tensors(source, few)) {
        // An archive says what bytes it had.
        Err(ReadError::BadChecksum { .. }) => return,
        tensors => tensors.expect("what the catalog lists can be read"),
    };
    for (tensor, entry) in tensors.iter().zip(few) {
        assert_eq!(tensor.values.len() as u64, entry.elements());
        assert_eq!(tensor.values.len(), tensor.rows() * tensor.columns());
    }
}

/// Runs `work` and returns the most bytes that it held at a time.
fn measured<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    (result, PEAK.load(Ordering::Relaxed).saturating_sub(before))
}

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with a count of what is held.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn taken(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

fn given(bytes: usize) {
    LIVE.fetch_sub(bytes, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        given(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        given(layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}
