//! What a run or a checkpoint file holds, from directories alone; as JSON, its layout is stable.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_analysis::{Anatomy, Survey};
use ckptscope_checkpoint::{
    BrokenStep, Catalog, CatalogWarning, Contents, DataKind, Dtype, Layout, ModelShape, Obstacle,
    Part, PassedOver, ReadError, Run, Split, Step, Storage, Tree, catalog_of,
};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::{Map, Value};

use super::anatomy::AnatomyReport;
use crate::identity::PROGRAM;
use crate::output::TrafficReport;
use crate::place::{Address, Place};

/// The value of [`Inspection::format`].
const FORMAT: &str = "ckptscope-inspection";

/// The version of the layout of the JSON.
const VERSION: u32 = 1;

/// Everything `worker inspect` says.
#[derive(Debug, Serialize)]
pub(super) struct Inspection {
    /// Always [`FORMAT`].
    pub(super) format: &'static str,
    /// Version of this layout: [`VERSION`].
    pub(super) version: u32,
    /// Version of the program.
    pub(super) program: &'static str,
    /// The last part of the path, or the repository's name.
    pub(super) name: String,
    /// The path or the repository as it was given.
    pub(super) path: String,
    /// The arguments of `worker analyze` that mean it.
    pub(super) arguments: Vec<String>,
    /// `pico`, `step_folders`, `step_files` or `single`.
    pub(super) layout: &'static str,
    /// Every step that can be read as far as names say, ascending; 0 for a checkpoint without a
    /// number.
    pub(super) steps: Vec<u64>,
    /// Steps that cannot be read, as names say, ascending.
    pub(super) broken_steps: Vec<BrokenStepReport>,
    /// Files and folders that were passed over.
    pub(super) passed_over: Vec<PassedOverReport>,
    /// The kinds of data, and the steps that have them.
    pub(super) data: Vec<DataReport>,
    /// The model's dimensions, where a config was found.
    pub(super) model: Option<ModelReport>,
    /// The stacks of layers, where there are several: as configs name them, and how many layers
    /// each has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) stacks: BTreeMap<String, usize>,
    /// What the model is made of, as its architecture says; none where no layer has weights.
    pub(super) parts: Option<AnatomyReport>,
    /// The first and the last step.
    pub(super) checkpoints: Vec<CheckpointReport>,
    /// What was assumed or passed over.
    pub(super) warnings: Vec<String>,
    /// What went over the network; none for what needs none.
    pub(super) network: Option<TrafficReport>,
}

/// A step that cannot be read.
#[derive(Debug, Serialize)]
pub(super) struct BrokenStepReport {
    /// The step.
    pub(super) step: u64,
    /// Its folder, or what its files have in common.
    pub(super) path: String,
    /// Why.
    pub(super) reason: String,
}

/// A file or folder that was passed over.
#[derive(Debug, Serialize)]
pub(super) struct PassedOverReport {
    /// Its path in the run.
    pub(super) path: String,
    /// Why.
    pub(super) reason: String,
}

/// A kind of data of one split.
#[derive(Debug, Serialize)]
pub(super) struct DataReport {
    /// `weights`, `gradients` or `activations`.
    pub(super) kind: &'static str,
    /// `train`, `val`, or none for a model's own weights, which serve both.
    pub(super) split: Option<&'static str>,
    /// The steps that have it, ascending.
    pub(super) steps: Vec<u64>,
}

/// The model's dimensions.
#[derive(Debug, Serialize)]
pub(super) struct ModelReport {
    pub(super) d_model: Option<u64>,
    pub(super) n_layers: Option<u64>,
    pub(super) n_heads: Option<u64>,
    pub(super) n_kv_heads: Option<u64>,
    pub(super) d_head: Option<u64>,
    /// The file that said so.
    pub(super) source: String,
}

/// What one step holds.
#[derive(Debug, Serialize)]
pub(super) struct CheckpointReport {
    /// The step.
    pub(super) step: u64,
    /// Its data by kind and split.
    pub(super) parts: Vec<PartReport>,
}

/// One kind of data of one step.
#[derive(Debug, Serialize)]
pub(super) struct PartReport {
    /// `weights`, `gradients` or `activations`.
    pub(super) kind: &'static str,
    /// `train`, `val`, or none for a model's own weights.
    pub(super) split: Option<&'static str>,
    /// Why it cannot be read as a whole.
    pub(super) error: Option<String>,
    /// What was assumed or passed over in its files.
    pub(super) warnings: Vec<String>,
    /// What its files hold together, per element type.
    pub(super) totals: Vec<TotalReport>,
    /// Its files, in shard order.
    pub(super) files: Vec<FileReport>,
}

/// The tensors of one element type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct TotalReport {
    /// The element type, as safetensors spells it.
    pub(super) dtype: &'static str,
    /// How many.
    pub(super) tensors: u64,
    /// Their elements.
    pub(super) elements: u64,
    /// Bytes of these elements.
    pub(super) bytes: u64,
}

/// One file.
#[derive(Debug, Serialize)]
pub(super) struct FileReport {
    /// Its path in the run.
    pub(super) path: String,
    /// Its length.
    pub(super) bytes: u64,
    /// Why it cannot be read; what follows is empty then.
    pub(super) error: Option<String>,
    /// The file's own remarks.
    pub(super) metadata: Map<String, Value>,
    /// Its tensors, in the file's order.
    pub(super) tensors: Vec<TensorReport>,
    /// Those that cannot be read.
    pub(super) unreadable: Vec<UnreadableReport>,
    /// What is odd about it; said in [`Inspection::warnings`], once for all files.
    #[serde(skip)]
    warnings: Vec<CatalogWarning>,
}

/// One tensor.
#[derive(Debug, Serialize)]
pub(super) struct TensorReport {
    /// Its full name.
    pub(super) name: String,
    /// Element type, as safetensors spells it.
    pub(super) dtype: &'static str,
    /// Extent per dimension.
    pub(super) shape: Vec<u64>,
    /// Number of elements.
    pub(super) elements: u64,
    /// Bytes of its elements.
    pub(super) bytes: u64,
    /// How it is stored, or why it has no values; none where its elements simply are its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stored: Option<String>,
}

/// One tensor that cannot be read.
#[derive(Debug, Serialize)]
pub(super) struct UnreadableReport {
    /// Its full name.
    pub(super) name: String,
    /// Why.
    pub(super) reason: String,
}

impl Inspection {
    /// Reads the directories of the first and the last step's files.
    pub(super) async fn read(address: &Address, run: &Run, place: &Place) -> Self {
        let tree = place.tree();
        // Files are asked for at once: where each is a journey, they travel together.
        let shown = match run.steps.as_slice() {
            [first, .., last] => vec![first, last],
            steps => steps.iter().collect(),
        };
        let checkpoints = shown.into_iter().map(|it| CheckpointReport::read(it, tree));
        let checkpoints = join_all(checkpoints).await;
        let mut warnings = run.warnings.clone();
        warnings.extend(odd_files(&checkpoints));
        Self {
            format: FORMAT,
            version: VERSION,
            program: PROGRAM,
            name: address.name(),
            path: address.shown(),
            arguments: address.as_arguments(),
            layout: layout_name(run.layout),
            steps: run.steps.iter().map(|step| step.number).collect(),
            broken_steps: run.broken.iter().map(BrokenStepReport::of).collect(),
            passed_over: run.passed_over.iter().map(PassedOverReport::of).collect(),
            data: data_of(run),
            model: run.model.as_ref().map(ModelReport::of),
            stacks: BTreeMap::new(),
            parts: None,
            checkpoints,
            warnings,
            network: place.traffic().map(TrafficReport::of),
        }
    }

    /// Says which stacks of layers there are, where there are several.
    pub(super) fn name_stacks(&mut self, survey: &Survey) {
        let stacks = survey.stacks();
        if stacks.len() > 1 {
            let stacks = stacks.into_iter();
            self.stacks = stacks
                .map(|(name, layers)| (name.to_owned(), layers))
                .collect();
        }
    }

    /// Says which weights have fewer layers than their model.
    pub(super) fn tell_missing_layers(&mut self, survey: &Survey) {
        self.warnings.extend_from_slice(&survey.missing_layers);
    }

    /// Says what the model is made of.
    pub(super) fn name_parts(&mut self, anatomy: &Anatomy) {
        let has_layers = !anatomy.stacks.is_empty();
        self.parts = has_layers.then(|| AnatomyReport::of(anatomy));
    }

    /// The files, and parts as a whole, that could not be read.
    pub(super) fn broken_files(&self) -> usize {
        let parts = self.checkpoints.iter().flat_map(|it| &it.parts);
        let parts: Vec<&PartReport> = parts.collect();
        let files = parts.iter().flat_map(|part| &part.files);
        let files = files.filter(|file| file.error.is_some()).count();
        files + parts.iter().filter(|part| part.error.is_some()).count()
    }
}

/// What is odd about the files of checkpoints, each oddity once.
fn odd_files(checkpoints: &[CheckpointReport]) -> Vec<String> {
    let parts = checkpoints.iter().flat_map(|checkpoint| &checkpoint.parts);
    let files = parts.flat_map(|part| &part.files);
    let each = files.flat_map(|file| file.warnings.iter().map(|it| (file.path.as_str(), *it)));
    CatalogWarning::in_words(each)
}

impl BrokenStepReport {
    fn of(step: &BrokenStep) -> Self {
        Self {
            step: step.number,
            path: step.path.clone(),
            reason: step.trouble.to_string(),
        }
    }
}

impl PassedOverReport {
    fn of(one: &PassedOver) -> Self {
        Self {
            path: one.path.clone(),
            reason: one.reason.to_string(),
        }
    }
}

impl CheckpointReport {
    async fn read(step: &Step, tree: &dyn Tree) -> Self {
        let mut sorted: Vec<&Part> = step.parts.iter().collect();
        sorted.sort_by_key(|part| place(part));
        let parts = sorted.into_iter().map(|part| PartReport::read(part, tree));
        Self {
            step: step.number,
            parts: join_all(parts).await,
        }
    }
}

impl PartReport {
    async fn read(part: &Part, tree: &dyn Tree) -> Self {
        let (files, warnings, error) = match part.read(tree).await {
            Ok(content) => {
                let stored = how_stored(Contents::of(content.files.clone(), tree).await);
                let files = content.files.into_iter();
                let files = files.map(|it| FileReport::of(&it.path, Ok(it.catalog), &stored, tree));
                (files.collect(), content.warnings, None)
            }
            // What is wrong with each file is said beside it.
            Err(error) => {
                let files = part.paths.iter().map(|path| FileReport::read(path, tree));
                let files: Vec<FileReport> = join_all(files).await;
                let is_of_file = files.iter().any(|file| file.error.is_some());
                let error = (!is_of_file).then(|| error.to_string());
                (files, Vec::new(), error)
            }
        };
        Self {
            kind: part.kind.name(),
            split: part.split.map(Split::name),
            error,
            warnings,
            totals: totals(&files),
            files,
        }
    }
}

/// How tensors are stored, by file and name.
type HowStored = BTreeMap<(String, String), String>;

fn how_stored(contents: Contents) -> HowStored {
    let named = contents
        .tensors
        .into_iter()
        .filter(|tensor| !tensor.is_implied);
    let told = named.filter_map(|tensor| {
        let told = match tensor.storage {
            Storage::Values(_) => tensor.remark?,
            Storage::Integers(_) => return None,
            // Of a distributed checkpoint that shows only beside the files of its chunks.
            Storage::Obstructed(Obstacle::Unreadable { reason }) => reason,
            Storage::Obstructed(obstacle) => obstacle.to_string(),
        };
        Some(((tensor.path, tensor.name), told))
    });
    told.collect()
}

impl FileReport {
    async fn read(path: &str, tree: &dyn Tree) -> Self {
        Self::of(path, catalog(path, tree).await, &HowStored::new(), tree)
    }

    fn of(
        path: &str,
        catalog: Result<Catalog, ReadError>,
        stored: &HowStored,
        tree: &dyn Tree,
    ) -> Self {
        let entry = tree.files().iter().find(|file| file.path == path);
        let (catalog, error) = match catalog {
            Ok(catalog) => (catalog, None),
            Err(error) => (Catalog::default(), Some(error.to_string())),
        };
        let unreadable = |(name, reason)| UnreadableReport { name, reason };
        let listed = catalog.listed();
        let tensors = listed
            .map(|listed| TensorReport::of(listed, path, stored))
            .collect();
        Self {
            path: path.to_owned(),
            bytes: entry.map_or(0, |file| file.bytes),
            error,
            metadata: catalog
                .metadata
                .into_iter()
                .map(|(key, value)| (key, Value::String(value)))
                .collect(),
            tensors,
            unreadable: catalog.unreadable.into_iter().map(unreadable).collect(),
            warnings: catalog.warnings,
        }
    }
}

async fn catalog(path: &str, tree: &dyn Tree) -> Result<Catalog, ReadError> {
    let source = tree.open(path).await?;
    catalog_of(&*source).await
}

impl TensorReport {
    fn of((name, dtype, shape): (&str, Dtype, &[u64]), path: &str, stored: &HowStored) -> Self {
        let count = |all: u64, extent: &u64| all.saturating_mul(*extent);
        let elements = shape.iter().fold(1, count);
        Self {
            stored: stored.get(&(path.to_owned(), name.to_owned())).cloned(),
            dtype: dtype.name(),
            elements,
            bytes: elements.saturating_mul(dtype.bytes()),
            name: name.to_owned(),
            shape: shape.to_vec(),
        }
    }
}

impl ModelReport {
    fn of(model: &ModelShape) -> Self {
        // Where a file does not say it, the tensors' shapes do.
        let n_kv_heads = model.n_kv_heads;
        let model = model.with_usual();
        Self {
            d_model: model.d_model,
            n_layers: model.n_layers,
            n_heads: model.n_heads,
            n_kv_heads,
            d_head: model.d_head,
            source: model.source,
        }
    }
}

/// Per element type, the one with most bytes first.
fn totals(files: &[FileReport]) -> Vec<TotalReport> {
    let mut totals: Vec<TotalReport> = Vec::new();
    for tensor in files.iter().flat_map(|file| &file.tensors) {
        let index = totals
            .iter()
            .position(|total| total.dtype == tensor.dtype)
            .unwrap_or_else(|| {
                totals.push(TotalReport::none(tensor.dtype));
                totals.len() - 1
            });
        if let Some(total) = totals.get_mut(index) {
            total.tensors += 1;
            total.elements = total.elements.saturating_add(tensor.elements);
            total.bytes = total.bytes.saturating_add(tensor.bytes);
        }
    }
    totals.sort_by_key(|total| std::cmp::Reverse(total.bytes));
    totals
}

impl TotalReport {
    const fn none(dtype: &'static str) -> Self {
        Self {
            dtype,
            tensors: 0,
            elements: 0,
            bytes: 0,
        }
    }
}

/// Where a part stands among those of a step; what serves both splits comes last.
type Rank = (bool, Option<Split>, DataKind);

fn place(part: &Part) -> Rank {
    (part.split.is_none(), part.split, part.kind)
}

/// Which steps have which kind of data.
fn data_of(run: &Run) -> Vec<DataReport> {
    let mut steps: BTreeMap<Rank, BTreeSet<u64>> = BTreeMap::new();
    for step in &run.steps {
        for part in &step.parts {
            steps.entry(place(part)).or_default().insert(step.number);
        }
    }
    let report = |((_, split, kind), steps): (Rank, BTreeSet<u64>)| {
        let split = split.map(Split::name);
        DataReport {
            kind: kind.name(),
            split,
            steps: steps.into_iter().collect(),
        }
    };
    steps.into_iter().map(report).collect()
}

const fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Pico => "pico",
        Layout::StepFolders => "step_folders",
        Layout::StepFiles => "step_files",
        Layout::Single => "single",
    }
}
