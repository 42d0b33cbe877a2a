//! Folders of a tree, and what lies in those of steps.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::pattern::{Named, step_in};
use super::series::WeightsName;
use super::shards::ShardName;
use super::spread::{SpreadCheckpoint, is_rank_folder, part_alone, piece_of};
use super::trouble::{PassedOver, Reason, StepTrouble, listed};
use super::weights::{Candidate, candidates, chosen, is_auxiliary_folder};
use super::{DataKind, Part, Split};
use crate::foreign::Foreign;
use crate::tree::{DOWNLOAD_RECORDS, Tree};

/// The folder of pico-train's recorded weights, gradients and activations.
const LEARNING_DYNAMICS: &str = "learning_dynamics/";

/// A folder with the files directly in it.
pub(super) struct Folder<'a> {
    /// Its path with a trailing `/`; empty for the root.
    pub(super) path: &'a str,
    /// Names of the files directly in it, sorted.
    pub(super) files: Vec<&'a str>,
    /// What pico-train recorded in them.
    pub(super) recorded: Vec<Part>,
    /// The weights among them.
    pub(super) weights: Option<Weights>,
}

impl<'a> Folder<'a> {
    /// Every folder with the files directly in it, by path, but for what is no checkpoint's.
    pub(super) fn all(tree: &'a dyn Tree, passed_over: &mut Vec<PassedOver>) -> Vec<Self> {
        let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut hidden = Vec::new();
        let paths = || tree.files().iter().map(|file| file.path.as_str());
        let under_way: BTreeSet<&str> = paths().filter_map(download_under_way).collect();
        for path in paths() {
            let verdict = match under_way.contains(path) {
                true => Verdict::HalfWritten(path),
                false => verdict(path),
            };
            match verdict {
                Verdict::Hidden => hidden.push(path),
                Verdict::HalfWritten(path) => passed_over.push(PassedOver {
                    reason: Reason::HalfWritten,
                    path: path.to_owned(),
                }),
                Verdict::Counts => {
                    let (folder, name) = split_path(path);
                    folders.entry(folder).or_default().push(name);
                }
            }
        }
        let empty = tree.passed_over().iter();
        let empty = empty.filter(|it| it.reason == Reason::NoFiles);
        let without_files = hidden.into_iter().chain(empty.map(|it| it.path.as_str()));
        let steps: BTreeSet<&str> = without_files
            .filter_map(|path| step_without_files(path, &folders))
            .collect();
        passed_over.extend(steps.into_iter().map(|path| PassedOver {
            reason: Reason::NoFiles,
            path: path.to_owned(),
        }));
        passed_over.dedup();
        let folders = folders.into_iter();
        folders.map(|(path, files)| Self::of(path, files)).collect()
    }

    pub(super) fn of(path: &'a str, files: Vec<&'a str>) -> Self {
        let mut folder = Self {
            path,
            files,
            recorded: Vec::new(),
            weights: None,
        };
        folder.recorded = folder.find_recorded();
        folder.weights = folder.find_weights();
        folder
    }

    pub(super) fn has_data(&self) -> bool {
        !self.recorded.is_empty() || self.weights.is_some()
    }

    /// The path of one of its files.
    pub(super) fn path_of(&self, file: &str) -> String {
        format!("{}{file}", self.path)
    }

    /// The steps among the folder's segments, the outermost first.
    pub(super) fn steps(&self, named: &dyn Fn(&str) -> Option<Named>) -> Vec<StepFolder<'a>> {
        let mut steps = Vec::new();
        let mut start = 0;
        for segment in self.path.split_terminator('/') {
            let end = start + segment.len() + 1;
            let parent = self.path.get(..start).unwrap_or_default();
            let (path, inside) = self.path.split_at(end);
            if let Some(named) = named(path) {
                steps.push(StepFolder {
                    parent,
                    path,
                    inside,
                    named,
                });
            }
            start = end;
        }
        steps
    }

    /// The folder of the checkpoint: recorded data lies one folder below the weights.
    pub(super) fn home(&self) -> &'a str {
        match self.path.strip_suffix(LEARNING_DYNAMICS) {
            Some(home) if home.is_empty() || home.ends_with('/') => home,
            _ => self.path,
        }
    }

    /// The files that pico-train records, by kind and split.
    pub(super) fn find_recorded(&self) -> Vec<Part> {
        let parts = self.files.iter().filter_map(|file| {
            let (split, kind) = recorded_as(file)?;
            Some(Part {
                kind,
                split: Some(split),
                paths: vec![self.path_of(file)],
                index: None,
            })
        });
        parts.collect()
    }

    /// The weights of a candidate among its files.
    pub(super) fn part(&self, candidate: &Candidate<'_>) -> Part {
        Part {
            kind: DataKind::Weights,
            split: None,
            paths: candidate.files.iter().map(|it| self.path_of(it)).collect(),
            index: candidate.index.map(|it| self.path_of(it)),
        }
    }

    /// Its weights, if it has any.
    pub(super) fn find_weights(&self) -> Option<Weights> {
        let (chosen, others) = chosen(candidates(&self.files))?;
        let beside = others.iter().flat_map(|it| &it.files);
        let beside = beside.map(|it| self.path_of(it)).collect();
        Some(Weights {
            part: self.part(&chosen),
            trouble: chosen.trouble,
            beside,
        })
    }
}

/// The weights that lie in a folder.
#[derive(Clone)]
pub(super) struct Weights {
    pub(super) part: Part,
    /// Why they cannot be read.
    pub(super) trouble: Option<StepTrouble>,
    /// Other checkpoint files beside them.
    pub(super) beside: Vec<String>,
}

impl Weights {
    /// Whether they are a model's, and no state of the trainer that wrote what is above them.
    pub(super) fn are_of_their_own(&self) -> bool {
        let is_piece = |path: &String| piece_of(last_segment(path)).is_some();
        self.trouble.is_none() && !self.part.paths.iter().any(is_piece)
    }
}

/// A step's folder, as the path of a folder in it (or its own) says.
pub(super) struct StepFolder<'a> {
    pub(super) parent: &'a str,
    pub(super) path: &'a str,
    /// The rest of the path.
    pub(super) inside: &'a str,
    pub(super) named: Named,
}

/// Which of several steps in a path counts.
#[derive(Clone, Copy)]
pub(super) enum Pick {
    /// As in `checkpoint-5/global_step5`: both are the same step.
    Outermost,
    /// As in `experiment-iter2/checkpoints/step_5`: a run's own folder is called as a step is.
    Innermost,
}

impl Pick {
    /// The outermost, unless some folder with data lies in two different steps.
    pub(super) fn of(folders: &[Folder<'_>], named: &dyn Fn(&str) -> Option<Named>) -> Self {
        let agree = |folder: &Folder<'_>| {
            let steps = folder.steps(named);
            steps
                .windows(2)
                .all(|pair| pair[0].named.step == pair[1].named.step)
        };
        match folders.iter().filter(|it| it.has_data()).all(agree) {
            true => Self::Outermost,
            false => Self::Innermost,
        }
    }

    pub(super) fn step<'a>(self, mut steps: Vec<StepFolder<'a>>) -> Option<StepFolder<'a>> {
        match self {
            Self::Outermost if steps.is_empty() => None,
            Self::Outermost => Some(steps.swap_remove(0)),
            Self::Innermost => steps.pop(),
        }
    }
}

/// The step that a folder's own name says.
pub(super) fn named_step(path: &str) -> Option<Named> {
    step_in(last_segment(path))
}

/// What lies in one step's folder.
#[derive(Default)]
pub(super) struct StepContents<'a> {
    /// pico-train's recorded data.
    pub(super) recorded: Vec<Part>,
    /// The weights directly in it.
    pub(super) direct: Option<Weights>,
    /// The folders below it that have weights, by their paths in it.
    pub(super) below: Vec<(&'a str, Weights)>,
    /// All files in it: the folder below it, and the name.
    pub(super) files: Vec<(&'a str, &'a str)>,
}

impl<'a> StepContents<'a> {
    /// Adds what lies in the step's folder or in one below it.
    pub(super) fn add(&mut self, folder: &Folder<'a>, inside: &'a str) {
        let weights = folder.weights.clone();
        match inside.split_once('/') {
            None => {
                self.recorded.extend(folder.recorded.iter().cloned());
                self.direct = weights;
            }
            _ if inside == LEARNING_DYNAMICS => {
                self.recorded.extend(folder.recorded.iter().cloned());
            }
            Some(_) => {
                let folder = inside.trim_end_matches('/');
                let weights = weights.filter(|_| !folder.split('/').any(is_auxiliary_folder));
                self.below.extend(weights.map(|it| (folder, it)));
            }
        }
        self.files
            .extend(folder.files.iter().map(|file| (inside, *file)));
    }

    pub(super) fn has_any(&self) -> bool {
        !self.recorded.is_empty() || self.direct.is_some() || !self.below.is_empty()
    }

    /// What can be read of it.
    pub(super) fn readable(mut self) -> Result<Readable, StepTrouble> {
        let parts = std::mem::take(&mut self.recorded);
        let is_recorded = !parts.is_empty();
        let mut readable = Readable {
            parts,
            beside: Vec::new(),
            without_weights: None,
        };
        let below = if is_recorded || self.direct.is_some() {
            None
        } else {
            self.weights_below()?
        };
        let beside = self.below.drain(..).filter(|_| !is_recorded);
        let beside = beside.filter(|(_, weights)| weights.are_of_their_own());
        let beside = beside.flat_map(|(_, weights)| weights.part.paths);
        // Shards below an index may be those that it names.
        let has_index = self
            .direct
            .as_ref()
            .is_some_and(|it| it.part.index.is_some());
        let beside = beside.filter(|path| !has_index || ShardName::of(path).is_none());
        readable.beside.extend(beside);
        let Some(weights) = self.direct.or(below) else {
            let files = self.files.iter();
            let files: Vec<String> = files
                .map(|(inside, file)| format!("{inside}{file}"))
                .collect();
            return match is_recorded {
                true => Ok(readable),
                false => Err(no_weights(&files)),
            };
        };
        match weights.trouble {
            None => readable.parts.push(weights.part),
            Some(trouble) if !is_recorded => return Err(trouble),
            trouble => readable.without_weights = trouble,
        }
        readable.beside.extend(weights.beside);
        Ok(readable)
    }

    /// Takes the weights of the only folder that has some, of those that lie least deep.
    pub(super) fn weights_below(&mut self) -> Result<Option<Weights>, StepTrouble> {
        let depth = |(path, _): &(&str, Weights)| path.matches('/').count();
        let least = self.below.iter().map(depth).min();
        let is_near = |it: &&(&str, Weights)| Some(depth(it)) == least;
        let near: Vec<&str> = self
            .below
            .iter()
            .filter(is_near)
            .map(|(path, _)| *path)
            .collect();
        let ranks = near
            .iter()
            .filter(|path| is_rank_folder(last_segment(path)));
        if ranks.count() > 1 {
            return Err(SpreadCheckpoint::TensorParallel.into());
        }
        let is_adapter = |weights: &Weights| {
            let mut paths = weights.part.paths.iter();
            paths.any(|path| path.contains("adapter") || path.contains("lora"))
        };
        let mut whole = self.below.iter().filter(|it| is_near(it));
        let alone = whole.find_map(|(path, weights)| {
            // An adapter's rank is the width of its factors.
            part_alone(last_segment(path)).filter(|_| !is_adapter(weights))
        });
        if let Some(spread) = alone {
            return Err(spread.into());
        }
        if near.iter().any(|path| path.starts_with("zero/")) {
            return Err(SpreadCheckpoint::Universal.into());
        }
        let with_model = near
            .iter()
            .copied()
            .find(|path| *path == MODEL_AND_OPTIMIZER);
        let folder = match (near.as_slice(), with_model) {
            ([folder], _) => *folder,
            (_, Some(folder)) => folder,
            ([], None) => return Ok(None),
            _ => {
                return Err(StepTrouble::SeveralFolders {
                    folders: listed(near),
                });
            }
        };
        let place = self.below.iter().position(|(path, _)| *path == folder);
        Ok(place.map(|place| self.below.remove(place).1))
    }
}

/// The folder of a model and its optimizer, as OLMo's trainer makes one beside its own state.
pub(super) const MODEL_AND_OPTIMIZER: &str = "model_and_optim";

/// Why files are no weights, none of which a format reads.
pub(super) fn no_weights(files: &[String]) -> StepTrouble {
    match foreign(files) {
        Some((file, what)) => StepTrouble::Foreign { file, what },
        None => StepTrouble::NoWeights {
            found: listed(files.iter().map(String::as_str)),
        },
    }
}

/// The first file that is of another kind by its name, and what it is.
pub(super) fn foreign(files: &[String]) -> Option<(String, Foreign)> {
    let found = files
        .iter()
        .find_map(|it| Some((it, Foreign::by_name(it)?)));
    found.map(|(file, what)| (file.clone(), what))
}

/// A folder of a step, and what can be read of it.
pub(super) struct FoundStep<'a> {
    pub(super) path: &'a str,
    pub(super) named: Named,
    pub(super) readable: Result<Readable, StepTrouble>,
}

impl FoundStep<'_> {
    /// What its weights are called, where it has the whole model's.
    pub(super) fn weights_name(&self) -> Option<WeightsName> {
        let readable = self.readable.as_ref().ok()?;
        WeightsName::of(&readable.parts, self.path, self.named.step)
    }
}

/// What can be read of a step.
pub(super) struct Readable {
    pub(super) parts: Vec<Part>,
    /// Checkpoint files beside its weights.
    pub(super) beside: Vec<String>,
    /// Why the whole model's weights are not among the parts, though there are some.
    pub(super) without_weights: Option<StepTrouble>,
}

/// Step folders by path, below one parent.
pub(super) type StepFolders<'a> = BTreeMap<&'a str, (Named, StepContents<'a>)>;

/// Whether a path may be a checkpoint's.
pub(super) enum Verdict<'a> {
    Counts,
    /// A file or folder whose name begins with a dot, or an archive's leftovers.
    Hidden,
    /// The path up to what says so.
    HalfWritten(&'a str),
}

pub(super) fn verdict(path: &str) -> Verdict<'_> {
    let mut end = 0;
    for segment in path.split('/') {
        end += segment.len() + 1;
        let is_hidden = segment.starts_with('.') && segment != ".metadata";
        if is_hidden || segment == "__MACOSX" {
            return Verdict::Hidden;
        }
        if is_half_written(segment) {
            return Verdict::HalfWritten(path.get(..end).unwrap_or(path));
        }
    }
    Verdict::Counts
}

/// The file that a downloader has not finished, by what it keeps of it beside it.
fn download_under_way(path: &str) -> Option<&str> {
    let mut records = DOWNLOAD_RECORDS.iter();
    records.find_map(|ending| path.strip_suffix(ending))
}

/// The step's folder on a path, where none of the folders with files lies in it.
fn step_without_files<'p>(path: &'p str, folders: &BTreeMap<&str, Vec<&str>>) -> Option<&'p str> {
    let slashes = path.match_indices('/');
    let above = slashes.filter_map(|(slash, _)| path.get(..=slash));
    let mut above = above.take_while(|folder| !last_segment(folder).starts_with('.'));
    above.find(|step| {
        let from = (Bound::Included(*step), Bound::Unbounded);
        let first = folders.range::<str, _>(from).next();
        named_step(step).is_some() && !first.is_some_and(|(path, _)| path.starts_with(step))
    })
}

pub(super) fn is_half_written(name: &str) -> bool {
    const BEGINNINGS: &[&str] = &["tmp-", "tmp_", "tmp."];
    const ENDINGS: &[&str] = &[
        ".tmp",
        "-tmp",
        "_tmp",
        ".incomplete",
        "-incomplete",
        "_incomplete",
        ".part",
        ".partial",
        ".crdownload",
    ];
    let name = name.to_ascii_lowercase();
    BEGINNINGS.iter().any(|it| name.starts_with(it))
        || ENDINGS.iter().any(|it| name.ends_with(it))
        || name.contains("orbax-checkpoint-tmp")
}

pub(super) fn split_path(path: &str) -> (&str, &str) {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    path.split_at(start)
}

pub(super) fn last_segment(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// What pico-train recorded in a file of that name.
pub(crate) fn recorded_as(file: &str) -> Option<(Split, DataKind)> {
    let (split, kind) = file.strip_suffix(".pt")?.split_once('_')?;
    Some((split.parse().ok()?, kind.parse().ok()?))
}
