//! How much is read of a file, and in how many reads.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod support;

use std::fs;

use ckptscope_checkpoint::read::{
    COALESCE_BYTES, Fetch, GAPS_ALLOWANCE_BYTES, GAPS_SHARE, GROUP_LIMIT_BYTES,
};
use ckptscope_checkpoint::source::window_bytes;
use ckptscope_checkpoint::{
    Catalog, Dtype, MemorySource, Packing, Placement, ReadError, TensorEntry, catalog_of,
    read_tensors,
};
use pollster::block_on;
use proptest::prelude::*;
use support::{CountingSource, ZipEntry, dict, micro_run, odd, pickle, storage, view, zip};

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
        packing: Packing::Plain,
        offset: 0,
        strides: vec![1],
        big_endian: false,
        negated: false,
        crc32: None,
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
fn of_a_far_file_neighbours_come_together_and_what_lies_apart_does_not() {
    let source = CountingSource::far((0..300_000).map(|byte| byte as u8).collect());
    let entries = [
        // A header's length between them, as in a PyTorch file.
        entry("a", 0, 20_000),
        entry("b", 20_128, 20_000),
        // Small ones with as much again between them.
        entry("c", 100_000, 100),
        entry("d", 100_200, 100),
        // As far from each other as a group of the near files would still be.
        entry("e", 200_000, 20_000),
        entry("f", 240_000, 20_000),
    ];
    let tensors = block_on(read_tensors(&source, &entries.iter().collect::<Vec<_>>())).unwrap();
    assert_eq!(
        *source.reads.borrow(),
        [
            (0, 40_128),
            (100_000, 300),
            (200_000, 20_000),
            (240_000, 20_000)
        ]
    );
    assert_eq!(tensors[5].values[0], f64::from(240_000_u32 as u8));
}

proptest! {
    #[test]
    fn a_read_of_a_far_file_carries_little_beyond_what_is_wanted(
        ranges in prop::collection::vec((0_u64..400_000, 0_u64..30_000), 1..40),
    ) {
        let source = CountingSource::far((0..430_000).map(|byte| byte as u8).collect());
        let entries: Vec<TensorEntry> = ranges.iter().map(|(at, len)| entry("t", *at, *len)).collect();
        let entries: Vec<&TensorEntry> = entries.iter().collect();
        let tensors = block_on(read_tensors(&source, &entries)).unwrap();
        for (tensor, (start, length)) in tensors.iter().zip(&ranges) {
            let expected: Vec<f64> = (*start..start + length).map(|byte| f64::from(byte as u8)).collect();
            prop_assert_eq!(&tensor.values, &expected);
        }
        for (offset, length) in source.reads.borrow().iter() {
            let is_wanted = |byte: &u64| {
                ranges.iter().any(|(start, length)| (*start..start + length).contains(byte))
            };
            let wanted = (*offset..offset + length).filter(is_wanted).count() as u64;
            let waste = length - wanted;
            prop_assert!(waste <= wanted / GAPS_SHARE + GAPS_ALLOWANCE_BYTES, "{} of {}", waste, length);
        }
        // What is fetched first and widened later is the same, by the same reads.
        let again = std::rc::Rc::new(CountingSource::far((0..430_000).map(|byte| byte as u8).collect()));
        let fetch = Fetch::start(std::rc::Rc::clone(&again) as _, &entries).unwrap();
        prop_assert!(again.reads.borrow().is_empty(), "nobody waits yet");
        let fetched = block_on(fetch.finish()).unwrap();
        let widened = fetched.iter().zip(&entries).map(|(bytes, entry)| bytes.widen(entry).unwrap());
        prop_assert_eq!(widened.collect::<Vec<_>>(), tensors);
        prop_assert_eq!(&*again.reads.borrow(), &*source.reads.borrow());
    }
}

#[test]
fn the_window_of_a_file_is_a_share_of_it() {
    for (file, window) in [
        (0, 0),
        (16 * 1024, 16 * 1024),
        (16 * 1024 + 1, 8 * 1024),
        (1024 * 1024, 8 * 1024),
        (4 * 1024 * 1024, 32 * 1024),
        (u64::MAX, 64 * 1024),
    ] {
        assert_eq!(window_bytes(file), window, "{file}");
    }
}

#[test]
fn a_far_file_has_the_catalog_of_a_near_one() {
    let run = micro_run().join("checkpoints/step_0");
    let mut with_comment = large_archive(true);
    let comment = vec![b'c'; 20_000];
    let length = with_comment.len();
    with_comment[length - 2..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    with_comment.extend(comment);
    let files = [
        fs::read(run.join("model.safetensors")).unwrap(),
        fs::read(run.join("learning_dynamics/val_weights.pt")).unwrap(),
        large_archive(true),
        fs::read(odd("many.pt")).unwrap(),
        large_archive(false),
        with_comment,
    ];
    for (index, file) in files.into_iter().enumerate() {
        let window = window_bytes(file.len() as u64);
        let near = listed(file.clone()).1;
        let source = CountingSource::far(file);
        let far = block_on(catalog_of(&source)).unwrap();
        assert_eq!(far, near, "file {index}");
        let reads = source.reads.borrow();
        let longest = reads.iter().map(|(_, length)| *length).max();
        // Only many small tensors, headers that are not where PyTorch has them, and a long
        // comment need more.
        if index < 3 {
            assert!(longest.unwrap() <= window, "file {index}: {reads:?}");
        }
    }
}

#[test]
fn nobody_reads_across_what_a_source_lacks() {
    for mut source in [
        CountingSource::new(vec![1; 100]),
        CountingSource::far(vec![1; 100]),
    ] {
        let entries = [entry("a", 0, 10), entry("b", 20, 10), entry("c", 40, 10)];
        let entries: Vec<&TensorEntry> = entries.iter().collect();
        block_on(read_tensors(&source, &entries)).unwrap();
        assert_eq!(source.reads.take(), [(0, 50)]);
        source.lacks = 32..33;
        block_on(read_tensors(&source, &entries)).unwrap();
        assert_eq!(source.reads.take(), [(0, 30), (40, 10)]);
    }
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
    let beside = [&entry("a", 0, 5), &entry("b", 5, 5), &entry("c", 10, 2)];
    let error = block_on(read_tensors(&source, &beside)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tensor \"a\" and 2 others could not be read: 12 bytes at 0 are outside the file, which has \
         10: it has changed or is cut off, copy or download it again: the-file"
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
