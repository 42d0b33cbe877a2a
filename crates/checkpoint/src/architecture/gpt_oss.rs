//! GPT-OSS: experts stacked `[experts, in, out]`, gates and what they multiply taking turns.

use super::Architecture;
use super::attention::AttentionTensors;
use super::llama::{APART, rotation};
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, StackOrder};

/// GPT-OSS.
pub(super) const GPT_OSS: Architecture = Architecture {
    name: "GPT-OSS",
    model_types: &["gpt_oss"],
    attention: &[AttentionTensors::apart(APART, &[])],
    mlps: &[MlpTensors::Experts(ExpertTensors {
        storage: ExpertStorage::Stacked {
            linears: Linears::Fused {
                gate_up: "mlp.experts.gate_up_proj",
                takes_turns: true,
                down: "mlp.experts.down_proj",
            },
            order: StackOrder::InOut,
            is_known_by_name: false,
        },
        router: "mlp.router",
        shared: None,
    })],
    scores: rotation,
    ..Architecture::EMPTY
};
