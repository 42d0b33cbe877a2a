//! How much is read of a file, and in how many reads.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod support;

use std::fs;

use pollster::block_on;
use support::{CountingSource, ZipEntry, dict, micro_run, odd, pickle, storage, view, zip};
use trainscope_checkpoint::read::{COALESCE_BYTES, GROUP_LIMIT_BYTES};
use trainscope_checkpoint::{
    Catalog, Dtype, MemorySource, Placement, ReadError, TensorEntry, catalog_of, read_tensors,
};

fn listed(bytes: Vec<u8>) -> (CountingSource, Catalog) {
    let source = CountingSource::new(bytes);
    let catalog = block_on(catalog_of(&source)).unwrap();
    (source, catalog)
}

/// The reads of the listing, without the head by which the format is recognised.
fn directory_reads(source: &CountingSource) -> usize {
    source.reads.borrow().len() - 1
}

#[test]
fn a_safetensors_file_is_listed_by_its_header() {
    let path = micro_run().join("checkpoints/step_0/model.safetensors");
    let (source, catalog) = listed(fs::read(path).unwrap());
    assert!(!catalog.tensors.is_empty());
    assert_eq!(directory_reads(&source), 2);
    assert!(source.bytes_read() < 8_192, "{}", source.bytes_read());
}

#[test]
fn a_zip_file_is_listed_in_three_reads_at_most() {
    let run = micro_run().join("checkpoints/step_0/learning_dynamics");
    let files = [
        run.join("train_weights.pt"),
        run.join("val_activations.pt"),
        odd("many.pt"),
        odd("views.pt"),
        odd("bad/big_endian.pt"),
    ];
    for path in files {
        let (source, _) = listed(fs::read(&path).unwrap());
        assert!(
            directory_reads(&source) <= 3,
            "{}: {:?}",
            path.display(),
            source.reads
        );
        assert!(
            source.bytes_read() < 2 * 66_000,
            "{}: {:?}",
            path.display(),
            source.reads
        );
    }
}

/// A PyTorch archive of storages of 256 KiB, laid out as PyTorch does where `aligned`.
fn large_archive(aligned: bool) -> Vec<u8> {
    let elements = 64 * 1024;
    let keys: Vec<String> = (0..8).map(|key| key.to_string()).collect();
    let tensors: Vec<(&str, Vec<u8>)> = keys
        .iter()
        .map(|key| {
            let storage = storage("FloatStorage", key, elements);
            (key.as_str(), view(&storage, 0, &[elements], &[1]))
        })
        .collect();
    let mut entries = vec![ZipEntry::stored("a/data.pkl", pickle(&dict(&tensors)))];
    for key in &keys {
        let content = vec![key.as_bytes()[0]; 4 * elements as usize];
        entries.push(ZipEntry::stored(&format!("a/data/{key}"), content));
    }
    let mut offset = 0;
    for entry in &mut entries {
        let header = 30 + entry.name.len();
        if aligned {
            entry.padding = ((offset + header + 4).next_multiple_of(64) - offset - header) as u16;
        }
        offset += header + usize::from(entry.padding) + entry.content.len();
    }
    zip(&entries, false)
}

#[test]
fn tensors_are_found_with_and_without_pytorchs_alignment() {
    for aligned in [true, false] {
        let (source, catalog) = listed(large_archive(aligned));
        if aligned {
            assert!(directory_reads(&source) <= 3, "{:?}", source.reads);
        }
        assert!(source.bytes_read() < 1024 * 1024, "{}", source.bytes_read());
        let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
        let tensors = block_on(read_tensors(&source, &entries)).unwrap();
        for (key, tensor) in tensors.iter().enumerate() {
            let byte = b'0' + key as u8;
            let wanted = f64::from(f32::from_le_bytes([byte; 4]));
            assert!(
                tensor.values.iter().all(|value| *value == wanted),
                "aligned: {aligned}"
            );
        }
    }
}

#[test]
fn a_long_directory_is_read_by_itself() {
    let many: Vec<ZipEntry> = (0..3000)
        .map(|index| ZipEntry::stored(&format!("a/data/{index:0100}"), b""))
        .collect();
    let mut entries = vec![ZipEntry::stored("a/data.pkl", pickle(b"}"))];
    entries.extend(many);
    let (source, catalog) = listed(zip(&entries, true));
    assert!(catalog.tensors.is_empty());
    assert_eq!(directory_reads(&source), 3, "{:?}", source.reads);
}

fn entry(name: &str, offset: u64, elements: u64) -> TensorEntry {
    let placement = Placement {
        storage_offset_bytes: offset,
        offset: 0,
        strides: vec![1],
        big_endian: false,
    };
    TensorEntry {
        name: name.to_owned(),
        dtype: Dtype::U8,
        shape: vec![elements],
        placement,
    }
}

#[test]
fn neighbours_are_read_together_and_in_the_order_asked_for() {
    let far = 40 + COALESCE_BYTES + 1;
    let source = CountingSource::new((0..far + 10).map(|byte| byte as u8).collect());
    let entries = [
        entry("c", far, 10),
        entry("b", 30, 10),
        entry("a", 0, 10),
        entry("a", 5, 10),
    ];
    let tensors = block_on(read_tensors(&source, &entries.iter().collect::<Vec<_>>())).unwrap();
    assert_eq!(*source.reads.borrow(), [(0, 40), (far, 10)]);
    let firsts: Vec<f64> = tensors.iter().map(|tensor| tensor.values[0]).collect();
    assert_eq!(firsts, [f64::from(far as u8), 30.0, 0.0, 5.0]);
}

#[test]
fn groups_have_a_limit() {
    let half = GROUP_LIMIT_BYTES / 2;
    let source = CountingSource::new(vec![0; 3 * half as usize]);
    let entries: Vec<TensorEntry> = (0..3).map(|part| entry("t", part * half, 1)).collect();
    let mut whole = entries.clone();
    whole.iter_mut().for_each(|entry| entry.shape = vec![half]);
    block_on(read_tensors(&source, &whole.iter().collect::<Vec<_>>())).unwrap();
    assert_eq!(*source.reads.borrow(), [(0, 2 * half), (2 * half, half)]);
}

#[test]
fn nothing_is_read_for_nothing() {
    let source = CountingSource::new(vec![0; 10]);
    assert!(block_on(read_tensors(&source, &[])).unwrap().is_empty());
    assert!(source.reads.borrow().is_empty());
}

#[test]
fn a_tensor_outside_its_file_names_itself_and_the_file() {
    let source = MemorySource::new("the-file", vec![0; 10]);
    let error = block_on(read_tensors(&source, &[&entry("the.tensor", 5, 10)])).unwrap_err();
    assert!(matches!(error, ReadError::Tensor { .. }), "{error:?}");
    let message = error.to_string();
    assert!(
        message.contains("the.tensor") && message.ends_with("the-file"),
        "{message}"
    );
    let wild = entry("wild", u64::MAX, u64::MAX);
    let error = block_on(read_tensors(&source, &[&wild])).unwrap_err();
    assert!(
        matches!(error, ReadError::TensorTooLarge { .. }),
        "{error:?}"
    );
    let mut strideless = entry("strideless", 0, 10);
    strideless.placement.strides.clear();
    assert!(block_on(read_tensors(&source, &[&strideless])).is_err());
}

#[test]
fn the_other_library_reads_the_same() {
    let path = micro_run().join("checkpoints/step_0/model.safetensors");
    let bytes = fs::read(path).unwrap();
    let (source, catalog) = listed(bytes.clone());
    let other = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(catalog.tensors.len(), other.len());
    for entry in &catalog.tensors {
        let view = other.tensor(&entry.name).unwrap();
        let shape: Vec<u64> = view.shape().iter().map(|extent| *extent as u64).collect();
        assert_eq!(entry.shape, shape);
        let (start, length) = entry.byte_range();
        assert_eq!(
            &bytes[start as usize..(start + length) as usize],
            view.data()
        );
    }
    let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
    let tensors = block_on(read_tensors(&source, &entries)).unwrap();
    assert_eq!(tensors.len(), other.len());
    assert!(
        support::catalog(support::safetensors("{}", 0))
            .unwrap()
            .tensors
            .is_empty()
    );
}
