//! CTRL.

use super::Architecture;
use super::attention::{AttentionTensors, PositionalScores};
use super::mlp::MlpTensors;

/// CTRL, whose positions are no tensor.
pub(super) const CTRL: Architecture = Architecture {
    name: "CTRL",
    model_types: &["ctrl"],
    attention: &[AttentionTensors::apart(
        [
            "multi_head_attention.Wq",
            "multi_head_attention.Wk",
            "multi_head_attention.Wv",
            "multi_head_attention.dense",
        ],
        &[],
    )],
    mlps: &[MlpTensors::plain("ffn.0", "ffn.2")],
    scores: |_| Some(PositionalScores::Nothing),
    embedding: &["transformer.w"],
    ..Architecture::EMPTY
};
