//! What a run's layers have, from the catalogs of one step per kind of data.

use std::collections::BTreeMap;

use ckptscope_checkpoint::{DataKind, Part, Run, Split, Tree};

use crate::plan::Catalogs;

/// The tensors that layers have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// By kind, split and suffix.
    pub suffixes: Vec<Suffix>,
    /// Parts whose catalogs could not be read, with the reason.
    pub warnings: Vec<String>,
}

/// A tensor that layers have, by its name within the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suffix {
    /// What it is of.
    pub kind: DataKind,
    /// The split; none where it serves both.
    pub split: Option<Split>,
    /// As a config names it: `attention.v_proj`.
    pub name: String,
    /// The step that was looked at: the last that has this kind of data and split.
    pub step: u64,
    /// Its shape in every layer that has it, by layer.
    pub shapes: BTreeMap<u64, Vec<u64>>,
    /// Whether its elements are fractions: masks and indices are not.
    pub is_float: bool,
}

impl Survey {
    /// Looks at the last step that has each kind of data.
    pub async fn of(run: &Run, tree: &dyn Tree, catalogs: &Catalogs) -> Self {
        let mut survey = Self::default();
        for (step, part) in last_parts(run) {
            match catalogs.part(part, tree).await {
                Ok(index) => {
                    let mut suffixes = index.suffixes(part, step);
                    survey.suffixes.append(&mut suffixes);
                }
                Err(error) => survey
                    .warnings
                    .push(format!("step {step} was passed over here: {error}")),
            }
        }
        survey
    }

    /// The tensors that a config of a split reaches, of one kind.
    pub(crate) fn of_split(
        &self,
        kind: DataKind,
        split: Split,
    ) -> impl Iterator<Item = &Suffix> + '_ {
        let of_kind = move |suffix: &&Suffix| suffix.kind == kind;
        let has_own = self
            .suffixes
            .iter()
            .filter(of_kind)
            .any(|suffix| suffix.split == Some(split));
        let wanted = has_own.then_some(split);
        self.suffixes
            .iter()
            .filter(of_kind)
            .filter(move |suffix| suffix.split == wanted)
    }
}

/// The last part of each kind and split, with its step.
fn last_parts(run: &Run) -> Vec<(u64, &Part)> {
    let mut parts: BTreeMap<(DataKind, Option<Split>), (u64, &Part)> = BTreeMap::new();
    for step in &run.steps {
        for part in &step.parts {
            parts.insert((part.kind, part.split), (step.number, part));
        }
    }
    parts.into_values().collect()
}
