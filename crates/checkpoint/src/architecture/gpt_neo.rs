//! GPT-Neo.

use super::Architecture;
use super::attention::{AttentionTensors, PositionalScores};
use super::mlp::MlpTensors;

/// GPT-Neo.
pub(super) const GPT_NEO: Architecture = Architecture {
    name: "GPT-Neo",
    model_types: &["gpt_neo"],
    attention: &[AttentionTensors::apart(
        [
            "attn.attention.q_proj",
            "attn.attention.k_proj",
            "attn.attention.v_proj",
            "attn.attention.out_proj",
        ],
        &[],
    )],
    mlps: &[MlpTensors::plain("mlp.c_fc", "mlp.c_proj")],
    embedding: &["wte"],
    positions: &["wpe"],
    scores: |_| Some(PositionalScores::Nothing),
    ..Architecture::EMPTY
};
