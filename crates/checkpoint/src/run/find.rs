//! Recognising a run's steps among files, by their names.
//!
//! Nothing but the model's config is read here. A step whose files cannot be its weights is told as
//! broken, and costs no other step.

use std::collections::{BTreeMap, BTreeSet};

use super::folder::{
    Folder, FoundStep, Pick, Readable, StepContents, StepFolders, foreign, last_segment,
    named_step, split_path,
};
use super::naming::{Assumption, Naming};
use super::pattern::Named;
use super::series::{Series, WeightsName};
use super::shards::ShardName;
use super::spread::{Alone, piece_of};
use super::step_name::{
    epoch_number, epoch_or_tokens, is_number, only_number, step_number, steps_behind_dates,
    steps_behind_epochs, steps_like_sizes, steps_with_underscores,
};
use super::trouble::{
    BrokenStep, PassedOver, Reason, StepTrouble, in_words, listed, troubles_in_words,
};
use super::weights::{
    Candidate, METADATA, candidates, chosen, is_auxiliary, is_checkpoint, stem_of,
};
use super::{DataKind, Layout, Part, Run, Step, model};
use crate::error::RunError;
use crate::foreign::Foreign;
use crate::tree::Tree;
use ckptscope_vocabulary::sort::{sort, sort_by_key};

const LOOKED_FOR: &str = "checkpoints/step_{N}/learning_dynamics/*.pt; folders or files with a \
    step in their names (checkpoint-{N}, step_{N}, iter_{N}, {N}) or an epoch; model.safetensors, \
    pytorch_model.bin or their shards; a single .safetensors, .pt, .pth, .bin or .ckpt file";

/// So many folders of a path are asked for the step of a checkpoint given by itself.
const FOLDERS_ASKED: usize = 3;

/// Finds the run in a tree, and what is known of its model.
pub(super) async fn find(tree: &dyn Tree) -> Result<Run, RunError> {
    let mut run = find_steps(tree, None)?;
    let model = model::find(tree, &run.steps, &mut run.warnings).await;
    (run.model, run.config) = model.unzip();
    Ok(run)
}

/// Finds the steps in a tree. Where the name of their weights is known, no step has others.
pub(super) fn find_steps(
    tree: &dyn Tree,
    weights_name: Option<WeightsName>,
) -> Result<Run, RunError> {
    let mut finding = Finding::of(tree, weights_name);
    let folders = Folder::all(tree, &mut finding.passed_over);
    if folders.is_empty() {
        return Err(finding.nothing(&folders));
    }
    let Some(layout) = finding.recognise(&folders)? else {
        return Err(finding.nothing(&folders));
    };
    finding.pass_over_others(&folders);
    let Finding {
        mut steps,
        mut broken,
        mut passed_over,
        mut warnings,
        ..
    } = finding;
    sort_by_key(&mut steps, |step| step.number);
    sort_by_key(&mut broken, |step| step.number);
    passed_over.extend(tree.passed_over().iter().filter(is_missed).cloned());
    sort(&mut passed_over);
    passed_over.dedup();
    let told = in_words(&passed_over).into_iter();
    warnings.extend(assumed_of_names(&steps));
    warnings.extend(counted_anew(&steps));
    warnings.splice(0..0, told.chain(troubles_in_words(&broken)));
    Ok(Run {
        layout,
        steps,
        broken,
        model: None,
        config: None,
        passed_over,
        warnings,
    })
}

/// Whether somebody could miss what was passed over: a folder that has no files of its own only
/// where it is called as a step or a file is.
fn is_missed(passed_over: &&PassedOver) -> bool {
    let path = &passed_over.path;
    match passed_over.reason {
        Reason::NoFiles | Reason::SameFolder => {
            named_step(path).is_some() || is_checkpoint(path.trim_end_matches('/'))
        }
        _ => true,
    }
}

/// How a step may be taken from a name though the name could mean something else, and what is told.
type Doubt = (fn(&str) -> Option<u64>, &'static str);

const DOUBTS: &[Doubt] = &[
    (steps_behind_epochs, "and the number before it for an epoch"),
    (
        steps_with_underscores,
        "with an underscore between thousands",
    ),
    (steps_behind_dates, "and what stands before it for a date"),
    (
        steps_like_sizes,
        "and not for a model of that size; give one file if it is",
    ),
];

/// What is assumed of names such as `checkpoint_3_500`, `step_1_500` and `ckpt_20240501_1000`, once
/// where steps are called so.
fn assumed_of_names(steps: &[Step]) -> impl Iterator<Item = String> {
    DOUBTS.iter().filter_map(|(step_of, what)| {
        steps.iter().find_map(|step| {
            let paths = step.parts.iter().flat_map(|part| &part.paths);
            let mut names = paths.flat_map(|path| path.split('/')).map(stem_of);
            let name = names.find(|name| step_of(name) == Some(step.number))?;
            Some(format!("{name} is taken for step {}, {what}", step.number))
        })
    })
}

/// What is said of steps that are counted anew in each epoch, by the first two whose epochs stand
/// the other way round.
fn counted_anew(steps: &[Step]) -> Option<String> {
    let epoch_of = |step: &Step| {
        let paths = step.parts.iter().flat_map(|part| &part.paths);
        let mut names = paths.flat_map(|path| path.split('/')).map(stem_of);
        names.find_map(|name| {
            step_number(name).filter(|number| *number == step.number)?;
            epoch_number(name)
        })
    };
    let epochs = steps
        .iter()
        .filter_map(|step| Some((step.number, epoch_of(step)?)));
    let epochs: Vec<(u64, u64)> = epochs.collect();
    let mut pairs = epochs.windows(2);
    let pair = pairs.find(|pair| pair[0].1 > pair[1].1)?;
    let [(step, epoch), (next, of_next)] = [pair[0], pair[1]];
    Some(format!(
        "steps seem to be counted anew in each epoch: step {step} is of epoch {epoch}, and step \
         {next} of epoch {of_next}; they are in the order of their numbers"
    ))
}

/// A run that is being recognised.
struct Finding<'a> {
    tree: &'a dyn Tree,
    steps: Vec<Step>,
    /// The folders of steps; what lies in them is theirs.
    step_folders: Vec<String>,
    broken: Vec<BrokenStep>,
    /// Folders without a step whose weights cannot be read.
    unreadable: Vec<(&'a str, StepTrouble)>,
    passed_over: Vec<PassedOver>,
    warnings: Vec<String>,
    /// Files of which is told otherwise.
    known: Vec<String>,
    /// What the weights of all steps are called, where that is known.
    weights_name: Option<WeightsName>,
}

impl<'a> Finding<'a> {
    fn of(tree: &'a dyn Tree, weights_name: Option<WeightsName>) -> Self {
        Self {
            tree,
            weights_name,
            steps: Vec::new(),
            step_folders: Vec::new(),
            broken: Vec::new(),
            unreadable: Vec::new(),
            passed_over: Vec::new(),
            warnings: Vec::new(),
            known: Vec::new(),
        }
    }

    /// Tries the layouts, from the surest to the simplest.
    fn recognise(&mut self, folders: &[Folder<'a>]) -> Result<Option<Layout>, RunError> {
        let above = |folder: &Folder<'a>| {
            let path = folder.path;
            let ends = path.match_indices('/').map(|(slash, _)| slash);
            ends.filter_map(|slash| path.get(..=slash))
        };
        let (steps, _) = Naming::Steps.steps_of_folders(folders.iter().flat_map(above));
        let named = |path: &str| steps.get(path).cloned();
        let mut found = self.steps_in_folders(folders, &named, Pick::of(folders, &named))?;
        let mut told = std::mem::take(&mut self.broken);
        if found.is_none() {
            found = self.steps_in_files(folders, Naming::Steps)?;
        }
        // Broken steps leave nothing to be assumed.
        if found.is_none() && told.is_empty() && self.broken.is_empty() {
            found = self.assumed_layout(folders)?;
        }
        told.retain(|broken| !self.has_files_in(&broken.path));
        for broken in std::mem::replace(&mut self.broken, told) {
            self.add_broken(broken.number, broken.path, broken.trouble);
        }
        let numbers: BTreeSet<u64> = self.steps.iter().map(|step| step.number).collect();
        self.pass_over_broken(|number| numbers.contains(&number));
        match found {
            Some(_) => Ok(found),
            None => self.single(folders),
        }
    }

    /// Tries the layouts whose steps no word in the names says.
    fn assumed_layout(&mut self, folders: &[Folder<'a>]) -> Result<Option<Layout>, RunError> {
        // Folders that hold weights, or one folder that does.
        let with_weights = folders.iter().filter(|folder| folder.weights.is_some());
        let paths = with_weights.flat_map(|folder| {
            let above = folder.path.trim_end_matches('/').rfind('/');
            let above = above.and_then(|slash| folder.path.get(..=slash));
            [Some(folder.path).filter(|path| !path.is_empty()), above]
        });
        let (steps, assumptions) = Naming::Assumed.steps_of_folders(paths.flatten());
        let named = |path: &str| steps.get(path).cloned();
        let found = self.steps_in_folders(folders, &named, Pick::Innermost)?;
        if found.is_some() {
            let told = assumptions.into_iter().map(Assumption::in_words);
            self.warnings.extend(told);
            return Ok(found);
        }
        self.steps_in_files(folders, Naming::Assumed)
    }

    /// Whether some step has its files in a folder.
    fn has_files_in(&self, folder: &str) -> bool {
        let parts = self.steps.iter().flat_map(|step| &step.parts);
        let mut paths = parts.flat_map(|part| &part.paths);
        folder.ends_with('/') && paths.any(|path| path.starts_with(folder))
    }

    /// Steps that are folders, each with recorded data, a checkpoint, or both.
    fn steps_in_folders(
        &mut self,
        folders: &[Folder<'a>],
        named: &dyn Fn(&str) -> Option<Named>,
        pick: Pick,
    ) -> Result<Option<Layout>, RunError> {
        let mut runs: BTreeMap<&str, StepFolders<'_>> = BTreeMap::new();
        for folder in folders {
            let Some(step) = pick.step(folder.steps(named)) else {
                continue;
            };
            let contents = runs.entry(step.parent).or_default();
            let contents = contents.entry(step.path);
            let (_, contents) = contents.or_insert((step.named, StepContents::default()));
            contents.add(folder, step.inside);
        }
        runs.retain(|_, steps| steps.values().any(|(_, step)| step.has_any()));
        let paths: Vec<&str> = runs.keys().copied().collect();
        let below = paths.iter().copied().filter(|path| !path.is_empty());
        let in_step = |path: &str| {
            let mut steps = runs.get("").into_iter().flat_map(BTreeMap::keys);
            steps.any(|step| path.starts_with(step))
        };
        // A run in a folder that is called as a step is.
        if below.clone().any(in_step) {
            return Err(self.several_runs(below));
        }
        self.keep_first_run(&paths)?;
        let Some(steps) = runs.into_values().next() else {
            return Ok(None);
        };
        let is_pico = |(_, step): &(Named, StepContents<'_>)| !step.recorded.is_empty();
        let layout = match steps.values().any(is_pico) {
            true => Layout::Pico,
            false => Layout::StepFolders,
        };
        let mut found: Vec<FoundStep<'_>> = steps
            .into_iter()
            .map(|(path, (named, contents))| FoundStep {
                path,
                named,
                readable: contents.readable(),
            })
            .collect();
        sort_by_key(&mut found, |step| (step.path.len(), step.path));
        self.keep_series(&mut found)?;
        self.keep_weights_of_one_name(&mut found);
        self.keep_no_equals(&mut found);
        for step in found {
            self.add_folder(step);
        }
        Ok((!self.steps.is_empty()).then_some(layout))
    }

    /// Leaves out folders with weights whose names are not those of the run's steps.
    fn keep_series(&mut self, found: &mut Vec<FoundStep<'a>>) -> Result<(), RunError> {
        let readable = found.iter().filter(|step| step.readable.is_ok());
        let series = self.series(readable.map(|step| &step.named))?;
        let is_other =
            |step: &mut FoundStep<'_>| step.readable.is_ok() && !series.has(&step.named.pattern);
        let others: Vec<FoundStep<'_>> = found.extract_if(.., is_other).collect();
        for FoundStep { path, named, .. } in others {
            let has_it = |step: &FoundStep<'_>| step.named.step == named.step;
            let reason = Reason::of_other(found.iter().any(has_it));
            self.step_folders.push(path.to_owned());
            self.pass_over(reason, path.to_owned());
        }
        Ok(())
    }

    /// The series of steps that can be read.
    fn series<'n>(&mut self, steps: impl Iterator<Item = &'n Named>) -> Result<Series, RunError> {
        let series = Series::of(steps).map_err(|patterns| RunError::SeveralSeries {
            patterns: listed(patterns.iter().map(String::as_str)),
            path: self.tree.name().to_owned(),
        })?;
        if series.patterns.len() > 1 {
            let names = listed(series.patterns.iter().map(String::as_str));
            self.warnings.push(format!(
                "steps whose names differ in a date or a loss too are taken for one run: {names}"
            ));
        }
        Ok(series)
    }

    /// Leaves out weights that are called otherwise than those of most steps.
    fn keep_weights_of_one_name(&mut self, found: &mut Vec<FoundStep<'a>>) {
        sort_by_key(found, |step| step.named.step);
        let names: Vec<WeightsName> = found.iter().filter_map(FoundStep::weights_name).collect();
        let names: Vec<&WeightsName> = names.iter().collect();
        let of_most = self.weights_name.clone();
        let Some(name) = of_most.or_else(|| WeightsName::of_most(&names).cloned()) else {
            return;
        };
        let mut others = Vec::new();
        found.retain_mut(|step| {
            let own = step.weights_name();
            if own.is_none_or(|own| own.is_same(&name)) {
                return true;
            }
            let Ok(readable) = &mut step.readable else {
                return true;
            };
            let is_whole = |part: &mut Part| is_whole_model(part);
            let whole = readable.parts.extract_if(.., is_whole);
            others.extend(whole.flat_map(|part| part.paths));
            let is_kept = !readable.parts.is_empty();
            if !is_kept {
                self.step_folders.push(step.path.to_owned());
            }
            is_kept
        });
        if !others.is_empty() {
            self.warnings.push(format!(
                "the weights of the steps are those called `{}`",
                name.written()
            ));
        }
        for path in others {
            self.pass_over(Reason::OtherName, path);
        }
    }

    /// Spoils steps of which several folders can be read: nothing says which is meant. The folders
    /// are given by step.
    fn keep_no_equals(&mut self, found: &mut [FoundStep<'_>]) {
        for of_step in found.chunk_by_mut(|one, other| one.named.step == other.named.step) {
            let readable = of_step.iter().filter(|step| step.readable.is_ok());
            let equals: Vec<&str> = readable.map(|step| step.path).collect();
            if equals.len() < 2 {
                continue;
            }
            let folders = listed(equals);
            for step in of_step.iter_mut().filter(|step| step.readable.is_ok()) {
                self.step_folders.push(step.path.to_owned());
                step.readable = Err(StepTrouble::SeveralFolders {
                    folders: folders.clone(),
                });
            }
        }
    }

    /// Adds the step of a folder.
    fn add_folder(&mut self, step: FoundStep<'_>) {
        let (path, number) = (step.path, step.named.step);
        match step.readable {
            Ok(Readable {
                mut parts,
                beside,
                without_weights,
            }) => {
                self.step_folders.push(path.to_owned());
                sort_parts(&mut parts);
                self.add(Step { number, parts });
                for path in beside {
                    self.pass_over(Reason::SameStep, path);
                }
                let told = without_weights
                    .map(|trouble| format!("{path}: the model's weights are left out: {trouble}"));
                self.warnings.extend(told);
            }
            Err(trouble) => self.add_broken(number, path.to_owned(), trouble),
        }
    }

    /// Adds a step. Where another folder or file of its number cannot be read, that is told.
    fn add(&mut self, step: Step) {
        self.pass_over_broken(|number| number == step.number);
        self.steps.push(step);
    }

    /// Tells of what cannot be read of steps that are found elsewhere.
    fn pass_over_broken(&mut self, is_found: impl Fn(u64) -> bool) {
        let is_found = |broken: &mut BrokenStep| is_found(broken.number);
        for BrokenStep { path, trouble, .. } in self.broken.extract_if(.., is_found) {
            self.warnings
                .push(format!("{path} is passed over: {trouble}"));
        }
    }

    fn add_broken(&mut self, number: u64, path: String, trouble: StepTrouble) {
        let is_known = |known: u64| known == number;
        let mut known = self.steps.iter().map(|step| step.number);
        let mut broken = self.broken.iter().map(|step| step.number);
        if !known.any(is_known) && !broken.any(is_known) {
            self.broken.push(BrokenStep {
                number,
                path,
                trouble,
            });
        }
    }

    /// Steps that are files or sets of shards in one folder, the number in the name.
    fn steps_in_files(
        &mut self,
        folders: &[Folder<'a>],
        naming: Naming,
    ) -> Result<Option<Layout>, RunError> {
        // One file alone is one checkpoint, whatever it is called.
        let is_alone = folders
            .iter()
            .map(|folder| folder.files.len())
            .sum::<usize>()
            == 1;
        let mut found = Vec::new();
        for folder in folders.iter().filter(|_| !is_alone) {
            let candidates = candidates(&folder.files);
            let stems: Vec<&str> = candidates.iter().map(|it| it.stem).collect();
            if let Some((steps, assumption)) = naming.steps_of(&stems) {
                found.push((folder, candidates, steps, assumption));
            }
        }
        let paths: Vec<&str> = found.iter().map(|(folder, ..)| folder.path).collect();
        self.keep_first_run(&paths)?;
        let Some((folder, candidates, steps, assumption)) = found.into_iter().next() else {
            return Ok(None);
        };
        let named = candidates
            .into_iter()
            .filter_map(|it| Some((steps.get(it.stem)?, it)));
        for (number, candidates) in self.files_by_step(folder, named.collect())? {
            self.add_files(folder, number, candidates);
        }
        self.warnings.extend(assumption.map(Assumption::in_words));
        Ok((!self.steps.is_empty()).then_some(Layout::StepFiles))
    }

    /// The files of the run's steps. Those whose names are not those of the others are left out.
    fn files_by_step<'f>(
        &mut self,
        folder: &Folder<'_>,
        named: Vec<(&Named, Candidate<'f>)>,
    ) -> Result<BTreeMap<u64, Vec<Candidate<'f>>>, RunError> {
        let readable = named.iter().filter(|(_, it)| it.trouble.is_none());
        let series = self.series(readable.map(|(named, _)| *named))?;
        let is_of_it = |(named, _): &(&Named, Candidate<'f>)| series.has(&named.pattern);
        let (own, others): (Vec<_>, Vec<_>) = named.into_iter().partition(is_of_it);
        let mut by_step: BTreeMap<u64, Vec<Candidate<'f>>> = BTreeMap::new();
        for (named, candidate) in own {
            by_step.entry(named.step).or_default().push(candidate);
        }
        let steps: BTreeSet<u64> = by_step.keys().copied().collect();
        for (named, candidate) in others {
            let has_it = steps.contains(&named.step);
            if candidate.trouble.is_some() && !has_it {
                by_step.entry(named.step).or_default().push(candidate);
                continue;
            }
            for file in candidate.files {
                self.pass_over(Reason::of_other(has_it), folder.path_of(file));
            }
        }
        Ok(by_step)
    }

    fn add_files(&mut self, folder: &Folder<'_>, number: u64, candidates: Vec<Candidate<'_>>) {
        let files = candidates.iter().flat_map(|it| &it.files);
        self.known.extend(files.map(|file| folder.path_of(file)));
        let Some((chosen, others)) = chosen(candidates) else {
            return;
        };
        match &chosen.trouble {
            Some(trouble) => {
                self.add_broken(number, folder.path_of(chosen.stem), trouble.clone());
            }
            None => self.add(Step {
                number,
                parts: vec![folder.part(&chosen)],
            }),
        }
        for file in others.iter().flat_map(|it| &it.files) {
            self.pass_over(Reason::SameStep, folder.path_of(file));
        }
    }

    /// One checkpoint: recorded files, weights, or both, in one folder.
    fn single(&mut self, folders: &[Folder<'a>]) -> Result<Option<Layout>, RunError> {
        if let ([folder], true) = (folders, self.tree.is_one_file())
            && let [file] = folder.files.as_slice()
        {
            // Whatever it is called: somebody asked for it, and its content says what it is.
            let path = folder.path_of(file);
            if let Some(trouble) = trouble_of_one(file) {
                self.unreadable.push((file, trouble));
                return Ok(None);
            }
            let shard = ShardName::of(file).filter(|shard| shard.set.count > 1);
            if let Some(shard) = shard {
                let count = shard.set.count;
                self.warnings.push(format!(
                    "{file} is one of {count} shards; what the others have is left out"
                ));
            }
            return Ok(Some(self.add_single(vec![weights(path)])));
        }
        let mut checkpoints: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
        let of_broken = |folder: &&Folder<'a>| {
            let broken = self.broken.iter().map(|step| &step.path);
            let mut steps = broken
                .chain(&self.step_folders)
                .filter(|it| it.ends_with('/'));
            steps.any(|path| folder.path.starts_with(path.as_str()))
        };
        let whole: Vec<&Folder<'a>> = folders.iter().filter(|it| !of_broken(it)).collect();
        for folder in whole {
            let mut parts = folder.recorded.clone();
            if let Some(weights) = folder.weights.clone() {
                match weights.trouble {
                    None => parts.push(weights.part),
                    Some(trouble) => self.unreadable.push((folder.path, trouble)),
                }
            }
            if !parts.is_empty() {
                checkpoints.entry(folder.home()).or_default().extend(parts);
            }
        }
        // What lies in the root itself is meant before what lies somewhere below.
        if let Some(parts) = checkpoints.remove("") {
            return Ok(Some(self.add_single(parts)));
        }
        let found: Vec<Vec<Part>> = checkpoints.into_values().collect();
        match <[Vec<Part>; 1]>::try_from(found) {
            Ok([parts]) => Ok(Some(self.add_single(parts))),
            Err(_) if !self.broken.is_empty() => Ok(None),
            Err(several) if several.is_empty() => Ok(None),
            Err(several) => {
                let parts = several.iter().flatten();
                let paths = parts.flat_map(|part| &part.paths);
                let choices: Vec<String> = paths.cloned().collect();
                Err(RunError::Ambiguous {
                    files: listed(choices.iter().map(String::as_str)),
                    choices,
                    path: self.tree.name().to_owned(),
                })
            }
        }
    }

    fn add_single(&mut self, mut parts: Vec<Part>) -> Layout {
        sort_parts(&mut parts);
        self.warnings.extend(self.unreadable_in_words());
        let path = parts.first().and_then(|part| part.paths.first());
        let path = path.map(String::as_str).unwrap_or_default();
        let named = step_of_path(path, self.tree.name());
        let number = match named.or_else(|| step_of_path(path, self.tree.place())) {
            Some((number, name)) => {
                self.warnings.push(format!(
                    "the checkpoint is taken for step {number}, as its name {name} says"
                ));
                number
            }
            None => {
                self.warnings.push(
                    "the checkpoint has no step in its name; it is counted as step 0".to_owned(),
                );
                0
            }
        };
        self.add(Step { number, parts });
        Layout::Single
    }

    fn pass_over(&mut self, reason: Reason, path: String) {
        self.passed_over.push(PassedOver { reason, path });
    }

    /// Tells of checkpoint files that belong to no step.
    fn pass_over_others(&mut self, folders: &[Folder<'_>]) {
        let parts = self.steps.iter().flat_map(|step| &step.parts);
        let told = self.passed_over.iter().map(|it| &it.path);
        let told = told.chain(self.broken.iter().map(|step| &step.path));
        let files = parts.flat_map(|part| &part.paths).chain(told);
        let files = files.chain(&self.known);
        let known: BTreeSet<&str> = files
            .chain(&self.step_folders)
            .map(String::as_str)
            .collect();
        let is_known = |path: &str| {
            let mut above = path
                .match_indices('/')
                .filter_map(|(slash, _)| path.get(..=slash));
            known.contains(path)
                || known.contains(stem_of(path))
                || above.any(|it| known.contains(it))
        };
        let (mut others, mut called_as_files) = (Vec::new(), Vec::new());
        let mut others_of_steps = Vec::new();
        for folder in folders {
            let files = folder.files.iter();
            let files = files.filter(|file| is_checkpoint(file) && !is_auxiliary(file));
            let paths = files.map(|file| folder.path_of(file));
            let of_steps = folder.files.iter().filter(|file| self.may_be_missed(file));
            others_of_steps.extend(
                of_steps
                    .map(|file| folder.path_of(file))
                    .filter(|path| !is_known(path)),
            );
            others.extend(paths.filter(|path| !is_known(path)));
            let path = folder.path.trim_end_matches('/');
            if is_checkpoint(path) && folder.weights.is_none() && !is_known(folder.path) {
                called_as_files.push(folder.path);
            }
        }
        for path in called_as_files {
            self.pass_over(Reason::Folder, path.to_owned());
        }
        for path in others_of_steps {
            self.pass_over(Reason::OtherKind, path);
        }
        let has_folders = !self.step_folders.is_empty();
        for path in others {
            let has_step = step_number(stem_of(last_segment(&path))).is_some();
            let reason = match has_step && has_folders {
                true => Reason::OtherLayout,
                false => Reason::NoStep,
            };
            self.pass_over(reason, path);
        }
    }

    /// Whether a file is called as a step that the run does not have, and is of a kind that is not
    /// read: `step_300.gguf`, `checkpoint-300.tar.gz`, `step_300`.
    fn may_be_missed(&self, file: &str) -> bool {
        const OTHERS: &[&str] = &[".bak", ".old", ".orig", ".aria2", ".ot", ".pt2", ".tflite"];
        let is_other = || OTHERS.iter().any(|ending| file.ends_with(ending));
        let is_of_kind = Foreign::by_name(file).is_some() || !file.contains('.') || is_other();
        if !is_of_kind || is_checkpoint(file) || is_auxiliary(file) {
            return false;
        }
        let mut known = self.steps.iter().map(|step| step.number);
        let mut broken = self.broken.iter().map(|step| step.number);
        step_number(file)
            .is_some_and(|step| !known.any(|it| it == step) && !broken.any(|it| it == step))
    }

    fn unreadable_in_words(&self) -> Vec<String> {
        let line = |(path, trouble): &(&str, StepTrouble)| {
            let path = if path.is_empty() { "the folder" } else { path };
            format!("{path} is passed over: {trouble}")
        };
        self.unreadable.iter().map(line).collect()
    }

    /// Leaves out all runs but the first, which is the only one or the root's: those below the root
    /// have folders that can be given instead.
    fn keep_first_run(&mut self, paths: &[&str]) -> Result<(), RunError> {
        if paths.len() > 1 && !paths[0].is_empty() {
            return Err(self.several_runs(paths.iter().copied()));
        }
        for path in paths.iter().skip(1) {
            self.pass_over(Reason::OtherRun, (*path).to_owned());
        }
        Ok(())
    }

    fn several_runs<'b>(&self, folders: impl Iterator<Item = &'b str>) -> RunError {
        let choices: Vec<String> = folders.map(str::to_owned).collect();
        RunError::SeveralRuns {
            folders: listed(choices.iter().map(String::as_str)),
            choices,
            path: self.tree.name().to_owned(),
        }
    }

    /// The error that there is no run, with what is there instead.
    fn nothing(&self, folders: &[Folder<'_>]) -> RunError {
        let path = self.tree.name().to_owned();
        let mut troubles = troubles_in_words(&self.broken);
        if troubles.is_empty() {
            troubles = self.unreadable_in_words();
        }
        if !troubles.is_empty() {
            let troubles = troubles.join("; ");
            return RunError::NothingReadable { troubles, path };
        }
        let mut passed_over = self.passed_over.clone();
        let of_tree = self.tree.passed_over().iter();
        passed_over.extend(of_tree.filter(is_missed).cloned());
        let found = folders
            .iter()
            .flat_map(|folder| folder.files.iter().map(|it| folder.path_of(it)));
        let found: Vec<String> = found.collect();
        if let Some((file, what)) = foreign(&found) {
            return RunError::Foreign { file, what, path };
        }
        let passed_over = in_words(&passed_over);
        if found.is_empty() && passed_over.is_empty() {
            return RunError::Empty { path };
        }
        let found = listed(found.iter().map(String::as_str));
        let found = [found]
            .into_iter()
            .filter(|it| !it.is_empty())
            .chain(passed_over);
        RunError::NoCheckpoint {
            looked_for: LOOKED_FOR,
            found: found.collect::<Vec<_>>().join("; "),
            path,
        }
    }
}

/// The step of a checkpoint given by itself, and the name that says it: its file's, its folders',
/// or those of the path by which it was given.
fn step_of_path(path: &str, tree: &str) -> Option<(u64, String)> {
    let file = last_segment(path);
    let stem = stem_of(file);
    let of_file = step_number(stem)
        .or_else(|| epoch_or_tokens(stem))
        .or_else(|| only_number(stem));
    if let Some(number) = of_file {
        return Some((number, file.to_owned()));
    }
    let whole = tree.replace('\\', "/");
    let own = split_path(path).0;
    let above = whole.trim_end_matches('/');
    let above = above.strip_suffix(file).unwrap_or(above);
    let segments = above.split('/').chain(own.split('/')).rev();
    let mut segments = segments.filter(|segment| !segment.is_empty());
    let number_of = |(place, name): (usize, &str)| {
        let named = step_number(name).or_else(|| epoch_or_tokens(name));
        let number =
            named.or_else(|| only_number(name).filter(|_| place == 0 && is_number(name)))?;
        Some((number, name.to_owned()))
    };
    segments
        .by_ref()
        .take(FOLDERS_ASKED)
        .enumerate()
        .find_map(number_of)
}

/// Why a file that somebody gave by itself is no checkpoint, as its name says.
fn trouble_of_one(file: &str) -> Option<StepTrouble> {
    if file == METADATA || file.ends_with(".distcp") {
        return Some(StepTrouble::GiveFolder);
    }
    let piece = piece_of(file).filter(|piece| piece.alone == Alone::IsSpread);
    piece.map(|piece| piece.spread.into())
}

/// Recorded data before the whole model.
fn sort_parts(parts: &mut [Part]) {
    sort_by_key(parts, |part| (part.split.is_none(), part.kind, part.split));
}

/// Whether it has the weights of the whole model.
fn is_whole_model(part: &Part) -> bool {
    part.kind == DataKind::Weights && part.split.is_none()
}

fn weights(path: String) -> Part {
    Part {
        kind: DataKind::Weights,
        split: None,
        paths: vec![path],
        index: None,
    }
}
