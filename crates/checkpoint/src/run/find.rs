//! Recognising a run's steps among files.

use std::collections::{BTreeMap, BTreeSet};

use super::weights::{is_auxiliary, is_checkpoint, weights_of};
use super::{DataKind, Layout, Part, Run, Split, Step, model};
use crate::error::RunError;
use crate::tree::Tree;

/// The folder of pico-train's recorded weights, gradients and activations.
const LEARNING_DYNAMICS: &str = "learning_dynamics/";

/// What a step's folder or file is called, before the number.
const STEP_WORDS: &[&str] = &["global_step", "checkpoint", "step", "iter", "ckpt"];

/// At most so many names are listed in a message.
const NAMES_IN_MESSAGE: usize = 6;

const LOOKED_FOR: &str = "checkpoints/step_{N}/learning_dynamics/*.pt; folders or files named \
    checkpoint-{N}, step{N}, step_{N}, step-{N}, global_step{N} or iter_{N}; model.safetensors, \
    pytorch_model.bin or their shards; a single .safetensors, .pt, .pth, .bin or .ckpt file";

pub(super) async fn find(tree: &dyn Tree) -> Result<Run, RunError> {
    if tree.files().is_empty() {
        return Err(RunError::Empty {
            path: tree.name().to_owned(),
        });
    }
    let folders = Folder::all(tree);
    let mut warnings = Vec::new();
    let found = recognise(tree, &folders, &mut warnings).await?;
    let Some((layout, mut steps)) = found else {
        return Err(nothing(tree));
    };
    steps.sort_by_key(|step| step.number);
    warn_of_others(&folders, &steps, &mut warnings);
    let model = model::find(tree, &mut warnings).await;
    // A folder that was looked at under two layouts is warned of once.
    let mut said = BTreeSet::new();
    warnings.retain(|warning| said.insert(warning.clone()));
    Ok(Run {
        layout,
        steps,
        model,
        warnings,
    })
}

/// Tries the layouts, from the surest to the simplest.
async fn recognise(
    tree: &dyn Tree,
    folders: &[Folder<'_>],
    warnings: &mut Vec<String>,
) -> Result<Found, RunError> {
    for pick in [outermost as Pick, innermost] {
        let found = steps_in_folders(tree, folders, pick, warnings).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let found = steps_in_files(tree, folders, warnings)?;
    if found.is_some() {
        return Ok(found);
    }
    single(tree, folders, warnings).await
}

/// A folder that directly holds checkpoint files, or shard indexes.
pub(super) struct Folder<'a> {
    /// Its path with a trailing `/`; empty for the root.
    pub(super) path: &'a str,
    /// Names of the files directly in it, sorted.
    pub(super) files: Vec<&'a str>,
}

impl<'a> Folder<'a> {
    /// Every folder with the files directly in it, by path.
    fn all(tree: &'a dyn Tree) -> Vec<Self> {
        let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for file in tree.files() {
            let (folder, name) = split_path(&file.path);
            folders.entry(folder).or_default().push(name);
        }
        folders
            .into_iter()
            .map(|(path, files)| Folder { path, files })
            .collect()
    }

    /// The path of one of its files.
    pub(super) fn path_of(&self, file: &str) -> String {
        format!("{}{file}", self.path)
    }

    /// The steps among the folder's segments, the outermost first.
    fn steps(&self) -> Vec<StepFolder<'a>> {
        let mut steps = Vec::new();
        let mut start = 0;
        for segment in self.path.split_terminator('/') {
            let end = start + segment.len() + 1;
            if let Some(number) = step_number(segment) {
                let (path, inside) = self.path.split_at(end);
                let parent = path.get(..start).unwrap_or_default();
                steps.push(StepFolder {
                    parent,
                    path,
                    inside,
                    number,
                });
            }
            start = end;
        }
        steps
    }

    /// The folder of the checkpoint: recorded data lies one folder below the weights.
    fn home(&self) -> &'a str {
        match self.path.strip_suffix(LEARNING_DYNAMICS) {
            Some(home) if home.is_empty() || home.ends_with('/') => home,
            _ => self.path,
        }
    }

    /// The files that pico-train records, by kind and split.
    fn recorded(&self) -> Vec<Part> {
        let parts = self.files.iter().filter_map(|file| {
            let (split, kind) = recorded_as(file)?;
            Some(Part {
                kind,
                split: Some(split),
                paths: vec![self.path_of(file)],
            })
        });
        parts.collect()
    }
}

/// A step's folder, as the path of a folder in it (or its own) says.
struct StepFolder<'a> {
    parent: &'a str,
    path: &'a str,
    /// The rest of the path.
    inside: &'a str,
    number: u64,
}

/// Which of the steps in a path counts: in `checkpoint-5/global_step5` the outermost, in
/// `experiment-iter2/checkpoints/step_5` the innermost.
type Pick = for<'a> fn(Vec<StepFolder<'a>>) -> Option<StepFolder<'a>>;

fn outermost(steps: Vec<StepFolder<'_>>) -> Option<StepFolder<'_>> {
    steps.into_iter().next()
}

fn innermost(steps: Vec<StepFolder<'_>>) -> Option<StepFolder<'_>> {
    steps.into_iter().next_back()
}

type Found = Option<(Layout, Vec<Step>)>;

/// Steps that are folders, each with recorded data, a checkpoint, or both.
async fn steps_in_folders(
    tree: &dyn Tree,
    folders: &[Folder<'_>],
    pick: Pick,
    warnings: &mut Vec<String>,
) -> Result<Found, RunError> {
    let mut steps: Vec<(Step, &str)> = Vec::new();
    let mut parents: Vec<&str> = Vec::new();
    let mut is_pico = false;
    for folder in folders {
        let Some(StepFolder {
            parent,
            path,
            inside,
            number,
        }) = pick(folder.steps())
        else {
            continue;
        };
        let parts = match inside {
            "" => parts_in(tree, folder, warnings).await?,
            _ if inside == LEARNING_DYNAMICS => folder.recorded(),
            _ => Vec::new(),
        };
        if parts.is_empty() {
            continue;
        }
        is_pico |= parts.iter().any(|part| part.split.is_some());
        if !parents.contains(&parent) {
            parents.push(parent);
        }
        add_parts(&mut steps, path, number, parts, warnings);
    }
    if parents.len() > 1 {
        let (folders, path) = (listed(parents.iter().copied()), tree.name().to_owned());
        return Err(RunError::SeveralRuns { folders, path });
    }
    if steps.is_empty() {
        return Ok(None);
    }
    let layout = if is_pico {
        Layout::Pico
    } else {
        Layout::StepFolders
    };
    Ok(Some((
        layout,
        steps.into_iter().map(|(step, _)| step).collect(),
    )))
}

/// Adds parts to the step of that folder. Of two folders with one number the first counts.
fn add_parts<'a>(
    steps: &mut Vec<(Step, &'a str)>,
    folder: &'a str,
    number: u64,
    parts: Vec<Part>,
    warnings: &mut Vec<String>,
) {
    match steps.iter_mut().find(|(step, _)| step.number == number) {
        None => steps.push((Step { number, parts }, folder)),
        Some((step, known)) if *known == folder => {
            step.parts.extend(parts);
            sort_parts(&mut step.parts);
        }
        Some((_, known)) => warnings.push(format!(
            "step {number} occurs twice: {known} is used, {folder} is passed over"
        )),
    }
}

/// Steps that are files, the number in the name.
fn steps_in_files(
    tree: &dyn Tree,
    folders: &[Folder<'_>],
    warnings: &mut Vec<String>,
) -> Result<Found, RunError> {
    let mut steps: Vec<(Step, String)> = Vec::new();
    let mut parents: Vec<&str> = Vec::new();
    for folder in folders {
        for file in folder
            .files
            .iter()
            .filter(|file| is_checkpoint(file) && !is_auxiliary(file))
        {
            let stem = file.rsplit_once('.').map_or(*file, |(stem, _)| stem);
            let Some(number) = step_number(stem) else {
                continue;
            };
            if !parents.contains(&folder.path) {
                parents.push(folder.path);
            }
            let path = folder.path_of(file);
            if let Some((_, known)) = steps.iter().find(|(step, _)| step.number == number) {
                warnings.push(format!(
                    "step {number} occurs twice: {known} is used, {path} is passed over"
                ));
                continue;
            }
            let part = Part {
                kind: DataKind::Weights,
                split: None,
                paths: vec![path.clone()],
            };
            steps.push((
                Step {
                    number,
                    parts: vec![part],
                },
                path,
            ));
        }
    }
    match (steps.len(), parents.as_slice()) {
        (0, _) => Ok(None),
        // One file alone is one checkpoint, whatever it is called.
        (1, _) if tree.files().len() == 1 => Ok(None),
        (_, [_]) => Ok(Some((
            Layout::StepFiles,
            steps.into_iter().map(|(step, _)| step).collect(),
        ))),
        (_, parents) => {
            let (folders, path) = (listed(parents.iter().copied()), tree.name().to_owned());
            Err(RunError::SeveralRuns { folders, path })
        }
    }
}

/// One checkpoint without a number: recorded files, weights, or both, in one folder.
async fn single(
    tree: &dyn Tree,
    folders: &[Folder<'_>],
    warnings: &mut Vec<String>,
) -> Result<Found, RunError> {
    if let [file] = tree.files()
        && is_checkpoint(&file.path)
        && is_auxiliary(&file.path)
    {
        // Passed over beside a model's weights, but here somebody asked for it.
        return Ok(Some(one_step(vec![weights(vec![file.path.clone()])])));
    }
    let mut checkpoints: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
    for folder in folders {
        let parts = parts_in(tree, folder, warnings).await?;
        if !parts.is_empty() {
            checkpoints.entry(folder.home()).or_default().extend(parts);
        }
    }
    // What lies in the root itself is meant before what lies somewhere below.
    if let Some(parts) = checkpoints.remove("") {
        return Ok(Some(one_step(parts)));
    }
    let found: Vec<Vec<Part>> = checkpoints.into_values().collect();
    let paths: Vec<String> = match <[Vec<Part>; 1]>::try_from(found) {
        Ok([parts]) => return Ok(Some(one_step(parts))),
        Err(several) if !several.is_empty() => several
            .into_iter()
            .flatten()
            .flat_map(|part| part.paths)
            .collect(),
        Err(_) => folders.iter().flat_map(loose_files).collect(),
    };
    if paths.is_empty() {
        return Ok(None);
    }
    let files = listed(paths.iter().map(String::as_str));
    Err(RunError::Ambiguous {
        files,
        path: tree.name().to_owned(),
    })
}

fn one_step(mut parts: Vec<Part>) -> (Layout, Vec<Step>) {
    sort_parts(&mut parts);
    (Layout::Single, vec![Step { number: 0, parts }])
}

/// Recorded data before the whole model.
fn sort_parts(parts: &mut [Part]) {
    parts.sort_by_key(|part| (part.split.is_none(), part.kind, part.split));
}

/// What lies directly in a folder: recorded files, and a model's weights.
async fn parts_in(
    tree: &dyn Tree,
    folder: &Folder<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Part>, RunError> {
    let mut parts = folder.recorded();
    parts.extend(weights_of(tree, folder, warnings).await?.map(weights));
    Ok(parts)
}

fn weights(paths: Vec<String>) -> Part {
    Part {
        kind: DataKind::Weights,
        split: None,
        paths,
    }
}

fn loose_files(folder: &Folder<'_>) -> Vec<String> {
    let files = folder
        .files
        .iter()
        .filter(|file| is_checkpoint(file) && !is_auxiliary(file));
    files.map(|file| folder.path_of(file)).collect()
}

/// Checkpoint files beside the steps, which belong to none of them.
fn warn_of_others(folders: &[Folder<'_>], steps: &[Step], warnings: &mut Vec<String>) {
    let used: Vec<&String> = steps
        .iter()
        .flat_map(|step| &step.parts)
        .flat_map(|part| &part.paths)
        .collect();
    let beside = folders
        .iter()
        .filter(|folder| folder.steps().is_empty())
        .flat_map(loose_files);
    let others: Vec<String> = beside.filter(|path| !used.contains(&path)).collect();
    if !others.is_empty() {
        let names = listed(others.iter().map(String::as_str));
        warnings.push(format!(
            "these files belong to no step and are passed over: {names}"
        ));
    }
}

fn nothing(tree: &dyn Tree) -> RunError {
    let found = listed(tree.files().iter().map(|file| file.path.as_str()));
    RunError::NoCheckpoint {
        looked_for: LOOKED_FOR,
        found,
        path: tree.name().to_owned(),
    }
}

/// The step's number in the name of a folder, or of a file without its extension: `step_1000`,
/// `checkpoint-500`, `model-step3000`, `step1000-tokens4B`.
pub(crate) fn step_number(name: &str) -> Option<u64> {
    let name = name
        .find("-tokens")
        .map_or(name, |tokens| name.get(..tokens).unwrap_or(name));
    let head = name.trim_end_matches(|character: char| character.is_ascii_digit());
    let digits = name.get(head.len()..)?;
    let word = head.strip_suffix(['_', '-']).unwrap_or(head);
    let before = STEP_WORDS
        .iter()
        .find_map(|step_word| word.strip_suffix(step_word))?;
    let stands_alone = before.is_empty() || before.ends_with(['_', '-', '.']);
    if stands_alone {
        digits.parse().ok()
    } else {
        None
    }
}

/// What pico-train recorded in a file of that name.
pub(crate) fn recorded_as(file: &str) -> Option<(Split, DataKind)> {
    let (split, kind) = file.strip_suffix(".pt")?.split_once('_')?;
    let split = Split::ALL.iter().find(|known| known.name() == split)?;
    let kind = DataKind::ALL.iter().find(|known| known.name() == kind)?;
    Some((*split, *kind))
}

fn split_path(path: &str) -> (&str, &str) {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    path.split_at(start)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names
        .map(|name| if name.is_empty() { "." } else { name })
        .collect();
    let shown = names
        .get(..names.len().min(NAMES_IN_MESSAGE))
        .unwrap_or_default()
        .join(", ");
    match names.len().saturating_sub(NAMES_IN_MESSAGE) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
