//! Repositories to try things with: the project's own small run in several forms.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::repository::{Access, Repository};
use crate::{FakeHub, Options};

/// The repository that has the run as pico-train publishes: on [`PICO_BRANCH`], whose commits are
/// steps.
pub const PICO: &str = "ckptscope/pico-decoder-micro";

/// The branch of [`PICO`] that has the run.
pub const PICO_BRANCH: &str = "pico-decoder-micro-1";

/// The repository that has the run as a branch per step: `step{N}`.
pub const REVISIONS: &str = "ckptscope/micro-revisions";

/// The repository that has the run as folders on `main`.
pub const FOLDERS: &str = "ckptscope/micro-folders";

/// A private repository with the run's last step, for who has [`TOKEN`].
pub const PRIVATE: &str = "ckptscope/private";

/// The token that may read [`PRIVATE`].
pub const TOKEN: &str = "hf_of_the_fake_hub";

/// A repository whose terms nobody has accepted.
pub const GATED: &str = "ckptscope/gated";

/// A repository with 250 commits, which are several pages.
pub const LONG_HISTORY: &str = "ckptscope/long-history";

/// Files of a step by their paths in its folder.
type StepFiles = BTreeMap<String, Vec<u8>>;

/// A hub with the repositories named here, of the run in a folder.
///
/// # Errors
/// When the folder cannot be read, or a port is taken.
pub fn hub(folder: &Path, options: Options) -> io::Result<FakeHub> {
    FakeHub::start_with(examples(folder)?, options)
}

/// Reads `tests/data/pico-decoder-micro-1`, and gives every repository named here.
///
/// # Errors
/// When the folder cannot be read.
pub fn examples(folder: &Path) -> io::Result<Vec<Repository>> {
    let config = fs::read(folder.join("training_config.yaml"))?;
    let config = || [("training_config.yaml", Some(config.clone()))];
    let steps = steps(folder)?;
    let mut pico = Repository::new(PICO);
    pico.commit(PICO_BRANCH, "Saving training config", config());
    let mut revisions = Repository::new(REVISIONS);
    revisions.commit("main", "Say what this is", config());
    let mut folders = Repository::new(FOLDERS);
    folders.commit("main", "Say what this is", config());
    for (step, files) in &steps {
        commit_as_pico(&mut pico, *step, files);
        let title = "Upload folder using huggingface_hub";
        revisions.commit(&format!("step{step}"), title, changes(files, str::to_owned));
        let in_folder = |path: &str| format!("checkpoints/step_{step}/{path}");
        folders.commit("main", title, changes(files, in_folder));
    }
    let token = TOKEN.to_owned();
    let mut private = Repository::new(PRIVATE).with_access(Access::Private { token });
    let mut gated = Repository::new(GATED).with_access(Access::Gated);
    if let Some(last) = steps.values().next_back() {
        private.commit("main", "Upload", changes(last, str::to_owned));
        gated.commit("main", "Upload", changes(last, str::to_owned));
    }
    let mut long = Repository::new(LONG_HISTORY);
    for number in 1..250 {
        let content = format!("{number}\n").into_bytes();
        long.commit(
            "main",
            &format!("Count to {number}"),
            [("count.txt", Some(content))],
        );
    }
    Ok(vec![pico, revisions, folders, private, gated, long])
}

/// Files as a commit adds them, under other paths.
fn changes(files: &StepFiles, path: impl Fn(&str) -> String) -> Vec<(String, Option<Vec<u8>>)> {
    files
        .iter()
        .map(|(name, content)| (path(name), Some(content.clone())))
        .collect()
}

/// One commit per split and one for the model, each of what there is.
fn commit_as_pico(pico: &mut Repository, step: u64, files: &StepFiles) {
    let titles = [
        ("learning_dynamics/train_", "Learning Dynamics Data (train)"),
        ("learning_dynamics/val_", "Learning Dynamics Data (val)"),
        ("", "HF Model"),
    ];
    for (start, what) in titles {
        let own = |path: &str| {
            if start.is_empty() {
                !path.starts_with("learning_dynamics/")
            } else {
                path.starts_with(start)
            }
        };
        let changes: Vec<_> = files
            .iter()
            .filter(|(path, _)| own(path))
            .map(|(path, content)| (path.clone(), Some(content.clone())))
            .collect();
        if !changes.is_empty() {
            pico.commit(
                PICO_BRANCH,
                &format!("Saving {what} -- Step {step}"),
                changes,
            );
        }
    }
}

fn steps(folder: &Path) -> io::Result<BTreeMap<u64, StepFiles>> {
    let mut steps = BTreeMap::new();
    for entry in fs::read_dir(folder.join("checkpoints"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name
            .strip_prefix("step_")
            .and_then(|text| text.parse().ok());
        if let Some(number) = number {
            let mut files = BTreeMap::new();
            collect(&entry.path(), "", &mut files)?;
            steps.insert(number, files);
        }
    }
    Ok(steps)
}

fn collect(folder: &Path, prefix: &str, files: &mut StepFiles) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else {
            files.insert(format!("{prefix}{name}"), fs::read(entry.path())?);
        }
    }
    Ok(())
}
