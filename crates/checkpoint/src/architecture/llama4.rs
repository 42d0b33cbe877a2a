//! Llama 4: Llama's attention, and experts stacked `[experts, in, out]` in every other layer.

use super::Architecture;
use super::attention::AttentionTensors;
use super::llama::{APART, rotation};
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, SharedExpert, StackOrder};

/// The MLP of layers without experts.
const DENSE: Linears = Linears::gated(
    "feed_forward.gate_proj",
    "feed_forward.up_proj",
    "feed_forward.down_proj",
);

/// Llama 4. Its norms of queries and keys have no gains.
pub(super) const LLAMA4: Architecture = Architecture {
    name: "Llama 4",
    model_types: &["llama4", "llama4_text"],
    attention: &[AttentionTensors::apart(APART, &[])],
    mlps: &[
        MlpTensors::Dense(DENSE),
        MlpTensors::Experts(ExpertTensors {
            storage: ExpertStorage::Stacked {
                linears: Linears::Fused {
                    gate_up: "feed_forward.experts.gate_up_proj",
                    takes_turns: false,
                    down: "feed_forward.experts.down_proj",
                },
                order: StackOrder::InOut,
                is_known_by_name: false,
            },
            router: "feed_forward.router",
            shared: Some(SharedExpert {
                linears: Linears::gated(
                    "feed_forward.shared_expert.gate_proj",
                    "feed_forward.shared_expert.up_proj",
                    "feed_forward.shared_expert.down_proj",
                ),
                router: None,
            }),
        }),
    ],
    scores: rotation,
    ..Architecture::EMPTY
};
