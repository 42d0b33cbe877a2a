//! What Python's tools downloaded before is not asked for again.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::sync::Arc;

use ckptscope_checkpoint::Tree;
use ckptscope_checkpoint::hub::Cache;
#[cfg(unix)]
use ckptscope_checkpoint::{Step, hub::Hub};
use ckptscope_fake_hub::Options;
#[cfg(unix)]
use ckptscope_fake_hub::{Fault, Origin};

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

/// A repository in the cache: refs, and files of commits, as links to blobs where there are links.
#[cfg(unix)]
fn keep(folder: &Path, refs: &[(&str, &str)], files: &[(&str, &str, &[u8])]) {
    let repository = folder.join("models--a--b");
    for (name, commit) in refs {
        write(&repository.join("refs").join(name), commit.as_bytes());
    }
    for (index, (commit, path, content)) in files.iter().enumerate() {
        let blob = repository.join(format!("blobs/blob{index}"));
        write(&blob, content);
        let link = repository.join("snapshots").join(commit).join(path);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(blob, link).unwrap();
    }
}

#[cfg(unix)]
const WEIGHTS: &str = "model.safetensors";

/// A hub that nobody may ask, with what is in the cache.
#[cfg(unix)]
fn offline(folder: &Path) -> World {
    let mut world = world(folder);
    let endpoint = world.fake.endpoint();
    let cache = Cache::at(folder);
    let hub = Hub::new(Arc::clone(&world.http), endpoint, None, cache).unwrap();
    world.hub = Arc::new(hub.offline());
    world
}

#[cfg(unix)]
fn steps(world: &World, address: &str) -> Vec<(u64, String)> {
    let tree = world.tree(address).unwrap();
    let run = world.block_on(tree.find_run()).unwrap();
    let told = &run.warnings[0];
    assert!(told.contains("a/b is read from the cache"), "{told}");
    let read = |step: &Step| {
        let path = &step.parts[0].paths[0];
        let source = world.open(&tree, path);
        let content = world.read(&*source, 0, source.bytes()).unwrap();
        assert_eq!(tree.commit(path), Some(format!("c{}", step.number)));
        assert!(tree.content_id(path).unwrap().starts_with("blob"));
        (step.number, String::from_utf8(content).unwrap())
    };
    run.steps.iter().map(read).collect()
}

#[cfg(unix)]
#[test]
fn without_the_hub_refs_and_snapshots_answer() {
    let folder = tempfile::tempdir().unwrap();
    let refs = [("step100", "c100"), ("step200", "c200"), ("other", "c200")];
    let files: &[(&str, &str, &[u8])] =
        &[("c100", WEIGHTS, b"first"), ("c200", WEIGHTS, b"second")];
    keep(folder.path(), &refs, files);
    let of = |step: u64, content: &str| (step, content.to_owned());
    let world = offline(folder.path());
    let both = [of(100, "first"), of(200, "second")];
    assert_eq!(steps(&world, "a/b"), both);
    assert_eq!(steps(&world, "a/b@st*{N}"), both);
    let one = world.tree("a/b@step100").unwrap();
    assert_eq!(one.files()[0].path, WEIGHTS);
    assert_eq!(one.commit(WEIGHTS).as_deref(), Some("c100"));
    let by_commit = world.tree("a/b@c200").unwrap();
    assert_eq!(by_commit.commit(WEIGHTS).as_deref(), Some("c200"));
    assert_eq!(
        world.refusal("a/b@step300"),
        "the repository a/b has no revision step300; it has other, step100, step200"
    );
    let none = world.refusal("a/c");
    assert!(none.contains("nothing of a/c is here"), "{none}");
    assert!(none.contains("HF_HUB_OFFLINE"), "{none}");
    assert_eq!(world.requests(), (0, 0));
}

#[cfg(unix)]
#[test]
fn the_only_commit_of_a_cache_needs_no_name() {
    for refs in [&[("main", "c1")][..], &[("step5", "c1")], &[]] {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), refs, &[("c1", "x/pytorch_model.bin", b"1")]);
        let tree = offline(folder.path()).tree("a/b").unwrap();
        assert_eq!(tree.files()[0].path, "x/pytorch_model.bin", "{refs:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_hub_that_does_not_answer_is_told_and_the_cache_used() {
    let folder = tempfile::tempdir().unwrap();
    keep(
        folder.path(),
        &[("main", "c0")],
        &[("c0", WEIGHTS, b"kept")],
    );
    for fault in [Fault::Status(503), Fault::RateLimited { seconds: 1 }] {
        let world = world(folder.path());
        world.inject(Origin::Hub, "", usize::MAX, fault);
        assert_eq!(steps(&world, "a/b"), [(0, "kept".to_owned())]);
        let tree = world.tree("a/b").unwrap();
        let told = &tree.warnings()[0];
        assert!(
            told.starts_with("the Hub does not answer (127.0.0.1"),
            "{told}"
        );
        assert!(
            told.contains(&folder.path().display().to_string()),
            "{told}"
        );
    }
    // One that answers is believed, whatever it says.
    let world = world(folder.path());
    world.inject(Origin::Hub, "", usize::MAX, Fault::Status(404));
    let refused = world.refusal("a/b");
    assert!(
        refused.contains("there is no model repository"),
        "{refused}"
    );
}
