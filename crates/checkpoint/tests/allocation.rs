//! No file makes the reader allocate more than a small multiple of the file's own length.
#![allow(clippy::unwrap_used)] // a test fails by panicking
#![allow(unsafe_code)] // an allocator that counts; it passes every call on as it came

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use ckptscope_checkpoint::{MemorySource, catalog_of};
use pollster::block_on;
use support::{ZipEntry, odd, pickle, safetensors, storage, text, torch, view, zip};

/// A file may take this many times its length, and [`FLOOR_BYTES`].
const PER_BYTE: usize = 16;

/// What any file may take: the windows that are read of it, and small tables.
const FLOOR_BYTES: usize = 1024 * 1024;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn taken(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size.saturating_sub(layout.size()));
        LIVE.fetch_sub(layout.size().saturating_sub(size), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Lists a file and asserts what that took at most.
fn stays_small(name: &str, bytes: Vec<u8>) {
    let length = bytes.len();
    let source = MemorySource::new(name, bytes);
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let catalog = block_on(catalog_of(&source));
    let peak = PEAK.load(Ordering::Relaxed) - before;
    let times = peak as f64 / length.max(1) as f64;
    println!(
        "{name}: {length} bytes, {peak} allocated ({times:.1}x), {}",
        catalog.is_ok()
    );
    assert!(
        peak <= PER_BYTE * length + FLOOR_BYTES,
        "{name}: {peak} for {length}"
    );
}

/// A header of as many tensors as fit, each as short as can be.
fn crowded_header() -> Vec<u8> {
    let tensors: Vec<String> = (0..40_000)
        .map(|index| format!(r#""{index:x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    safetensors(&format!("{{{}}}", tensors.join(",")), 0)
}

fn crowded_zip() -> Vec<u8> {
    let entries: Vec<ZipEntry> = (0..60_000)
        .map(|index| ZipEntry::stored(&format!("{index:x}"), b""))
        .collect();
    zip(&entries, true)
}

/// Programs of which each byte makes as much as can be.
fn crowded_pickles() -> Vec<(&'static str, Vec<u8>)> {
    let tensor = view(&storage("FloatStorage", "0", 1), 0, &[1], &[1]);
    let named = [
        text(&"n".repeat(4_000)),
        b"q\x01}".to_vec(),
        b"h\x01h\0s".repeat(9),
    ]
    .concat();
    vec![
        ("lists", b"]".repeat(1 << 20)),
        ("lists of one", b"]Na".repeat(1 << 19)),
        ("dicts", b"}".repeat(1 << 20)),
        ("dicts of one", b"}NNs".repeat(1 << 18)),
        ("empty tuples", b")".repeat(1 << 20)),
        ("texts", b"\x8c\0".repeat(1 << 19)),
        ("memos", [b"N", &b"\x94".repeat(1 << 20)[..]].concat()),
        ("sparse memos", {
            let memo = |index: u32| [&b"r"[..], &(2 * index + 7).to_le_bytes()].concat();
            [b"N".to_vec(), (0..1 << 18).flat_map(memo).collect()].concat()
        }),
        ("globals", b"c\n\n".repeat(1 << 19)),
        ("objects", b"(i\n\n".repeat(1 << 18)),
        ("duplicates", [b"N", &b"2".repeat(1 << 20)[..]].concat()),
        ("integers", b"\x8a\x05\0\0\0\0\x01".repeat(1 << 17)),
        (
            "aliased tensors",
            [&tensor[..], b"q\0](", &b"h\0".repeat(1 << 18), b"e"].concat(),
        ),
        (
            "opaque values",
            [&b"]("[..], &b"c\n\n".repeat(1 << 18), b"e"].concat(),
        ),
        ("long names", [&tensor[..], b"q\0", &named].concat()),
    ]
}

/// One test, since the counts are the whole process's.
#[test]
fn no_file_takes_more_than_its_measure() {
    for folder in ["", "bad"] {
        for file in fs::read_dir(odd(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                stays_small(&path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    let claims = |claim: u64| [&claim.to_le_bytes()[..], b"{}"].concat();
    for claim in [3, 100_000_000, 1 << 32, u64::MAX] {
        stays_small("a header's claim", claims(claim));
    }
    let metadata = format!(
        r#"{{"__metadata__":{{{}"":""}}}}"#,
        r#""":"","#.repeat(100_000)
    );
    stays_small("crowded metadata", safetensors(&metadata, 0));
    let zeros = "0,".repeat(1 << 20);
    let shape = format!(r#"{{"a":{{"dtype":"U8","shape":[{zeros}0],"data_offsets":[0,0]}}}}"#);
    stays_small("a crowded shape", safetensors(&shape, 0));
    stays_small("a crowded header", crowded_header());
    stays_small("a crowded directory", crowded_zip());
    for (name, program) in crowded_pickles() {
        stays_small(name, torch(&pickle(&program), &[("0", &[0; 4])]));
    }
    let mut entry = ZipEntry::stored("a/data.pkl", vec![0; 4]);
    entry.method = 8;
    for claim in [1 << 16, 1 << 20, 1 << 26, u64::from(u32::MAX)] {
        entry.bytes = Some(claim);
        stays_small(
            "a claim of inflation",
            zip(std::slice::from_ref(&entry), false),
        );
    }
}
