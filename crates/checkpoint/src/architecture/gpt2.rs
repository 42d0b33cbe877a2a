//! GPT-2, whose linear maps are stored `[in, out]`, and GPT-BigCode, whose are not.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, PositionalScores};
use super::mlp::MlpTensors;

const MLP: &[MlpTensors] = &[
    MlpTensors::plain("mlp.c_fc", "mlp.c_proj"),
    // Qwen 1: `w2` goes through the activation.
    MlpTensors::gated("mlp.w2", "mlp.w1", "mlp.c_proj"),
];

/// GPT, GPT-2, those of nanoGPT, and Qwen 1.
pub(super) const GPT2: Architecture = Architecture {
    name: "GPT-2",
    model_types: &[
        "gpt2",
        "openai-gpt",
        "imagegpt",
        "decision_transformer",
        "qwen",
    ],
    attention: &[AttentionTensors::fused(
        "attn.c_attn",
        |_| Some(FusedOrder::Blocks),
        "attn.c_proj",
    )],
    mlps: MLP,
    is_transposed_where_wide: Some("attn.c_attn"),
    embedding: &["wte", "tokens_embed"],
    positions: &["wpe", "positions_embed"],
    scores: |config| match config?.model_type.as_deref() {
        Some("qwen") => Some(PositionalScores::Rotation),
        _ => Some(PositionalScores::Nothing),
    },
    ..Architecture::EMPTY
};

/// GPT-BigCode: one key-value head behind all queries, or one behind each.
pub(super) const GPT_BIGCODE: Architecture = Architecture {
    name: "GPT-BigCode",
    model_types: &["gpt_bigcode"],
    attention: &[AttentionTensors::fused_by_type(
        "attn.c_attn",
        |_| Some(FusedOrder::ByGroup),
        "attn.c_proj",
    )],
    mlps: MLP,
    embedding: &["wte"],
    positions: &["wpe"],
    scores: |_| Some(PositionalScores::Nothing),
    ..Architecture::EMPTY
};
