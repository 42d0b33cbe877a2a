//! What the chosen steps hold: tensors by layer and suffix, from catalogs alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use ckptscope_checkpoint::{DataKind, Part, ReadError, Run, Split, Tree, layer_of};

use super::TensorPlace;
use super::problem::{PlanErrors, PlanProblem};
use crate::config::Config;
use crate::survey::Suffix;

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
        let index = Rc::new(PartIndex::read(part, tree).await?);
        let paths = part.paths.clone();
        self.0.borrow_mut().insert(paths, Rc::clone(&index));
        Ok(index)
    }
}

/// The tensors of every step that is read, by kind and split.
pub(super) struct RunIndex {
    parts: BTreeMap<(u64, DataKind, Split), Rc<PartIndex>>,
}

/// The layer tensors of one part of a step.
#[derive(Default)]
pub(crate) struct PartIndex {
    /// By layer and suffix.
    pub(crate) layers: BTreeMap<u64, BTreeMap<String, LayerTensor>>,
}

/// One tensor of a layer.
pub(crate) struct LayerTensor {
    /// What stands before the layer's number in its name.
    pub(super) prefix: String,
    /// Its full name.
    pub(super) name: String,
    /// Where it is, or why it cannot be read.
    pub(crate) place: Result<TensorPlace, String>,
}

impl RunIndex {
    /// Reads the catalogs of `steps` for the kinds and splits that the config needs.
    pub(super) async fn read(
        config: &Config,
        run: &Run,
        tree: &dyn Tree,
        steps: &[u64],
        catalogs: &Catalogs,
    ) -> Result<Self, PlanErrors> {
        let needed = needed_data(config);
        let mut parts = BTreeMap::new();
        let mut problems = Vec::new();
        for step in run
            .steps
            .iter()
            .filter(|step| steps.binary_search(&step.number).is_ok())
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

    /// The tensor of a layer at a step, if the step has it.
    pub(super) fn tensor(
        &self,
        step: u64,
        kind: DataKind,
        split: Split,
        layer: u64,
        suffix: &str,
    ) -> Option<&LayerTensor> {
        self.parts
            .get(&(step, kind, split))?
            .layers
            .get(&layer)?
            .get(suffix)
    }

    /// Whether a step has any data of that kind and split.
    pub(super) fn has_part(&self, step: u64, kind: DataKind, split: Split) -> bool {
        self.parts.contains_key(&(step, kind, split))
    }

    /// The layers that have a suffix at some step, ascending.
    pub(super) fn layers_with(&self, kind: DataKind, split: Split, suffix: &str) -> BTreeSet<u64> {
        self.of(kind, split)
            .flat_map(|part| &part.layers)
            .filter(|(_, tensors)| tensors.contains_key(suffix))
            .map(|(layer, _)| *layer)
            .collect()
    }

    /// Every suffix of that kind and split, sorted.
    pub(super) fn suffixes(&self, kind: DataKind, split: Split) -> Vec<String> {
        let all: BTreeSet<&String> = self
            .of(kind, split)
            .flat_map(|part| part.layers.values())
            .flat_map(BTreeMap::keys)
            .collect();
        all.into_iter().cloned().collect()
    }

    fn of(&self, kind: DataKind, split: Split) -> impl Iterator<Item = &PartIndex> {
        self.parts
            .iter()
            .filter(move |((_, of_kind, of_split), _)| (*of_kind, *of_split) == (kind, split))
            .map(|(_, part)| part.as_ref())
    }
}

impl PartIndex {
    async fn read(part: &Part, tree: &dyn Tree) -> Result<Self, ReadError> {
        let mut index = Self::default();
        for (path, catalog) in part.paths.iter().zip(part.catalogs(tree).await?) {
            for (name, reason) in catalog.unreadable {
                index.insert(&name, Err(reason));
            }
            for entry in catalog.tensors {
                let name = entry.name.clone();
                index.insert(
                    &name,
                    Ok(TensorPlace {
                        path: path.clone(),
                        entry,
                    }),
                );
            }
        }
        Ok(index)
    }

    /// The suffixes that can be read, each with its shapes by layer.
    pub(crate) fn suffixes(&self, part: &Part, step: u64) -> Vec<Suffix> {
        let mut suffixes: BTreeMap<&str, Suffix> = BTreeMap::new();
        for (layer, tensors) in &self.layers {
            for (name, tensor) in tensors {
                let Ok(place) = &tensor.place else { continue };
                let suffix = suffixes.entry(name).or_insert_with(|| Suffix {
                    kind: part.kind,
                    split: part.split,
                    name: name.clone(),
                    step,
                    shapes: BTreeMap::new(),
                    is_float: place.entry.dtype.is_float(),
                });
                suffix.shapes.insert(*layer, place.entry.shape.clone());
            }
        }
        suffixes.into_values().collect()
    }

    fn insert(&mut self, name: &str, place: Result<TensorPlace, String>) {
        if let Some(layer) = layer_of(name) {
            let (suffix, prefix) = (layer.suffix.to_owned(), layer.prefix.to_owned());
            let tensor = LayerTensor {
                prefix,
                name: name.to_owned(),
                place,
            };
            self.layers
                .entry(layer.number)
                .or_default()
                .insert(suffix, tensor);
        }
    }
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
