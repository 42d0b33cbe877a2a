//! Mixtral and its kin: experts in `block_sparse_moe`.

use super::Architecture;
use super::attention::{AttentionTensors, PositionalScores};
use super::llama::{APART, NORMS, STACKED_EXPERTS};
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, SharedExpert, StackOrder};

/// Experts by number, `w1` being the gate and `w3` what it is multiplied with.
const NUMBERED: MlpTensors = MlpTensors::Experts(ExpertTensors {
    storage: ExpertStorage::Numbered {
        folder: "block_sparse_moe.experts",
        linears: Linears::gated("w1", "w3", "w2"),
    },
    router: "block_sparse_moe.gate",
    shared: None,
});

/// Experts as Granite stacks them: `[experts, out, in]`.
const STACKED: MlpTensors = MlpTensors::Experts(ExpertTensors {
    storage: ExpertStorage::Stacked {
        linears: Linears::Fused {
            gate_up: "block_sparse_moe.input_linear",
            takes_turns: false,
            down: "block_sparse_moe.output_linear",
        },
        order: StackOrder::OutIn,
        is_known_by_name: true,
    },
    router: "block_sparse_moe.router.layer",
    shared: Some(SharedExpert {
        linears: Linears::Fused {
            gate_up: "shared_mlp.input_linear",
            takes_turns: false,
            down: "shared_mlp.output_linear",
        },
        router: None,
    }),
});

/// Mixtral, Phi's and Granite's mixtures.
pub(super) const MIXTRAL: Architecture = Architecture {
    name: "Mixtral",
    model_types: &[
        "mixtral",
        "phimoe",
        "granitemoe",
        "granitemoeshared",
        "granitemoehybrid",
    ],
    attention: &[AttentionTensors::apart(APART, NORMS)],
    mlps: &[NUMBERED, STACKED, STACKED_EXPERTS],
    scores: |config| match config?.text("position_embedding_type") {
        None | Some("rope") => Some(PositionalScores::Rotation),
        Some(_) => Some(PositionalScores::Nothing),
    },
    ..Architecture::EMPTY
};
