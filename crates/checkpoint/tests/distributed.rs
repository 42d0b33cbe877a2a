//! PyTorch's distributed checkpoints: those that `tests/data/dcp/make.py` had PyTorch write, and
//! broken ones.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ckptscope_checkpoint::{
    Contents, DataKind, HeldTensor, LocalTree, MemoryTree, Obstacle, Run, Tensor, Tree, read_stored,
};
use pollster::block_on;
use proptest::prelude::*;
use serde_json::Value;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dcp")
}

fn contents(tree: &dyn Tree) -> Contents {
    let run = block_on(Run::find(tree)).unwrap();
    let [step] = run.steps.as_slice() else {
        panic!("{run:?}");
    };
    let [part] = step.parts.as_slice() else {
        panic!("{run:?}");
    };
    let content = block_on(part.read(tree)).unwrap();
    block_on(Contents::of(content.files, tree))
}

/// The elements in row-major order.
fn row_major(tensor: &Tensor) -> Vec<f64> {
    let (rows, columns) = (tensor.rows(), tensor.columns());
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| column * rows + row));
    places.map(|place| tensor.values[place]).collect()
}

#[test]
fn tensors_are_put_together_of_their_chunks() {
    let text = std::fs::read_to_string(data().join("expected.json")).unwrap();
    let cases: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 5);
    let mut read = 0;
    for (case, expected) in cases {
        let tree = LocalTree::scan(data().join(&case)).unwrap();
        let contents = contents(&tree);
        for (name, expected) in expected {
            let held = contents.tensors.iter().find(|it| it.name == name);
            let held = held.unwrap_or_else(|| panic!("{case}: {name}"));
            let shape: Vec<u64> = serde_json::from_value(expected["shape"].clone()).unwrap();
            let values: Vec<f64> = serde_json::from_value(expected["values"].clone()).unwrap();
            if shape.contains(&0) {
                let obstacle = held.values(DataKind::Weights).unwrap_err();
                assert!(matches!(obstacle, Obstacle::Empty { .. }), "{obstacle}");
                continue;
            }
            let stored = held.values(DataKind::Activations).unwrap();
            assert_eq!(stored.shape(), shape, "{case}: {name}");
            let tensor = block_on(read_stored(&tree, stored)).unwrap();
            assert_eq!(row_major(&tensor), values, "{case}: {name}");
            read += 1;
        }
    }
    assert!(read > 20);
}

/// A case's files, without those that a name has part of.
fn files_without(case: &str, part: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::fs::read_dir(data().join(case)).unwrap();
    let files = folder.map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, std::fs::read(file.path()).unwrap())
    });
    files
        .filter(|(name, _)| part.is_empty() || !name.contains(part))
        .collect()
}

fn unreadable(held: &HeldTensor) -> Option<String> {
    match held.values(DataKind::Activations) {
        Err(Obstacle::Unreadable { reason }) => Some(reason),
        Ok(_) | Err(_) => None,
    }
}

#[test]
fn a_file_that_lacks_costs_the_tensors_of_which_it_has_chunks() {
    let tree = MemoryTree::new("run", files_without("sharded", "__1_0"));
    let contents = contents(&tree);
    let reason = |leaf: &str| {
        let name = format!("layers.0.{leaf}");
        unreadable(contents.tensors.iter().find(|it| it.name == name).unwrap())
    };
    let told = reason("rows").unwrap();
    assert!(told.contains("__1_0.distcp, which is not there"), "{told}");
    let sound = ["whole", "scalar", "plain"]
        .iter()
        .filter(|leaf| reason(leaf).is_none());
    assert!(sound.count() > 0);
}

#[test]
fn chunks_in_another_format_are_no_elements() {
    let tree = LocalTree::scan(data().join("in_safetensors")).unwrap();
    let contents = contents(&tree);
    let told: Vec<String> = contents.tensors.iter().filter_map(unreadable).collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("SAFETENSORS"), "{told:?}");
}

#[test]
fn a_file_that_is_cut_off_is_told() {
    let mut files = files_without("sharded", "");
    let (_, cut) = files
        .iter_mut()
        .find(|(name, _)| name.contains("__2_0"))
        .unwrap();
    cut.truncate(cut.len() / 2);
    let tree = MemoryTree::new("run", files);
    let told: Vec<String> = contents(&tree)
        .tensors
        .iter()
        .filter_map(unreadable)
        .collect();
    assert!(!told.is_empty());
    for reason in told {
        assert!(
            reason.contains("cut off") && reason.contains("__2_0.distcp"),
            "{reason}"
        );
    }
}

/// The metadata of a case with one text of it in the place of another, of the same length.
fn with_metadata(case: &str, from: &[u8], to: &[u8]) -> MemoryTree {
    assert_eq!(from.len(), to.len());
    let mut files = files_without(case, "");
    let (_, metadata) = files
        .iter_mut()
        .find(|(name, _)| name == ".metadata")
        .unwrap();
    let places: Vec<usize> = metadata
        .windows(from.len())
        .enumerate()
        .filter_map(|(place, part)| (part == from).then_some(place))
        .collect();
    assert!(!places.is_empty());
    for place in places {
        metadata[place..place + to.len()].copy_from_slice(to);
    }
    MemoryTree::new("run", files)
}

#[test]
fn chunks_that_do_not_make_their_tensor_are_refused() {
    // `layers.0.both` is [6, 7] in chunks of 3 by 4 and 3 by 3.
    for (from, to, words) in [
        (
            &b"K\x06K\x07\x86"[..],
            &b"K\x09K\x07\x86"[..],
            "of its 63 elements",
        ),
        (b"K\x06K\x07\x86", b"K\x06K\x05\x86", "is not inside"),
        (b"K\x03K\x03\x86", b"K\x02K\x03\x86", "of its 42 elements"),
        (b"relative_path", b"relative_puth", "no file has its chunk"),
        (b"float32", b"floatxx", "which is not supported"),
        (b"__0_0.distcp", b"../../passwd", "which is not there"),
    ] {
        let tree = with_metadata("two_dimensions", from, to);
        let contents = contents(&tree);
        let both = contents
            .tensors
            .iter()
            .find(|it| it.name == "layers.0.both")
            .unwrap();
        let reason = unreadable(both).unwrap_or_else(|| panic!("{words}"));
        assert!(reason.contains(words), "{words}: {reason}");
    }
}

#[test]
fn a_chunk_that_is_another_tensor_is_no_number() {
    let tree = with_metadata("two_dimensions", b"float32", b"float16");
    let contents = contents(&tree);
    let both = contents
        .tensors
        .iter()
        .find(|it| it.name == "layers.0.both")
        .unwrap();
    let stored = both.values(DataKind::Weights).unwrap();
    let error = block_on(read_stored(&tree, stored))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("it is F32 [3, 4], not F16 [3, 4]"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn damaged_metadata_gives_whole_tensors_or_reasons(
        case in prop::sample::select(vec!["sharded", "two_dimensions", "alone", "fsdp"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut files = files_without(case, "");
        let (_, metadata) = files.iter_mut().find(|(name, _)| name == ".metadata").unwrap();
        for (place, byte) in damage {
            let place = place.index(metadata.len());
            metadata[place] = byte;
        }
        let tree = MemoryTree::new("run", files);
        let run = block_on(Run::find(&tree)).unwrap();
        let Some(part) = run.steps.first().and_then(|step| step.parts.first()) else {
            return Ok(());
        };
        let Ok(content) = block_on(part.read(&tree)) else {
            return Ok(());
        };
        for held in block_on(Contents::of(content.files, &tree)).tensors {
            let Ok(stored) = held.values(DataKind::Activations) else {
                continue;
            };
            if let Ok(tensor) = block_on(read_stored(&tree, stored)) {
                prop_assert_eq!(tensor.values.len() as u64, stored.count());
                // What no chunk has would be NaN; PyTorch wrote none.
                let damaged_dtype = tensor.values.iter().any(|value| value.is_nan());
                prop_assert!(!damaged_dtype, "{}", held.name);
            }
        }
    }
}
