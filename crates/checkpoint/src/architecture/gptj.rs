//! GPT-J, and `CodeGen`, which is GPT-J with a fused tensor.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder};
use super::llama::rotation;
use super::mlp::MlpTensors;

const MLP: &[MlpTensors] = &[MlpTensors::plain("mlp.fc_in", "mlp.fc_out")];

/// GPT-J.
pub(super) const GPTJ: Architecture = Architecture {
    name: "GPT-J",
    model_types: &["gptj"],
    attention: &[AttentionTensors::apart(
        ["attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.out_proj"],
        &[],
    )],
    mlps: MLP,
    embedding: &["wte"],
    scores: rotation,
    ..Architecture::EMPTY
};

/// `CodeGen`: four parts, as it was trained on as many cores; in each queries, values, keys.
pub(super) const CODEGEN: Architecture = Architecture {
    name: "CodeGen",
    model_types: &["codegen"],
    attention: &[AttentionTensors::fused_by_type(
        "attn.qkv_proj",
        |_| Some(FusedOrder::FourParts),
        "attn.out_proj",
    )],
    mlps: MLP,
    embedding: &["wte"],
    scores: rotation,
    ..Architecture::EMPTY
};
