//! What the steps of an analysis hold: the tensors of layers, from catalogs alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use ckptscope_checkpoint::{
    CatalogWarning, Contents, DataKind, HeldTensor, Outside, Part, ReadError, Run, Split, Stacks,
    Step, Tree,
};
use futures_util::stream::{self, StreamExt};

use super::Selection;
use super::missing_layers::missing_layers;
use super::problem::{PlanErrors, PlanProblem};
use crate::config::{Config, OnError};

/// Parts of a run whose files were read already. Plans of the same run share them, so that a config
/// can be planned again while somebody writes it.
#[derive(Default)]
pub struct Catalogs(RefCell<HashMap<Part, Rc<ReadPart>>>);

/// What is known of a part from the directories of its files.
pub(crate) struct ReadPart {
    /// Its layer tensors.
    pub(crate) index: Rc<PartIndex>,
    /// What was assumed or passed over.
    pub(crate) warnings: Vec<String>,
    /// What is odd about its files, each with its path.
    odd: Vec<(String, CatalogWarning)>,
}

/// What is odd about the files of parts, each oddity once.
pub(crate) fn odd_files<'a>(parts: impl IntoIterator<Item = &'a Rc<ReadPart>>) -> Vec<String> {
    let files = parts.into_iter().flat_map(|part| &part.odd);
    CatalogWarning::in_words(files.map(|(path, warning)| (path.as_str(), *warning)))
}

/// So many parts are asked for their files' directories at once, at most: over a network each is a
/// journey, and a browser answers each after a while.
const PARTS_AT_ONCE: usize = 24;

impl Catalogs {
    /// What parts hold, in their order. Files that were not read before are read now, several at
    /// once.
    pub(crate) async fn parts(
        &self,
        parts: &[&Part],
        tree: &dyn Tree,
    ) -> Vec<Result<Rc<ReadPart>, ReadError>> {
        let parts = stream::iter(parts.iter().map(|part| self.part(part, tree)));
        parts.buffered(PARTS_AT_ONCE).collect().await
    }

    async fn part(&self, part: &Part, tree: &dyn Tree) -> Result<Rc<ReadPart>, ReadError> {
        let known = self.0.borrow().get(part).map(Rc::clone);
        if let Some(read) = known {
            return Ok(read);
        }
        let content = part.read(tree).await?;
        let mut odd = Vec::new();
        for file in &content.files {
            let warnings = file.catalog.warnings.iter();
            odd.extend(warnings.map(|it| (file.path.clone(), *it)));
        }
        let tensors = Contents::of(content.files, tree).await.tensors;
        let tensors = tensors
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor));
        let read = Rc::new(ReadPart {
            index: Rc::new(PartIndex::of(tensors)),
            warnings: content.warnings,
            odd,
        });
        self.0.borrow_mut().insert(part.clone(), Rc::clone(&read));
        Ok(read)
    }
}

/// The layer tensors of one part of a step.
pub(crate) type PartIndex = Stacks<HeldTensor>;

/// A kind of data of one step and split.
type Place = (u64, DataKind, Split);

/// The tensors of every step that is read, by kind and split.
#[derive(Default)]
pub(super) struct RunIndex {
    parts: BTreeMap<Place, Rc<PartIndex>>,
    /// The data that cannot be read.
    unreadable: BTreeSet<Place>,
    /// Why steps cannot be read, where the analysis goes on without them.
    pub(super) unreadable_steps: BTreeMap<u64, String>,
    /// What was assumed or passed over in files.
    pub(super) warnings: Vec<String>,
}

impl RunIndex {
    /// Reads the catalogs that a config needs, and no other. Data that cannot be read is told and
    /// left out, unless the config says to stop, others are compared with it, or nothing is left.
    pub(super) async fn read(
        config: &Config,
        run: &Run,
        tree: &dyn Tree,
        selection: &Selection,
        catalogs: &Catalogs,
    ) -> Result<Self, PlanErrors> {
        let needed = needed(config, run, selection);
        // What serves several kinds and splits is read once.
        let mut seen = HashSet::new();
        let parts = needed.iter().filter(|(_, part)| seen.insert(*part));
        let parts: Vec<(u64, &Part)> = parts.map(|((step, ..), part)| (*step, *part)).collect();
        let read: Vec<&Part> = parts.iter().map(|(_, part)| *part).collect();
        let read = catalogs.parts(&read, tree).await;
        let mut index = Self {
            warnings: odd_files(read.iter().flatten()),
            ..Self::default()
        };
        let whole = parts.iter().zip(&read);
        index.warnings.extend(missing_layers(
            run,
            whole.filter_map(|((step, part), read)| Some((*step, *part, &**read.as_ref().ok()?))),
        ));
        let mut found = HashMap::new();
        let mut problems = Vec::new();
        for ((step, part), read) in parts.into_iter().zip(read) {
            match read {
                Ok(read) => {
                    let warnings = read.warnings.iter();
                    index
                        .warnings
                        .extend(warnings.map(|it| format!("step {step}: {it}")));
                    found.insert(part, Rc::clone(&read.index));
                }
                Err(error) => {
                    let reason = error.to_string();
                    if config.on_error == OnError::Stop
                        || !error.is_of_file()
                        || selection.is_target(step, config)
                    {
                        problems.push(PlanProblem::Unreadable { step, reason });
                    } else {
                        index.unreadable_steps.entry(step).or_insert(reason);
                    }
                }
            }
        }
        for (place, part) in needed {
            match found.get(part) {
                Some(part) => drop(index.parts.insert(place, Rc::clone(part))),
                None => drop(index.unreadable.insert(place)),
            }
        }
        if problems.is_empty() && index.parts.is_empty() {
            let steps = std::mem::take(&mut index.unreadable_steps).into_iter();
            problems.extend(steps.map(|(step, reason)| PlanProblem::Unreadable { step, reason }));
        }
        match problems.is_empty() {
            true => Ok(index),
            false => Err(PlanErrors(problems)),
        }
    }

    /// Whether a step has no data at all that can be read.
    pub(super) fn lacks(&self, step: u64) -> bool {
        let has_some = self.parts.keys().any(|(of, ..)| *of == step);
        self.unreadable_steps.contains_key(&step) && !has_some
    }

    /// Whether a step has data of that kind and split, which cannot be read.
    pub(super) fn is_unreadable(&self, step: u64, kind: DataKind, split: Split) -> bool {
        self.unreadable.contains(&(step, kind, split))
    }

    /// Whether a step has any data of that kind and split.
    pub(super) fn has_part(&self, step: u64, kind: DataKind, split: Split) -> bool {
        self.parts.contains_key(&(step, kind, split))
    }

    /// The data of a step of that kind and split.
    pub(super) fn part(&self, step: u64, kind: DataKind, split: Split) -> Option<&PartIndex> {
        self.parts.get(&(step, kind, split)).map(Rc::as_ref)
    }

    /// Every suffix of that kind and split, sorted.
    pub(super) fn suffixes(&self, kind: DataKind, split: Split) -> Vec<String> {
        let parts = self.of(kind, split);
        let all: BTreeSet<&str> = parts
            .flat_map(|(_, part)| part.suffixes())
            .map(|(_, suffix)| suffix)
            .collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// The names of all tensors outside of layers of that kind and split, sorted.
    pub(super) fn names_outside(&self, kind: DataKind, split: Split) -> Vec<String> {
        let parts = self.of(kind, split);
        let all: BTreeSet<&str> = parts.flat_map(|(_, part)| part.names_outside()).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// The stacks of which some layer has a suffix at any of these steps, sorted.
    pub(super) fn stacks_with(
        &self,
        kind: DataKind,
        split: Split,
        suffix: &str,
        steps: &[u64],
    ) -> Vec<String> {
        let parts = self
            .of(kind, split)
            .filter(|(step, _)| steps.contains(step));
        let stacks: BTreeSet<&str> = parts.flat_map(|(_, part)| part.with(suffix)).collect();
        stacks.into_iter().map(str::to_owned).collect()
    }

    /// What data of that kind and split has outside of layers, at the first of these steps that
    /// has any; none where some step has layers.
    pub(super) fn without_layers(
        &self,
        kind: DataKind,
        split: Split,
        steps: &[u64],
    ) -> Option<Outside> {
        let parts = self
            .of(kind, split)
            .filter(|(step, _)| steps.contains(step));
        let parts: Vec<_> = parts.map(|(_, part)| part).collect();
        let has_layers = parts.iter().any(|part| part.names().next().is_some());
        parts
            .first()
            .filter(|_| !has_layers)
            .map(|part| part.outside())
    }

    /// The data of that kind and split, by step.
    pub(super) fn of(
        &self,
        kind: DataKind,
        split: Split,
    ) -> impl Iterator<Item = (u64, &Rc<PartIndex>)> {
        self.parts
            .iter()
            .filter(move |((_, of_kind, of_split), _)| (*of_kind, *of_split) == (kind, split))
            .map(|((step, ..), part)| (*step, part))
    }
}

/// The parts that a config's entries read: each at its own steps, of its own split, and only the
/// kinds that its components are made of.
fn needed<'a>(config: &Config, run: &'a Run, selection: &Selection) -> BTreeMap<Place, &'a Part> {
    let mut needed = BTreeMap::new();
    for entry in &config.metrics {
        let components = entry.components.iter();
        let inputs = components
            .clone()
            .flat_map(|of| of.component.inputs(of.kind));
        // Weights say which tensors parts are.
        let by_role = components.filter(|of| of.is_by_role());
        let kinds = inputs.map(|(kind, _)| kind);
        let kinds: BTreeSet<DataKind> = kinds.chain(by_role.map(|_| DataKind::Weights)).collect();
        let steps = selection.steps_of(entry);
        let is_its = |step: &&Step| steps.binary_search(&step.number).is_ok();
        for step in run.steps.iter().filter(is_its) {
            let parts = kinds.iter().filter_map(|kind| {
                let part = step.part(*kind, entry.split)?;
                Some(((step.number, *kind, entry.split), part))
            });
            needed.extend(parts);
        }
    }
    needed
}
