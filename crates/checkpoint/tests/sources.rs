//! One contract for every source, and what folders and files of this machine add to it.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod support;

use std::fs;
use std::rc::Rc;

use ckptscope_checkpoint::{
    FormatError, LocalFile, LocalTree, MemorySource, MemoryTree, ReadError, RunError, Source, Tree,
};
use pollster::block_on;
use support::{CONTENT, keeps_the_contract, micro_run};

#[test]
fn memory_keeps_the_contract() {
    keeps_the_contract(&MemorySource::new("memory", CONTENT));
    let tree = MemoryTree::new("tree", [("a/b", CONTENT)]);
    keeps_the_contract(&*block_on(tree.open("a/b")).unwrap());
}

#[test]
fn files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    let path = folder.path().join("a/b");
    fs::write(&path, CONTENT).unwrap();
    keeps_the_contract(&LocalFile::open(&path).unwrap());
    let tree = LocalTree::scan(folder.path()).unwrap();
    keeps_the_contract(&*block_on(tree.open("a/b")).unwrap());
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, CONTENT).unwrap();
    let source = LocalFile::open(&path).unwrap();
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(5)
        .unwrap();
    assert_eq!(block_on(source.read_at(0, 5)).unwrap(), b"01234");
    let error = block_on(source.read_at(0, 10)).unwrap_err();
    assert!(
        matches!(
            error,
            ReadError::Short {
                offset: 0,
                length: 10,
                ..
            }
        ),
        "{error:?}"
    );
    let path = path.display();
    assert_eq!(
        error.to_string(),
        format!(
            "the file ends inside the 10 bytes at 0: it has changed or is cut off, copy or download \
             it again: {path}"
        )
    );
}

#[test]
fn what_cannot_be_opened_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = LocalFile::open(folder.path().join("none")).unwrap_err();
    assert!(matches!(error, ReadError::Open { .. }), "{error:?}");
    let error = LocalFile::open(folder.path()).unwrap_err();
    assert!(matches!(error, ReadError::IsFolder { .. }), "{error:?}");
    let error = LocalTree::scan(folder.path().join("none")).unwrap_err();
    assert!(
        matches!(&error, RunError::Missing { path } if path.ends_with("none")),
        "{error:?}"
    );
    let tree = MemoryTree::new("tree", [("a", CONTENT)]);
    let Err(error) = block_on(tree.open("b")) else {
        panic!("there is no such file")
    };
    assert_eq!(error.to_string(), "there is no such file in tree: b");
    let local = LocalTree::scan(folder.path()).unwrap();
    assert!(block_on(local.open("../escape")).is_err());
}

#[cfg(unix)]
#[test]
fn links_to_files_are_files_and_links_to_folders_are_nothing() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("step_1")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(root.join("step_1/b"), CONTENT).unwrap();
    fs::write(root.join(".git/c"), CONTENT).unwrap();
    symlink("step_1", root.join("latest")).unwrap();
    symlink("step_1/b", root.join("a")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink(".", root.join("loop")).unwrap();
    let tree = LocalTree::scan(root).unwrap();
    let paths: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a", "step_1/b"]);
    assert_eq!(tree.files()[0].bytes, 10);
}

#[test]
fn a_file_is_a_tree_of_itself() {
    let file = micro_run().join("training_config.yaml");
    let tree = LocalTree::scan(&file).unwrap();
    assert_eq!(tree.files().len(), 1);
    assert_eq!(tree.files()[0].path, "training_config.yaml");
    assert_eq!(tree.name(), file.display().to_string());
    let source = block_on(tree.open("training_config.yaml")).unwrap();
    assert_eq!(source.bytes(), tree.files()[0].bytes);
}

#[test]
fn files_are_sorted_by_path() {
    let trees: [Rc<dyn Tree>; 2] = [
        Rc::new(LocalTree::scan(micro_run()).unwrap()),
        Rc::new(MemoryTree::new(
            "tree",
            [("b/a", CONTENT), ("b.a", CONTENT), ("a", CONTENT)],
        )),
    ];
    for tree in trees {
        assert!(
            tree.files().is_sorted_by(|a, b| a.path < b.path),
            "{}",
            tree.name()
        );
    }
}

#[test]
fn trees_and_errors_cross_threads() {
    fn crosses_threads<T: Send + Sync + 'static>() {}
    crosses_threads::<LocalTree>();
    crosses_threads::<LocalFile>();
    crosses_threads::<FormatError>();
    crosses_threads::<ReadError>();
    crosses_threads::<RunError>();
}
