//! Every file of the fixtures reads to the values that PyTorch wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use std::path::{Path, PathBuf};

use pollster::block_on;
use serde_json::Value;
use trainscope_checkpoint::{
    Catalog, DataKind, Layout, LocalFile, LocalTree, ReadError, Run, Split, Tensor, TensorEntry,
    catalog_of, read_tensors,
};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/torch-odd")
        .join(path)
}

fn open(path: &Path) -> (LocalFile, Result<Catalog, ReadError>) {
    let file = LocalFile::open(path).unwrap();
    let catalog = block_on(catalog_of(&file));
    (file, catalog)
}

/// The values in row-major order, as the fixtures list them.
fn row_major(tensor: &Tensor) -> Vec<f64> {
    let (rows, columns) = (tensor.rows(), tensor.columns());
    let indices = (0..rows).flat_map(|row| (0..columns).map(move |column| column * rows + row));
    indices.map(|index| tensor.values[index]).collect()
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

#[test]
fn every_odd_file_reads_to_its_expected_values() {
    let expected: Value =
        serde_json::from_slice(&std::fs::read(data("expected.json")).unwrap()).unwrap();
    for (file, tensors) in expected.as_object().unwrap() {
        let (source, catalog) = open(&data(&format!("{file}.pt")));
        let catalog = catalog.unwrap();
        let tensors = tensors.as_object().unwrap();
        assert_eq!(catalog.tensors.len(), tensors.len(), "{file}");
        let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
        let read = block_on(read_tensors(&source, &entries)).unwrap();
        for (entry, tensor) in entries.iter().zip(&read) {
            let wanted = &tensors[&entry.name];
            assert_eq!(
                tensor.shape,
                expected_shape(wanted),
                "{file}: {}",
                entry.name
            );
            assert_eq!(
                row_major(tensor),
                expected_values(wanted),
                "{file}: {}",
                entry.name
            );
        }
    }
}

#[test]
fn the_good_safetensors_file_reads() {
    let (source, catalog) = open(&data("good.safetensors"));
    let catalog = catalog.unwrap();
    assert_eq!(catalog.metadata, [("format".to_owned(), "pt".to_owned())]);
    let names: Vec<&str> = catalog
        .tensors
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["e", "w", "b", "h"]);
    let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
    let read = block_on(read_tensors(&source, &entries)).unwrap();
    assert_eq!(
        read[0],
        Tensor {
            shape: vec![0, 3],
            values: vec![]
        }
    );
    assert_eq!(read[1].values.len(), 12);
}

#[test]
fn the_micro_run_is_found_and_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/pico-decoder-micro-1");
    let tree = LocalTree::scan(root).unwrap();
    let run = block_on(Run::find(&tree)).unwrap();
    assert_eq!(run.layout, Layout::Pico);
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
            for (path, catalog) in part
                .paths
                .iter()
                .zip(block_on(part.catalogs(&tree)).unwrap())
            {
                let source = block_on(trainscope_checkpoint::Tree::open(&tree, path)).unwrap();
                let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
                assert_eq!(entries.len(), 9, "{path}");
                block_on(read_tensors(&*source, &entries)).unwrap();
            }
        }
    }
    println!("{run:#?}");
}

#[test]
fn bad() {
    for file in std::fs::read_dir(data("bad")).unwrap() {
        let path = file.unwrap().path();
        let (_, catalog) = open(&path);
        match catalog {
            Ok(catalog) => println!("{catalog:?}"),
            Err(error) => println!("{error}"),
        }
    }
}
