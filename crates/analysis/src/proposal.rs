//! Analyses worth doing, for a run of which nobody has said anything yet.
//!
//! They are made of what the run's layers have: names that are usual in the field say which
//! matrices attention and MLP write with, and where there are none of them, the matrices there are
//! will do. Every proposal is a config like any other.
//!
//! A proposal is YAML, so the config reader checks it and the plan plans it like a person's own.

mod choice;
mod role;
mod writing;

use ckptscope_checkpoint::{DataKind, Run};
use ckptscope_metrics::ParameterValue;
use ckptscope_protocol::tab::Proposal;

use crate::registry::Registry;
use crate::survey::Survey;
use choice::Choice;
use writing::{Entry, write};

/// The analyses worth doing of a run, the one to begin with first; none where no layer has a
/// matrix. Of several stacks of layers each has its own, those of the largest first.
#[must_use]
pub fn proposals(run: &Run, survey: &Survey, registry: &Registry) -> Vec<Proposal> {
    let choices = Choice::of_each_stack(run, survey, registry);
    choices.iter().flat_map(of_stack).collect()
}

fn of_stack(choice: &Choice<'_>) -> impl Iterator<Item = Proposal> {
    let all = [
        Some(development(choice)),
        similarity(choice),
        Some(spectrum(choice)),
        Some(sparsity(choice)),
        heads(choice),
    ];
    all.into_iter().flatten()
}

/// The most telling of everything there is.
fn development(choice: &Choice<'_>) -> Proposal {
    let mut entries = Vec::new();
    if let Some(target) = choice.target {
        let mut components = choice.few(DataKind::Activations);
        components.extend(choice.ov_circuit(DataKind::Activations));
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
    let mut parameters = choice.few(kind);
    parameters.extend(choice.ov_circuit(kind));
    let mut ranks = parameters.clone();
    if kind == DataKind::Weights {
        ranks.extend(choice.few(DataKind::Gradients));
    }
    entries.push(Entry::new(
        "per",
        "How many directions a matrix uses, as a share of those it has.",
        ranks,
    ));
    for (metric, comment) in [
        (
            "condition_number",
            "The largest stretch against the smallest.",
        ),
        (
            "gini",
            "How unevenly the magnitudes are spread: 0 even, towards 1 concentrated.",
        ),
        ("norm", "How large a matrix is."),
    ] {
        entries.push(Entry::new(metric, comment, parameters.clone()));
    }
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

/// What every attention head writes for what it reads.
fn heads(choice: &Choice<'_>) -> Option<Proposal> {
    let mut circuit = choice.ov_circuit(DataKind::Weights)?;
    let proper = ParameterValue::Choice("circuit");
    circuit.parameters = circuit.parameters.with("form", proper);
    let mut entries = vec![
        Entry::new(
            "per",
            "How many directions a head passes on, as a share of those it could.",
            vec![circuit.clone()],
        ),
        Entry::new("norm", "How much a head writes.", vec![circuit.clone()]),
        Entry::new(
            "gini",
            "Whether it writes a few entries or all of them.",
            vec![circuit],
        ),
    ];
    if let (Some(target), Some(activations)) =
        (choice.target, choice.ov_circuit(DataKind::Activations))
    {
        entries.push(
            Entry::new(
                "cka",
                "How alike what a head writes is to what it writes in the end.",
                vec![activations],
            )
            .target(target),
        );
    }
    Some(write(
        choice,
        "What attention heads do",
        "The output-value circuit of every head: its rank, its size and its concentration",
        &entries,
    ))
}
