//! PyTorch's distributed checkpoints from the Hub and from a folder at a server: each tensor's parts
//! are put together as from a disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ckptscope_checkpoint::http::{FolderTree, Url};
use ckptscope_checkpoint::{Contents, DataKind, LocalTree, Run, Tree, read_stored};
use ckptscope_fake_hub::Repository;

use crate::world::World;

/// A run of two steps, as `torch.distributed.checkpoint.save` wrote it.
fn on_disk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/field/21-dcp/run")
}

/// The files of a step by name.
fn files(step: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(on_disk().join(step)).unwrap();
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    };
    entries.map(|entry| file(entry.unwrap().path())).collect()
}

fn repository() -> Repository {
    let mut repository = Repository::new("a/b");
    for step in ["step-100", "step-200"] {
        let files = files(step).into_iter();
        let changes = files.map(|(name, content)| (name, Some(content)));
        repository.commit(step, "Upload", changes);
    }
    repository.commit("main", "Say what this is", [("NOTES", Some(b"1".to_vec()))]);
    repository
}

/// The values of all tensors, by step and name.
async fn values(tree: &dyn Tree, run: &Run) -> BTreeMap<(u64, String), Vec<f64>> {
    let mut values = BTreeMap::new();
    for step in &run.steps {
        for part in &step.parts {
            let content = part.read(tree).await.unwrap();
            for tensor in Contents::of(content.files, tree).await.tensors {
                let stored = tensor.values(DataKind::Weights).unwrap();
                let read = read_stored(tree, stored).await.unwrap();
                values.insert((step.number, tensor.name.clone()), read.values);
            }
        }
    }
    values
}

#[test]
fn a_distributed_checkpoint_is_the_same_from_the_hub_and_from_a_server() {
    let world = World::new(vec![repository()]);
    let expected = world.block_on(async {
        let tree = LocalTree::scan(on_disk()).unwrap();
        let run = Run::find(&tree).await.unwrap();
        values(&tree, &run).await
    });
    assert!(expected.len() >= 2, "{:?}", expected.keys());
    let tree = world.tree("a/b").unwrap();
    let from_hub = world.block_on(async {
        let run = tree.find_run().await.unwrap();
        values(&tree, &run).await
    });
    assert_eq!(from_hub, expected);

    let folder = format!("{}/a/b/resolve/step-200/", world.fake.endpoint());
    let listed = files("step-200").into_iter();
    let listed = listed.map(|(name, content)| (name, content.len() as u64));
    let url = Url::parse(&folder).unwrap();
    let tree = FolderTree::known(&world.http, "step-200", url, None, listed);
    let from_server = world.block_on(async {
        let run = Run::find(&tree).await.unwrap();
        values(&tree, &run).await
    });
    let of_last = |values: &BTreeMap<(u64, String), Vec<f64>>| {
        let last = values.iter().filter(|((step, _), _)| *step == 200);
        let last = last.map(|((_, name), values)| (name.clone(), values.clone()));
        last.collect::<BTreeMap<_, _>>()
    };
    let from_server: BTreeMap<_, _> = from_server
        .into_iter()
        .map(|((_, name), values)| (name, values))
        .collect();
    assert_eq!(from_server, of_last(&expected));
}
