//! `HunYuan`'s mixtures: Llama's names but for the router and the shared expert.

use super::Architecture;
use super::attention::AttentionTensors;
use super::llama::{APART, EXPERT, GATED, NORMS, rotation};
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors, SharedExpert};

/// `HunYuan` with experts.
pub(super) const HUNYUAN: Architecture = Architecture {
    name: "HunYuan",
    model_types: &["hunyuan_v1_moe"],
    attention: &[AttentionTensors::apart(APART, NORMS)],
    mlps: &[
        GATED,
        MlpTensors::Experts(ExpertTensors {
            storage: ExpertStorage::Numbered {
                folder: "mlp.experts",
                linears: EXPERT,
            },
            router: "mlp.gate.wg",
            shared: Some(SharedExpert {
                linears: Linears::gated(
                    "mlp.shared_mlp.gate_proj",
                    "mlp.shared_mlp.up_proj",
                    "mlp.shared_mlp.down_proj",
                ),
                router: None,
            }),
        }),
    ],
    scores: rotation,
    ..Architecture::EMPTY
};
