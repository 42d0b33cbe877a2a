//! Training runs: which files belong to which step.

pub(crate) mod cache;
mod content;
mod find;
mod folder;
mod model;
mod naming;
mod needed;
mod pattern;
mod series;
mod shards;
mod spread;
mod stamp;
mod step_name;
mod trouble;
mod weights;

#[cfg(feature = "hub")]
pub(crate) use folder::recorded_as;
#[cfg(feature = "hub")]
pub(crate) use model::Model;
#[cfg(feature = "hub")]
pub(crate) use model::of_steps::{other_model, take_back};
#[cfg(feature = "hub")]
pub(crate) use pattern::{ANYTHING, Named, STEP, fits, step_in};
#[cfg(feature = "hub")]
pub(crate) use series::WeightsName;
#[cfg(feature = "hub")]
pub(crate) use trouble::troubles_in_words;
#[cfg(feature = "hub")]
pub(crate) use weights::{is_auxiliary, is_checkpoint};

pub use ckptscope_vocabulary::{DataKind, HeadShape, ModelShape, Split};
pub use content::{FileContent, PartContent};
pub use model::ModelConfig;
pub use spread::SpreadCheckpoint;
pub use trouble::{BrokenStep, PassedOver, Reason, StepTrouble};

use crate::error::RunError;
use crate::tree::{FileEntry, Tree};

/// How a run's files are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `checkpoints/step_{N}/learning_dynamics/{split}_{kind}.pt`, as pico-train writes.
    Pico,
    /// One folder per step: `checkpoint-{N}`, `step{N}`, `global_step{N}`, `iter_{N}`, ...
    StepFolders,
    /// One file per step, the step in its name.
    StepFiles,
    /// One checkpoint; step 0 where no name says its step.
    Single,
}

/// The files that hold one kind of data of one step (several where a checkpoint is sharded).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// What they hold.
    pub kind: DataKind,
    /// The split, where the layout tells one apart; `None` serves both.
    pub split: Option<Split>,
    /// Paths in the tree, in shard order. Where there is an index, those that may be its shards.
    pub paths: Vec<String>,
    /// Path of the shard index, which says which file has which tensor.
    pub index: Option<String>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The optimiser step.
    pub number: u64,
    /// Its files by kind and split.
    pub parts: Vec<Part>,
}

/// A training run: its steps in ascending order, and what is known of its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How the files are laid out.
    pub layout: Layout,
    /// Steps that can be read as far as names say, ascending, numbers unique.
    pub steps: Vec<Step>,
    /// Steps that cannot be read, as names say, ascending.
    pub broken: Vec<BrokenStep>,
    /// The model's dimensions, where a config was found.
    pub model: Option<ModelShape>,
    /// What that config says besides.
    pub config: Option<ModelConfig>,
    /// Files and folders that were passed over, sorted by reason and path.
    pub passed_over: Vec<PassedOver>,
    /// What was assumed or passed over while looking, in words.
    pub warnings: Vec<String>,
}

impl Run {
    /// Recognises the steps of a run among a tree's files; reads the training config only.
    ///
    /// # Errors
    /// [`RunError`] when the tree holds nothing that looks like a checkpoint.
    pub async fn find(tree: &dyn Tree) -> Result<Self, RunError> {
        let Some(cache) = cache::CacheTree::of(tree).await else {
            return find::find(tree).await;
        };
        let mut run = find::find(&cache).await?;
        run.warnings.splice(0..0, cache.warnings.iter().cloned());
        Ok(cache.in_place(run))
    }

    /// The steps of a tree, whose weights are called as those of a known one. No config is read.
    ///
    /// # Errors
    /// As [`Run::find`].
    #[cfg(feature = "hub")]
    pub(crate) fn find_beside(
        tree: &dyn Tree,
        weights_name: Option<WeightsName>,
    ) -> Result<Self, RunError> {
        find::find_steps(tree, weights_name)
    }

    /// The warnings without those of steps that cannot be read, which `broken` has.
    #[must_use]
    pub fn warnings_of_others(&self) -> Vec<String> {
        let troubles = self.broken.iter();
        let told: Vec<String> = troubles
            .map(|step| format!(" cannot be read: {}", step.trouble))
            .collect();
        let is_other = |warning: &&String| !told.iter().any(|words| warning.ends_with(words));
        self.warnings.iter().filter(is_other).cloned().collect()
    }

    /// Which config files of a run's tree were looked at for the number of heads, and what became
    /// of each, in words. It reads them again, so it is for when the number is missed.
    pub async fn account_of_configs(tree: &dyn Tree) -> String {
        model::account(tree).await
    }

    /// Of the tree in which the run was found, the files of which a copy is the same run: all that
    /// its steps name, configs and shard indexes. Nobody would read what stays behind: optimiser
    /// states, logs, tokenizers. All files where fewer would be another run.
    pub async fn needed_files(&self, tree: &dyn Tree) -> Vec<FileEntry> {
        needed::files(self, tree).await
    }
}

impl Step {
    /// The part that serves `kind` and `split`: that split's own file, else a checkpoint that
    /// serves both (weights only).
    #[must_use]
    pub fn part(&self, kind: DataKind, split: Split) -> Option<&Part> {
        let of_kind = |part: &&Part| part.kind == kind;
        self.parts
            .iter()
            .filter(of_kind)
            .find(|part| part.split == Some(split))
            .or_else(|| {
                self.parts
                    .iter()
                    .filter(of_kind)
                    .find(|part| part.split.is_none())
            })
    }
}
