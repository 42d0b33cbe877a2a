//! `JetMoE`: attention heads are experts, of which every token has its own.

use super::Architecture;
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, StackOrder};

/// `JetMoE`.
pub(super) const JETMOE: Architecture = Architecture {
    name: "JetMoE",
    model_types: &["jetmoe"],
    no_circuits: Some("a router chooses for each token which queries and outputs it has"),
    mlps: &[MlpTensors::Experts(ExpertTensors {
        storage: ExpertStorage::Stacked {
            linears: Linears::Fused {
                gate_up: "mlp.input_linear",
                takes_turns: false,
                down: "mlp.output_linear",
            },
            order: StackOrder::OutIn,
            is_known_by_name: false,
        },
        router: "mlp.router.layer",
        shared: None,
    })],
    ..Architecture::EMPTY
};
