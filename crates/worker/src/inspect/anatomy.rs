//! What a model is made of, as `worker inspect` tells it.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_analysis::anatomy::{Anatomy, OutsideAnatomy, StackAnatomy};
use ckptscope_checkpoint::architecture::{FoundParts, ModelPart, Role};
use serde::Serialize;

use super::ranges;
use crate::analysis::counted;

/// The parts of a model.
#[derive(Debug, Serialize)]
pub(super) struct AnatomyReport {
    /// The type of the model, as its config says it.
    pub(super) model_type: Option<String>,
    /// The architecture that is of; none where it is not known.
    pub(super) architecture: Option<&'static str>,
    /// What layers have, stack by stack.
    pub(super) stacks: Vec<StackReport>,
    /// What stands outside of layers.
    pub(super) outside: Vec<OutsideReport>,
    /// What was assumed.
    pub(super) assumed: BTreeSet<String>,
}

/// The parts of one stack of layers.
#[derive(Debug, Serialize)]
pub(super) struct StackReport {
    /// What stands before the layer's number: `model.layers.`.
    pub(super) stack: String,
    /// The layers that have weights, ascending.
    pub(super) layers: Vec<u64>,
    /// The heads of attention, once for all layers that have the same.
    pub(super) heads: Vec<HeadsReport>,
    /// What a role's tensors are, once for all layers that have the same.
    pub(super) roles: Vec<RoleReport>,
    /// Why a role cannot be told.
    pub(super) problems: BTreeSet<String>,
}

/// The heads of some layers.
#[derive(Debug, Serialize)]
pub(super) struct HeadsReport {
    /// The layers, ascending.
    pub(super) layers: Vec<u64>,
    /// Attention heads.
    pub(super) n_heads: u64,
    /// Key-value heads.
    pub(super) n_kv_heads: u64,
    /// Width of a head's query and key.
    pub(super) d_qk: u64,
    /// Width of a head's value.
    pub(super) d_v: u64,
}

/// The tensors of a role in some layers.
#[derive(Debug, Serialize)]
pub(super) struct RoleReport {
    /// As the key `part` of configs spells it.
    pub(super) role: &'static str,
    /// The layers, ascending.
    pub(super) layers: Vec<u64>,
    /// The tensor within a layer; `{0..3}` stands for the experts' numbers.
    pub(super) tensor: String,
    /// How many experts have one; none where all tokens go through it.
    pub(super) experts: Option<usize>,
}

/// A part outside of layers.
#[derive(Debug, Serialize)]
pub(super) struct OutsideReport {
    /// As the key `part` of configs spells it.
    pub(super) role: &'static str,
    /// Its tensor.
    pub(super) tensor: String,
    /// Whether it is the embedding that serves as the unembedding too.
    pub(super) is_tied: bool,
}

impl AnatomyReport {
    pub(super) fn of(anatomy: &Anatomy) -> Self {
        let stacks = anatomy.stacks.iter();
        let of_stacks = anatomy.stacks.values().flat_map(|stack| &stack.assumed);
        let outside = anatomy.outside.values().flatten();
        let outside = outside.flat_map(|part| &part.assumed);
        Self {
            model_type: anatomy.model_type.clone(),
            architecture: anatomy.architecture,
            stacks: stacks
                .map(|(name, stack)| StackReport::of(name, stack))
                .collect(),
            outside: anatomy
                .outside
                .iter()
                .filter_map(OutsideReport::of)
                .collect(),
            assumed: of_stacks.chain(outside).cloned().collect(),
        }
    }

    /// As a person reads it, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.architecture_in_words()];
        for stack in &self.stacks {
            if self.stacks.len() > 1 {
                lines.push(format!("{}:", stack.stack));
            }
            lines.extend(stack.lines());
        }
        lines.extend(self.outside.iter().map(OutsideReport::line));
        lines.extend(self.assumed.iter().map(|it| format!("assumed: {it}")));
        lines
    }

    fn architecture_in_words(&self) -> String {
        match (self.architecture, &self.model_type) {
            (Some(name), Some(model_type)) => format!("{name} (model_type {model_type})"),
            (None, Some(model_type)) => format!("unknown architecture (model_type {model_type})"),
            (_, None) => "unknown architecture (no config says model_type)".to_owned(),
        }
    }
}

impl StackReport {
    fn of(name: &str, stack: &StackAnatomy) -> Self {
        let mut heads: BTreeMap<[u64; 4], Vec<u64>> = BTreeMap::new();
        for (layer, found) in &stack.attention {
            if let Ok(it) = found {
                let sizes = [it.n_heads, it.n_kv_heads, it.d_qk, it.d_v];
                heads.entry(sizes).or_default().push(*layer);
            }
        }
        let heads = heads.into_iter();
        let problem = |(layer, error)| format!("layer {layer}: {error}");
        Self {
            stack: name.to_owned(),
            layers: stack.layers.iter().copied().collect(),
            heads: heads.map(HeadsReport::of).collect(),
            roles: stack.parts.iter().flat_map(RoleReport::of).collect(),
            problems: stack.misfits().map(problem).collect(),
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.heads.is_empty() && self.problems.is_empty() {
            lines.push("no attention that is known".to_owned());
        }
        for heads in &self.heads {
            lines.push(format!("{}{}", heads.in_words(), self.place(&heads.layers)));
        }
        // Roles of one tensor share a line.
        let mut shared: Vec<(&RoleReport, Vec<&str>)> = Vec::new();
        for role in &self.roles {
            let same = shared.iter_mut().find(|(first, _)| first.is_beside(role));
            match same {
                Some((_, names)) => names.push(role.role),
                None => shared.push((role, vec![role.role])),
            }
        }
        lines.extend(shared.into_iter().map(|(role, names)| {
            let experts = role
                .experts
                .map(|count| format!(", {}", counted(count as u64, "expert")));
            let experts = experts.unwrap_or_default();
            let place = self.place(&role.layers);
            format!("{}: {}{experts}{place}", names.join(", "), role.tensor)
        }));
        lines.extend(self.problems.iter().take(MOST_PROBLEMS).cloned());
        lines
    }

    /// Which layers, where not all are meant.
    fn place(&self, layers: &[u64]) -> String {
        if layers == self.layers {
            return String::new();
        }
        let plural = if layers.len() == 1 { "" } else { "s" };
        format!(" (layer{plural} {})", ranges::in_words(layers))
    }
}

/// So many problems are shown; `--json` has them all.
const MOST_PROBLEMS: usize = 4;

impl HeadsReport {
    fn of((sizes, layers): ([u64; 4], Vec<u64>)) -> Self {
        let [n_heads, n_kv_heads, d_qk, d_v] = sizes;
        Self {
            layers,
            n_heads,
            n_kv_heads,
            d_qk,
            d_v,
        }
    }

    fn in_words(&self) -> String {
        let (heads, kv_heads) = (self.n_heads, self.n_kv_heads);
        let width = match (self.d_qk, self.d_v) {
            (d_qk, d_v) if d_qk == d_v => format!("{d_v} wide"),
            (d_qk, d_v) => format!("queries and keys {d_qk} wide, values {d_v}"),
        };
        let (heads, kv_heads) = (counted(heads, "head"), counted(kv_heads, "key-value head"));
        format!("{heads}, {kv_heads}, {width}")
    }
}

impl RoleReport {
    fn of((role, layers): (&Role, &BTreeMap<u64, Result<FoundParts, impl Sized>>)) -> Vec<Self> {
        let mut same: BTreeMap<(String, Option<usize>), Vec<u64>> = BTreeMap::new();
        for (layer, found) in layers {
            if let Ok(found) = found {
                let tensors = tensors_of(&found.parts);
                same.entry(tensors).or_default().push(*layer);
            }
        }
        let report = |((tensor, experts), layers)| Self {
            role: role.name(),
            layers,
            tensor,
            experts,
        };
        same.into_iter().map(report).collect()
    }

    fn is_beside(&self, other: &Self) -> bool {
        (&self.tensor, &self.layers, self.experts) == (&other.tensor, &other.layers, other.experts)
    }
}

/// The tensor of a role, and of how many experts it is.
fn tensors_of(parts: &[ModelPart]) -> (String, Option<usize>) {
    let Some(first) = parts.first() else {
        return (String::new(), None);
    };
    let tensor = &first.projection.view.tensor;
    let (Some(from), Some(to)) = (first.expert, parts.last().and_then(|last| last.expert)) else {
        let latent = first.projection.latent.as_ref();
        let read = latent.map(|latent| format!(" after {}", latent.view.tensor));
        return (format!("{tensor}{}", read.unwrap_or_default()), None);
    };
    let tensor = match first.projection.view.slice {
        Some(_) => tensor.clone(),
        None => tensor.replacen(&format!(".{from}."), &format!(".{{{from}..{to}}}."), 1),
    };
    (tensor, Some(parts.len()))
}

impl OutsideReport {
    fn of<E>((role, found): (&Role, &Result<OutsideAnatomy, E>)) -> Option<Self> {
        let found = found.as_ref().ok()?;
        Some(Self {
            role: role.name(),
            tensor: found.name.clone(),
            is_tied: found.is_tied,
        })
    }

    fn line(&self) -> String {
        let tied = if self.is_tied {
            ", tied to the embedding"
        } else {
            ""
        };
        format!("{}: {}{tied}", self.role, self.tensor)
    }
}
