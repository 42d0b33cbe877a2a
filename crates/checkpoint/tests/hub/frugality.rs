//! Requests and bytes, counted by the hub.

use std::rc::Rc;

use ckptscope_checkpoint::source::window_bytes;
use ckptscope_checkpoint::{DataKind, Source, Split, TensorEntry, catalog_of, read_tensors};
use ckptscope_fake_hub::Repository;
use ckptscope_fake_hub::example::{PICO, PICO_BRANCH};

use crate::support::safetensors;
use crate::world::{World, repository};

/// The length of a tensor of the large file.
const TENSOR_BYTES: usize = 512 * 1024;

/// The requests after the tree that a file's directory may cost.
const PER_FILE: usize = 3;

#[test]
fn a_step_is_listed_by_one_request_per_commit() {
    let world = World::of_examples(None);
    let address = format!("{PICO}@{PICO_BRANCH}");
    world.tree_of(&address, |step| step == 512).unwrap();
    // The commits; the head; step 512's two commits and the one before them.
    assert_eq!(world.requests(), (1 + 1 + 3, 0));
}

#[test]
fn directories_cost_at_most_three_requests_a_file() {
    let world = World::of_examples(None);
    let tree = world.tree(&format!("{PICO}@{PICO_BRANCH}")).unwrap();
    let run = world.block_on(tree.find_run()).unwrap();
    world.requests();
    let last = run.steps.last().unwrap();
    let mut files = 0;
    for part in &last.parts {
        files += part.paths.len();
        world.block_on(part.read(&tree)).unwrap();
    }
    let (hub, file_host) = world.requests();
    assert_eq!(files, 7);
    assert!(
        hub + file_host <= PER_FILE * files,
        "{hub} and {file_host} for {files} files"
    );
    // Every file is resolved once.
    assert_eq!(hub, files);
    // And listed once: another reader finds the directories here.
    for part in &last.parts {
        world.block_on(part.read(&tree)).unwrap();
    }
    assert_eq!(world.requests(), (0, 0));
}

#[test]
fn one_tensor_over_fifteen_steps() {
    let world = World::of_examples(None);
    let tree = world.tree(&format!("{PICO}@{PICO_BRANCH}")).unwrap();
    let run = world.block_on(tree.find_run()).unwrap();
    world.requests();
    let received = world.http.traffic().bytes;
    let (mut tensors, mut directories) = (0, 0);
    for step in &run.steps {
        let part = step.part(DataKind::Weights, Split::Val).unwrap();
        let source = world.open(&tree, &part.paths[0]);
        directories += 2 * window_bytes(source.bytes());
        let catalog = world.block_on(catalog_of(&*source)).unwrap();
        let tensor = &catalog.tensors[4];
        tensors += tensor.byte_range().1;
        world.block_on(read_tensors(&*source, &[tensor])).unwrap();
    }
    // Resolved; head, tail and tensor.
    assert_eq!(world.requests(), (15, 3 * 15));
    let received = world.http.traffic().bytes - received;
    assert_eq!((tensors, directories), (15 * 9216, 15 * 2 * 8192));
    assert_eq!(received, tensors + directories);
}

/// A safetensors file of eight tensors of half a mebibyte.
fn large_file() -> Vec<u8> {
    let entry = |index: usize| {
        let (start, end) = (index * TENSOR_BYTES, (index + 1) * TENSOR_BYTES);
        format!(
            r#""layers.{index}.w":{{"dtype":"F32","shape":[2048,64],"data_offsets":[{start},{end}]}}"#
        )
    };
    let entries: Vec<String> = (0..8).map(entry).collect();
    safetensors(&format!("{{{}}}", entries.join(",")), 8 * TENSOR_BYTES)
}

#[test]
fn a_tensor_of_a_large_file_costs_its_bytes_and_the_directory() {
    let file = large_file();
    let mut repository = Repository::new("a/b");
    repository.commit(
        "main",
        "Upload",
        [("model.safetensors", Some(file.clone()))],
    );
    let world = World::new(vec![repository]);
    let tree = world.tree("a/b").unwrap();
    world.requests();
    let source = world.open(&tree, "model.safetensors");
    let before = world.http.traffic().bytes;
    let catalog = world.block_on(catalog_of(&*source)).unwrap();
    assert_eq!(world.requests(), (1, 1), "resolved, head");
    let directory = world.http.traffic().bytes - before;
    assert_eq!(directory, window_bytes(file.len() as u64));

    let read = |source: Rc<dyn Source>, tensors: &[&TensorEntry]| {
        let before = world.http.traffic().bytes;
        world.block_on(read_tensors(&*source, tensors)).unwrap();
        world.http.traffic().bytes - before
    };
    let again = world.open(&tree, "model.safetensors");
    assert_eq!(read(Rc::clone(&again), &[&catalog.tensors[4]]), 512 * 1024);
    assert_eq!(
        world.requests(),
        (0, 1),
        "another reader knows where the file is"
    );
    let (third, fourth) = (&catalog.tensors[2], &catalog.tensors[3]);
    let bytes = read(again, &[third, fourth]);
    assert_eq!(world.requests(), (0, 1), "neighbours come together");
    assert!(bytes as f64 <= 1.05 * (2 * TENSOR_BYTES) as f64, "{bytes}");
}

#[test]
fn what_came_with_the_directory_is_not_fetched_again() {
    let file = large_file();
    let window = window_bytes(file.len() as u64);
    let world = World::new(vec![repository(&[("model.safetensors", &file)])]);
    let source = world.open(&world.tree("a/b").unwrap(), "model.safetensors");
    let catalog = world.block_on(catalog_of(&*source)).unwrap();
    let first = &catalog.tensors[0];
    let (start, length) = first.byte_range();
    let before = world.http.traffic().bytes;
    let bytes = world.read(&*source, start, length).unwrap();
    let received = world.http.traffic().bytes - before;
    assert_eq!(received, length - (window - start));
    assert_eq!(&bytes, &file[start as usize..(start + length) as usize]);
}

#[test]
fn of_a_long_directory_only_the_rest_is_asked_for() {
    let metadata = "m".repeat(30_000);
    let header = format!(
        r#"{{"__metadata__":{{"a":"{metadata}"}},"w":{{"dtype":"U8","shape":[90000],"data_offsets":[0,90000]}}}}"#
    );
    let file = safetensors(&header, 90_000);
    let world = World::new(vec![repository(&[("model.safetensors", &file)])]);
    let source = world.open(&world.tree("a/b").unwrap(), "model.safetensors");
    world.requests();
    let before = world.http.traffic().bytes;
    let catalog = world.block_on(catalog_of(&*source)).unwrap();
    assert_eq!(catalog.metadata[0].1, metadata);
    assert_eq!(world.requests(), (1, 2), "resolved; head, rest");
    assert_eq!(world.http.traffic().bytes - before, 8 + header.len() as u64);
}
