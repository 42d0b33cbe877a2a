//! The fixtures: files that PyTorch wrote, with the values it reads from them, and broken ones.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod support;

use std::path::Path;

use ckptscope_checkpoint::{
    Catalog, DataKind, Dtype, FileContent, FormatError, Layout, LocalFile, LocalTree, PickleError,
    ReadError, Run, SafetensorsError, Split, Tensor, TensorEntry, TorchError, Tree, ZipError,
    catalog_of, read_tensors,
};
use pollster::block_on;
use serde_json::Value;
use support::{micro_run, odd, row_major};

fn open(path: &Path) -> (LocalFile, Result<Catalog, ReadError>) {
    let file = LocalFile::open(path).unwrap();
    let catalog = block_on(catalog_of(&file));
    (file, catalog)
}

fn read_all(source: &LocalFile, catalog: &Catalog) -> Vec<Tensor> {
    let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
    block_on(read_tensors(source, &entries)).unwrap()
}

fn expected_values(tensor: &Value) -> Vec<f64> {
    tensor["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
        .collect()
}

fn expected_shape(tensor: &Value) -> Vec<usize> {
    let shape = tensor["shape"].as_array().unwrap();
    shape
        .iter()
        .map(|extent| extent.as_u64().unwrap() as usize)
        .collect()
}

/// PyTorch's name of a dtype.
fn torch_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F64 => "float64",
        Dtype::F32 => "float32",
        Dtype::F16 => "float16",
        Dtype::BF16 => "bfloat16",
        Dtype::I64 => "int64",
        Dtype::I32 => "int32",
        Dtype::I16 => "int16",
        Dtype::I8 => "int8",
        Dtype::U8 => "uint8",
        Dtype::Bool => "bool",
        other => panic!("no fixture has {other}"),
    }
}

#[test]
fn every_odd_file_reads_to_its_expected_values() {
    let expected: Value =
        serde_json::from_slice(&std::fs::read(odd("expected.json")).unwrap()).unwrap();
    for (file, tensors) in expected.as_object().unwrap() {
        let (source, catalog) = open(&odd(&format!("{file}.pt")));
        let catalog = catalog.unwrap();
        let tensors = tensors.as_object().unwrap();
        let names: Vec<&String> = catalog.tensors.iter().map(|entry| &entry.name).collect();
        assert_eq!(names, tensors.keys().collect::<Vec<_>>(), "{file}");
        for (entry, tensor) in catalog.tensors.iter().zip(read_all(&source, &catalog)) {
            let wanted = &tensors[&entry.name];
            assert_eq!(
                torch_name(entry.dtype),
                wanted["dtype"],
                "{file}: {}",
                entry.name
            );
            assert_eq!(
                tensor.shape,
                expected_shape(wanted),
                "{file}: {}",
                entry.name
            );
            assert_eq!(
                row_major(&tensor),
                expected_values(wanted),
                "{file}: {}",
                entry.name
            );
        }
    }
}

#[test]
fn the_good_safetensors_file_reads() {
    let (source, catalog) = open(&odd("good.safetensors"));
    let catalog = catalog.unwrap();
    assert_eq!(catalog.metadata, [("format".to_owned(), "pt".to_owned())]);
    let names: Vec<&str> = catalog
        .tensors
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["e", "w", "b", "h"]);
    let read = read_all(&source, &catalog);
    assert_eq!(
        read[0],
        Tensor {
            shape: vec![0, 3],
            values: vec![]
        }
    );
    assert_eq!(read[1].shape, [4, 3]);
}

/// The error of a broken fixture; its message ends with the file's path.
fn bad(file: &str) -> ReadError {
    let path = odd("bad").join(file);
    let error = open(&path).1.unwrap_err();
    assert!(
        error.to_string().ends_with(&path.display().to_string()),
        "{error}"
    );
    error
}

fn bad_format(file: &str) -> FormatError {
    match bad(file) {
        ReadError::Format { source, .. } => source,
        other => panic!("{other:?}"),
    }
}

/// Asserts that a broken fixture gives the variant.
macro_rules! assert_bad {
    ($file:literal, $($kind:ident)::+, $error:pat) => {{
        let error = bad_format($file);
        assert!(matches!(error, $($kind)::+($error)), "{}: {error:?}", $file);
    }};
}

#[test]
fn every_bad_file_has_its_own_error() {
    assert!(matches!(bad("empty.pt"), ReadError::Empty { .. }));
    assert!(matches!(
        bad("short.safetensors"),
        ReadError::TooShort { bytes: 5, .. }
    ));
    let what = bad("not_a_zip.pt");
    assert!(matches!(what, ReadError::Foreign { .. }), "{what:?}");
    assert_bad!(
        "deflate_bomb.pt",
        FormatError::Zip,
        ZipError::InflatesTooFar { .. }
    );
    assert_bad!("truncated_half.pt", FormatError::Zip, ZipError::NoEndRecord);
    assert_bad!("truncated_tail.pt", FormatError::Zip, ZipError::NoEndRecord);
    assert_bad!(
        "no_pickle.pt",
        FormatError::Torch,
        TorchError::NoPickle { .. }
    );
    assert_bad!(
        "missing_storage.pt",
        FormatError::Torch,
        TorchError::MissingStorage { .. }
    );
    assert_bad!(
        "short_storage.pt",
        FormatError::Torch,
        TorchError::ShortStorage { has: 8, .. }
    );
    assert_bad!(
        "shape_overflow.pt",
        FormatError::Torch,
        TorchError::ShapeOverflow { .. }
    );
    assert_bad!(
        "pickle_memo_bomb.pt",
        FormatError::Torch,
        TorchError::ContainsItself { .. }
    );
    assert_bad!(
        "pickle_garbage.pt",
        FormatError::Pickle,
        PickleError::TooDeep { .. }
    );
    type Error = SafetensorsError;
    assert_bad!(
        "header_len_huge.safetensors",
        FormatError::Safetensors,
        Error::HeaderPastEnd { .. }
    );
    assert_bad!(
        "header_not_json.safetensors",
        FormatError::Safetensors,
        Error::Header { .. }
    );
    assert_bad!(
        "offset_past_end.safetensors",
        FormatError::Safetensors,
        Error::OffsetPastEnd { .. }
    );
    assert_bad!(
        "overlap.safetensors",
        FormatError::Safetensors,
        Error::Overlap { .. }
    );
    assert_bad!(
        "shape_overflow.safetensors",
        FormatError::Safetensors,
        Error::ShapeOverflow { .. }
    );
    assert_bad!(
        "truncated_data.safetensors",
        FormatError::Safetensors,
        Error::CutOff { .. }
    );
}

#[test]
fn what_is_sound_of_a_bad_file_is_read() {
    let (source, catalog) = open(&odd("bad/reduce_os_system.pt"));
    let catalog = catalog.unwrap();
    assert_eq!(read_all(&source, &catalog)[0].values.len(), 4);
    assert_eq!(catalog.unreadable[0].0, "evil");
    assert!(catalog.unreadable[0].1.contains("posix.system"));
    assert!(!Path::new("/tmp/ckptscope-pwned").exists());
    let (source, catalog) = open(&odd("bad/unknown_dtype.safetensors"));
    let catalog = catalog.unwrap();
    let names: Vec<&str> = catalog
        .tensors
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["e", "b", "h"]);
    assert_eq!(catalog.unreadable[0].0, "w");
    assert_eq!(read_all(&source, &catalog).len(), 3);
}

#[test]
fn big_endian_elements_are_swapped() {
    let (source, catalog) = open(&odd("bad/big_endian.pt"));
    let catalog = catalog.unwrap();
    assert!(
        catalog
            .tensors
            .iter()
            .all(|entry| entry.placement.big_endian)
    );
    // The fixture says big but holds the little-endian bytes of `shared_storage.pt`.
    let (little, little_catalog) = open(&odd("shared_storage.pt"));
    let swapped = read_all(&source, &catalog);
    let plain = read_all(&little, &little_catalog.unwrap());
    for (swapped, plain) in swapped.iter().zip(&plain) {
        let back = |value: &f64| f64::from(f32::from_bits((*value as f32).to_bits().swap_bytes()));
        let back: Vec<f64> = swapped.values.iter().map(back).collect();
        assert_eq!(back, plain.values);
    }
}

#[test]
fn every_fixture_is_tested() {
    let mut files: Vec<String> = std::fs::read_dir(odd("bad"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let source = include_str!("fixtures.rs");
    for file in files {
        assert!(source.contains(&file), "no test of bad/{file}");
    }
}

#[test]
fn the_micro_run_is_found_and_read() {
    let tree = LocalTree::scan(micro_run()).unwrap();
    let run = block_on(Run::find(&tree)).unwrap();
    assert_eq!(run.layout, Layout::Pico);
    assert_eq!(run.warnings, Vec::<String>::new());
    let numbers: Vec<u64> = run.steps.iter().map(|step| step.number).collect();
    assert_eq!(
        numbers,
        [
            0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 700, 1000, 1500, 2000
        ]
    );
    for step in &run.steps {
        for kind in [
            DataKind::Weights,
            DataKind::Gradients,
            DataKind::Activations,
        ] {
            let part = step.part(kind, Split::Val).unwrap();
            assert_eq!(part.split, Some(Split::Val));
            for FileContent { path, catalog } in block_on(part.read(&tree)).unwrap().files {
                let source = block_on(tree.open(&path)).unwrap();
                let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
                assert_eq!(entries.len(), 9, "{path}");
                let tensors = block_on(read_tensors(&*source, &entries)).unwrap();
                assert!(
                    tensors
                        .iter()
                        .flat_map(|tensor| &tensor.values)
                        .all(|v| v.is_finite())
                );
            }
        }
        let has_train = [0, 512, 2000].contains(&step.number);
        let train = step.part(DataKind::Gradients, Split::Train);
        assert_eq!(train.is_some(), has_train, "step {}", step.number);
    }
}

#[test]
fn a_pico_step_may_hold_recorded_weights_and_the_whole_model() {
    let run = block_on(Run::find(&LocalTree::scan(micro_run()).unwrap())).unwrap();
    let whole: Vec<u64> = run
        .steps
        .iter()
        .filter(|step| step.parts.iter().any(|part| part.split.is_none()))
        .map(|step| step.number)
        .collect();
    assert_eq!(whole, [0, 2000]);
    let parts = run.steps[0].parts.len();
    assert_eq!(parts, 7);
    // Where a split recorded no weights, the whole model serves it.
    let tree = LocalTree::scan(micro_run().join("checkpoints")).unwrap();
    let without_config = block_on(Run::find(&tree)).unwrap();
    assert_eq!(without_config.steps.len(), run.steps.len());
    assert_eq!(without_config.model.unwrap().source, "step_0/config.json");
}

#[test]
fn the_models_dimensions_come_from_the_training_config() {
    let run = block_on(Run::find(&LocalTree::scan(micro_run()).unwrap())).unwrap();
    let model = run.model.unwrap();
    assert_eq!(model.source, "training_config.yaml");
    assert_eq!((model.d_model, model.n_layers), (Some(48), Some(3)));
    assert_eq!(model.with_usual().d_head, Some(12));
    assert_eq!(
        (model.n_heads, model.n_kv_heads, model.d_head),
        (Some(4), Some(2), None)
    );
}
