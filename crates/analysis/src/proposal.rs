//! Analyses worth doing, for a run of which nobody has said anything yet.
//!
//! They are made of what the run's layers have. The model's architecture says which tensors are its
//! parts; where it is not known, names that are usual in the field say which
//! matrices attention and MLP write with, and where there are none of them, the matrices there are
//! will do. Every proposal is a config like any other.
//!
//! A proposal is YAML, so the config reader checks it and the plan plans it like a person's own.

mod budget;
mod choice;
mod role;
mod writing;

use std::collections::BTreeSet;

use ckptscope_checkpoint::{DataKind, Run};
use ckptscope_protocol::tab::Proposal;

use crate::config::ComponentEntry;
use crate::registry::Registry;
use crate::survey::Survey;
pub use budget::{Budget, NoProposal, within};
use choice::Choice;
use writing::{Entry, write};

/// The analyses worth doing of a run, the one to begin with first; none where no layer has a
/// matrix. Of several stacks of layers each has its own, those of the largest first.
#[must_use]
pub fn proposals(run: &Run, survey: &Survey, registry: &Registry) -> Vec<Proposal> {
    let extent = Extent {
        depth: Depth::AllButExperts,
        ..Extent::default()
    };
    let choices = Choice::of_each_stack(run, survey, registry, &extent);
    choices.iter().flat_map(of_stack).collect()
}

/// The steps and layers that proposals are of, and what their analysis is called.
#[derive(Clone, Debug, Default)]
struct Extent {
    /// The name; none for none.
    name: Option<String>,
    /// What to say of it above everything.
    remarks: Vec<String>,
    /// None for all.
    steps: Option<Vec<u64>>,
    /// None for all.
    layers: Option<BTreeSet<u64>>,
    /// How much of the layers.
    depth: Depth,
}

/// How much of layers an analysis looks at. Whole matrices take the cube of their width to be
/// decomposed, and a layer may have hundreds of experts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Depth {
    /// Everything, experts too.
    #[default]
    Everything,
    /// The same, but for the decomposition of experts.
    ExpertsWhole,
    /// Circuits alone are decomposed.
    CircuitsOnly,
    /// The same without experts.
    NoExperts,
    /// Everything that all tokens go through. Who asks for no budget has experts by themselves.
    AllButExperts,
}

impl Depth {
    /// What is tried for a budget, the most first.
    const WITHIN_BUDGET: [Self; 4] = [
        Self::Everything,
        Self::ExpertsWhole,
        Self::CircuitsOnly,
        Self::NoExperts,
    ];

    /// Whether matrices are decomposed that all tokens go through.
    const fn decomposes(self) -> bool {
        !matches!(self, Self::CircuitsOnly | Self::NoExperts)
    }

    /// Whether it says something of experts.
    const fn has_experts(self) -> bool {
        !matches!(self, Self::NoExperts | Self::AllButExperts)
    }
}

fn of_stack(choice: &Choice<'_>) -> impl Iterator<Item = Proposal> {
    let all = [
        Some(development(choice)),
        similarity(choice),
        Some(spectrum(choice)),
        Some(sparsity(choice)),
        heads(choice),
        experts(choice),
    ];
    all.into_iter().flatten()
}

/// The most telling of everything there is.
fn development(choice: &Choice<'_>) -> Proposal {
    let mut entries = Vec::new();
    if let Some(target) = choice.target {
        let mut components = choice.few(DataKind::Activations);
        components.extend(choice.circuits(DataKind::Activations));
        entries.push(
            Entry::new(
                "cka",
                "How alike a step's activations are to the last step's: 0 unrelated, 1 finished.",
                components,
            )
            .target(target),
        );
    }
    let kind = choice.main_kind();
    let (mut whole, circuits) = (choice.few(kind), choice.circuits(kind));
    // What is singular about circuits takes the width of a head, of whole matrices their own.
    let depth = choice.extent.depth;
    let mut decomposed = Vec::new();
    if depth.decomposes() {
        decomposed.extend(whole.iter().cloned());
    }
    let experts = choice.written_by_experts(kind);
    if depth == Depth::Everything {
        decomposed.extend(experts.clone());
    }
    whole.extend(experts.filter(|_| depth.has_experts()));
    decomposed.extend(circuits.iter().cloned());
    let mut ranks = decomposed.clone();
    if kind == DataKind::Weights && depth.decomposes() {
        ranks.extend(choice.few(DataKind::Gradients));
    }
    entries.push(Entry::new(
        "per",
        "How many directions a matrix uses, as a share of those it has.",
        ranks,
    ));
    for (metric, comment, components) in [
        (
            "condition_number",
            "The largest stretch against the smallest.",
            decomposed,
        ),
        (
            "gini",
            "How unevenly the magnitudes are spread: 0 even, towards 1 concentrated.",
            whole.clone(),
        ),
        ("norm", "How large a matrix is.", whole),
    ] {
        entries.push(Entry::new(metric, comment, components));
    }
    let size = Entry::new(
        "norm",
        "How large a circuit is: the sum of all stretches.",
        circuits,
    );
    entries.push(size.with("norm_type", "nuclear"));
    let title = if choice.is_one_step {
        "How the layers compare"
    } else {
        "How every layer develops"
    };
    let summary = match (choice.target, kind) {
        (Some(_), _) => "Similarity to the last step, rank, conditioning, concentration and size",
        (None, DataKind::Activations) => "Conditioning, concentration and size of activations",
        (None, _) => "Rank, conditioning, concentration and size of the matrices that matter most",
    };
    write(choice, title, summary, &entries)
}

/// Activations against those of the last step.
fn similarity(choice: &Choice<'_>) -> Option<Proposal> {
    let target = choice.target?;
    let components = choice.all(DataKind::Activations);
    let entries = [
        Entry::new(
            "cka",
            "Alike up to rotation and scale: 0 not at all, 1 entirely.",
            components.clone(),
        )
        .target(target),
        Entry::new(
            "pwcca",
            "Alike up to any linear map, the directions that matter most weighing most.",
            components,
        )
        .target(target)
        .with("variant", "paper"),
    ];
    Some(write(
        choice,
        "When the layers settle",
        "How alike every step's activations are to the last step's, by CKA and PWCCA",
        &entries,
    ))
}

/// What singular values tell.
fn spectrum(choice: &Choice<'_>) -> Proposal {
    let kind = choice.main_kind();
    let components = choice.all(kind);
    let entries = [
        Entry::new(
            "per",
            "How many directions a matrix uses, as a share of those it has.",
            components.clone(),
        ),
        Entry::new(
            "condition_number",
            "The largest stretch against the smallest.",
            components.clone(),
        ),
        Entry::new("norm", "The sum of all stretches.", components).with("norm_type", "nuclear"),
    ];
    let title = format!("Spectrum of all {kind}");
    write(
        choice,
        &title,
        "How many directions every matrix uses, and how unevenly it stretches them",
        &entries,
    )
}

/// How few entries carry a matrix.
fn sparsity(choice: &Choice<'_>) -> Proposal {
    let has_gradients = !choice.all(DataKind::Gradients).is_empty();
    let kind = if has_gradients {
        DataKind::Gradients
    } else {
        choice.main_kind()
    };
    let components = choice.all(kind);
    let entries = [
        Entry::new(
            "gini",
            "How unevenly the magnitudes are spread: 0 even, towards 1 concentrated.",
            components.clone(),
        ),
        Entry::new(
            "hoyer",
            "How few entries carry the matrix: 0 all alike, 1 a single one.",
            components.clone(),
        ),
        Entry::new("norm", "How large it is.", components),
    ];
    let title = format!("Sparsity of {kind}");
    write(
        choice,
        &title,
        "Whether a few entries carry every matrix, or all of them",
        &entries,
    )
}

/// What every expert writes with.
fn experts(choice: &Choice<'_>) -> Option<Proposal> {
    let experts = vec![choice.written_by_experts(DataKind::Weights)?];
    let entries = [
        Entry::new(
            "per",
            "How many directions an expert writes, as a share of those it could.",
            experts.clone(),
        ),
        Entry::new("norm", "How much an expert writes.", experts.clone()),
        Entry::new(
            "gini",
            "How unevenly its magnitudes are spread: 0 even, towards 1 concentrated.",
            experts,
        ),
    ];
    Some(write(
        choice,
        "How experts differ",
        "Every expert's output projection: its rank, its size and its concentration",
        &entries,
    ))
}

/// What every attention head writes for what it reads, and where it looks.
fn heads(choice: &Choice<'_>) -> Option<Proposal> {
    let circuits = choice.circuits(DataKind::Weights);
    let is_square = |entry: &&ComponentEntry| entry.component.name() == "ov_circuit";
    let copying = circuits.iter().filter(is_square).cloned().collect();
    if circuits.is_empty() {
        return None;
    }
    let mut entries = vec![
        Entry::new(
            "per",
            "How many directions a head passes on, as a share of those it could.",
            circuits.clone(),
        ),
        Entry::new("norm", "How much a head does.", circuits).with("norm_type", "nuclear"),
        Entry::new(
            "copying",
            "Whether a head writes what it reads: 1 the same, -1 the opposite.",
            copying,
        ),
    ];
    let activations = choice.circuits(DataKind::Activations);
    if let (Some(target), false) = (choice.target, activations.is_empty()) {
        entries.push(
            Entry::new(
                "cka",
                "How alike what a head writes is to what it writes in the end.",
                activations,
            )
            .target(target),
        );
    }
    Some(write(
        choice,
        "What attention heads do",
        "The circuits of every head: what it writes for what it reads, and which tokens it looks at",
        &entries,
    ))
}
