//! Safetensors files of writers that keep the format's rules loosely: read, with a warning where
//! the format's own library refuses them.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod support;

use ckptscope_checkpoint::{
    Catalog, CatalogWarning, MemorySource, TensorEntry, catalog_of, read_tensors,
};
use pollster::block_on;
use support::safetensors;

/// The catalog and the values of its tensors.
fn read(file: Vec<u8>) -> (Catalog, Vec<Vec<f64>>) {
    let source = MemorySource::new("memory", file);
    let catalog = block_on(catalog_of(&source)).unwrap();
    let entries: Vec<&TensorEntry> = catalog.tensors.iter().collect();
    let tensors = block_on(read_tensors(&source, &entries)).unwrap();
    let values = tensors.into_iter().map(|tensor| tensor.values).collect();
    (catalog, values)
}

fn refused(file: Vec<u8>) -> String {
    block_on(catalog_of(&MemorySource::new("memory", file)))
        .unwrap_err()
        .to_string()
}

/// A header of one tensor, the bytes 0 to 4, with that `__metadata__`.
fn with_metadata(metadata: &str) -> String {
    format!(
        r#"{{"__metadata__":{metadata},"a":{{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}}}"#
    )
}

fn remarks(metadata: &str) -> Vec<(String, String)> {
    let (catalog, values) = read(safetensors(&with_metadata(metadata), 4));
    assert_eq!(values, [[0.0, 1.0, 2.0, 3.0]], "{metadata}");
    assert_eq!(catalog.warnings, [], "{metadata}");
    catalog.metadata
}

fn pairs(remarks: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, remark): &(&str, &str)| ((*name).to_owned(), (*remark).to_owned());
    remarks.iter().map(owned).collect()
}

#[test]
fn remarks_are_any_json_and_shown_as_they_stand() {
    let found = remarks(
        r#"{"format":"pt","step":100,"rank":{"a": [1,2.5],"b":{}},"none":null,"t":true,"e":[]}"#,
    );
    let wanted = [
        ("format", "pt"),
        ("step", "100"),
        ("rank", r#"{"a": [1, 2.5], "b": {}}"#),
        ("none", "null"),
        ("t", "true"),
        ("e", "[]"),
    ];
    assert_eq!(found, pairs(&wanted));
    assert_eq!(
        remarks(r#"{"a":"\"b\" \u00e4"}"#),
        pairs(&[("a", "\"b\" ä")])
    );
    assert_eq!(
        remarks(r#"{"big":-7,"small":1e-7}"#),
        pairs(&[("big", "-7"), ("small", "1e-7")])
    );
}

#[test]
fn remarks_need_be_no_object() {
    assert_eq!(remarks("null"), []);
    assert_eq!(remarks("{}"), []);
    assert_eq!(
        remarks(r#""made by hand""#),
        pairs(&[("__metadata__", "made by hand")])
    );
    assert_eq!(remarks("[1, 2]"), pairs(&[("__metadata__", "[1, 2]")]));
}

#[test]
fn pythons_words_for_numbers_are_remarks_too() {
    let found =
        remarks(r#"{"loss":NaN,"best":[-Infinity,Infinity],"note":"NaN \"Infinity","s":"\\"}"#);
    let wanted = [
        ("loss", "NaN"),
        ("best", r#"["-Infinity", "Infinity"]"#),
        ("note", "NaN \"Infinity"),
        ("s", "\\"),
    ];
    assert_eq!(found, pairs(&wanted));
    // They are no numbers where a number belongs.
    let shape = r#"{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,4]}}"#;
    assert!(refused(safetensors(shape, 4)).contains("safetensors library"));
}

#[test]
fn padding_of_any_kind_is_no_part_of_the_header() {
    for padding in ["\0", "\0\0\0\0\0\0\0", " \0 \0", "\n \t", " "] {
        let header = with_metadata("null") + padding;
        let (catalog, values) = read(safetensors(&header, 4));
        assert_eq!(values, [[0.0, 1.0, 2.0, 3.0]], "{padding:?}");
        assert_eq!(catalog.warnings, [], "{padding:?}");
    }
    assert!(refused(safetensors("{\0}", 0)).contains("JSON"));
}

/// Tensors of bytes by their ranges.
#[test]
fn space_before_the_header_is_no_part_of_it() {
    let header = format!("  \n{}", with_metadata("{}"));
    let (catalog, _) = read(safetensors(&header, 4));
    assert!(!catalog.tensors.is_empty());
}

fn tensors(ranges: &[(u64, u64)]) -> String {
    let tensor = |(number, (begin, end)): (usize, &(u64, u64))| {
        let length = end - begin;
        format!(r#""{number}":{{"dtype":"U8","shape":[{length}],"data_offsets":[{begin},{end}]}}"#)
    };
    let tensors: Vec<String> = ranges.iter().enumerate().map(tensor).collect();
    format!("{{{}}}", tensors.join(","))
}

#[test]
fn bytes_that_belong_to_none_are_warned_of_once() {
    // Before the first tensor, between two, behind the last; in any order of the header.
    for (ranges, data) in [
        (&[(8, 10)][..], 10),
        (&[(0, 2), (8, 10)], 10),
        (&[(8, 10), (0, 2)], 10),
        (&[(0, 2)], 9),
        (&[(1, 2), (4, 5)], 64),
        (&[], 3),
    ] {
        let (catalog, values) = read(safetensors(&tensors(ranges), data));
        assert_eq!(
            catalog.warnings,
            [CatalogWarning::UnownedBytes],
            "{ranges:?}"
        );
        for ((begin, _), values) in ranges.iter().zip(values) {
            assert_eq!(values.first(), Some(&(*begin as f64)), "{ranges:?}");
        }
    }
    let (catalog, _) = read(safetensors(&tensors(&[(2, 10), (0, 2), (10, 10)]), 10));
    assert_eq!(catalog.warnings, []);
}

#[test]
fn a_warning_names_its_first_file_and_counts_the_others() {
    let odd = CatalogWarning::UnownedBytes;
    let words = |files: &[&'static str]| {
        let told = CatalogWarning::in_words(files.iter().map(|path| (*path, odd)));
        told.concat()
    };
    assert_eq!(words(&[]), "");
    assert!(words(&["a"]).starts_with("a: some bytes"));
    assert!(words(&["a", "b"]).starts_with("a and another file: "));
    assert!(words(&["a", "b", "c"]).starts_with("a and 2 other files: "));
    assert!(words(&["a"]).ends_with("save them again with it"));
}

#[test]
fn one_rank_s_part_of_a_tensor_is_not_the_tensor() {
    for (info, is_read) in [
        (r#""{\"a\": {\"saved_offsets\": [0, 0]}}""#, false),
        (r#""{\"b\": {\"saved_offsets\": [0, 0]}}""#, true),
        (r#""no JSON""#, false),
    ] {
        let header = with_metadata(&format!(r#"{{"DCP_SHARDING_INFO":{info}}}"#));
        let (catalog, values) = read(safetensors(&header, 4));
        assert_eq!(!values.is_empty(), is_read, "{info}");
        let told = catalog.unreadable.iter().map(|(_, reason)| reason);
        let told = told.filter(|reason| reason.contains("consolidate"));
        assert_eq!(told.count(), usize::from(!is_read), "{info}");
    }
}
