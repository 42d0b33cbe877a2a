//! What the steps of an analysis hold: the tensors of layers, from catalogs alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use ckptscope_checkpoint::{DataKind, Part, ReadError, Run, Split, Stacks, TensorEntry, Tree};

use super::problem::{PlanErrors, PlanProblem};
use super::{Selection, TensorPlace};
use crate::config::Config;

/// Catalogs of a run's files that were read already. Plans of the same run share them, so that a
/// config can be planned again while somebody writes it.
#[derive(Default)]
pub struct Catalogs(RefCell<HashMap<Vec<String>, Rc<PartIndex>>>);

impl Catalogs {
    /// Reads the catalogs of a part, unless they are known.
    ///
    /// # Errors
    /// [`ReadError`] when a file cannot be read or is broken.
    pub async fn read(&self, part: &Part, tree: &dyn Tree) -> Result<(), ReadError> {
        self.part(part, tree).await.map(|_| ())
    }

    /// The layer tensors of a part.
    pub(crate) async fn part(
        &self,
        part: &Part,
        tree: &dyn Tree,
    ) -> Result<Rc<PartIndex>, ReadError> {
        let known = self.0.borrow().get(&part.paths).map(Rc::clone);
        if let Some(index) = known {
            return Ok(index);
        }
        let index = Rc::new(read_part(part, tree).await?);
        let paths = part.paths.clone();
        self.0.borrow_mut().insert(paths, Rc::clone(&index));
        Ok(index)
    }
}

/// The layer tensors of one part of a step.
pub(crate) type PartIndex = Stacks<LayerTensor>;

/// One tensor of a layer.
#[derive(Debug)]
pub(crate) struct LayerTensor {
    /// Its full name.
    pub(crate) name: String,
    /// Path of the file that has it.
    pub(crate) path: String,
    /// Its place in the file, or why it cannot be read.
    pub(crate) entry: Result<TensorEntry, String>,
}

impl LayerTensor {
    /// Where it is, if it can be read.
    pub(super) fn place(&self) -> Option<TensorPlace> {
        Some(TensorPlace {
            path: self.path.clone(),
            entry: self.entry.as_ref().ok()?.clone(),
        })
    }
}

/// The tensors of every step that is read, by kind and split.
pub(super) struct RunIndex {
    parts: BTreeMap<(u64, DataKind, Split), Rc<PartIndex>>,
}

impl RunIndex {
    /// Reads the catalogs of the selected steps for the kinds and splits that the config needs.
    pub(super) async fn read(
        config: &Config,
        run: &Run,
        tree: &dyn Tree,
        selection: &Selection,
        catalogs: &Catalogs,
    ) -> Result<Self, PlanErrors> {
        let needed = needed_data(config);
        let mut parts = BTreeMap::new();
        let mut problems = Vec::new();
        for step in run
            .steps
            .iter()
            .filter(|step| selection.read.binary_search(&step.number).is_ok())
        {
            for &(kind, split) in &needed {
                let Some(part) = step.part(kind, split) else {
                    continue;
                };
                match catalogs.part(part, tree).await {
                    Ok(index) => {
                        parts.insert((step.number, kind, split), index);
                    }
                    Err(source) => problems.push(PlanProblem::Unreadable {
                        step: step.number,
                        source,
                    }),
                }
            }
        }
        if problems.is_empty() {
            Ok(Self { parts })
        } else {
            Err(PlanErrors(problems))
        }
    }

    /// Whether a step has any data of that kind and split.
    pub(super) fn has_part(&self, step: u64, kind: DataKind, split: Split) -> bool {
        self.parts.contains_key(&(step, kind, split))
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

async fn read_part(part: &Part, tree: &dyn Tree) -> Result<PartIndex, ReadError> {
    let mut index = PartIndex::default();
    for (path, catalog) in part.paths.iter().zip(part.catalogs(tree).await?) {
        let unreadable = catalog.unreadable.into_iter();
        let unreadable = unreadable.map(|(name, reason)| (name, Err(reason)));
        let readable = catalog.tensors.into_iter();
        let readable = readable.map(|entry| (entry.name.clone(), Ok(entry)));
        for (name, entry) in unreadable.chain(readable) {
            let path = path.clone();
            index.add(&name.clone(), LayerTensor { name, path, entry });
        }
    }
    Ok(index)
}

fn needed_data(config: &Config) -> BTreeSet<(DataKind, Split)> {
    config
        .metrics
        .iter()
        .flat_map(|entry| {
            entry
                .components
                .iter()
                .map(move |component| (entry.split, component))
        })
        .flat_map(|(split, entry)| {
            entry
                .component
                .inputs(entry.kind)
                .into_iter()
                .map(move |(kind, _)| (kind, split))
        })
        .collect()
}
