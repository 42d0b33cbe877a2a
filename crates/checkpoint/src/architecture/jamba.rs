//! Jamba and other models of attention and state spaces, whose MLPs are called `feed_forward`.

use super::Architecture;
use super::attention::{AttentionTensors, PositionalScores};
use super::llama::{APART, EXPERT, NORMS};
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, StackOrder};

/// Jamba, which knows of no positions, Bamba and Falcon H1.
pub(super) const JAMBA: Architecture = Architecture {
    name: "Jamba",
    model_types: &["jamba", "bamba", "falcon_h1"],
    attention: &[AttentionTensors::apart(APART, NORMS)],
    mlps: &[
        MlpTensors::gated(
            "feed_forward.gate_proj",
            "feed_forward.up_proj",
            "feed_forward.down_proj",
        ),
        MlpTensors::Experts(ExpertTensors {
            storage: ExpertStorage::Numbered {
                folder: "feed_forward.experts",
                linears: EXPERT,
            },
            router: "feed_forward.router",
            shared: None,
        }),
        // As modules of `transformers` 5 hold them.
        MlpTensors::Experts(ExpertTensors {
            storage: ExpertStorage::Stacked {
                linears: Linears::Fused {
                    gate_up: "feed_forward.experts.gate_up_proj",
                    takes_turns: false,
                    down: "feed_forward.experts.down_proj",
                },
                order: StackOrder::AsFits,
                is_known_by_name: false,
            },
            router: "feed_forward.router",
            shared: None,
        }),
    ],
    scores: |config| match config?.model_type.as_deref() {
        Some("jamba") => Some(PositionalScores::Nothing),
        _ => Some(PositionalScores::Rotation),
    },
    ..Architecture::EMPTY
};
