//! What trainers save that is no flat dict of tensors: modules, objects, NumPy arrays, tensors of
//! devices and meshes, archives that were packed anew. PyTorch wrote the files, and the values.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod support;

use std::path::{Path, PathBuf};

use ckptscope_checkpoint::{
    Catalog, LocalFile, MemorySource, Packing, ReadError, TensorEntry, catalog_of, read_tensors,
};
use pollster::block_on;
use serde_json::Value;
use support::row_major;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/pickled")
        .join(file)
}

fn listed(file: &str) -> (LocalFile, Catalog) {
    let source = LocalFile::open(path(file)).unwrap();
    let catalog = block_on(catalog_of(&source)).unwrap();
    (source, catalog)
}

fn unreadable(file: &str) -> Vec<(String, String)> {
    listed(file).1.unreadable
}

/// The names of the unreadable and what their reasons say.
fn assert_unreadable(file: &str, wanted: &[(&str, &str)]) {
    let found = unreadable(file);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let wanted_names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, wanted_names, "{file}: {found:?}");
    for ((_, reason), (_, words)) in found.iter().zip(wanted) {
        assert!(reason.contains(words), "{file}: {reason}");
    }
}

#[test]
fn every_file_reads_to_what_pytorch_says() {
    let expected = std::fs::read(path("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    for (file, tensors) in expected.as_object().unwrap() {
        let (source, catalog) = listed(file);
        let tensors = tensors.as_object().unwrap();
        let mut names: Vec<&str> = catalog.tensors.iter().map(|it| it.name.as_str()).collect();
        let mut wanted: Vec<&str> = tensors.keys().map(String::as_str).collect();
        names.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(names, wanted, "{file}");
        let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
        let read = block_on(read_tensors(&source, &entries)).unwrap();
        for (entry, tensor) in entries.iter().zip(read) {
            let wanted = &tensors[&entry.name];
            let shape: Vec<u64> = serde_json::from_value(wanted["shape"].clone()).unwrap();
            let values: Vec<f64> = serde_json::from_value(wanted["values"].clone()).unwrap();
            assert_eq!(entry.shape, shape, "{file}: {}", entry.name);
            assert_eq!(row_major(&tensor), values, "{file}: {}", entry.name);
        }
    }
}

#[test]
fn a_weight_that_is_a_list_is_told() {
    assert_unreadable("listed.pt", &[("layers.0.up.weight", "a list of numbers")]);
}

#[test]
fn one_ranks_part_is_no_model() {
    for (file, name, ranks) in [
        ("tensor_ranks.pt", "tensor_model_parallel_size", 2),
        ("stages.pt", "pipeline_model_parallel_size", 4),
        ("deep_ranks.pt", "tensor_parallel_size", 2),
        ("deepspeed_ranks.pt", "mp_world_size", 2),
    ] {
        let words = format!("a model that {ranks} ranks have, as `{name}` beside it says");
        let wanted = ["model.layers.0.w", "model.layers.1.w"].map(|it| (it, words.as_str()));
        assert_unreadable(file, &wanted);
    }
    let words = "8 ranks have, as `expert_model_parallel_size`";
    assert_unreadable("expert_ranks.pt", &[("model.layers.0.experts.0.w", words)]);
}

#[test]
fn what_is_no_tensor_needs_no_line() {
    for file in [
        "module.pt",
        "module_legacy.pt",
        "object.pt",
        "ordered_subclass.pt",
        "namespace.pt",
        "one_rank.pt",
        "plain_values.pt",
        "devices.pt",
        "negated.pt",
    ] {
        assert_eq!(unreadable(file), [], "{file}");
    }
}

#[test]
fn what_cannot_be_read_says_what_it_is() {
    assert_unreadable(
        "unreadable.pt",
        &[
            ("quantised", "`t.dequantize()`"),
            ("sparse", "`t.to_dense()`"),
            ("meta", "no elements"),
        ],
    );
    assert_unreadable(
        "distributed.pt",
        &[
            ("sum", "`t.full_tensor()`"),
            ("part", "a part: save `t.full_tensor()`"),
        ],
    );
    for file in [
        "arrays_2.pt",
        "arrays_4.pt",
        "arrays_5.pt",
        "arrays_legacy.pt",
    ] {
        let wanted = [
            ("odd.objects", "objects"),
            ("odd.records", "V8"),
            ("odd.complex", "c8"),
            ("odd.masked", "_mareconstruct"),
        ];
        assert_unreadable(file, &wanted);
    }
    assert_unreadable("deflated.pt", &[("array", "`zip -0 -r`")]);
    assert_unreadable(
        "shared_name.pt",
        &[("?", "its key"), ("a.b", "several values")],
    );
}

/// The places of a number in a file, as zip archives write it.
fn places_of(bytes: &[u8], number: u32) -> Vec<usize> {
    let windows = bytes.windows(4).enumerate();
    let found = windows.filter(|(_, window)| *window == number.to_le_bytes());
    found.map(|(place, _)| place).collect()
}

#[test]
fn a_storage_that_has_changed_is_an_error_of_its_tensor() {
    for file in ["namespace.pt", "deflated.pt", "arrays_4.pt"] {
        let (_, catalog) = listed(file);
        let checked = |it: &&TensorEntry| it.placement.crc32.is_some();
        let Some(tensor) = catalog.tensors.iter().find(checked) else {
            assert_eq!(file, "arrays_4.pt", "arrays lie in the pickle");
            continue;
        };
        let mut bytes = std::fs::read(path(file)).unwrap();
        let crc32 = tensor.placement.crc32.unwrap();
        let (start, length) = tensor.byte_range();
        let last = usize::try_from(start + length - 1).unwrap();
        if tensor.placement.packing == Packing::Plain {
            bytes[last] ^= 1;
        } else {
            for place in places_of(&bytes, crc32) {
                bytes[place] ^= 1;
            }
        }
        let damaged = || MemorySource::new("damaged", bytes.clone());
        let listed = block_on(catalog_of(&damaged())).unwrap();
        let same = listed.tensors.iter().find(|it| it.name == tensor.name);
        let error = block_on(read_tensors(&damaged(), &[same.unwrap()])).unwrap_err();
        assert!(matches!(error, ReadError::BadChecksum { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("copy or download it again"), "{message}");
        let others: Vec<&TensorEntry> = listed
            .tensors
            .iter()
            .filter(|it| it.name != tensor.name)
            .collect();
        assert!(block_on(read_tensors(&damaged(), &others)).is_ok());
    }
}

#[test]
fn where_no_checksum_was_computed_none_is_checked() {
    let mut bytes = std::fs::read(path("namespace.pt")).unwrap();
    let (_, catalog) = listed("namespace.pt");
    let crc32 = catalog.tensors[0].placement.crc32.unwrap();
    for place in places_of(&bytes, crc32) {
        bytes[place..place + 4].fill(0);
    }
    let source = MemorySource::new("without", bytes);
    let listed = block_on(catalog_of(&source)).unwrap();
    let tensor = &listed.tensors[0];
    assert_eq!(tensor.placement.crc32, None);
    assert!(block_on(read_tensors(&source, &[tensor])).is_ok());
}

#[test]
fn a_pickle_that_has_changed_is_an_error_of_its_file() {
    let mut bytes = std::fs::read(path("namespace.pt")).unwrap();
    let name = bytes.windows(8).position(|it| it == b"layers.0");
    let text = bytes.windows(6).position(|it| it == b"layers");
    bytes[name.or(text).unwrap()] ^= 1;
    let error = block_on(catalog_of(&MemorySource::new("damaged", bytes))).unwrap_err();
    assert!(error.to_string().contains("data.pkl"), "{error}");
    assert!(error.to_string().contains("checksum"), "{error}");
}

#[test]
fn a_packed_storage_that_is_damaged_is_an_error_of_its_tensor() {
    let mut bytes = std::fs::read(path("deflated.pt")).unwrap();
    let (_, catalog) = listed("deflated.pt");
    let zeros = catalog
        .tensors
        .iter()
        .find(|it| it.name == "zeros")
        .unwrap();
    let (start, length) = zeros.byte_range();
    assert!(length < 100, "it is compressed");
    let first = usize::try_from(start).unwrap();
    bytes[first] ^= 0xff;
    let source = MemorySource::new("damaged", bytes);
    let error = block_on(read_tensors(&source, &[zeros])).unwrap_err();
    assert!(
        matches!(error, ReadError::BadPacking { bytes: 1024, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("\"zeros\""), "{error}");
    let others: Vec<&TensorEntry> = catalog
        .tensors
        .iter()
        .filter(|it| it.name != "zeros")
        .collect();
    assert_eq!(block_on(read_tensors(&source, &others)).unwrap().len(), 3);
}
