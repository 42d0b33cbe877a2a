//! One contract for every source, and what folders and files of this machine add to it.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod support;

use std::fs;
use std::rc::Rc;

use ckptscope_checkpoint::{
    FormatError, LocalFile, LocalTree, MemorySource, MemoryTree, PassedOver, ReadError, Reason,
    Run, RunError, Source, Tree,
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
fn links_count_as_what_they_lead_to_each_folder_once() {
    use std::os::unix::fs::symlink;

    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = folder.path();
    fs::create_dir_all(root.join("step_1")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(root.join("step_1/b"), CONTENT).unwrap();
    fs::write(root.join(".git/c"), CONTENT).unwrap();
    fs::write(elsewhere.path().join("d"), CONTENT).unwrap();
    symlink("step_1", root.join("latest")).unwrap();
    symlink("step_1/b", root.join("a")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink(".", root.join("loop")).unwrap();
    symlink(elsewhere.path(), root.join("step_2")).unwrap();
    symlink(elsewhere.path(), root.join("step_3")).unwrap();
    let paths = |tree: &LocalTree| {
        let files = tree.files().iter().map(|file| file.path.clone());
        files.collect::<Vec<_>>()
    };
    let tree = LocalTree::scan(root).unwrap();
    assert_eq!(paths(&tree), ["a", "step_1/b", "step_2/d"]);
    assert_eq!(tree.files()[0].bytes, 10);
    let told: Vec<&str> = tree
        .passed_over()
        .iter()
        .map(|it| it.path.as_str())
        .collect();
    let expected = ["dangling -> nowhere", "latest/", "loop/", "step_3/"];
    assert_eq!(told, expected);

    let real = root.canonicalize().unwrap();
    let within = LocalTree::scan_within(root, |path| path.starts_with(&real)).unwrap();
    assert_eq!(paths(&within), ["a", "step_1/b"]);
    let outside: Vec<&PassedOver> = within.passed_over().iter().collect();
    let outside = outside.iter().filter(|it| it.reason == Reason::LinkOutside);
    assert_eq!(outside.count(), 2);
}

#[cfg(unix)]
#[test]
fn what_has_no_files_of_its_own_is_told_where_it_is_called_as_a_step_is() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["step_1", "step_2", "logs"] {
        fs::create_dir(root.join(name)).unwrap();
    }
    fs::write(root.join("step_1/model.safetensors"), CONTENT).unwrap();
    symlink("step_1", root.join("latest")).unwrap();
    symlink("step_1", root.join("step_3")).unwrap();
    let _socket = UnixListener::bind(root.join("step_4.safetensors")).unwrap();
    let run = block_on(Run::find(&LocalTree::scan(root).unwrap())).unwrap();
    let told: Vec<(Reason, &str)> = run
        .passed_over
        .iter()
        .map(|it| (it.reason.clone(), it.path.as_str()))
        .collect();
    let expected = [
        (Reason::SameFolder, "step_3/"),
        (Reason::NoFile, "step_4.safetensors"),
        (Reason::NoFiles, "step_2/"),
    ];
    assert_eq!(told, expected);
}

#[cfg(unix)]
#[test]
fn a_step_is_known_by_where_it_lies_however_it_is_given() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("checkpoint-500/logs")).unwrap();
    fs::write(root.join("checkpoint-500/model.safetensors"), CONTENT).unwrap();
    symlink("checkpoint-500", root.join("mine")).unwrap();
    symlink("checkpoint-500", root.join("step_7")).unwrap();
    for (path, step) in [
        ("checkpoint-500", 500),
        ("checkpoint-500/.", 500),
        ("checkpoint-500/logs/..", 500),
        ("mine", 500),
        ("mine/model.safetensors", 500),
        ("checkpoint-500/logs/../model.safetensors", 500),
        ("step_7", 7),
    ] {
        let tree = LocalTree::scan(root.join(path)).unwrap();
        let run = block_on(Run::find(&tree)).unwrap();
        assert_eq!(run.steps[0].number, step, "{path}");
    }
}

#[cfg(unix)]
#[test]
fn a_run_of_links_is_a_run() {
    use std::os::unix::fs::symlink;

    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for step in ["100", "200"] {
        let store = elsewhere.path().join(step);
        fs::create_dir(&store).unwrap();
        fs::write(store.join("model.safetensors"), CONTENT).unwrap();
        symlink(&store, folder.path().join(format!("checkpoint-{step}"))).unwrap();
    }
    let blobs = folder.path().join("checkpoint-300");
    fs::create_dir(&blobs).unwrap();
    symlink("../blobs/0", blobs.join("model.safetensors")).unwrap();
    let run = block_on(Run::find(&LocalTree::scan(folder.path()).unwrap())).unwrap();
    let steps: Vec<u64> = run.steps.iter().map(|step| step.number).collect();
    assert_eq!(steps, [100, 200]);
    let told = run
        .warnings
        .iter()
        .any(|it| it.contains("checkpoint-300/model.safetensors -> ../blobs/0"));
    assert!(told, "{:?}", run.warnings);
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
