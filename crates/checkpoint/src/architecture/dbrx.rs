//! DBRX: fused attention, and experts below each other in matrices.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder};
use super::llama::rotation;
use super::mlp::{ExpertStorage, ExpertTensors, Linears, MlpTensors};

/// DBRX: all queries, all keys, all values; `w1` goes through the activation.
pub(super) const DBRX: Architecture = Architecture {
    name: "DBRX",
    model_types: &["dbrx"],
    attention: &[AttentionTensors::fused(
        "norm_attn_norm.attn.Wqkv",
        |_| Some(FusedOrder::Blocks),
        "norm_attn_norm.attn.out_proj",
    )],
    mlps: &[MlpTensors::Experts(ExpertTensors {
        storage: ExpertStorage::InRows {
            linears: Linears::gated(
                "ffn.experts.mlp.w1",
                "ffn.experts.mlp.v1",
                "ffn.experts.mlp.w2",
            ),
        },
        router: "ffn.router.layer",
        shared: None,
    })],
    scores: rotation,
    embedding: &["wte"],
    ..Architecture::EMPTY
};
