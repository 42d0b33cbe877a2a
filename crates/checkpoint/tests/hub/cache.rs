//! What Python's tools downloaded before is not asked for again.

use std::fs;
use std::path::Path;

use ckptscope_checkpoint::Tree;
use ckptscope_checkpoint::hub::Cache;
use ckptscope_fake_hub::Options;

use crate::world::{World, repository};

/// The SHA-256 of `hello`.
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn world(folder: &Path) -> World {
    let repositories = vec![repository(&[("a.pt", b"hello")])];
    World::with(repositories, Options::default(), None, Cache::at(folder))
}

/// Reads the file; how often the network was needed for it.
fn requests_for_reading(folder: &Path) -> usize {
    let world = world(folder);
    let tree = world.tree("a/b").unwrap();
    world.requests();
    let source = world.open(&tree, "a.pt");
    assert_eq!(world.read(&*source, 0, 5).unwrap(), b"hello");
    let (hub, file_host) = world.requests();
    hub + file_host
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn a_blob_is_used() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(requests_for_reading(folder.path()), 2);
    let blobs = folder.path().join("models--a--b/blobs");
    write(&blobs.join(format!("{HELLO}.incomplete")), b"hel");
    assert_eq!(requests_for_reading(folder.path()), 2);
    write(&blobs.join(HELLO), b"hello");
    assert_eq!(requests_for_reading(folder.path()), 0);
}

#[test]
fn a_blob_of_another_length_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("models--a--b/blobs").join(HELLO),
        b"hel",
    );
    assert_eq!(requests_for_reading(folder.path()), 2);
}

#[test]
fn a_snapshot_without_links_is_used_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    let tree = world.tree("a/b").unwrap();
    let remote = world.open(&tree, "a.pt");
    world.read(&*remote, 0, 5).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // The commit's id is in the address that was asked for.
    let log = world.fake.take_log();
    let resolved = log
        .iter()
        .find_map(|it| it.target.strip_prefix("/a/b/resolve/"));
    let commit = resolved.unwrap().split('/').next().unwrap();
    let snapshot = folder.path().join("models--a--b/snapshots").join(commit);
    write(&snapshot.join("a.pt"), b"hello");
    assert_eq!(requests_for_reading(folder.path()), 0);
    assert_eq!(tree.files().len(), 2);
}
