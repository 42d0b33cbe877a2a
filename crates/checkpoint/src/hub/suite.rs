//! Repositories of many steps, of which files are listed when a step is wanted.
//!
//! A listing is a request for each commit. So of a repository with many steps the first and the
//! last are listed when it is opened. The others are assumed to have the same files, so that the
//! run can be shown. Before a step is read it is listed, and what was assumed of it is replaced by
//! what there is: nothing is computed of an assumption.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use ckptscope_vocabulary::sort::{sort, sort_by, sort_by_key};
use futures_core::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use super::client::Reference;
use super::error::HubError;
use super::layout::{self, Places, Saving, Trees};
use super::saving::Saved;
use super::tree::{HubFile, HubTree, entries, entry};
use crate::error::{ReadError, RunError};
use crate::run::{
    BrokenStep, Model, PassedOver, Run, Step, StepTrouble, WeightsName, other_model, take_back,
    troubles_in_words,
};
use crate::source::Source;
use crate::tree::{FileEntry, Tree, entry_of};

/// So few steps are listed at once when a repository is opened.
const FEW: usize = 4;

/// What is said of steps that nobody has listed.
const ASSUMED: &str = "each is taken to have those of another step until it is read";

/// Where a repository's steps are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Steps {
    /// In the commits of a branch, oldest first; some steps were saved again.
    Commits(Vec<Saving>, BTreeSet<u64>),
    /// In revisions, ascending.
    Revisions(Vec<(u64, Reference)>),
    /// Among the files of one revision, if anywhere.
    Files,
}

/// A step's number, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionOfStep {
    /// The step.
    pub step: u64,
    /// The branch or tag; none where steps are commits of one branch.
    pub name: Option<String>,
    /// The commit, of several the last.
    pub commit: String,
}

/// What is known of the steps of a tree so far.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) steps: Steps,
    /// The files of each step that was not listed at first, once they are.
    entries: BTreeMap<u64, OnceLock<Vec<FileEntry>>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The steps whose files were listed.
    listed: BTreeSet<u64>,
    /// The files that were listed after the tree was made.
    later: Places,
    /// What became of the steps that were listed after that.
    settled: Settled,
}

/// Steps as they are, where they were assumed to be like others before.
#[derive(Debug, Default)]
struct Settled {
    numbers: BTreeSet<u64>,
    /// Those that can be read, as far as names say.
    steps: BTreeMap<u64, Step>,
    broken: BTreeMap<u64, BrokenStep>,
    passed_over: Vec<PassedOver>,
    warnings: Vec<String>,
    /// What configs of these steps say that are not the one that counts, by their paths.
    models: Vec<(String, Model)>,
}

impl Steps {
    /// The steps, ascending.
    pub(super) fn numbers(&self) -> BTreeSet<u64> {
        match self {
            Self::Commits(savings, _) => savings.iter().map(|saving| saving.step).collect(),
            Self::Revisions(revisions) => revisions.iter().map(|(step, _)| *step).collect(),
            Self::Files => BTreeSet::new(),
        }
    }

    /// The commits whose files say what the wanted steps have.
    pub(super) fn commits(&self, wants: impl Fn(u64) -> bool) -> BTreeSet<String> {
        match self {
            Self::Commits(savings, _) => {
                let wanted = savings.iter().filter(|saving| wants(saving.step));
                wanted
                    .flat_map(|it| [Some(&it.commit), it.before.as_ref()])
                    .flatten()
                    .cloned()
                    .collect()
            }
            Self::Revisions(revisions) => {
                let wanted = revisions.iter().filter(|(step, _)| wants(*step));
                wanted.map(|(_, it)| it.target_commit.clone()).collect()
            }
            Self::Files => BTreeSet::new(),
        }
    }

    /// The files of the wanted steps, once their commits were listed.
    pub(super) fn places(
        &self,
        wants: impl Fn(u64) -> bool,
        trees: &Trees,
        warnings: &mut Vec<String>,
    ) -> Places {
        match self {
            Self::Commits(savings, again) => {
                let wanted: Vec<&Saving> = savings.iter().filter(|it| wants(it.step)).collect();
                warn_of_repeated(again, &wants, warnings);
                layout::of_savings(&wanted, trees, warnings)
            }
            Self::Revisions(revisions) => {
                let wanted: Vec<_> = revisions.iter().filter(|(step, _)| wants(*step)).collect();
                layout::of_revisions(&wanted, trees)
            }
            Self::Files => Places::new(),
        }
    }

    /// The wanted ones.
    pub(super) fn only(&self, wants: impl Fn(u64) -> bool) -> Self {
        let mut steps = self.clone();
        match &mut steps {
            Self::Commits(savings, again) => {
                savings.retain(|saving| wants(saving.step));
                again.retain(|step| wants(*step));
            }
            Self::Revisions(revisions) => revisions.retain(|(step, _)| wants(*step)),
            Self::Files => {}
        }
        steps
    }

    /// The steps to list so that each other one has some that it may be like: the first and the
    /// last of those that were saved alike. All of them where they are few.
    pub(super) fn examples(&self) -> BTreeSet<u64> {
        let all = self.numbers();
        if all.len() <= FEW {
            return all;
        }
        let alike = self.alike();
        let ends = alike
            .values()
            .flat_map(|steps| [steps.first(), steps.last()]);
        ends.flatten().copied().collect()
    }

    /// Steps by what was saved of them, as far as it is known without a listing.
    pub(super) fn alike(&self) -> BTreeMap<Vec<Saved>, BTreeSet<u64>> {
        let mut saved: BTreeMap<u64, Vec<Saved>> = BTreeMap::new();
        for step in self.numbers() {
            saved.insert(step, Vec::new());
        }
        if let Self::Commits(savings, _) = self {
            for saving in savings {
                saved.entry(saving.step).or_default().push(saving.saved);
            }
        }
        let mut alike: BTreeMap<Vec<Saved>, BTreeSet<u64>> = BTreeMap::new();
        for (step, mut kinds) in saved {
            sort(&mut kinds);
            alike.entry(kinds).or_default().insert(step);
        }
        alike
    }

    /// The folder of a step in the run.
    pub(super) fn folder(&self, step: u64) -> String {
        match self {
            Self::Commits(..) => format!("checkpoints/step_{step}/"),
            Self::Revisions(_) | Self::Files => format!("step_{step}/"),
        }
    }

    /// What steps are of, ascending.
    fn revisions(&self) -> Vec<RevisionOfStep> {
        let of = |step: u64, name: Option<&str>, commit: &str| RevisionOfStep {
            step,
            name: name.map(str::to_owned),
            commit: commit.to_owned(),
        };
        match self {
            Self::Commits(savings, _) => {
                let last: BTreeMap<u64, &Saving> =
                    savings.iter().map(|saving| (saving.step, saving)).collect();
                let last = last.into_iter();
                last.map(|(step, it)| of(step, None, &it.commit)).collect()
            }
            Self::Revisions(revisions) => revisions
                .iter()
                .map(|(step, it)| of(*step, Some(&it.name), &it.target_commit))
                .collect(),
            Self::Files => Vec::new(),
        }
    }
}

impl Suite {
    pub(super) fn new(steps: Steps, listed: BTreeSet<u64>) -> Self {
        let unlisted = steps.numbers();
        let unlisted = unlisted.difference(&listed);
        let entries = unlisted.map(|step| (*step, OnceLock::new())).collect();
        let state = State {
            listed,
            ..State::default()
        };
        Self {
            steps,
            entries,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The steps whose files are known.
    pub(super) fn listed(&self) -> BTreeSet<u64> {
        self.state().listed.clone()
    }

    /// The steps of which nothing is known but their names.
    fn unlisted(&self) -> BTreeSet<u64> {
        let numbers = self.steps.numbers();
        numbers.difference(&self.state().listed).copied().collect()
    }

    /// The entry of a file that was listed after the tree was made.
    pub(super) fn later_entry(&self, path: &str) -> Option<&FileEntry> {
        let files = self.entries.get(&step_of(path)?)?.get()?;
        let place = files.binary_search_by(|entry| entry.path.as_str().cmp(path));
        files.get(place.ok()?)
    }

    /// Takes in the files of steps that were listed.
    fn take_in(&self, steps: &BTreeSet<u64>, places: Places) {
        for step in steps {
            if let Some(entries) = self.entries.get(step) {
                // Who lists a step a second time finds the same files.
                entries.get_or_init(|| below(&places, &self.steps.folder(*step)));
            }
        }
        self.state().later.extend(places);
    }

    /// A file that was listed after the tree was made.
    pub(super) fn later_file(&self, path: &str) -> Option<HubFile> {
        self.state().later.get(path).cloned()
    }

    /// What was listed after the tree was made.
    pub(super) fn later(&self) -> Places {
        self.state().later.clone()
    }
}

impl HubTree {
    /// The run in it, with what was noticed while its steps were looked for. Of steps that nobody
    /// has listed yet it is assumed that they have the files of one that was.
    ///
    /// # Errors
    /// [`RunError`] when there is nothing that looks like a checkpoint.
    pub async fn find_run(&self) -> Result<Run, RunError> {
        let found = match Run::find(self).await {
            Err(_) if !self.suite.unlisted().is_empty() => self.find_among_all().await,
            found => found,
        };
        let mut run = found?;
        run.warnings.splice(0..0, self.warnings.iter().cloned());
        let empty = self.empty(&self.suite.listed());
        run.warn(troubles_in_words(&empty));
        run.broken.extend(empty);
        sort_by_key(&mut run.broken, |step| step.number);
        self.assume(&mut run);
        self.with_last_step(run).await
    }

    /// The run with its last step as it is, since that is what is looked at first.
    async fn with_last_step(&self, mut run: Run) -> Result<Run, RunError> {
        while let Some(last) = run.steps.last().map(|step| step.number) {
            if !self.suite.unlisted().contains(&last) {
                break;
            }
            let settled = self.settle(&run, &BTreeSet::from([last])).await;
            run = settled.map_err(|error| self.not_listed(&error))?;
        }
        Ok(run)
    }

    fn not_listed(&self, error: &HubError) -> RunError {
        RunError::NotListed {
            path: self.name.clone(),
            reason: error.to_string(),
        }
    }

    /// The run of these steps alone, each as it is: nothing in it is assumed. Those that nobody has
    /// listed yet are listed now.
    ///
    /// # Errors
    /// [`HubError`] when the Hub does not say what files there are.
    pub async fn exactly(&self, run: &Run, steps: &BTreeSet<u64>) -> Result<Run, HubError> {
        let mut run = self.settle(run, steps).await?;
        run.steps.retain(|step| steps.contains(&step.number));
        run.broken.retain(|step| steps.contains(&step.number));
        run.warnings.retain(|warning| !warning.ends_with(ASSUMED));
        Ok(run)
    }

    /// The same run with these steps as they are: those that nobody has listed yet are listed now.
    /// A step that cannot be read is left out, and a warning says why.
    ///
    /// # Errors
    /// [`HubError`] when the Hub does not say what files there are.
    pub async fn settle(&self, run: &Run, steps: &BTreeSet<u64>) -> Result<Run, HubError> {
        let new: BTreeSet<u64> = self.suite.unlisted().intersection(steps).copied().collect();
        if !new.is_empty() {
            let noticed = self.list(&new).await?;
            let empty = self.empty(&new);
            let found = self.find_beside(run, &new);
            let models = self.other_models(run, &new).await;
            let mut state = self.suite.state();
            state.settled.warnings.extend(noticed);
            state.settled.models.extend(models);
            state.settle(new, found, empty);
        }
        Ok(self.with_settled(run))
    }

    /// The steps of which nobody has listed the files.
    #[must_use]
    pub fn unlisted(&self) -> BTreeSet<u64> {
        self.suite.unlisted()
    }

    /// What steps are of, ascending; none where they are folders or files.
    #[must_use]
    pub fn steps(&self) -> Vec<RevisionOfStep> {
        self.suite.steps.revisions()
    }

    /// The run with what was settled so far, by whomever.
    fn with_settled(&self, run: &Run) -> Run {
        let mut run = run.clone();
        let said = self.said_of_assumed();
        let state = self.suite.state();
        let settled = &state.settled;
        run.steps
            .retain(|step| !settled.numbers.contains(&step.number));
        run.broken
            .retain(|step| !settled.numbers.contains(&step.number));
        run.steps.extend(settled.steps.values().cloned());
        run.broken.extend(settled.broken.values().cloned());
        run.passed_over.extend(settled.passed_over.iter().cloned());
        sort_by_key(&mut run.steps, |step| step.number);
        sort_by_key(&mut run.broken, |step| step.number);
        sort(&mut run.passed_over);
        run.passed_over.dedup();
        run.warnings.retain(|warning| !warning.ends_with(ASSUMED));
        run.warn(settled.warnings.iter().cloned().chain(said));
        if let (Some(shape), Some(config)) = (run.model.take(), run.config.take()) {
            let mut model = (shape, config);
            let mut told = Vec::new();
            for (path, other) in &settled.models {
                take_back(&mut model, other, path, &mut told);
            }
            run.warn(told);
            (run.model, run.config) = (Some(model.0), Some(model.1));
        }
        run
    }

    /// The run of all steps, where those that were to stand for the others are none.
    async fn find_among_all(&self) -> Result<Run, RunError> {
        let unlisted = self.suite.unlisted();
        let warnings = self.list(&unlisted).await;
        let warnings = warnings.map_err(|error| self.not_listed(&error))?;
        let files = [entries(&self.places), entries(&self.suite.later())].concat();
        let mut run = Run::find(&View::of(self, files)).await?;
        self.suite.state().listed.extend(unlisted);
        run.warnings.splice(0..0, warnings);
        Ok(run)
    }

    /// New steps, found beside one that is known, so that they are recognised as it was.
    fn find_beside(&self, run: &Run, new: &BTreeSet<u64>) -> Result<Run, RunError> {
        let listed = self.suite.listed();
        let mut known = run.steps.iter().map(|step| step.number);
        let known = known.find(|step| listed.contains(step));
        let name = run.steps.iter().find(|step| Some(step.number) == known);
        let name = name.and_then(|step| {
            let folder = self.suite.steps.folder(step.number);
            WeightsName::of(&step.parts, &folder, step.number)
        });
        let mut files = Vec::new();
        for step in new.iter().copied().chain(known) {
            files.append(&mut self.files_of(step));
        }
        Run::find_beside(&View::of(self, files), name)
    }

    /// What configs beside the weights of new steps say, where they are not the one that counts.
    async fn other_models(&self, run: &Run, new: &BTreeSet<u64>) -> Vec<(String, Model)> {
        let source = run.model.as_ref().map_or("", |model| &model.source);
        let name = source.rsplit('/').next().unwrap_or_default();
        let mut models = Vec::new();
        for step in new {
            let path = format!("{}{name}", self.suite.steps.folder(*step));
            let is_there = !name.is_empty() && self.entry(&path).is_some();
            if is_there && let Some(model) = other_model(self, source, &path).await {
                models.push((path, model));
            }
        }
        models
    }

    /// A step's files, where they were listed.
    fn files_of(&self, step: u64) -> Vec<FileEntry> {
        let folder = self.suite.steps.folder(step);
        let mut files = below(&self.places, &folder);
        files.extend(below(&self.suite.state().later, &folder));
        files
    }

    /// Lists steps, whose files can be opened from now on; what was noticed.
    async fn list(&self, steps: &BTreeSet<u64>) -> Result<Vec<String>, HubError> {
        let wants = |step| steps.contains(&step);
        let commits = self.suite.steps.commits(wants);
        let trees = self.hub.trees(&self.repository, commits).await?;
        let mut warnings = Vec::new();
        let places = self.suite.steps.places(wants, &trees, &mut warnings);
        self.suite.take_in(steps, places);
        Ok(warnings)
    }

    /// Which of the listed steps have no files at all. A step with files and no weights is told
    /// where the run is found.
    fn empty(&self, listed: &BTreeSet<u64>) -> Vec<BrokenStep> {
        let revisions = self.suite.steps.revisions().into_iter();
        let named = revisions.filter_map(|it| Some((it.step, it.name?)));
        let empty =
            named.filter(|(step, _)| listed.contains(step) && self.files_of(*step).is_empty());
        let broken = empty.map(|(number, revision)| BrokenStep {
            number,
            path: self.suite.steps.folder(number),
            trouble: StepTrouble::NoFiles { revision },
        });
        broken.collect()
    }

    /// Adds the steps that nobody has listed, with the files of one that they may be like.
    fn assume(&self, run: &mut Run) {
        let steps = &self.suite.steps;
        let unlisted = self.suite.unlisted();
        for alike in steps.alike().values() {
            // The last of them, since trainers change what they write early in a run.
            let known = |step: &&Step| alike.contains(&step.number);
            let Some(example) = run.steps.iter().rev().find(known).cloned() else {
                continue;
            };
            let from = steps.folder(example.number);
            for number in alike.intersection(&unlisted) {
                let mut step = example.clone();
                step.number = *number;
                let to = steps.folder(*number);
                let parts = step.parts.iter_mut();
                for path in parts.flat_map(|part| part.paths.iter_mut().chain(&mut part.index)) {
                    if let Some(rest) = path.strip_prefix(&from) {
                        *path = format!("{to}{rest}");
                    }
                }
                run.steps.push(step);
            }
        }
        sort_by_key(&mut run.steps, |step| step.number);
        run.warn(self.said_of_assumed());
    }

    /// That steps are shown of which nobody has listed the files.
    fn said_of_assumed(&self) -> Option<String> {
        let (all, unlisted) = (self.suite.steps.numbers(), self.suite.unlisted());
        (!unlisted.is_empty()).then(|| {
            let (unlisted, all) = (unlisted.len(), all.len());
            format!("the files of {unlisted} of {all} steps are not listed yet: {ASSUMED}")
        })
    }
}

impl Run {
    /// Warns of what was not said before.
    fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }
}

impl State {
    /// Takes in what became of steps that were listed, of which some have no files.
    fn settle(&mut self, new: BTreeSet<u64>, found: Result<Run, RunError>, empty: Vec<BrokenStep>) {
        let settled = &mut self.settled;
        settled.warnings.extend(troubles_in_words(&empty));
        let empty = empty.into_iter().map(|step| (step.number, step));
        settled.broken.extend(empty);
        match found {
            Ok(run) => {
                let steps = run.steps.into_iter().map(|step| (step.number, step));
                settled
                    .steps
                    .extend(steps.filter(|(step, _)| new.contains(step)));
                let broken = run.broken.into_iter().map(|step| (step.number, step));
                settled
                    .broken
                    .extend(broken.filter(|(step, _)| new.contains(step)));
                settled.passed_over.extend(run.passed_over);
                settled.warnings.extend(run.warnings);
            }
            Err(error) => settled.warnings.push(error.to_string()),
        }
        settled.numbers.extend(&new);
        self.listed.extend(new);
    }
}

/// Some of a tree's files.
struct View<'a> {
    tree: &'a HubTree,
    files: Vec<FileEntry>,
}

impl<'a> View<'a> {
    fn of(tree: &'a HubTree, mut files: Vec<FileEntry>) -> Self {
        sort_by(&mut files, |one, other| one.path.cmp(&other.path));
        Self { tree, files }
    }
}

impl Tree for View<'_> {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn files(&self) -> &[FileEntry] {
        &self.files
    }

    fn content_tag(&self, path: &str) -> Option<String> {
        self.tree.content_tag(path)
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let entry = entry_of(self, path)?;
            self.tree.open(&entry.path).await
        })
    }
}

/// The step in whose folder a file lies.
pub(super) fn step_of(path: &str) -> Option<u64> {
    let path = path.strip_prefix("checkpoints/").unwrap_or(path);
    let (folder, _) = path.split_once('/')?;
    folder.strip_prefix("step_")?.parse().ok()
}

fn below(places: &Places, folder: &str) -> Vec<FileEntry> {
    let from = places.range(folder.to_owned()..);
    let own = from.take_while(|(path, _)| path.starts_with(folder));
    own.map(entry).collect()
}

fn warn_of_repeated(
    again: &BTreeSet<u64>,
    wants: impl Fn(u64) -> bool,
    warnings: &mut Vec<String>,
) {
    let mut again = again.clone();
    again.retain(|step| wants(*step));
    if !again.is_empty() {
        warnings.push(format!(
            "{} saved more than once on this branch: the oldest commit is used, as the reference tool does",
            layout::in_words(&again)
        ));
    }
}
