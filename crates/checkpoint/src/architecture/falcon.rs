//! Falcon, in its three layouts.

use super::Architecture;
use super::attention::{AttentionTensors, FusedOrder, PositionalScores};
use super::mlp::MlpTensors;

/// Falcon 7B (one key-value head), 40B and 180B (several), and those of `RefinedWeb` (as many as
/// heads). In each a key-value head stands behind the queries of the heads that read it.
pub(super) const FALCON: Architecture = Architecture {
    name: "Falcon",
    model_types: &["falcon", "RefinedWeb", "RefinedWebModel"],
    attention: &[AttentionTensors::fused_by_type(
        "self_attention.query_key_value",
        |_| Some(FusedOrder::ByGroup),
        "self_attention.dense",
    )],
    mlps: &[MlpTensors::plain("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")],
    embedding: &["word_embeddings"],
    scores: |config| match config?.flag("alibi") {
        Some(true) => Some(PositionalScores::Alibi),
        Some(false) | None => Some(PositionalScores::Rotation),
    },
    ..Architecture::EMPTY
};
