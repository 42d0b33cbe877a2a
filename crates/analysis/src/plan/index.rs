//! What the steps of an analysis hold: the tensors of layers, from catalogs alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::pin::pin;
use std::rc::Rc;

use ckptscope_checkpoint::{
    Catalog, DataKind, Part, ReadError, Run, Split, Stacks, Step, TensorEntry, Tree, catalog_of,
};
use futures_util::stream::{self, Stream, StreamExt};

use super::problem::{PlanErrors, PlanProblem};
use super::{Selection, TensorPlace};
use crate::config::Config;

/// Catalogs of a run's files that were read already. Plans of the same run share them, so that a
/// config can be planned again while somebody writes it.
#[derive(Default)]
pub struct Catalogs(RefCell<HashMap<Vec<String>, Rc<PartIndex>>>);

/// So many files are asked for their catalogs at once, at most: over a network each is a journey,
/// and a browser answers each after a while.
const FILES_AT_ONCE: usize = 24;

impl Catalogs {
    /// The layer tensors of parts that have no file in common, in their order. Files that were
    /// not read before are read now, several at once.
    pub(crate) async fn parts(
        &self,
        parts: &[&Part],
        tree: &dyn Tree,
    ) -> Vec<Result<Rc<PartIndex>, ReadError>> {
        let known = |part: &&Part| self.0.borrow().get(&part.paths).map(Rc::clone);
        let known: Vec<Option<Rc<PartIndex>>> = parts.iter().map(known).collect();
        let new = parts.iter().zip(&known).filter(|(_, it)| it.is_none());
        let reads = new.flat_map(|(part, _)| &part.paths);
        let reads = stream::iter(reads.map(|path| catalog(path, tree)));
        let mut read = pin!(reads.buffered(FILES_AT_ONCE));
        let mut found = Vec::with_capacity(parts.len());
        for (part, known) in parts.iter().zip(&known) {
            found.push(match known {
                Some(index) => Ok(Rc::clone(index)),
                None => self.add(part, &mut read).await,
            });
        }
        found
    }

    /// Takes in a part whose files come next.
    async fn add(
        &self,
        part: &Part,
        read: &mut (impl Stream<Item = Result<Catalog, ReadError>> + Unpin),
    ) -> Result<Rc<PartIndex>, ReadError> {
        let mut index = Ok(PartIndex::default());
        for path in &part.paths {
            // All of them, also behind a broken one: what follows is of the next part.
            if let Some(catalog) = read.next().await {
                index = index.and_then(|index| Ok(with_file(index, path, catalog?)));
            }
        }
        let index = Rc::new(index?);
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

/// A kind of data of one step and split.
type Place = (u64, DataKind, Split);

/// The tensors of every step that is read, by kind and split.
pub(super) struct RunIndex {
    parts: BTreeMap<Place, Rc<PartIndex>>,
}

impl RunIndex {
    /// Reads the catalogs that a config needs, and no other.
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
        let (steps, parts): (Vec<u64>, Vec<&Part>) = needed
            .iter()
            .filter(|(_, part)| seen.insert(&part.paths))
            .map(|((step, ..), part)| (*step, *part))
            .unzip();
        let read = catalogs.parts(&parts, tree).await;
        let mut found: HashMap<&[String], Rc<PartIndex>> = HashMap::new();
        let mut problems = Vec::new();
        for ((step, part), read) in steps.into_iter().zip(&parts).zip(read) {
            match read {
                Ok(index) => {
                    found.insert(&part.paths, index);
                }
                Err(source) => problems.push(PlanProblem::Unreadable { step, source }),
            }
        }
        if !problems.is_empty() {
            return Err(PlanErrors(problems));
        }
        let index = |part: &Part| found.get(part.paths.as_slice()).map(Rc::clone);
        let parts = needed.iter();
        let parts = parts.filter_map(|(place, part)| Some((*place, index(part)?)));
        Ok(Self {
            parts: parts.collect(),
        })
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

async fn catalog(path: &str, tree: &dyn Tree) -> Result<Catalog, ReadError> {
    let source = tree.open(path).await?;
    catalog_of(&*source).await
}

/// The same with the tensors of one more file.
fn with_file(mut index: PartIndex, path: &str, catalog: Catalog) -> PartIndex {
    let unreadable = catalog.unreadable.into_iter();
    let unreadable = unreadable.map(|(name, reason)| (name, Err(reason)));
    let readable = catalog.tensors.into_iter();
    let readable = readable.map(|entry| (entry.name.clone(), Ok(entry)));
    for (name, entry) in unreadable.chain(readable) {
        let path = path.to_owned();
        index.add(&name.clone(), LayerTensor { name, path, entry });
    }
    index
}

/// The parts that a config's entries read: each at its own steps, of its own split, and only the
/// kinds that its components are made of.
fn needed<'a>(config: &Config, run: &'a Run, selection: &Selection) -> BTreeMap<Place, &'a Part> {
    let mut needed = BTreeMap::new();
    for entry in &config.metrics {
        let components = entry.components.iter();
        let inputs = components.flat_map(|of| of.component.inputs(of.kind));
        let kinds: BTreeSet<DataKind> = inputs.map(|(kind, _)| kind).collect();
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
